// The words of a "why": spans of time, cut messages, and one sentence from its parts. Pure.
import { sentenceAt, spanAt, type Why } from '../../../ports/why.ts';

export { spanText } from '../../../ports/why.ts';

/** Characters of somebody else's message that are quoted. */
const quotedLengthMax = 300;

/** What keeps something where it is. `says` and `next.what` are clauses without a full stop. */
export interface Cause {
  readonly says: string;
  readonly waitingFor: string;
  readonly sinceMs: number;
  readonly falseGuardOrCondition: string;
  readonly next: Why['next'];
}

export const nothingNext: Why['next'] = { what: '', atMs: 0 };

/** One sentence: what is, what comes next and when, and what is false. */
export function whyOf({ says, ...rest }: Cause, nowMs: number): Why {
  const { next, falseGuardOrCondition } = rest;
  const then = next.what === '' ? '' : `; ${next.what}${spanAt('in', next.atMs)}`;
  const isFalse = falseGuardOrCondition === '' ? '' : ` (${falseGuardOrCondition} is false)`;
  return withTemplate(`${withoutStop(says)}${withoutStop(then)}${isFalse}.`, rest, nowMs);
}

/** Two sentences as one. */
export function joined(first: Why, second: Why, nowMs: number): Why {
  return withTemplate(`${first.template.slice(0, -1)}; ${second.template}`, first, nowMs);
}

function withTemplate(template: string, rest: Omit<Why, 'sentence' | 'template'>, nowMs: number): Why {
  return { ...rest, sentence: sentenceAt(template, nowMs), template };
}

/** ` for 12 s`; nothing when nobody knows. */
export function forText(sinceMs: number): string {
  return spanAt('for', sinceMs);
}

/** ` 12 s ago`; nothing when nobody knows. */
export function agoText(atMs: number): string {
  return spanAt('ago', atMs);
}

/** Somebody else's words on one line, cut, without their full stop. */
export function quoted(message: string): string {
  const line = message.replaceAll(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();
  return withoutStop(line.length > quotedLengthMax ? `${line.slice(0, quotedLengthMax)}…` : line);
}

/** `: the message`, or nothing. */
export function colon(message: string): string {
  const line = quoted(message);
  return line === '' ? '' : `: ${line}`;
}

/** ` (the message)`, or nothing. */
export function bracketed(message: string): string {
  const line = quoted(message);
  return line === '' ? '' : ` (${line})`;
}

/** `once`, `4 times`. */
export function timesText(times: number): string {
  return times === 1 ? 'once' : `${times} times`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listText(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function withoutStop(text: string): string {
  return text.replace(/[.\s]+$/, '');
}
