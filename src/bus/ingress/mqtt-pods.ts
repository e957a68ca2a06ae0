// What comes down over MQTT: answers, pods, mirror pods and the node, each to whom it concerns; and when the list of pods is asked
// for. A bad payload is one refusal and nothing else. It decides about no pod's life: it says what the cloud wants.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { InputFault, MqttFault } from '../../ports/faults.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { MqttPacket } from '../../ports/mqtt-port.ts';
import { type DesiredPod, type Node, type Pod, podFullName, podName, type PodUid } from '../../ports/pod-types.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import type { ApiAnswer, ApiWrite } from '../api-write.ts';
import type { BusPort } from '../bus.ts';
import { checkObject, withHiddenToken } from '../dialects/check-object.ts';
import type { Dialect, DownMessage } from '../dialects/dialect.ts';
import { isJsonObject, type JsonObject } from '../dialects/json-value.ts';
import type { Messages, PodReference } from '../messages.ts';
import { decodePodObject } from './decode-pod.ts';
import { takeObjects } from './mqtt-objects.ts';
import { MqttMirrors } from './mqtt-mirrors.ts';
import { MqttPodState, mqttPodsMax } from './mqtt-pod-state.ts';
import { RefusalTeller } from './refusal-teller.ts';
import { StartHandshake } from './start-handshake.ts';
import { configMirrorAnnotation } from './static-pod.ts';

export interface MqttPodsDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly dialect: Dialect;
  readonly nodeName: string;
  /** As MqttPort.publish; the link actor's. */
  publish(packet: MqttPacket): Promise<Result<void, MqttFault>>;
}

/** Listens to `mqtt.link`, `mqtt.received`, `api.settled`, `pods.recalled` and `pod.terminated`. */
export function startMqttPods(deps: MqttPodsDeps): Stoppable {
  return new MqttPodsActor(deps);
}

/** Warnings told of one pod at most. */
const warningsMax = 10;

class MqttPodsActor implements Stoppable {
  readonly #deps: MqttPodsDeps;
  readonly #state = new MqttPodState();
  readonly #teller: RefusalTeller;
  readonly #handshake: StartHandshake;
  readonly #mirrors: MqttMirrors;
  readonly #listenings: { off(): void }[];

  constructor(deps: MqttPodsDeps) {
    this.#deps = deps;
    const { bus, clock, random } = deps;
    this.#teller = new RefusalTeller(deps);
    this.#mirrors = new MqttMirrors(bus);
    this.#handshake = new StartHandshake({ clock, random, begin: () => this.#beginStart(), send: (identity) => this.#sendStart(identity) });
    this.#listenings = [
      bus.on('mqtt.link', ({ payload }) => {
        if (payload.state === 'up') this.#handshake.linkUp();
        else this.#handshake.linkDown();
      }),
      bus.on('mqtt.received', ({ payload }) => this.#received(payload)),
      bus.on('api.settled', ({ payload }) => this.#settled(payload)),
      bus.on('pods.recalled', ({ payload }) => {
        for (const pod of this.#state.recall(payload.pods)) bus.publish('source.updated', { kind: 'upsert', source: 'mqtt', pod });
      }),
      bus.on('pod.terminated', ({ payload }) => {
        if (this.#state.terminated(payload.pod.uid)) this.#forget(payload.pod.uid);
      }),
    ];
  }

  stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    this.#handshake.stop();
    return Promise.resolve();
  }

  #beginStart(): void {
    this.#state.beginStart();
    this.#mirrors.beginStart();
  }

  async #sendStart(identity: string): Promise<boolean> {
    const { topic, payload, properties } = this.#deps.dialect.encodeStart(identity);
    const sent = await this.#deps.publish({ topic, payload, qos: 1, retain: false, ...(properties === undefined ? {} : { properties }) });
    if (!sent.ok) this.#deps.log.warn('mqtt-pods.start-unsent', { reason: sent.fault.message });
    return sent.ok;
  }

  #received({ topic, payload, properties }: Messages['mqtt.received']): void {
    const decoded = this.#deps.dialect.decodeDown(topic, payload, properties);
    if (!decoded.ok) {
      this.#teller.tell(decoded.fault);
      return;
    }
    const message: DownMessage = decoded.value;
    switch (message.kind) {
      case 'ack':
        if (this.#handshake.isAnswer(message.identity)) this.#startAnswered(topic, message.answer);
        else this.#deps.bus.publish('mqtt.ack', { topic, identity: message.identity, answer: withHiddenToken(message.answer) });
        return;
      case 'pod': this.#pushed(topic, message); return;
      case 'node': this.#nodeReceived(topic, message.node, 'node_data.metadata.name'); return;
      default: message satisfies never;
    }
  }

