// The API server's refusals: code, reason, message and details as clients know them. Pure; it decides nothing.
import type { JsonObject } from '../bus/dialects/json-value.ts';

/** A v1 Status that says no. */
export interface Refusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: JsonObject;
  /** Seconds after which it may be tried again. */
  readonly retryAfterSeconds?: number;
}

/** What a refusal is about: `pods`, group ``, kind `Pod`. */
export interface Subject {
  readonly resource: string;
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

function qualified({ resource, group }: Subject): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function detailsOf({ resource, group, name }: Subject): JsonObject {
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource };
}

export function notFound(subject: Subject): Refusal {
  return { code: 404, reason: 'NotFound', message: `${qualified(subject)} "${subject.name}" not found`, details: detailsOf(subject) };
}

/** A path that leads nowhere. */
export function noSuchPath(): Refusal {
  return { code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} };
}

export function alreadyExists(subject: Subject): Refusal {
  return { code: 409, reason: 'AlreadyExists', message: `${qualified(subject)} "${subject.name}" already exists`, details: detailsOf(subject) };
}

export function conflict(subject: Subject, why: string): Refusal {
  return { code: 409, reason: 'Conflict', message: `Operation cannot be fulfilled on ${qualified(subject)} "${subject.name}": ${why}`, details: detailsOf(subject) };
}

export const modifiedMeanwhile = 'the object has been modified; please apply your changes to the latest version and try again';

/** Fields that others manage with another value. */
export function applyConflict(causes: readonly Cause[]): Refusal {
  const noun = causes.length === 1 ? 'conflict' : 'conflicts';
  const text = causes.length === 1 ? `${causes[0]?.message ?? ''}: ${causes[0]?.field ?? ''}` : causes.map(({ message, field }) => `${message}: ${field}`).join('\n- ');
  const message = causes.length === 1 ? `Apply failed with 1 ${noun}: ${text}` : `Apply failed with ${causes.length} ${noun}:\n- ${text}`;
  return { code: 409, reason: 'Conflict', message, details: { causes } };
}

export function invalid(subject: Subject, causes: readonly Cause[]): Refusal {
  const lines = causes.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
  const all = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  const kind = subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`;
  return {
    code: 422, reason: 'Invalid', message: `${kind} "${subject.name}" is invalid: ${all ?? ''}`,
    details: { name: subject.name, ...(subject.group === '' ? {} : { group: subject.group }), kind: subject.kind, causes },
  };
}

export function forbidden(subject: Subject, why: string): Refusal {
  const name = subject.name === '' ? '' : ` "${subject.name}"`;
  return { code: 403, reason: 'Forbidden', message: `${qualified(subject)}${name} is forbidden: ${why}`, details: detailsOf(subject) };
}

export function badRequest(message: string): Refusal {
  return { code: 400, reason: 'BadRequest', message };
}

export function unauthorized(): Refusal {
  return { code: 401, reason: 'Unauthorized', message: 'Unauthorized' };
}

export function methodNotAllowed(): Refusal {
  return { code: 405, reason: 'MethodNotAllowed', message: 'the server does not allow this method on the requested resource', details: {} };
}

export function notAcceptable(accepted: readonly string[]): Refusal {
  return { code: 406, reason: 'NotAcceptable', message: `only the following media types are accepted: ${accepted.join(', ')}` };
}

export function unsupportedMediaType(accepted: readonly string[]): Refusal {
  return {
    code: 415, reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  };
}

export function expired(message: string): Refusal {
  return { code: 410, reason: 'Expired', message };
}

export function tooLarge(bytesMax: number): Refusal {
  return { code: 413, reason: 'RequestEntityTooLarge', message: `Request entity too large: limit is ${bytesMax}` };
}

export function tooManyRequests(message: string): Refusal {
  return { code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds: 1 }, retryAfterSeconds: 1 };
}

/** A version that this store has not come to. */
export function futureVersion(asked: number, current: number): Refusal {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return { code: 504, reason: 'Timeout', message, details: { causes, retryAfterSeconds: 1 }, retryAfterSeconds: 1 };
}

export function internalError(message: string): Refusal {
  return { code: 500, reason: 'InternalError', message: `Internal error occurred: ${message}`, details: { causes: [{ message }] } };
}

export function notImplemented(message: string): Refusal {
  return { code: 501, reason: 'NotImplemented', message };
}

export function unavailable(message: string): Refusal {
  return { code: 503, reason: 'ServiceUnavailable', message, retryAfterSeconds: 1 };
}

/** The body that goes over the wire. */
export function statusBody({ code, reason, message, details }: Refusal): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...(details === undefined ? {} : { details }), code };
}
