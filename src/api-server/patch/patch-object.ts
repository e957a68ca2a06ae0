// One patch of any kind applied to an object. Pure: what comes out is still to be admitted.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { applyMergePatch } from '../../bus/dialects/merge-patch.ts';
import { strategicMerge } from '../../bridge/strategic-merge.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { badRequest, type Refusal } from '../refusals.ts';
import { applyJsonPatch } from './json-patch.ts';
import { mergeKeys } from './list-keys.ts';

export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** @param patch decoded; of a type that is not `apply` */
export function patchedObject(current: JsonObject, type: string, patch: unknown): Result<JsonObject, Refusal> {
  if (type === patchTypes.json) {
    const patched = applyJsonPatch(current, patch);
    if (patched.ok) return patched;
    return fail({ code: 422, reason: 'Invalid', message: `the server rejected our request due to an error in our request: ${patched.fault}`, details: {} });
  }
  if (!isJsonObject(patch)) return fail(badRequest('error decoding patch: a patch of this type is an object'));
  return ok(type === patchTypes.merge ? applyMergePatch(current, patch) : strategicMerge(current, patch, mergeKeys));
}
