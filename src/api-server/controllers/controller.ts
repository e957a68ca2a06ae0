// What keeps the objects of the API true without anybody asking: a controller looks when something changed, and acts by writes like others.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { Deleter } from '../delete.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { Writer } from '../write.ts';

export interface ControllerDeps {
  readonly store: ObjectStore;
  readonly writer: Writer;
  readonly deleter: Deleter;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
}

export interface Controller {
  stop(): void;
}

/** Runs `act` once for any number of calls, at the earliest time one of them wished for, and never twice at a time. */
export class Rounds implements Controller {
  readonly #clock: ClockPort;
  readonly #act: () => Promise<void>;
  #timer: unknown;
  /** Monotonic; when the next round is wished for. */
  #dueAtMs = Number.POSITIVE_INFINITY;
  #running = false;
  #stopped = false;

  constructor(clock: ClockPort, act: () => Promise<void>) {
    this.#clock = clock;
    this.#act = act;
  }

  due(delayMs = 0): void {
    const atMs = this.#clock.monotonicMs() + delayMs;
    if (this.#stopped || atMs >= this.#dueAtMs) return;
    this.#dueAtMs = atMs;
    if (!this.#running) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #arm(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => void this.#run(), Math.max(0, this.#dueAtMs - this.#clock.monotonicMs()));
  }

  async #run(): Promise<void> {
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    this.#running = true;
    await this.#act();
    this.#running = false;
    if (!this.#stopped && this.#dueAtMs < Number.POSITIVE_INFINITY) this.#arm();
  }
}
