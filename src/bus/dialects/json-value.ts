// Values as JSON and YAML give them: what the wire holds before anyone has looked at it. No Kubernetes knowledge here.

export type JsonObject = { readonly [field: string]: unknown };

/** True for a mapping; false for lists, null and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The mapping that a JSON text holds; undefined for any other text. */
export function jsonObjectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The word a person uses for what was found where something else was expected. */
export function describeJsonType(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'a boolean';
  return 'a number';
}

/** The value of `field`, whose name is matched as Go's decoder matches it: exactly first, then without case. */
export function fieldOf(object: JsonObject, field: string): unknown {
  if (Object.hasOwn(object, field)) return object[field];
  const wanted = field.toLowerCase();
  for (const key of Object.keys(object)) if (key.toLowerCase() === wanted) return object[key];
  return undefined;
}
