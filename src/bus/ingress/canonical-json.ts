// JSON with sorted keys: equal objects give equal text, whatever order their fields came in. Pure.

/** @param value plain JSON data; undefined fields count as absent */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields: string[] = [];
  for (const [key, one] of Object.entries(value).sort(byKey)) {
    if (one !== undefined) fields.push(`${JSON.stringify(key)}:${canonicalJson(one)}`);
  }
  return `{${fields.join(',')}}`;
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Equality of plain JSON data; undefined fields count as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}
