// When writers that keep what the API has not accepted write again: at once when the link comes up, and a while after a failure.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { ClockPort } from '../ports/clock-port.ts';

export interface LinkRetryDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly periodMs: number;
  /** Writes what waits. */
  again(): void;
}

/** The timer runs only between a failure and the next attempt; `stop` ends it. Listens to `mqtt.link`. */
export class LinkRetry {
  readonly #deps: LinkRetryDeps;
  readonly #listening: Listening;
  #up = false;
  #timer: unknown;

  constructor(deps: LinkRetryDeps) {
    this.#deps = deps;
    this.#listening = deps.bus.on('mqtt.link', ({ payload }) => this.#changed(payload.state === 'up'));
  }

  /** The link is up. */
  get up(): boolean {
    return this.#up;
  }

  later(): void {
    if (this.#timer !== undefined || !this.#up) return;
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#deps.again();
    }, this.#deps.periodMs);
  }

  stop(): void {
    this.#listening.off();
    this.#deps.clock.clearTimeout(this.#timer);
  }

  #changed(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (up) this.#deps.again();
  }
}
