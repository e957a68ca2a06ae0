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

/** Runs `act` once for any number of calls, after those who called are done, and never twice at a time. */
export class Rounds implements Controller {
  readonly #clock: ClockPort;
  readonly #act: () => Promise<void>;
  #timer: unknown;
  #running = false;
  #again = false;
  #stopped = false;

  constructor(clock: ClockPort, act: () => Promise<void>) {
    this.#clock = clock;
    this.#act = act;
  }

  due(delayMs = 0): void {
    if (this.#stopped) return;
    if (this.#running) this.#again = true;
    else this.#timer ??= this.#clock.setTimeout(() => void this.#run(), delayMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#running = true;
    await this.#act();
    this.#running = false;
    if (!this.#again) return;
    this.#again = false;
    this.due();
  }
}
