// The API objects of an embedded cloud side, in memory: what an API server would do to pods, nodes, leases and events, as far as a
// node agent can tell. It knows no wire. Stored objects are never changed in place: what was handed out stays as it was.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { objectsUsedBy } from '../bus/object-references.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { Status } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { objectKey, type ObjectReference } from '../ports/stored-object.ts';
import { alreadyExists, conflict, invalid, notFound, type ObjectName } from './api-status.ts';
import { strategicMerge } from './strategic-merge.ts';

export type Kind = 'Pod' | 'Node' | 'Lease' | 'Event' | 'Secret' | 'ConfigMap';

/** Every stored object has these; the rest is as it was given. */
export interface StoredObject extends JsonObject {
  readonly metadata: JsonObject & { readonly name: string; readonly namespace?: string; readonly uid: string; readonly resourceVersion: string };
}

export interface StoreChange {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly kind: Kind;
  /** After the change; for `deleted` the last state. */
  readonly object: StoredObject;
  /** The node whose own write it was; absent for everybody else's. */
  readonly by?: string;
}

/** Empty namespace for nodes. */
export interface ObjectKey {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

/** Events kept; beyond, the oldest goes. An API server forgets them after an hour. */
export const storedEventsMax = 5_000;

const resources: Readonly<Record<Kind, string>> = { Pod: 'pods', Node: 'nodes', Lease: 'leases', Event: 'events', Secret: 'secrets', ConfigMap: 'configmaps' };

export class MemoryStore {
  readonly #clock: ClockPort;
  readonly #random: RandomPort;
  readonly #objects: Readonly<Record<Kind, Map<string, StoredObject>>> = {
    Pod: new Map(), Node: new Map(), Lease: new Map(), Event: new Map(), Secret: new Map(), ConfigMap: new Map(),
  };
  readonly #listeners = new Set<(change: StoreChange) => void>();
  #version = 0;
  #by: string | undefined;