  #nodeReceived(topic: string, node: Node, field: string): void {
    const name = node.metadata?.name;
    if (name === this.#deps.nodeName) this.#deps.bus.publish('node.received', { node });
    else this.#teller.tell({ origin: topic, field, message: `must be this node, "${this.#deps.nodeName}", not ${JSON.stringify(name ?? null)}`, severity: 'error' });
  }

  #pushed(topic: string, message: DownMessage & { kind: 'pod' }): void {
    const object = message.pod;
    if (isMirror(object)) {
      const mirror = this.#readMirror(topic, object, 'pod_data');
      if (mirror !== undefined) this.#mirrors.push(mirror.fullName, mirror.pod);
      return;
    }
    const pod = this.#readPod(topic, object, 'pod_data');
    if (pod === undefined) return;
    if (this.#state.full && !this.#state.has(pod.uid)) {
      const refusal = `more than ${mqttPodsMax} pods are not taken (pod ${podName(pod)})`;
      this.#teller.tell({ origin: topic, field: 'pod_data', message: refusal, severity: 'error' }, referenceOf(pod));
      return;
    }
    // What the pod uses goes ahead of it, and only with a pod that is in order.
    const taking = { bus: this.#deps.bus, teller: this.#teller, topic };
    takeObjects(taking, 'Secret', 'secrets_data', message.secrets);
    takeObjects(taking, 'ConfigMap', 'configmaps_data', message.configMaps);
    for (const change of this.#state.push(pod)) {
      if (change.kind === 'forget') this.#forget(change.uid);
      else this.#deps.bus.publish('source.updated', { kind: 'upsert', source: 'mqtt', pod: change.pod });
    }
  }

  #startAnswered(topic: string, answer: ApiAnswer): void {
    if (answer.kind === 'refused') {
      this.#deps.log.warn('mqtt-pods.start-refused', { reason: answer.status.reason ?? '', message: answer.status.message ?? '' });
      this.#handshake.failed();
      return;
    }
    if (answer.object === undefined) {
      this.#teller.tell({ origin: topic, field: 'ack_data.object', message: 'is missing in the answer to a start; nothing is changed', severity: 'error' });
      this.#handshake.failed();
      return;
    }
    const start = this.#deps.dialect.decodeStartAnswer(topic, answer.object);
    if (!start.ok) {
      this.#teller.tell(start.fault);
      this.#handshake.failed();
      return;
    }
    const taking = { bus: this.#deps.bus, teller: this.#teller, topic };
    takeObjects(taking, 'Secret', 'secret_list', start.value.secrets);
    takeObjects(taking, 'ConfigMap', 'config_map_list', start.value.configMaps);
    this.#takeList(topic, start.value.pods);
    if (start.value.node !== undefined) this.#nodeReceived(topic, start.value.node, 'ack_data.object.node.metadata.name');
    this.#handshake.answered();
  }

