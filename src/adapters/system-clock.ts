// ClockPort on the machine's clocks and Node's timers. No state of its own.
import type { ClockPort } from '../ports/clock-port.ts';

/** Longest delay Node's timers take (2^31 - 1 ms, 24.8 days). Longer ones would fire at once; here they fire after this time. */
export const delayMsMax = 2_147_483_647;

export class SystemClock implements ClockPort {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    return setTimeout(callback, Math.min(delayMs, delayMsMax));
  }

  clearTimeout(handle: unknown): void {
    // Only handles of our own setTimeout come back, or undefined, which Node ignores.
    clearTimeout(handle as NodeJS.Timeout | undefined);
  }
}
