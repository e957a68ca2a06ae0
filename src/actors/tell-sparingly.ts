// Keeps what lasts from being told again and again: the same words once a period. One for each kind of news of one pod; no timer.
import type { ClockPort } from '../ports/clock-port.ts';

export class TellSparingly {
  readonly #clock: ClockPort;
  readonly #periodMs: number;
  #last: string | undefined;
  #toldAtMs = 0;

  constructor(clock: ClockPort, periodMs: number) {
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /** Whether these words are news; if so, they count as told. */
  isNews(words: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (words === this.#last && nowMs - this.#toldAtMs < this.#periodMs) return false;
    this.#last = words;
    this.#toldAtMs = nowMs;
    return true;
  }
}
