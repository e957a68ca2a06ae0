// Secrets and config maps as the agent keeps them. Their values are opaque to whatever prints records: a log line, a bus tap or an
// inspector that meets one shows how many keys there are, never what is in them.

export type StoredObjectKind = 'Secret' | 'ConfigMap';

export interface ObjectReference {
  readonly kind: StoredObjectKind;
  readonly namespace: string;
  readonly name: string;
}

/** The values of one object by key. Nothing but `get` gives a value away. */
export class ObjectData {
  readonly #values: ReadonlyMap<string, Uint8Array>;

  constructor(values: ReadonlyMap<string, Uint8Array>) {
    this.#values = values;
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  /** In the order of their names. */
  keys(): readonly string[] {
    return [...this.#values.keys()].sort();
  }

  sizeBytes(): number {
    let total = 0;
    for (const [key, value] of this.#values) total += key.length + value.byteLength;
    return total;
  }

  equals(other: ObjectData): boolean {
    const keys = this.keys();
    return keys.length === other.keys().length && keys.every((key) => sameBytes(this.get(key), other.get(key)));
  }

  toJSON(): string {
    return `${this.#values.size} keys`;
  }
}

export interface StoredObject extends ObjectReference {
  readonly uid: string;
  /** `metadata.resourceVersion`; empty where the sender gave none. */
  readonly version: string;
  /** `type` of a secret; empty for config maps. */
  readonly type: string;
  readonly data: ObjectData;
}

/** Looks an object up as it is now. */
export type FindObject = (reference: ObjectReference) => StoredObject | undefined;

/** One text for one object: `Secret shop/database`. */
export function objectKey({ kind, namespace, name }: ObjectReference): string {
  return `${kind} ${namespace}/${name}`;
}

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined || a.byteLength !== b.byteLength) return false;
  return a.every((byte, at) => byte === b[at]);
}
