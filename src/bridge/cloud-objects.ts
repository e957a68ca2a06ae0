// The secrets and config maps that go down beside pods: which ones a node needs, and whom a change of one concerns.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { objectKey, type ObjectReference } from '../ports/stored-object.ts';
import type { ObjectsView } from './cloud-store.ts';
import { referencesOf, type StoredObject } from './memory-store.ts';

export interface ObjectsBeside {
  readonly secrets: readonly StoredObject[];
  readonly configMaps: readonly StoredObject[];
}

/** What the pods use and the store has, each once. */
export function objectsBeside(store: ObjectsView, pods: readonly JsonObject[]): ObjectsBeside {
  const found = new Map<string, { readonly reference: ObjectReference; readonly object: StoredObject }>();
  for (const reference of pods.flatMap(referencesOf)) {
    const object = store.get(reference);
    if (object.ok) found.set(objectKey(reference), { reference, object: object.value });
  }
  const of = (kind: ObjectReference['kind']) => [...found.values()].filter(({ reference }) => reference.kind === kind).map(({ object }) => object);
  return { secrets: of('Secret'), configMaps: of('ConfigMap') };
}

/** One pod of each node that uses the object: to send it beside one of them reaches all. */
export function podsToTell(store: ObjectsView, reference: ObjectReference): readonly StoredObject[] {
  const uses = (pod: StoredObject): boolean => referencesOf(pod).some((used) => objectKey(used) === objectKey(reference));
  return store.nodesUsing(reference).flatMap((nodeName) => store.podsOf(nodeName).filter(uses).slice(0, 1));
}
