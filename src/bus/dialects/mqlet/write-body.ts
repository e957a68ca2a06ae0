// API writes as bodies of the mqlet dialect, both ways: the node writes them, the cloud side reads them (docs/wire.md, section 6).
import type { ApiWrite } from '../../api-write.ts';
import { fail, ok, type Result } from '../../../ports/result.ts';
import { describeJsonType, isJsonObject, type JsonObject } from '../json-value.ts';
import { bad, type WireFault } from './wire-fault.ts';

/** A write as the cloud side reads it. */
export interface UpWrite {
  readonly verb: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: JsonObject | undefined;
  readonly patch: JsonObject | undefined;
  readonly base: string | undefined;
  readonly whole: boolean;
  readonly uid: string | undefined;
  readonly gracePeriodSeconds: number | undefined;
}

/** @param base status token of what the patch was made against */
export function writeBody(write: ApiWrite, base: string | undefined): JsonObject {
  // Id, writer and lane are the node's own; everything else is the write.
  const { id: _id, writer: _writer, lane: _lane, verb, kind, ...body } = write;
  return {
    verb, kind, ...body,
    ...('object' in write ? { object: withoutType(write.object as unknown as JsonObject) } : {}), // Plain data, whose declared interfaces lack an index signature.
    ...(write.verb === 'patchStatus' && base !== undefined && base !== '' ? { base } : {}),
  };
}

function withoutType({ apiVersion: _apiVersion, kind: _kind, ...object }: JsonObject): JsonObject {
  return object;
}

const fieldTypes = {
  verb: 'string', kind: 'string', namespace: 'string', name: 'string', base: 'string', uid: 'string', whole: 'boolean', gracePeriodSeconds: 'number',
} as const;

/** Never throws. What verb and kind mean together is the store's business. */
export function readWrite(body: JsonObject): Result<UpWrite, WireFault> {
  for (const [field, type] of Object.entries(fieldTypes)) {
    const value = body[field];
    if (value !== undefined && typeof value !== type) return fail(bad(`must be a ${type}, not ${describeJsonType(value)}`, field));
  }
  for (const field of ['verb', 'kind', 'name']) if (body[field] === undefined || body[field] === '') return fail(bad('is missing', field));
  for (const field of ['object', 'patch']) {
    const value = body[field];
    if (value !== undefined && !isJsonObject(value)) return fail(bad(`must be a mapping, not ${describeJsonType(value)}`, field));
  }
  const { verb, kind, namespace = '', name, object, patch, base, whole = false, uid, gracePeriodSeconds } = body;
  // Compared with these types just above.
  return ok({ verb, kind, namespace, name, object, patch, base, whole, uid, gracePeriodSeconds } as UpWrite);
}

/** Of a pod's status: the node's to say. A `whole` patch removes those it does not name. */
export const ownStatusFields: readonly string[] = [
  'phase', 'reason', 'message', 'hostIP', 'hostIPs', 'podIP', 'podIPs', 'startTime', 'initContainerStatuses', 'containerStatuses',
  'ephemeralContainerStatuses', 'qosClass',
];
