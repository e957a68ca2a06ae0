// The catalogue: every message that crosses the bus. Facts are past tense, requests imperative, noun first.
// Each row: who publishes, who listens, why. `key` in an envelope narrows delivery (see bus.ts); rows say what the key is.
import type { InputFault, MqttFault, RuntimeFault } from '../ports/faults.ts';
import type { CertificateFacts } from '../ports/credentials-port.ts';
import type { MqttProperties, MqttSession } from '../ports/mqtt-port.ts';
import type { ContainerId, DesiredPod, Node, Pod, PodSource, PodStatus, PodUid } from '../ports/pod-types.ts';
import type { ObjectReference, StoredObject } from '../ports/stored-object.ts';
import type { ListedContainer, ListedSandbox, RuntimeEvent } from '../ports/runtime-port.ts';
import type { ApiAnswer, ApiOutcome, ApiWrite } from './api-write.ts';
import type { StorageArea, StorageTrouble } from './disk/storage-trouble.ts';
import type { PodOperation, SourceUpdate } from './source-update.ts';

export interface PodReference {
  readonly uid: PodUid;
  readonly namespace: string;
  readonly name: string;
}

/** The involved object of a Kubernetes Event. `fieldPath` as in `spec.containers{web}`. */
export type EventSubject =
  | { readonly kind: 'Pod'; readonly pod: PodReference; readonly fieldPath?: string }
  | { readonly kind: 'Node' };

/** A link to a remote end as its link actor sees it. */
export interface LinkStatus {
  readonly state: 'down' | 'connecting' | 'up' | 'backingOff';
  /** Why it is not up, in one line; empty when up. */
  readonly reason: string;
  /** When the next attempt starts, wall milliseconds; only in `backingOff`. */
  readonly nextAttemptAtMs?: number;
  /** What the broker granted; only in `up`. */
  readonly session?: MqttSession;
}

