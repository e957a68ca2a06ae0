// What is known of an API server in memory: nodes that registered through this bridge, their pods, and the secrets and config maps these
// pods use. Nothing else is kept, however large the cluster. It asks nothing itself; reflectors and answers tell it.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import type { Status } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { objectKey, type ObjectReference } from '../../ports/stored-object.ts';
import { notFound } from '../api-status.ts';
import type { ObjectsView } from '../cloud-store.ts';
import { type Kind, metadataOf, type ObjectKey, referencesOf, specOf, type StoreChange, type StoredObject } from '../memory-store.ts';
import { bridgeLabel } from '../node-rights.ts';
import { collectionPath, compareVersions } from './kube-paths.ts';

/** Events of nodes, remembered to know whose they are; beyond, the oldest goes. */
const eventsMax = 5_000;
/** Removed objects, remembered against older news of them. */
const gonesMax = 10_000;

export class KubeView implements ObjectsView {
  readonly #bridge: string;
  readonly #objects: Readonly<Record<Kind, Map<string, StoredObject>>> = {
    Pod: new Map(), Node: new Map(), Lease: new Map(), Event: new Map(), Secret: new Map(), ConfigMap: new Map(),
  };
  /** Nodes that are, or were and still have pods here: one that loses its label does not lose its pods by that. */
  readonly #ours = new Set<string>();
  /** Pods whose secrets and config maps are on their way. */
  readonly #reserved = new Map<string, StoredObject>();
  readonly #podsByNode = new Map<string, Map<string, StoredObject>>();
  /** Pods of nodes by what they use. */
  readonly #users = new Map<string, Map<string, string>>();
  /** Newest version at which an object was gone, by UID. */
  readonly #gone = new Map<string, string>();
  readonly #listeners = new Set<(change: StoreChange) => void>();
  #version = '0';

  /** @param bridge the value of the label by which nodes are ours */
  constructor(bridge: string) {
    this.#bridge = bridge;
  }

  get version(): string {
    return this.#version;
  }

  onChange(listener: (change: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  list(kind: Kind): readonly StoredObject[] {
    return [...this.#objects[kind].values()];
  }

  get(key: ObjectKey): Result<StoredObject, Status> {
    const found = this.#objects[key.kind].get(textOf(key));
    return found === undefined ? fail(notFound({ resource: collectionPath(key.kind).split('/').at(-1) ?? '', name: key.name })) : ok(found);
  }

  podsOf(nodeName: string): readonly StoredObject[] {
    return [...(this.#podsByNode.get(nodeName)?.values() ?? [])];
  }

  nodesUsing(reference: ObjectReference): readonly string[] {
    return [...new Set(this.#users.get(objectKey(reference))?.values() ?? [])];
  }

  isUsed(reference: ObjectReference): boolean {
    return this.#users.has(objectKey(reference));
  }

  isOurs(nodeName: string): boolean {
    return this.#ours.has(nodeName);
  }

  /** A node without a Node object whose pods are kept as if it had registered; until they are gone. */
  expect(nodeName: string): void {
    this.#ours.add(nodeName);
  }

  /** Counts by kind, for metrics. */
  counts(): Readonly<Record<Kind, number>> {
    const { Pod, Node, Lease, Event, Secret, ConfigMap } = this.#objects;
    return { Pod: Pod.size, Node: Node.size, Lease: Lease.size, Event: Event.size, Secret: Secret.size, ConfigMap: ConfigMap.size };
  }

  /** @returns what the pod uses and nobody used before; undefined for pods that are not ours, or gone since */
  reserve(given: JsonObject): readonly ObjectReference[] | undefined {
    const pod = storedOf(given);
    if (pod === undefined || !this.#keeps('Pod', pod) || this.#isOver(pod)) return undefined;
    const fresh = referencesOf(pod).filter((reference) => !this.isUsed(reference));
    if (this.#podsByNode.get(String(specOf(pod).nodeName))?.has(pod.metadata.uid) === true && fresh.length === 0) return fresh;
    this.#release(pod.metadata.uid);
    this.#reserved.set(pod.metadata.uid, pod);
    this.#use(pod);
    return fresh;
  }

  seenVersion(version: string): void {
    if (compareVersions(version, this.#version) > 0) this.#version = version;
  }

  /** @param by the node whose own write it is. @returns whether it was news, and of ours */
  apply(kind: Kind, given: JsonObject, by?: string): boolean {
    const object = storedOf(given);
    if (object === undefined) return false;
    const { uid, resourceVersion } = object.metadata;
    this.seenVersion(resourceVersion);
    const key = keyTextOf(object);
    const before = this.#objects[kind].get(key);
    if (this.#isOver(object)) return false;
    if (before !== undefined && compareVersions(resourceVersion, before.metadata.resourceVersion) <= 0) return false;
    if (!this.#keeps(kind, object)) {
      if (before !== undefined) this.#remove(kind, before, by);
      return false;
    }
    // Another object of the same name: the former one is gone.
    if (before !== undefined && before.metadata.uid !== uid) this.#remove(kind, before, undefined);
    const type = this.#objects[kind].has(key) ? 'modified' : 'added';
    this.#put(kind, key, object);
    this.#tell({ type, kind, object, ...(by === undefined ? {} : { by }) });
    return true;
  }

  remove(kind: Kind, given: JsonObject, by?: string): void {
    const object = storedOf(given);
    if (object === undefined) return;
    const { uid, resourceVersion } = object.metadata;
    this.seenVersion(resourceVersion);
    this.#gone.set(uid, resourceVersion);
    const [oldest] = this.#gone.size > gonesMax ? this.#gone.keys() : [];
    if (oldest !== undefined) this.#gone.delete(oldest);
    const reserved = this.#reserved.get(uid);
    this.#release(uid);
    if (reserved !== undefined) this.#forgetUnused(reserved);
    const known = this.#objects[kind].get(keyTextOf(object));
    if (known !== undefined && known.metadata.uid === uid) this.#remove(kind, known, by);
  }

  /** What a whole list did not name is gone, unless it is newer than the list. */
  retain(kind: Kind, uids: ReadonlySet<string>, listVersion: string): void {
    for (const object of this.list(kind)) {
      if (!uids.has(object.metadata.uid) && compareVersions(object.metadata.resourceVersion, listVersion) <= 0) this.#remove(kind, object, undefined);
    }
  }

  /** Older news of what was gone since. */
  #isOver({ metadata: { uid, resourceVersion } }: StoredObject): boolean {
    const goneAt = this.#gone.get(uid);
    return goneAt !== undefined && compareVersions(resourceVersion, goneAt) <= 0;
  }

  #keeps(kind: Kind, object: StoredObject): boolean {
    const { name, namespace = '', labels } = object.metadata;
    switch (kind) {
      case 'Node': return isJsonObject(labels) && labels[bridgeLabel] === this.#bridge;
      case 'Pod': return this.isOurs(String(specOf(object).nodeName ?? ''));
      case 'Secret': case 'ConfigMap': return this.isUsed({ kind, namespace, name });
      case 'Event': return true;
      case 'Lease': return false;
      default: return kind satisfies never;
    }
  }

  #put(kind: Kind, key: string, object: StoredObject): void {
    const objects = this.#objects[kind];
    objects.set(key, object);
    if (kind === 'Event' && objects.size > eventsMax) for (const oldest of objects.keys()) return void objects.delete(oldest);
    if (kind === 'Node') this.#ours.add(object.metadata.name);
    if (kind !== 'Pod') return;
    this.#release(object.metadata.uid);
    this.#unindex(object);
    const nodeName = String(specOf(object).nodeName);
    const pods = this.#podsByNode.get(nodeName) ?? new Map<string, StoredObject>();
    this.#podsByNode.set(nodeName, pods.set(object.metadata.uid, object));
    this.#use(object);
  }

  #use(pod: StoredObject): void {
    for (const reference of referencesOf(pod)) {
      const users = this.#users.get(objectKey(reference)) ?? new Map<string, string>();
      this.#users.set(objectKey(reference), users.set(pod.metadata.uid, String(specOf(pod).nodeName)));
    }
  }

  #unuse(pod: StoredObject): void {
    for (const reference of referencesOf(pod)) {
      const users = this.#users.get(objectKey(reference));
      users?.delete(pod.metadata.uid);
      if (users?.size === 0) this.#users.delete(objectKey(reference));
    }
  }

  #release(uid: string): void {
    const reserved = this.#reserved.get(uid);
    if (reserved === undefined) return;
    this.#reserved.delete(uid);
    this.#unuse(reserved);
  }

  #unindex(pod: StoredObject): void {
    const { uid } = pod.metadata;
    const nodeName = String(specOf(pod).nodeName);
    const before = this.#podsByNode.get(nodeName)?.get(uid);
    if (before === undefined) return;
    this.#unuse(before);
    const pods = this.#podsByNode.get(nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) this.#podsByNode.delete(nodeName);
  }

  #remove(kind: Kind, object: StoredObject, by: string | undefined): void {
    this.#objects[kind].delete(keyTextOf(object));
    if (kind === 'Pod') this.#unindex(object);
    this.#tell({ type: 'deleted', kind, object, ...(by === undefined ? {} : { by }) });
    if (kind === 'Pod') this.#forgetUnused(object);
    const nodeName = kind === 'Node' ? object.metadata.name : kind === 'Pod' ? String(specOf(object).nodeName) : '';
    if (!this.#objects.Node.has(`/${nodeName}`) && !this.#podsByNode.has(nodeName)) this.#ours.delete(nodeName);
  }

  #forgetUnused(pod: StoredObject): void {
    for (const reference of referencesOf(pod)) if (!this.isUsed(reference)) this.#objects[reference.kind].delete(textOf(reference));
  }

  #tell(change: StoreChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** @returns undefined for what has not the metadata that every object of an API server has. What nobody here reads is left out. */
export function storedOf({ apiVersion: _apiVersion, kind: _kind, ...object }: JsonObject): StoredObject | undefined {
  const { managedFields: _managed, ...metadata } = metadataOf(object);
  const { name, uid, resourceVersion } = metadata;
  if (typeof name !== 'string' || typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
  // Compared with these types just above.
  return { ...object, metadata } as unknown as StoredObject;
}

function keyTextOf({ metadata: { name, namespace = '' } }: StoredObject): string {
  return `${namespace}/${name}`;
}

function textOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
