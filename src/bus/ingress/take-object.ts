// Takes over an untrusted value into a fresh tree that has only known fields of the right types. What does not fit is reported.
// It never keeps a part of the input, so callers may change the result; it checks types and sizes, not meanings.
import { parseQuantity } from '../../ports/quantity.ts';
import { type FieldType, isClosed, type ObjectType, type ScalarKind } from './pod-schema.ts';
import { element, entry, field, type Path, type Problems, shown } from './problems.ts';

/** An object of the API, with its real-world ceiling: what etcd accepts by default. Larger is refused. */
export const objectBytesMax = 1_536 * 1_024;
/** One string. The longest that has a use is the whole of the annotations. Longer is refused. */
export const stringBytesMax = 256 * 1_024;

const int32Max = 2 ** 31 - 1;
const rfc3339 = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

type Taken = Record<string, unknown>;

/** Options of `takeObject`. */
export interface TakeOptions {
  readonly problems: Problems;
  /** Where the object stands in its document; undefined when it is the document. */
  readonly path: Path | undefined;
  /** Top-level fields in which unknown fields are dropped without a word: nobody reads them. */
  readonly quiet: ReadonlySet<string>;
}

/**
 * @param value anything JSON or YAML can say, and anything else too
 * @returns a new object; fields absent, null, unknown or of a wrong type are not in it
 */
export function takeObject(value: unknown, type: ObjectType, options: TakeOptions): Taken {
  return new Taking(options).object(value, type, options.path);
}

class Taking {
  readonly #problems: Problems;
  readonly #root: Path | undefined;
  readonly #quietFields: ReadonlySet<string>;
  #quiet = false;
  #bytesLeft = objectBytesMax;

  constructor(options: TakeOptions) {
    this.#problems = options.problems;
    this.#root = options.path;
    this.#quietFields = options.quiet;
  }

  object(value: unknown, type: ObjectType, path: Path | undefined): Taken {
    const taken: Taken = {};
    if (value === null) return taken;
    if (!isRecord(value)) {
      this.#wrong(path, value, 'an object');
      return taken;
    }
    for (const name of Object.keys(value)) {
      const fieldType = type.get(name);
      if (!this.#spend(name.length, path)) return taken;
      if (fieldType === undefined) {
        if (isClosed(type)) this.#problems.error(field(path, name), 'unknown volume type; use one that this release knows');
        else if (!this.#quiet) this.#problems.warn(field(path, name), unknownField(name, type));
        continue;
      }
      const given = value[name];
      if (given === null || given === undefined || fieldType.value === 'unread') continue;
      const atRoot = path === this.#root;
      if (atRoot) this.#quiet = this.#quietFields.has(name);
      const result = this.#field(given, fieldType, field(path, name));
      if (atRoot) this.#quiet = false;
      if (result !== undefined) taken[name] = result;
    }
    return taken;
  }

  #field(value: unknown, type: FieldType, path: Path): unknown {
    if (!type.list) return this.#value(value, type.value, path);
    if (!Array.isArray(value)) return this.#wrong(path, value, 'a list');
    const list: unknown[] = [];
    for (let index = 0; index < value.length; index += 1) {
      const at = element(path, index);
      if (!this.#spend(1, at)) return list;
      const taken = this.#value(value[index], type.value, at);
      if (taken !== undefined) list.push(taken);
    }
    return list;
  }

  #value(value: unknown, type: ScalarKind | ObjectType, path: Path): unknown {
    if (typeof type !== 'string') return this.object(value, type, path);
    switch (type) {
      // As in Go, null among strings is the empty string.
      case 'string': return this.#string(value ?? '', path);
      case 'bool': return typeof value === 'boolean' ? value : this.#wrong(path, value, 'true or false');
      case 'int': return this.#integer(value, int32Max, path);
      case 'long': return this.#integer(value, Number.MAX_SAFE_INTEGER, path);
      case 'port': return typeof value === 'string' ? this.#string(value, path) : this.#integer(value, int32Max, path);
      case 'quantity': return this.#quantity(value, path);
      case 'time': return this.#time(value, path);
      case 'map': return this.#entries(value, path, (one, at) => this.#string(one ?? '', at));
      case 'quantities': return this.#entries(value, path, (one, at) => this.#quantity(one, at));
      case 'unread': return undefined;
    }
    return type satisfies never;
  }

  #string(value: unknown, path: Path): string | undefined {
    if (typeof value !== 'string') {
      const mend = typeof value === 'number' || typeof value === 'boolean' ? 'a string; put it in quotes' : 'a string';
      return this.#wrong(path, value, mend);
    }
    if (value.length > stringBytesMax) {
      this.#problems.tooLong(path, stringBytesMax);
      return undefined;
    }
    if (!this.#spend(value.length, path)) return undefined;
    // A NUL ends a string for the kernel: what we checked and what runs would differ.
    return value.includes('\0') ? this.#wrong(path, value, 'free of NUL characters') : value;
  }

  #integer(value: unknown, max: number, path: Path): number | undefined {
    if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= max) return value;
    const quoted = typeof value === 'string' && /^-?\d+$/.test(value);
    return this.#wrong(path, value, quoted ? 'a whole number; take the quotes away' : `a whole number of at most ${max}`);
  }

  #quantity(value: unknown, path: Path): string | undefined {
    const text = typeof value === 'number' && Number.isFinite(value) ? String(value) : value;
    if (typeof text === 'string' && parseQuantity(text) !== undefined) return text;
    return this.#wrong(path, value, 'a quantity such as 100m, 0.5 or 64Mi');
  }

  #time(value: unknown, path: Path): string | undefined {
    if (typeof value === 'string' && rfc3339.test(value)) return value;
    return this.#wrong(path, value, 'a time such as 2026-01-31T12:00:00Z');
  }

  #entries<T>(value: unknown, path: Path, take: (value: unknown, path: Path) => T | undefined): Record<string, T> | undefined {
    if (!isRecord(value)) return this.#wrong(path, value, 'an object');
    const taken: Record<string, T> = {};
    for (const key of Object.keys(value)) {
      const at = entry(path, key);
      if (!this.#spend(key.length, at)) return taken;
      if (key === '__proto__') {
        this.#problems.invalid(at, key, 'is not a name');
        continue;
      }
      const one = take(value[key], at);
      if (one !== undefined) taken[key] = one;
    }
    return taken;
  }

  /** Counts what is taken over; at the limit one error is reported and nothing more is taken. */
  #spend(characters: number, path: Path | undefined): boolean {
    if (this.#bytesLeft < 0) return false;
    this.#bytesLeft -= characters + 4;
    if (this.#bytesLeft >= 0) return true;
    this.#problems.error(path, `Too long: the pod is larger than ${objectBytesMax} bytes`);
    return false;
  }

  #wrong(path: Path | undefined, value: unknown, must: string): undefined {
    this.#problems.invalid(path, value, `must be ${must}`);
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function unknownField(name: string, type: ObjectType): string {
  const lower = name.toLowerCase();
  for (const known of type.keys()) {
    if (known.toLowerCase() === lower) return `unknown field, ignored; ${shown(known)} is the spelling`;
  }
  return 'unknown field, ignored';
}
