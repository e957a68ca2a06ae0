// Refusals as an API server words them. The agent decides on the reason; people read the message.
import type { Status } from '../ports/pod-types.ts';

export interface ObjectName {
  /** Plural: `pods`. */
  readonly resource: string;
  readonly name: string;
}

export function notFound(object: ObjectName): Status {
  return status(404, 'NotFound', `${object.resource} "${object.name}" not found`, object);
}

export function alreadyExists(object: ObjectName): Status {
  return status(409, 'AlreadyExists', `${object.resource} "${object.name}" already exists`, object);
}

export function conflict(object: ObjectName, why: string): Status {
  return status(409, 'Conflict', `Operation cannot be fulfilled on ${object.resource} "${object.name}": ${why}`, object);
}

export function invalid(object: ObjectName, why: string): Status {
  return status(422, 'Invalid', `${object.resource} "${object.name}" is invalid: ${why}`, object);
}

export function forbidden(object: ObjectName, why: string): Status {
  return status(403, 'Forbidden', `${object.resource} "${object.name}" is forbidden: ${why}`, object);
}

/** Of the mqlet dialect: the patch was made against a status that is not the stored one. */
export function baseMismatch(object: ObjectName): Status {
  return status(409, 'BaseMismatch', `${object.resource} "${object.name}": the patch was made against another status`, object);
}

/** What this cloud side has nothing to do with; who asks does without. */
export function notImplemented(message: string): Status {
  return { status: 'Failure', code: 501, reason: 'NotImplemented', message, metadata: {} };
}

/** The node sent more than is done for it at once. */
export function tooManyRequests(): Status {
  return { status: 'Failure', code: 429, reason: 'TooManyRequests', message: 'too many requests of this node wait already', details: { retryAfterSeconds: 5 }, metadata: {} };
}

/** The API gave no answer: what was asked may have happened. */
export function unreachable(message: string): Status {
  return { status: 'Failure', code: 503, reason: 'ServiceUnavailable', message: `the API server cannot be reached: ${message}`, metadata: {} };
}

export function badRequest(message: string): Status {
  return { status: 'Failure', code: 400, reason: 'BadRequest', message, metadata: {} };
}

function status(code: number, reason: string, message: string, { resource, name }: ObjectName): Status {
  return { status: 'Failure', code, reason, message, details: { kind: resource, name }, metadata: {} };
}