  #takeList(topic: string, entries: readonly unknown[]): void {
    const pods: DesiredPod[] = [];
    const mirrors = new Map<string, Pod>();
    let unread = 0;
    for (const [index, entry] of entries.entries()) {
      const place = `pods_list[${index}]`;
      if (isJsonObject(entry) && isMirror(entry)) {
        const mirror = this.#readMirror(topic, entry, place);
        if (mirror === undefined) unread += 1;
        else mirrors.set(mirror.fullName, mirror.pod);
        continue;
      }
      const pod = this.#readPod(topic, entry, place);
      if (pod === undefined) unread += 1;
      else pods.push(pod);
    }
    // An entry that cannot be read may be any pod: then absence of another one proves nothing.
    const complete = unread === 0;
    this.#deps.bus.publish('source.updated', { kind: 'set', source: 'mqtt', pods: this.#state.answer(pods, { complete }) });
    this.#mirrors.list(mirrors, { complete });
    this.#deps.bus.publish('cloud.listed', { complete });
  }

  /** @param place of the object in the message, for objects without a name */
  #readPod(topic: string, object: unknown, place: string): DesiredPod | undefined {
    const decoded = decodePodObject(object, { origin: topic, source: 'mqtt', nodeName: this.#deps.nodeName });
    const reference = decoded.pod === undefined ? referenceIn(object) : referenceOf(decoded.pod);
    const suffix = reference === undefined ? `(${place})` : `(pod ${podName(reference)})`;
    const named = (fault: InputFault): InputFault => ({ ...fault, message: `${fault.message.slice(0, 900)} ${suffix}` });
    if (decoded.pod === undefined) {
      const fault = decoded.faults.find(({ severity }) => severity === 'error') ?? { origin: topic, message: 'is no pod', severity: 'error' };
      this.#teller.tell(named(fault), reference);
      return undefined;
    }
    if (reference !== undefined) this.#teller.accepted(reference);
    for (const fault of decoded.faults.slice(0, warningsMax)) this.#teller.tell(named(fault));
    return decoded.pod;
  }

  #readMirror(topic: string, object: JsonObject, place: string): { readonly fullName: string; readonly pod: Pod } | undefined {
    const checked = checkObject('Pod', object);
    const { name, namespace } = isJsonObject(object.metadata) ? object.metadata : {};
    const nodeName = isJsonObject(object.spec) ? object.spec.nodeName : undefined;
    const refuse = (field: string, message: string): undefined => {
      this.#teller.tell({ origin: topic, field: `${place}.${field}`, message, severity: 'error' });
    };
    if (!checked.ok) return refuse(checked.fault.field, checked.fault.message);
    if (typeof name !== 'string' || name === '') return refuse('metadata.name', 'is missing in a mirror pod');
    if (typeof namespace !== 'string' || namespace === '') return refuse('metadata.namespace', 'is missing in a mirror pod');
    if (nodeName !== this.#deps.nodeName) return refuse('spec.nodeName', `must be this node, "${this.#deps.nodeName}" (pod ${namespace}/${name})`);
    // checkObject answers the type of the kind it was asked for.
    return { fullName: podFullName({ namespace, name }), pod: checked.value as Pod };
  }

  /** No message says that a pod is gone from the API: only the outcome of a write does. */
  #settled({ write, outcome }: Messages['api.settled']): void {
    if (write.kind !== 'Pod') return;
    if (write.verb === 'create') {
      if (outcome.kind === 'accepted') this.#mirrors.created(podFullName(write));
      return;
    }
    const reason = outcome.kind === 'refused' ? outcome.status.reason : undefined;
    const gone = reason === 'NotFound' || (reason === 'Conflict' && write.verb === 'delete') || (write.verb === 'delete' && outcome.kind === 'accepted');
    if (!gone && reason !== 'Conflict') return;
    const fullName = podFullName(write);
    if (gone) this.#mirrors.gone(fullName);
    // The API has another mirror than the one pushed last: an old push came late.
    else if (this.#mirrors.has(fullName)) this.#handshake.confirm();
    const uid = uidIn(write) ?? this.#state.uidOf(write);
    if (uid === undefined || !this.#state.has(uid)) return;
    if (gone && (write.verb === 'delete' || this.#state.isTerminated(uid))) {
      if (this.#state.deleted(uid)) this.#forget(uid);
      return;
    }
    // A pod that runs is not stopped on the word of one answer: the list decides.
    this.#handshake.confirm();
  }

  #forget(uid: PodUid): void {
    this.#deps.bus.publish('source.updated', { kind: 'forget', source: 'mqtt', uid });
  }
}

function referenceOf(pod: DesiredPod): PodReference {
  return { uid: pod.uid, namespace: pod.namespace, name: pod.name };
}

/** Name of a refused pod, as far as it can be shown. */
function referenceIn(object: unknown): PodReference | undefined {
  const metadata = isJsonObject(object) ? object.metadata : undefined;
  if (!isJsonObject(metadata)) return undefined;
  const { name, namespace, uid } = metadata;
  if (!isShort(name) || !isShort(namespace)) return undefined;
  // A refused pod's UID serves only to show it.
  return { name, namespace, uid: (isShort(uid) ? uid : '') as PodUid };
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 253 && !/[\u0000-\u001f\u007f]/.test(value);
}

/** The pod a write was about, where it says so: the name may belong to another one by now. */
function uidIn(write: ApiWrite): PodUid | undefined {
  if (write.kind !== 'Pod') return undefined;
  if (write.verb === 'delete') return write.uid;
  const metadata = write.verb === 'patchStatus' && 'metadata' in write.patch ? write.patch.metadata : undefined;
  const uid = isJsonObject(metadata) ? metadata.uid : undefined;
  // Our own writers put the UID of the pod there.
  return typeof uid === 'string' ? (uid as PodUid) : undefined;
}

function isMirror(object: JsonObject): boolean {
  const annotations = isJsonObject(object.metadata) ? object.metadata.annotations : undefined;
  return isJsonObject(annotations) && annotations[configMirrorAnnotation] !== undefined;
}
