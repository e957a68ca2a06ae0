// Keeps the pods the cloud has given this node on disk, so that they run again where neither broker nor cloud can be reached.
// Of a pod it keeps what the cloud wants, never what the node reports of it; a repeated or merely newer-numbered pod costs no write.
import type { ClockPort } from '../../ports/clock-port.ts';
import { type InputFault, inputFaultLine } from '../../ports/faults.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { DesiredPod, PodUid } from '../../ports/pod-types.ts';
import type { Stoppable } from '../../ports/result.ts';
import type { BusPort } from '../bus.ts';
import { recordObject, RecordFiles } from '../disk/record-files.ts';
import type { SourceUpdate } from '../source-update.ts';
import { sameJson } from './canonical-json.ts';
import { decodePodObject } from './decode-pod.ts';
import { mqttPodsMax } from './mqtt-pod-state.ts';

/** Of one pod's file: more than an API server stores of one object. */
const podBytesMax = 2 * 1_024 * 1_024;
/** A new pod's file may wait that long: what is taken back at once, or comes twice, is written once. */
const settleMs = 250;

export interface PodCacheDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly log: LogPort;
  /** `<root>/cache/pods`. */
  readonly directory: string;
  readonly nodeName: string;
}

/** Listens to `source.updated` of source mqtt and to `cloud.listed`; publishes `pods.recalled` once, when the files have been read. */
export function startPodCache(deps: PodCacheDeps): Stoppable {
  return new PodCache(deps);
}

class PodCache implements Stoppable {
  readonly #deps: PodCacheDeps;
  readonly #records: RecordFiles;
  readonly #listenings: { off(): void }[];
  /** What each file says, or is about to: the pod as it was last compared. */
  readonly #kept = new Map<PodUid, DesiredPod>();
  /** Heard while the files were read. */
  #meanwhile: SourceUpdate[] | undefined = [];

  constructor(deps: PodCacheDeps) {
    this.#deps = deps;
    const { bus } = deps;
    this.#records = new RecordFiles({ ...deps, area: 'pods', bytesMax: podBytesMax, recordsMax: mqttPodsMax });
    this.#listenings = [
      bus.on('source.updated', ({ payload }) => {
        if (payload.source !== 'mqtt') return;
        if (this.#meanwhile === undefined) this.#updated(payload);
        else this.#meanwhile.push(payload);
      }),
      bus.on('cloud.listed', ({ payload }) => { if (payload.complete) this.#records.repaired(); }),
    ];
    void this.#load();
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    await this.#records.stop();
  }

  async #load(): Promise<void> {
    const pods: DesiredPod[] = [];
    await this.#records.load((name, content) => {
      const decoded = decodeRecord(content, { origin: `${this.#deps.directory}/${name}.json`, nodeName: this.#deps.nodeName });
      if (decoded.pod === undefined) return decoded.fault;
      if (decoded.pod.uid !== name) return `metadata.uid is not the name of the file`;
      this.#kept.set(decoded.pod.uid, decoded.pod);
      pods.push(decoded.pod);
      return undefined;
    });
    const meanwhile = this.#meanwhile ?? [];
    this.#meanwhile = undefined;
    for (const update of meanwhile) this.#updated(update);
    this.#deps.bus.publish('pods.recalled', { pods });
  }

  #updated(update: SourceUpdate): void {
    switch (update.kind) {
      case 'set': {
        const listed = new Set(update.pods.map(({ uid }) => uid));
        for (const uid of [...this.#kept.keys()]) if (!listed.has(uid)) this.#drop(uid);
        for (const pod of update.pods) this.#keep(pod);
        return;
      }
      case 'upsert': return this.#keep(update.pod);
      case 'forget': return this.#drop(update.uid);
      default: update satisfies never;
    }
  }

  #keep(pod: DesiredPod): void {
    const known = this.#kept.get(pod.uid);
    this.#kept.set(pod.uid, pod);
    if (known !== undefined && sameWish(known, pod)) return;
    // A deletion is not put off: a pod that has been stopped must not come back.
    const withinMs = pod.pod.metadata.deletionTimestamp === undefined ? settleMs : 0;
    this.#records.put(pod.uid, () => podRecordText(this.#kept.get(pod.uid) ?? pod), { withinMs });
  }

  #drop(uid: PodUid): void {
    this.#kept.delete(uid);
    this.#records.put(uid, undefined);
  }
}

/** The cloud wants the same of both: versions and statuses do not count. */
function sameWish(a: DesiredPod, b: DesiredPod): boolean {
  return a === b || (sameJson(wishedMetadata(a), wishedMetadata(b)) && sameJson(a.pod.spec, b.pod.spec));
}

function wishedMetadata({ pod }: DesiredPod): object {
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...wished } = pod.metadata;
  return wished;
}

/** A Pod as the API has it, so that a person can read it. */
export function podRecordText({ pod }: DesiredPod): string {
  const { managedFields: _fields, ...metadata } = pod.metadata;
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: pod.spec })}\n`;
}

type Decoded = { readonly pod: DesiredPod } | { readonly pod?: undefined; readonly fault: string };

function decodeRecord(content: Uint8Array, { origin, nodeName }: { readonly origin: string; readonly nodeName: string }): Decoded {
  const object = recordObject(content);
  if (object === undefined) return { fault: 'is no JSON object' };
  const { pod, faults } = decodePodObject(object, { origin, source: 'mqtt', nodeName });
  if (pod !== undefined) return { pod: { ...pod, recalled: true } };
  const fault: InputFault | undefined = faults.find(({ severity }) => severity === 'error');
  return { fault: fault === undefined ? 'is no pod' : inputFaultLine({ ...fault, origin: '' }).replace(/^: /, '') };
}
