// What differs between two pieces of plain data, field by field. Pure. Lists of named things are compared by name, as the API merges them.

export interface Difference {
  /** `containerStatuses[app].state.waiting.reason`. */
  readonly path: string;
  /** JSON; undefined where there was nothing. */
  readonly was: string | undefined;
  readonly is: string | undefined;
}

/** Differences told; a whole that has so many is another thing. */
export const differencesMax = 400;
const depthMax = 40;

/** Fields that name an element of a list, the first that all of them have. */
const namingFields = ['name', 'type', 'mountPath', 'ip', 'key'] as const;

export function differences(before: unknown, after: unknown): readonly Difference[] {
  const found: Difference[] = [];
  compare('', before, after, 0);
  return found;

  function compare(path: string, was: unknown, is: unknown, depth: number): void {
    if (found.length >= differencesMax || Object.is(was, is)) return;
    const parts = depth < depthMax ? partsOf(was, is) : undefined;
    if (parts === undefined) {
      const [wasText, isText] = [textOf(was), textOf(is)];
      if (wasText !== isText) found.push({ path: path === '' ? 'everything' : path, was: wasText, is: isText });
      return;
    }
    const [old, now] = parts;
    for (const key of new Set([...old.keys(), ...now.keys()])) compare(path === '' ? key.replace(/^\./, '') : `${path}${key}`, old.get(key), now.get(key), depth + 1);
  }
}

type Parts = ReadonlyMap<string, unknown>;

/** Both as parts by name; undefined where they are no two objects and no two lists. */
function partsOf(was: unknown, is: unknown): readonly [Parts, Parts] | undefined {
  if (Array.isArray(was) && Array.isArray(is)) {
    const field = namingFields.find((name) => [...was, ...is].every((element: unknown) => isRecord(element) && typeof element[name] === 'string'));
    const keyed = (list: readonly unknown[]): Parts => new Map(list.map((element, index) => [`[${field !== undefined && isRecord(element) ? String(element[field]) : index}]`, element]));
    return [keyed(was), keyed(is)];
  }
  if (!isRecord(was) || !isRecord(is)) return undefined;
  const fields = (record: Readonly<Record<string, unknown>>): Parts => new Map(Object.entries(record).map(([name, value]) => [`.${name}`, value]));
  return [fields(was), fields(is)];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value, null, 1);
}
