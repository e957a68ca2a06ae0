// The messages down: answers to registrations on CTL, pods and withdrawals on DATA. Everything in them is somebody else's word.
import { fail, ok, type Result } from '../../../ports/result.ts';
import { describeJsonType, fieldOf, isJsonObject, type JsonObject } from '../json-value.ts';
import type { ReportAnswer } from '../reporting-dialect.ts';
import { podOf, readSpec, specHash } from './pod-spec.ts';

/** Of one message: a hash, two names, an image and a command. */
export const downBytesMax = 256 * 1_024;
const depthMax = 8;

export interface KoleFault {
  readonly field?: string;
  readonly message: string;
}

export function decodeControl(payload: Uint8Array): Result<ReportAnswer, KoleFault> {
  const read = readObject(payload);
  if (!read.ok) return read;
  const identity = fieldOf(read.value, 'identifier');
  if (typeof identity !== 'string' || identity === '') return fail({ field: 'identifier', message: 'must be a string' });
  // A refusal is never sent; were there one, asking again is all that can be done.
  if (fieldOf(read.value, 'registerd') !== true) return fail({ field: 'registerd', message: 'must be true' });
  return ok({ kind: 'registered', identity });
}

export function decodeData(payload: Uint8Array, nodeName: string): Result<ReportAnswer, KoleFault> {
  const read = readObject(payload);
  if (!read.ok) return read;
  const name = fieldOf(read.value, 'Name');
  const namespace = fieldOf(read.value, 'NameSpace');
  const version = fieldOf(read.value, 'Hash');
  const deleted = fieldOf(read.value, 'DeleteTimeStamp') ?? undefined;
  const spec = fieldOf(read.value, 'Spec') ?? undefined;
  if (!isName(name)) return fail({ field: 'Name', message: 'must be the name of a pod' });
  if (!isName(namespace)) return fail({ field: 'NameSpace', message: 'must be the name of a namespace' });
  if (deleted !== undefined) return ok({ kind: 'withdrawn', namespace, name });
  if (typeof version !== 'string' || !/^[0-9a-f]{32}$/.test(version)) return fail({ field: 'Hash', message: `must be 32 hex digits (pod ${namespace}/${name})` });
  if (!isJsonObject(spec)) return fail({ field: 'Spec', message: `must be a mapping, not ${describeJsonType(spec)} (pod ${namespace}/${name})` });
  const pod = readSpec(spec);
  if (!pod.ok) return fail({ ...pod.fault, message: `${pod.fault.message} (pod ${namespace}/${name})` });
  const hash = specHash(pod.value);
  // Fields that are not known here would be left out of the pod and yet be reported as running.
  if (hash !== version) return fail({ field: 'Hash', message: `is not that of the spec, ${hash}: the spec has fields that are not known here, or was damaged (pod ${namespace}/${name})` });
  return ok({ kind: 'assigned', namespace, name, version, pod: podOf({ namespace, name, nodeName }, version, pod.value) });
}

function readObject(payload: Uint8Array): Result<JsonObject, KoleFault> {
  if (payload.byteLength > downBytesMax) return fail({ message: `${payload.byteLength} bytes; at most ${downBytesMax} are taken` });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return fail({ message: 'is not JSON in UTF-8' });
  }
  if (!isJsonObject(value)) return fail({ message: `must be a mapping, not ${describeJsonType(value)}` });
  return depthOf(value) > depthMax ? fail({ message: `is nested more than ${depthMax} deep` }) : ok(value);
}

/** Counted no further than needed. */
function depthOf(value: unknown, limit = depthMax): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (limit === 0) return 1;
  return 1 + Math.max(0, ...Object.values(value).slice(0, 1_000).map((each) => depthOf(each, limit - 1)));
}

/** As far as lines and topics need it; the pod's own checks come later. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 253 && !/[^a-z0-9.-]/.test(value);
}
