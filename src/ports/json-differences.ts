// What is different between two JSON values, path by path: for looking at an object at two moments. It bounds what it returns and what
// it visits, and it never changes what it is given.

export interface JsonDifference {
  /** `spec.containers[web].image`; empty for the whole value. Members of lists by their `name` or `type` where all have one, else by place. */
  readonly path: string;
  /** `reordered`: the members are the same, their order is not; before and after are their names. */
  readonly kind: 'added' | 'removed' | 'changed' | 'reordered';
  /** Absent of what was added. */
  readonly before?: unknown;
  /** Absent of what was removed. */
  readonly after?: unknown;
}

export interface JsonDifferences {
  /** In the order of the fields, the earlier value's first. */
  readonly differences: readonly JsonDifference[];
  /** There are more than were asked for, or the values are too large to be looked through. */
  readonly cut: boolean;
}

/** Differences returned unless fewer are asked for. */
export const differencesMax = 500;
/** Values visited; what lies beyond is not compared. */
const visitsMax = 200_000;
/** Levels visited; what lies deeper is compared as text. */
const depthMax = 64;
/** Fields that name a member of a list in the Kubernetes API, the first that all members have counts. */
const names = ['name', 'type', 'key', 'ip', 'containerPort', 'mountPath'] as const;

type JsonRecord = Readonly<Record<string, unknown>>;

/** `undefined` is an absent field, `null` is a value. Values with cycles are not JSON and are not given. */
export function jsonDifferences(before: unknown, after: unknown, options: { readonly limit?: number } = {}): JsonDifferences {
  const search = new Search(Math.min(options.limit ?? differencesMax, differencesMax));
  search.compare(before, after, '', 0);
  return { differences: search.found, cut: search.cut };
}

class Search {
  readonly found: JsonDifference[] = [];
  cut = false;
  readonly #limit: number;
  #visits = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  compare(before: unknown, after: unknown, path: string, depth: number): void {
    if (before === after || this.#isOver()) return;
    if (before === undefined) return this.#add({ path, kind: 'added', after });
    if (after === undefined) return this.#add({ path, kind: 'removed', before });
    if (depth >= depthMax) {
      if (JSON.stringify(before) !== JSON.stringify(after)) this.#add({ path, kind: 'changed', before, after });
    } else if (Array.isArray(before) && Array.isArray(after)) this.#compareLists(before, after, path, depth);
    else if (isRecord(before) && isRecord(after)) this.#compareRecords(before, after, path, depth);
    else this.#add({ path, kind: 'changed', before, after });
  }

  #compareRecords(before: JsonRecord, after: JsonRecord, path: string, depth: number): void {
    for (const field of Object.keys(before)) this.compare(before[field], own(after, field), fieldPath(path, field), depth + 1);
    for (const field of Object.keys(after)) {
      if (!Object.hasOwn(before, field)) this.compare(undefined, after[field], fieldPath(path, field), depth + 1);
    }
  }

  #compareLists(before: readonly unknown[], after: readonly unknown[], path: string, depth: number): void {
    const name = nameOf(before, after);
    if (name === undefined) {
      for (let index = 0; index < Math.max(before.length, after.length) && !this.#isOver(); index += 1) {
        this.compare(before[index], after[index], `${path}[${index}]`, depth + 1);
      }
      return;
    }
    const earlier = byName(before, name);
    const later = byName(after, name);
    for (const [key, member] of earlier) this.compare(member, later.get(key), `${path}[${key}]`, depth + 1);
    for (const [key, member] of later) if (!earlier.has(key)) this.compare(undefined, member, `${path}[${key}]`, depth + 1);
    const kept = [...earlier.keys()].filter((key) => later.has(key));
    const now = [...later.keys()].filter((key) => earlier.has(key));
    if (kept.some((key, index) => key !== now[index])) this.#add({ path, kind: 'reordered', before: kept, after: now });
  }

  #isOver(): boolean {
    this.#visits += 1;
    if (this.found.length < this.#limit && this.#visits <= visitsMax) return false;
    this.cut = true;
    return true;
  }

  #add(difference: JsonDifference): void {
    if (this.found.length >= this.#limit) this.cut = true;
    else this.found.push(difference);
  }
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(record: JsonRecord, field: string): unknown {
  return Object.hasOwn(record, field) ? record[field] : undefined;
}

/** Keys of labels and annotations have dots and slashes of their own. */
function fieldPath(path: string, field: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(field)) return `${path}[${JSON.stringify(field)}]`;
  return path === '' ? field : `${path}.${field}`;
}

/** The field by which the members of both lists can be told apart; undefined where there is none. */
function nameOf(before: readonly unknown[], after: readonly unknown[]): string | undefined {
  if (before.length + after.length === 0) return undefined;
  return names.find((name) => isNamedBy(before, name) && isNamedBy(after, name));
}

function isNamedBy(list: readonly unknown[], name: string): boolean {
  const seen = new Set<unknown>();
  for (const member of list) {
    const value = isRecord(member) ? own(member, name) : undefined;
    if ((typeof value !== 'string' && typeof value !== 'number') || seen.has(value)) return false;
    seen.add(value);
  }
  return true;
}

function byName(list: readonly unknown[], name: string): ReadonlyMap<string, unknown> {
  // Only lists whose members are records with this field come here.
  return new Map(list.map((member) => [String((member as JsonRecord)[name]), member]));
}
