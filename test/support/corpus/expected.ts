// Whether something seen is as a fact of the corpus says: part of an object, text, or a pattern.

/**
 * What differs, as `path: wanted X, is Y`; undefined when nothing does.
 * Objects: every key that is wanted; `null` wants absence. Lists: every wanted item is somewhere; an empty list wants an empty one.
 * Texts between slashes are regular expressions in which a dot is also a line's end.
 */
export function difference(wanted: unknown, seen: unknown, at = 'it'): string | undefined {
  if (wanted === null) return seen === undefined || seen === null ? undefined : told(at, 'nothing', seen);
  if (Array.isArray(wanted)) return listDifference(wanted, seen, at);
  if (typeof wanted === 'object') {
    if (typeof seen !== 'object' || seen === null) return told(at, wanted, seen);
    const parts = seen as Record<string, unknown>; // An object has keys.
    for (const [key, value] of Object.entries(wanted)) {
      const found = difference(value, parts[key], `${at}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const pattern = typeof wanted === 'string' ? /^\/(.*)\/$/s.exec(wanted)?.[1] : undefined;
  if (pattern !== undefined) return typeof seen === 'string' && new RegExp(pattern, 's').test(seen) ? undefined : told(at, wanted, seen);
  return wanted === seen ? undefined : told(at, wanted, seen);
}

function listDifference(wanted: readonly unknown[], seen: unknown, at: string): string | undefined {
  const items: readonly unknown[] = Array.isArray(seen) ? seen : [];
  if (wanted.length === 0) return items.length === 0 ? undefined : told(at, wanted, seen);
  for (const [index, each] of wanted.entries()) {
    if (!items.some((item) => difference(each, item) === undefined)) return told(`${at}[${index}]`, each, seen);
  }
  return undefined;
}

function told(at: string, wanted: unknown, seen: unknown): string {
  return `${at}: wanted ${JSON.stringify(wanted)}, is ${JSON.stringify(seen)}`;
}

/** `{{status.podIP}}` in wanted texts, taken from an object. An unknown path stays as it is. */
export function referring<T>(wanted: T, to: unknown): T {
  if (typeof wanted === 'string') {
    // A text stays a text.
    return wanted.replace(/\{\{([\w.]+)\}\}/g, (whole, path: string) => textAt(to, path) ?? whole) as T;
  }
  if (Array.isArray(wanted)) return wanted.map((each: unknown) => referring(each, to)) as T; // A list stays a list.
  if (typeof wanted !== 'object' || wanted === null) return wanted;
  return Object.fromEntries(Object.entries(wanted).map(([key, value]) => [key, referring(value, to)])) as T; // The same keys.
}

function textAt(object: unknown, path: string): string | undefined {
  let at = object;
  for (const key of path.split('.')) at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined; // An object has keys.
  return at === undefined ? undefined : String(at);
}
