// The secrets and config maps that go down beside pods: which ones a node needs, and whom a change of one concerns.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { objectsUsedBy } from '../bus/object-references.ts';
import { objectKey, type ObjectReference } from '../ports/stored-object.ts';
import { type MemoryStore, specOf, type StoredObject } from './memory-store.ts';

export interface ObjectsBeside {
  readonly secrets: readonly StoredObject[];
  readonly configMaps: readonly StoredObject[];
}

/** What the pods use and the store has, each once. */
export function objectsBeside(store: MemoryStore, pods: readonly JsonObject[]): ObjectsBeside {
  const found = new Map<string, { readonly reference: ObjectReference; readonly object: StoredObject }>();
  for (const reference of pods.flatMap(referencesOf)) {
    const object = store.get(reference);
    if (object.ok) found.set(objectKey(reference), { reference, object: object.value });
  }
  const of = (kind: ObjectReference['kind']) => [...found.values()].filter(({ reference }) => reference.kind === kind).map(({ object }) => object);
  return { secrets: of('Secret'), configMaps: of('ConfigMap') };
}

/** One pod of each node that uses the object: to send it beside one of them reaches all. */
export function podsToTell(store: MemoryStore, reference: ObjectReference): readonly StoredObject[] {
  const byNode = new Map<unknown, StoredObject>();
  for (const pod of store.list('Pod')) {
    const { nodeName } = specOf(pod);
    if (byNode.has(nodeName) || !referencesOf(pod).some((used) => objectKey(used) === objectKey(reference))) continue;
    byNode.set(nodeName, pod);
  }
  return [...byNode.values()];
}

function referencesOf(pod: JsonObject): readonly ObjectReference[] {
  const metadata = pod.metadata as { readonly namespace?: unknown } | undefined; // The store gives every pod metadata.
  return typeof metadata?.namespace === 'string' ? objectsUsedBy(metadata.namespace, specOf(pod)) : [];
}