/** Answer to `image.requested`. `reason` is the container's waiting reason. */
export type ImageOutcome =
  | { readonly kind: 'present'; readonly imageRef: string; readonly uid?: number; readonly username?: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

/** What a garbage collection removes; sandboxes and log directories go with containers. */
export type GarbageKind = 'images' | 'containers';

export interface Messages {
  // ---- pods in -------------------------------------------------------------------------------------------------
  /** static-pods, mqtt-pods, admin-pods -> merge-sources: what one source says now. */
  'source.updated': SourceUpdate;
  /** ingress -> event recorder, log, metrics: input that was refused or runs reduced. Never repeated for unchanged input. */
  'input.refused': { readonly fault: InputFault; readonly pod?: PodReference };
  /** mqtt-pods -> refused pods: a pod that the cloud has bound to this node, that nobody here knows, and that cannot be read. */
  'pod.refused': { readonly pod: PodReference; readonly message: string; /** The cloud wants it deleted. */ readonly deleting: boolean };
  /** mqtt-pods -> object store: a secret or config map, ahead of the pod it came with. Its values do not show in text. */
  'object.received': { readonly object: StoredObject };
  /** object store -> supervisor: an object is new or has other values. */
  'object.changed': ObjectReference;
  /** pod cache -> mqtt ingress, once at the start: the pods this node had from the cloud when it was last there. */
  'pods.recalled': { readonly pods: readonly DesiredPod[] };
  /** mqtt ingress -> status reporter, api-writer, caches, event flow: the cloud's whole list has been taken; incomplete where an entry could not be read. */
  'cloud.listed': { readonly complete: boolean };
  /** merge-sources -> supervisor, node view: one operation of kubelet's vocabulary. */
  'pods.changed': PodOperation;
  /** merge-sources -> supervisor: every configured source has spoken once, so absence now means deletion. */
  'sources.ready': { readonly sources: readonly PodSource[] };

  // ---- a pod's life (key: pod UID) -------------------------------------------------------------------------------
  /** pod actor -> inspector, node view, log: the machine moved. */
  'pod.transitioned': { readonly pod: PodReference; readonly from: string; readonly to: string; readonly on: string };
  /** pod actor -> inspector: what a sync is about to do; empty plans are not published. */
  'pod.planned': { readonly pod: PodReference; readonly steps: readonly string[] };
  /** pod actor -> status reporter, node view: computed status, published only when it differs from the last one. */
  'pod.status': { readonly pod: PodReference; readonly desired: DesiredPod; readonly status: PodStatus };
  /** pod actor -> status reporter, supervisor: containers and volumes are gone; the API object may be deleted. */
  'pod.terminated': { readonly pod: PodReference; readonly desired: DesiredPod };
  /** supervisor -> everyone who keeps something by UID: forget this pod. */
  'pod.forgotten': { readonly pod: PodReference };
  /** admin API, eviction, node shutdown, pod actor (what the runtime cannot do) -> supervisor: stop a pod although its source still wants it. */
  'pod.kill': {
    readonly pod: PodReference;
    readonly graceMs?: number;
    readonly reason: string;
    readonly message: string;
    /** It goes for the node's sake: the condition DisruptionTarget says so. */
    readonly disruption?: boolean;
  };
  /** eviction -> metrics, inspector: a pod has been told to go. `signal` is what was short, or the limit it was over. */
  'pod.evicted': { readonly pod: PodReference; readonly signal: string };

  /** prober -> pod actor: a probe of one instance of a container has another result; what is not decided yet is not told. */
  'probe.changed': {
    readonly pod: PodReference;
    readonly container: string;
    readonly containerId: ContainerId;
    readonly probe: 'startup' | 'readiness' | 'liveness';
    readonly result: 'success' | 'failure';
    /** Of the run that decided. */
    readonly message: string;
  };

  /** token manager -> supervisor (key: pod UID): asking for the pod's tokens again may give another answer. */
  'token.changed': { readonly pod: PodReference };

  // ---- runtime -----------------------------------------------------------------------------------------------------
  /** runtime-watch -> pod actors (key: container or sandbox id): a hint to look. */
  'runtime.event': RuntimeEvent;
  /** relist actor -> supervisor, metrics: all sandboxes and containers; `startedAtMs` is when the look began. */
  'runtime.relisted': {
    readonly startedAtMs: number;
    readonly sandboxes: readonly ListedSandbox[];
    readonly containers: readonly ListedContainer[];
  };
  /** relist actor -> node actor, health, metrics: the last relist failed. */
  'runtime.relist-failed': { readonly fault: RuntimeFault };
  /** runtime-watch -> node actor, supervisor: conditions changed, or the event stream came or went. */
  'runtime.health': {
    readonly runtimeReady: boolean;
    readonly networkReady: boolean;
    readonly streaming: boolean;
    readonly message: string;
  };

  // ---- images (key: pod UID) -----------------------------------------------------------------------------------------
  /** pod actor -> image actor. */
  'image.requested': {
    readonly requestId: string;
    readonly pod: PodReference;
    readonly container: string;
    readonly fieldPath: string;
    readonly image: string;
    readonly policy: 'Always' | 'IfNotPresent' | 'Never';
    /** Names of secrets in the pod's namespace that may let it pull. */
    readonly pullSecrets: readonly string[];
    /** What this container of the pod last ran from, as the runtime names it; empty when it never ran here. */
    readonly ranFrom: string;
  };
  /** pod actor -> image actor: it no longer waits for the answer; a pull that nobody else wants is ended. */
  'image.unwanted': { readonly requestId: string };
  /** image actor -> the pod actor that asked. */
  'image.resolved': { readonly requestId: string; readonly image: string; readonly outcome: ImageOutcome };
  /** prefetch -> node actor (a condition), image GC: the images the cloud wants on the node whatever pods there are, and how far that has come. */
  'images.prefetch': { readonly wanted: readonly string[]; readonly status: 'True' | 'False'; readonly reason: string; readonly message: string };

  // ---- garbage (key of the answer: request ID) -------------------------------------------------------------------------
  /**
   * eviction -> image GC, container GC: free what nobody uses, at once and without regard to thresholds. `images` are all unused
   * ones past their minimum age; `containers` are all dead ones a living pod can spare, and all of pods that have ended.
   */
  'gc.requested': { readonly requestId: string; readonly what: GarbageKind; readonly reason: string };
  /**
   * image GC, container GC -> whoever asked, metrics: a pass that was asked for, removed something or failed is over.
   * Every request is answered once; those that come during a pass share the next one, each with an answer of its own.
   */
  'gc.done': {
    /** `undefined` for a pass of the actor's own rhythm. */
    readonly requestId: string | undefined;
    readonly what: GarbageKind;
    readonly removed: number;
    /** Bytes of removed images; 0 for containers, of which the runtime does not tell. */
    readonly freedBytes: number;
    /** What went wrong, in one line; empty when nothing did. */
    readonly trouble: string;
  };
  /** image GC, container GC -> log, metrics, node actor (its list of images): one thing was removed. */
  'garbage.removed': {
    readonly kind: 'image' | 'container' | 'sandbox' | 'logs';
    readonly id: string;
    /** For people: an image's name, a container's, a directory's. */
    readonly name: string;
    /** `space`: too little of it. `age`: unused for too long. `limit`: more dead than may stay. `orphan`: nobody's. `request`: somebody asked. */
    readonly why: 'space' | 'age' | 'limit' | 'orphan' | 'request';
    readonly freedBytes: number;
  };

  /** log rotation -> log, metrics: a container writes to a new log file; the old one was this large. */
  'log.rotated': { readonly pod: PodReference; readonly container: string; readonly rotated: string; readonly sizeBytes: number };

  // ---- towards the API ---------------------------------------------------------------------------------------------
  /** status reporter, mirror pods, node, lease, events -> api-writer. */
  'api.write': ApiWrite;
  /** api-writer -> whoever wrote (key: the writer, as named in the write). */
  'api.settled': { readonly write: ApiWrite; readonly outcome: ApiOutcome };
  /** any actor -> event recorder: becomes a Kubernetes Event. */
  'event.noted': {
    readonly subject: EventSubject;
    readonly type: 'Normal' | 'Warning';
    readonly reason: string;
    readonly message: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /** eviction -> node actor: what the node is short of, as its conditions show it; published when it changes. */
  'node.pressure': { readonly pressures: readonly ('memory' | 'disk' | 'pid')[] };
  /** node shutdown -> node actor, supervisor: the machine goes down, or does not any more; no pod is taken meanwhile. */
  'node.shutdown': { readonly goesDown: boolean };
  /** mqtt ingress -> node actor, lease: the cloud's copy of our node object. */
  'node.received': { readonly node: Node };
  /** node actor -> node view: the node as it is now, accepted or not; published when anything but heartbeats changed. */
  'node.status': { readonly node: Node };
  /** node actor -> lease, mirror pods: the node object as last accepted. */
  'node.registered': { readonly node: Node };
  /** node cache -> known node, once at the start: labels and taints as the cloud had them when it was last there. */
  'node.recalled': { readonly node: Node };
  /** mqtt ingress -> mirror pods, status reporter, supervisor (readiness gates): the cloud's copy of a mirror pod, `undefined` when it is gone. */
  'mirror.received': { readonly fullName: string; readonly pod: Pod | undefined };
  /** mirror pods -> status reporter: the API's UID and last status of a static pod's mirror; `undefined` while there is none. */
  'mirror.known': {
    readonly fullName: string;
    readonly staticUid: PodUid;
    readonly apiUid: PodUid | undefined;
    readonly status: PodStatus | undefined;
  };

  /** keepers of files -> node actor: what the node keeps on its disk cannot be kept or was damaged, or is well again. */
  'storage.health': { readonly area: StorageArea; readonly trouble: StorageTrouble | undefined };

  // ---- links and faults ------------------------------------------------------------------------------------------
  /** link actor -> egress, ingress, node view, metrics. */
  'mqtt.link': LinkStatus;
  /** link actor -> mqtt ingress: one packet, in order of arrival. */
  'mqtt.received': { readonly topic: string; readonly payload: Uint8Array; readonly properties?: MqttProperties };
  /** mqtt ingress -> api-writer: an answer of the cloud, its envelope checked; its object is not. */
  'mqtt.ack': { readonly topic: string; readonly identity: string; readonly answer: ApiAnswer };
  /** link actor, api-writer -> log, node view: the broker refused something that keeps us from working. */
  'mqtt.refused': { readonly fault: MqttFault; readonly what: string };
  /** certificate actor -> node actor, metrics: how long the node's certificate is good; `status` True: somebody has to act. */
  'mqtt.certificate': { readonly certificate: CertificateFacts; readonly status: 'True' | 'False'; readonly reason: string; readonly message: string };
  /** certificate actor -> link actor: connect anew, in order, with what is in the files now. */
  'mqtt.renew': { readonly reason: string };
  /** bus and supervisor -> log, health, metrics: something of ours failed; what was done about it. */
  'actor.failed': { readonly actor: string; readonly message: string; readonly action: string };
}

export type Topic = keyof Messages;

/** One message as delivered. `cause` is the `seq` of the message that led to it, 0 when none did. */
export interface Envelope<T extends Topic = Topic> {
  readonly seq: number;
  /** ClockPort.nowMs at publication. */
  readonly at: number;
  readonly topic: T;
  /** Id of the publishing actor. */
  readonly from: string;
  readonly cause: number;
  readonly key: string | undefined;
  readonly payload: Messages[T];
}

/** An envelope whose `topic` discriminates its payload. */
export type AnyEnvelope = { [T in Topic]: Envelope<T> }[Topic];