  constructor(deps: { readonly clock: ClockPort; readonly random: RandomPort }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  /** Called after each change, in order. @returns how to stop it */
  onChange(listener: (change: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What `change` does is marked as the node's own. */
  by<T>(nodeName: string, change: () => T): T {
    this.#by = nodeName;
    try {
      return change();
    } finally {
      this.#by = undefined;
    }
  }

  podsOf(nodeName: string): readonly StoredObject[] {
    return this.list('Pod').filter((pod) => specOf(pod).nodeName === nodeName);
  }

  nodesUsing(reference: ObjectReference): readonly string[] {
    const users = this.list('Pod').filter((pod) => referencesOf(pod).some((used) => objectKey(used) === objectKey(reference)));
    return [...new Set(users.map((pod) => specOf(pod).nodeName).filter((name): name is string => typeof name === 'string'))];
  }

  /** Grows with each change of an object. */
  get version(): string {
    return String(this.#version);
  }

  list(kind: Kind): readonly StoredObject[] {
    return [...this.#objects[kind].values()];
  }

  get(key: ObjectKey): Result<StoredObject, Status> {
    const found = this.#objects[key.kind].get(keyText(key));
    return found === undefined ? fail(notFound(named(key))) : ok(found);
  }

  create(key: ObjectKey, object: JsonObject): Result<StoredObject, Status> {
    if (this.get(key).ok) return fail(alreadyExists(named(key)));
    const created = { uid: this.#random.uuid(), creationTimestamp: rfc3339Seconds(this.#clock.nowMs()) };
    const stored = this.#stored(key, { ...object, metadata: { ...metadataOf(object), ...created } });
    this.#put('added', key, stored);
    if (key.kind === 'Event') this.#limitEvents();
    return ok(stored);
  }

  /** A resourceVersion in the object must be the stored one. Identity and creation stay. */
  update(key: ObjectKey, object: JsonObject): Result<StoredObject, Status> {
    const current = this.get(key);
    if (!current.ok) return current;
    const metadata = metadataOf(object);
    const { uid, creationTimestamp, resourceVersion } = current.value.metadata;
    if (typeof metadata.resourceVersion === 'string' && metadata.resourceVersion !== '' && metadata.resourceVersion !== resourceVersion) {
      return fail(conflict(named(key), 'the object has been modified; please apply your changes to the latest version and try again'));
    }
    return ok(this.#modify(key, current.value, { ...object, metadata: { ...metadata, uid, creationTimestamp } }));
  }

  /** A strategic merge patch; `metadata.uid` in it is a precondition. With `status` the spec stays as it is. */
  patch(key: ObjectKey, patch: JsonObject, options: { readonly subResource?: 'status' } = {}): Result<StoredObject, Status> {
    const current = this.get(key);
    if (!current.ok) return current;
    const uid = metadataOf(patch).uid;
    if (typeof uid === 'string' && uid !== current.value.metadata.uid) {
      return fail(conflict(named(key), `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.value.metadata.uid}`));
    }
    const merged = strategicMerge(current.value, patch);
    const kept = options.subResource === 'status' ? { spec: current.value.spec } : {};
    return ok(this.#modify(key, current.value, { ...merged, ...kept }));
  }

  /** Removes it, unless it is a pod on a node and time is left: then it is marked, and the node's delete removes it. */
  delete(key: ObjectKey, options: { readonly graceSeconds?: number; readonly uid?: string } = {}): Result<StoredObject, Status> {
    const current = this.get(key);
    if (!current.ok) return current;
    const { metadata } = current.value;
    if (options.uid !== undefined && options.uid !== metadata.uid) {
      return fail(conflict(named(key), `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${metadata.uid}`));
    }
    const graceSeconds = options.graceSeconds ?? gracePeriodOf(current.value);
    if (key.kind === 'Pod' && graceSeconds > 0 && specOf(current.value).nodeName !== undefined) return ok(this.#markDeleted(key, current.value, graceSeconds));
    this.#objects[key.kind].delete(keyText(key));
    this.#tell({ type: 'deleted', kind: key.kind, object: current.value });
    return current;
  }

  /** A second deletion may shorten the grace period, never lengthen it. */
  #markDeleted(key: ObjectKey, pod: StoredObject, graceSeconds: number): StoredObject {
    const { deletionGracePeriodSeconds } = pod.metadata;
    if (typeof deletionGracePeriodSeconds === 'number' && deletionGracePeriodSeconds <= graceSeconds) return pod;
    const deletion = { deletionTimestamp: rfc3339Seconds(this.#clock.nowMs() + graceSeconds * 1_000), deletionGracePeriodSeconds: graceSeconds };
    return this.#modify(key, pod, { ...pod, metadata: { ...pod.metadata, ...deletion } });
  }

  #modify(key: ObjectKey, current: StoredObject, next: JsonObject): StoredObject {
    const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, ...metadata } = metadataOf(next);
    const fixed = {
      uid: current.metadata.uid,
      creationTimestamp: current.metadata.creationTimestamp ?? creationTimestamp,
      // Nobody takes a deletion back.
      deletionTimestamp: deletionTimestamp ?? current.metadata.deletionTimestamp,
      deletionGracePeriodSeconds: deletionGracePeriodSeconds ?? current.metadata.deletionGracePeriodSeconds,
    };
    const candidate = { ...next, metadata: { ...metadata, ...fixed } };
    // A write that changes nothing makes no new version, as in an API server.
    if (sameButVersion(candidate, current)) return current;
    const stored = this.#stored(key, candidate);
    this.#put('modified', key, stored);
    return stored;
  }

  #stored(key: ObjectKey, object: JsonObject): StoredObject {
    this.#version += 1;
    const metadata = {
      ...withoutUndefined(metadataOf(object)),
      name: key.name,
      ...(key.namespace === '' ? {} : { namespace: key.namespace }),
      resourceVersion: String(this.#version),
    };
    // uid has been set by create, or kept by #modify.
    return { ...object, metadata } as unknown as StoredObject;
  }

  #put(type: 'added' | 'modified', key: ObjectKey, object: StoredObject): void {
    this.#objects[key.kind].set(keyText(key), object);
    this.#tell({ type, kind: key.kind, object });
  }

  #tell(change: StoreChange): void {
    const marked = this.#by === undefined ? change : { ...change, by: this.#by };
    for (const listener of [...this.#listeners]) listener(marked);
  }

  #limitEvents(): void {
    const events = this.#objects.Event;
    if (events.size > storedEventsMax) for (const oldest of events.keys()) return void events.delete(oldest);
  }
}

/** The key of an object by its own metadata, or why it has none. */
export function keyOf(kind: Kind, object: JsonObject): Result<ObjectKey, Status> {
  const { name, namespace } = metadataOf(object);
  const resource = resources[kind];
  if (typeof name !== 'string' || name === '') return fail(invalid({ resource, name: '' }, 'metadata.name: Required value'));
  if (kind === 'Node') return ok({ kind, namespace: '', name });
  return ok({ kind, namespace: typeof namespace === 'string' && namespace !== '' ? namespace : 'default', name });
}

export function metadataOf(object: JsonObject): JsonObject {
  return isJsonObject(object.metadata) ? object.metadata : {};
}

export function specOf(object: JsonObject): JsonObject {
  return isJsonObject(object.spec) ? object.spec : {};
}

/** Secrets and config maps that a pod uses. */
export function referencesOf(pod: JsonObject): readonly ObjectReference[] {
  const { namespace } = metadataOf(pod);
  return typeof namespace === 'string' ? objectsUsedBy(namespace, specOf(pod)) : [];
}

function gracePeriodOf(pod: JsonObject): number {
  const seconds = specOf(pod).terminationGracePeriodSeconds;
  return typeof seconds === 'number' ? seconds : 30;
}

function sameButVersion(candidate: JsonObject, current: StoredObject): boolean {
  const { resourceVersion: _candidate, ...metadata } = metadataOf(candidate);
  const { resourceVersion: _current, ...currentMetadata } = current.metadata;
  return canonical({ ...candidate, metadata }) === canonical({ ...current, metadata: currentMetadata });
}

/** JSON with sorted keys, so that the order of fields makes no difference. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (isJsonObject(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each));
}

function withoutUndefined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function keyText({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}

function named({ kind, name }: ObjectKey): ObjectName {
  return { resource: resources[kind], name };
}
