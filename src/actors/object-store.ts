// Keeps the secrets and config maps of this node's pods: in memory, and in files only root can read, so that pods start again without
// the cloud. It says when one has changed; it gives values to nobody but who asks for the object by name.
import type { BusPort } from '../bus/bus.ts';
import { recordObject, RecordFiles } from '../bus/disk/record-files.ts';
import { decodeObject, objectBytesMax, objectRecordName, objectText } from '../bus/ingress/decode-object.ts';
import { objectsUsedBy } from '../bus/object-references.ts';
import type { PodOperation } from '../bus/source-update.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { PodUid } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';
import { objectKey, type FindObject, type StoredObject, type StoredObjectKind } from '../ports/stored-object.ts';

/** Objects kept; beyond, new ones are refused. Ten for each of a node's 110 pods. */
export const objectsMax = 1_100;
/** Bytes of values kept in memory; beyond, new ones are refused. */
export const objectsBytesMax = 32 * 1024 * 1024;
/** After the last pod that used an object has gone, or the sources have spoken, so that a pod that comes again finds it. */
const sweepAfterMs = 60_000;
/** Shorter than a pod waits for its own file, so that a pod that is remembered has its objects. */
const settleMs = 200;
/** Base64, and the names around it. */
const fileBytesMax = 2 * objectBytesMax;

const directories: Readonly<Record<StoredObjectKind, string>> = { Secret: 'secrets', ConfigMap: 'configmaps' };
const kinds = ['Secret', 'ConfigMap'] as const;

export interface ObjectStoreDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly log: LogPort;
  /** Holds `secrets` and `configmaps`. */
  readonly directory: string;
}

export interface ObjectStore extends Stoppable {
  readonly find: FindObject;
}

/** Listens to `object.received`, `pods.changed`, `pod.forgotten`, `sources.ready` and `cloud.listed`. */
export function startObjectStore(deps: ObjectStoreDeps): ObjectStore {
  return new KeptObjects(deps);
}

class KeptObjects implements ObjectStore {
  readonly #deps: ObjectStoreDeps;
  readonly #objects = new Map<string, StoredObject>();
  readonly #records: Readonly<Record<StoredObjectKind, RecordFiles>>;
  /** Keys each pod uses. */
  readonly #uses = new Map<PodUid, ReadonlySet<string>>();
  readonly #listenings: { off(): void }[];
  #bytes = 0;
  #ready = false;
  #stopped = false;
  #sweepTimer: unknown;

  constructor(deps: ObjectStoreDeps) {
    this.#deps = deps;
    const { bus } = deps;
    const recordsOf = (kind: StoredObjectKind) => new RecordFiles({
      ...deps, directory: `${deps.directory}/${directories[kind]}`, area: 'objects', bytesMax: fileBytesMax, recordsMax: objectsMax,
    });
    this.#records = { Secret: recordsOf('Secret'), ConfigMap: recordsOf('ConfigMap') };
    this.#listenings = [
      bus.on('object.received', ({ payload }) => this.#received(payload.object)),
      bus.on('pods.changed', ({ payload }) => this.#podsChanged(payload)),
      bus.on('pod.forgotten', ({ payload }) => this.#podForgotten(payload.pod.uid)),
      bus.on('sources.ready', () => {
        this.#ready = true;
        this.#sweepLater();
      }),
      bus.on('cloud.listed', ({ payload }) => { if (payload.complete) for (const kind of kinds) this.#records[kind].repaired(); }),
    ];
    void this.#load();
  }

  readonly find: FindObject = (reference) => this.#objects.get(objectKey(reference));

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const listening of this.#listenings) listening.off();
    this.#deps.clock.clearTimeout(this.#sweepTimer);
    for (const kind of kinds) await this.#records[kind].stop();
  }

  #received(object: StoredObject): void {
    const key = objectKey(object);
    const known = this.#objects.get(key);
    if (known !== undefined && (isOlder(object, known) || (object.version === known.version && object.data.equals(known.data)))) return;
    if (!this.#take(object)) return;
    const changed = known === undefined || !known.data.equals(object.data);
    this.#keep(key, object);
    if (changed) this.#deps.bus.publish('object.changed', { kind: object.kind, namespace: object.namespace, name: object.name });
  }

  /** @returns false where there is no room */
  #take(object: StoredObject): boolean {
    const key = objectKey(object);
    const known = this.#objects.get(key);
    const bytes = this.#bytes - (known?.data.sizeBytes() ?? 0) + object.data.sizeBytes();
    if (bytes > objectsBytesMax || (known === undefined && this.#objects.size >= objectsMax)) {
      this.#deps.log.warn('object-store.full', { object: key, objects: this.#objects.size, bytes: this.#bytes });
      return false;
    }
    this.#bytes = bytes;
    this.#objects.set(key, object);
    return true;
  }

  #podsChanged({ op, pods }: PodOperation): void {
    if (op === 'REMOVE') return;
    for (const { uid, namespace, pod } of pods) {
      const used = objectsUsedBy(namespace, pod.spec);
      if (used.length > 0) this.#uses.set(uid, new Set(used.map(objectKey)));
    }
  }

  #podForgotten(uid: PodUid): void {
    if (this.#uses.delete(uid)) this.#sweepLater();
  }

  #sweepLater(): void {
    if (!this.#ready || this.#stopped) return;
    this.#sweepTimer ??= this.#deps.clock.setTimeout(() => {
      this.#sweepTimer = undefined;
      this.#sweep();
    }, sweepAfterMs);
  }

  #sweep(): void {
    const used = new Set<string>();
    for (const keys of this.#uses.values()) for (const key of keys) used.add(key);
    for (const [key, object] of this.#objects) {
      if (used.has(key)) continue;
      this.#objects.delete(key);
      this.#bytes -= object.data.sizeBytes();
      this.#deps.log.info('object-store.unused', { object: key });
      this.#keep(key, object);
    }
  }

  // ---- files -------------------------------------------------------------------------------------------------------

  /** Nobody waits for the file; a pod that comes with its objects has the disk for its volumes first. */
  #keep(key: string, object: StoredObject): void {
    const records = this.#records[object.kind];
    const kept = this.#objects.get(key);
    if (kept === undefined) records.put(objectRecordName(object), undefined);
    else records.put(objectRecordName(object), () => objectText(kept), { withinMs: settleMs });
  }

  /** What has arrived meanwhile is newer than any file. */
  async #load(): Promise<void> {
    for (const kind of kinds) await this.#records[kind].load((name, content) => this.#recall(kind, name, content));
    this.#sweepLater();
  }

  #recall(kind: StoredObjectKind, name: string, content: Uint8Array): string | undefined {
    const object = decodeText(kind, content);
    if (object === undefined || objectRecordName(object) !== name) return `is no ${kind} of this name`;
    if (!this.#objects.has(objectKey(object)) && this.#take(object)) {
      this.#deps.bus.publish('object.changed', { kind, namespace: object.namespace, name: object.name });
    }
    return undefined;
  }
}

function decodeText(kind: StoredObjectKind, content: Uint8Array): StoredObject | undefined {
  const object = recordObject(content);
  const decoded = object && decodeObject(kind, object);
  return decoded?.ok === true ? decoded.value : undefined;
}

/** Versions can be compared only while they are numbers of one and the same object. */
function isOlder(object: StoredObject, known: StoredObject): boolean {
  if (object.uid !== known.uid || !/^\d{1,18}$/.test(object.version) || !/^\d{1,18}$/.test(known.version)) return false;
  return Number(object.version) < Number(known.version);
}
