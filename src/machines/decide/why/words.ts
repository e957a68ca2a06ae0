// The words of a "why": spans of time, cut messages, and one sentence from its parts. Pure.
import type { Why } from '../../../ports/why.ts';

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
  const then = next.what === '' ? '' : `; ${next.what}${whenText(next.atMs, nowMs)}`;
  const isFalse = falseGuardOrCondition === '' ? '' : ` (${falseGuardOrCondition} is false)`;
  return { sentence: `${withoutStop(says)}${withoutStop(then)}${isFalse}.`, ...rest };
}

/** ` in 12 s`, ` now` when it is due, nothing when nobody knows. */
export function whenText(atMs: number, nowMs: number): string {
  if (atMs === 0) return '';
  return atMs - nowMs < 500 ? ' now' : ` in ${spanText(atMs - nowMs)}`;
}

/** ` for 12 s`; nothing when nobody knows. */
export function forText(sinceMs: number, nowMs: number): string {
  return sinceMs === 0 ? '' : ` for ${spanText(nowMs - sinceMs)}`;
}

/** ` 12 s ago`; nothing when nobody knows. */
export function agoText(atMs: number, nowMs: number): string {
  return atMs === 0 ? '' : ` ${spanText(nowMs - atMs)} ago`;
}

/** `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. A clock that was set back makes no negative span. */
export function spanText(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 3_600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  if (seconds < 86_400) return two(Math.floor(seconds / 3_600), 'h', Math.floor(seconds / 60) % 60, 'min');
  return two(Math.floor(seconds / 86_400), 'd', Math.floor(seconds / 3_600) % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** Somebody else's words on one line, cut, without their full stop. */
export function quoted(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim();
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
