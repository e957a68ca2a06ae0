// How often a child of the supervisor may fail before the whole process is given up: OTP's restart intensity, with back-off.
import type { ClockPort } from '../ports/clock-port.ts';

/** Failures of one child, within the window, that end the process. */
export const failuresMax = 8;
export const failureWindowMs = 10 * 60_000;
const delayMsMin = 500;
const delayMsMax = 60_000;

export type RestartVerdict =
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'escalate'; readonly failures: number };

export class RestartLimit {
  readonly #clock: ClockPort;
  readonly #failures = new Map<string, number[]>();

  constructor(clock: ClockPort) {
    this.#clock = clock;
  }

  /** Counts a failure of `child` and says what to do. */
  next(child: string): RestartVerdict {
    const nowMs = this.#clock.monotonicMs();
    const recent = (this.#failures.get(child) ?? []).filter((atMs) => nowMs - atMs < failureWindowMs);
    recent.push(nowMs);
    this.#failures.set(child, recent);
    if (recent.length >= failuresMax) return { kind: 'escalate', failures: recent.length };
    return { kind: 'restart', delayMs: Math.min(delayMsMin * 2 ** (recent.length - 1), delayMsMax) };
  }

  /** The child is no more. */
  forget(child: string): void {
    this.#failures.delete(child);
  }

  /** Children that failed within the window. */
  failing(): number {
    const nowMs = this.#clock.monotonicMs();
    let count = 0;
    for (const times of this.#failures.values()) if (times.some((atMs) => nowMs - atMs < failureWindowMs)) count += 1;
    return count;
  }
}
