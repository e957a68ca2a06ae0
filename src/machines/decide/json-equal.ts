// Comparison of API objects.

/** Deep equality of JSON values. A field that is null or undefined is an absent field; the order of fields does not count. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || a === undefined) return b === null || b === undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
  }
  const left = a as Readonly<Record<string, unknown>>; // Neither null nor an array.
  const right = b as Readonly<Record<string, unknown>>; // The same.
  for (const key in left) if (!jsonEqual(left[key], right[key])) return false;
  for (const key in right) if (!(key in left) && right[key] !== null && right[key] !== undefined) return false;
  return true;
}
