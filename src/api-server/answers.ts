// Answers as HTTP has them. Pure.
import type { ApiAnswer } from '../ports/api-listener-port.ts';
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { type Refusal, statusBody } from './refusals.ts';

const json = { 'content-type': 'application/json' } as const;

export function refused(refusal: Refusal): ApiAnswer {
  const headers = refusal.retryAfterSeconds === undefined ? json : { ...json, 'retry-after': String(refusal.retryAfterSeconds) };
  return { kind: 'whole', status: refusal.code, headers, body: `${JSON.stringify(statusBody(refusal))}\n` };
}

/** @param warnings lines for people, as RFC 7234 has them */
export function answered(body: JsonObject, options: { readonly status?: number; readonly warnings?: readonly string[] } = {}): ApiAnswer {
  const { status = 200, warnings = [] } = options;
  const lines = warnings.map((line) => `299 - ${JSON.stringify(line.replaceAll(/[^\x20-\x7e]/g, '?'))}`);
  return { kind: 'whole', status, headers: lines.length === 0 ? json : { ...json, warning: lines.join(', ') }, body: `${JSON.stringify(body)}\n` };
}

export function plainText(body: string, status = 200): ApiAnswer {
  return { kind: 'whole', status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, body };
}
