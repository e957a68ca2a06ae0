// What each node shall hold, from the store: its pods, its node object, and what its pods use (docs/wire.md, section 8). Tokens are made
// once for each state of an object, for objects of the store never change in place.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { keyOfObject, tokensOf } from '../bus/dialects/mqlet/tokens.ts';
import { objectsBeside } from './cloud-objects.ts';
import type { ObjectsView } from './cloud-store.ts';
import { type Kind, metadataOf, type StoredObject } from './memory-store.ts';
import type { Wanted } from './node-sync.ts';

export class NodeWants {
  readonly #store: ObjectsView;
  readonly #entries = new WeakMap<StoredObject, Wanted>();

  constructor(store: ObjectsView) {
    this.#store = store;
  }

  of(nodeName: string): ReadonlyMap<string, Wanted> {
    const pods = this.#store.podsOf(nodeName);
    const node = this.#store.get({ kind: 'Node', namespace: '', name: nodeName });
    const { secrets, configMaps } = objectsBeside(this.#store, pods);
    const wanted = new Map<string, Wanted>();
    const add = (kind: Kind, object: StoredObject): void => {
      const key = keyOfObject(kind, object);
      if (key !== undefined) wanted.set(key, this.entry(kind, object));
    };
    for (const object of secrets) add('Secret', object);
    for (const object of configMaps) add('ConfigMap', object);
    if (node.ok) add('Node', node.value);
    for (const pod of pods) add('Pod', pod);
    return wanted;
  }

  entry(kind: Kind, object: StoredObject): Wanted {
    const known = this.#entries.get(object);
    if (known !== undefined) return known;
    const made: Wanted = { kind, ...tokensOf(kind, object), object: asSent(object) };
    this.#entries.set(object, made);
    return made;
  }
}

function asSent(stored: StoredObject): JsonObject {
  const { apiVersion: _apiVersion, kind: _kind, ...object } = stored;
  const { managedFields: _managed, ...metadata } = metadataOf(stored);
  return { ...object, metadata };
}
