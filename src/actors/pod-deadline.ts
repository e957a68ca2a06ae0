// One timer for a pod that may not be active for ever; none for the others. It only tells; ending the pod is the machine's.
import type { ClockPort } from '../ports/clock-port.ts';

/** Longest single wait: clocks of machines count 31 bits of milliseconds. A longer one is cut into several. */
const waitMsMax = 24 * 3_600_000;

export class PodDeadline {
  readonly #clock: ClockPort;
  readonly #exceeded: () => void;
  #dueMs: number | undefined;
  #timer: unknown;

  constructor(deps: { readonly clock: ClockPort; readonly exceeded: () => void }) {
    this.#clock = deps.clock;
    this.#exceeded = deps.exceeded;
  }

  /** @param dueMs wall milliseconds; undefined for none */
  set(dueMs: number | undefined): void {
    if (dueMs === this.#dueMs) return;
    this.stop();
    this.#dueMs = dueMs;
    if (dueMs !== undefined) this.#wait(dueMs);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#dueMs = undefined;
  }

  #wait(dueMs: number): void {
    const leftMs = dueMs - this.#clock.nowMs();
    this.#timer = this.#clock.setTimeout(() => (dueMs > this.#clock.nowMs() ? this.#wait(dueMs) : this.#exceeded()), Math.min(waitMsMax, Math.max(0, leftMs)));
  }
}
