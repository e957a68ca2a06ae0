// Back-off of restarts and image pulls: the next delay, computed apart from the waiting.
import { goDuration } from './go-duration.ts';

/** First delay of a crash loop and of failing image pulls. */
export const backoffMsMin = 10_000;
/** Delays double up to this one. */
export const backoffMsMax = 300_000;
/** A failure this long after the previous attempt starts over. */
export const backoffResetAfterMs = 2 * backoffMsMax;

/** What is remembered between two attempts. A record per container or image; absent before the first failure. */
export interface Backoff {
  /** Wait counted from the end of the failed attempt, milliseconds. */
  readonly delayMs: number;
  /** When the attempt after that wait was made, wall milliseconds. */
  readonly attemptedAtMs: number;
}

export type BackoffDecision =
  /** Attempt now, and remember `next`. */
  | { readonly kind: 'attempt'; readonly next: Backoff }
  /** Not before `untilMs`, wall milliseconds. `delayMs` is the whole wait, for the message. */
  | { readonly kind: 'wait'; readonly untilMs: number; readonly delayMs: number };

/**
 * Whether something that failed at `failedAtMs` may be attempted again.
 * The first repetition comes at once, the following wait 10, 20, 40 … 300 seconds from the failure.
 * After the wall clock was set back behind the failure nobody can tell how long ago that was: the attempt comes at once.
 */
export function decideBackoff(last: Backoff | undefined, failedAtMs: number, nowMs: number): BackoffDecision {
  if (last === undefined || failedAtMs - last.attemptedAtMs > backoffResetAfterMs) {
    return { kind: 'attempt', next: { delayMs: backoffMsMin, attemptedAtMs: nowMs } };
  }
  const untilMs = failedAtMs + last.delayMs;
  if (failedAtMs <= nowMs && nowMs < untilMs) return { kind: 'wait', untilMs, delayMs: last.delayMs };
  return { kind: 'attempt', next: { delayMs: Math.min(last.delayMs * 2, backoffMsMax), attemptedAtMs: nowMs } };
}

/** A wait as kubelet's messages show it: `10s`, `1m20s`, `5m0s`. */
export function backoffText(delayMs: number): string {
  return goDuration(Math.round(delayMs / 1_000) * 1_000);
}
