// JSON merge patches (RFC 7386): what differs between two mappings, and its application. Pure; neither side is changed.
import { sameJson } from '../ingress/canonical-json.ts';
import { isJsonObject, type JsonObject } from './json-value.ts';

/** The patch that makes `after` of `before`. A field that is null in `after` counts as absent: a merge patch cannot say it. */
export function mergePatchBetween(before: JsonObject, after: JsonObject): JsonObject {
  const patch = new Map<string, unknown>();
  for (const [field, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, field) ? before[field] : undefined;
    if (sameJson(old, value) || value === undefined) continue;
    patch.set(field, isJsonObject(old) && isJsonObject(value) ? mergePatchBetween(old, value) : value);
  }
  for (const field of Object.keys(before)) if (!Object.hasOwn(after, field) || after[field] === undefined) patch.set(field, null);
  return Object.fromEntries(patch);
}

export function applyMergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  // A map, for a field may be called __proto__.
  const result = new Map(Object.entries(target));
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) result.delete(field);
    else if (isJsonObject(value)) {
      const old = result.get(field);
      result.set(field, applyMergePatch(isJsonObject(old) ? old : {}, value));
    } else result.set(field, value);
  }
  return Object.fromEntries(result);
}
