// The rhythm that both garbage collectors share: a pass now and then, one at a time, and at once when somebody asks; the answers to who
// asked. What a pass does is its collector's.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { GarbageKind, Messages } from '../bus/messages.ts';
import type { ClockPort } from '../ports/clock-port.ts';

/** What one pass has done so far; the collector writes into it. */
export interface GarbagePass {
  /** Somebody asked for room. */
  readonly isAsked: boolean;
  removed: number;
  freedBytes: number;
  readonly troubles: string[];
}

export interface GarbageRoundsDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly what: GarbageKind;
  readonly periodMs: number;
  /** Never rejects; ends soon after `stopped`. */
  pass(pass: GarbagePass): Promise<void>;
  /** Told after each pass, before who asked is answered. */
  over(pass: GarbagePass, trouble: string): void;
}

type Request = Messages['gc.requested'];

export class GarbageRounds {
  readonly #deps: GarbageRoundsDeps;
  readonly #listenings: Listening[];
  #requests: Request[] = [];
  #timer: unknown;
  #running = false;
  #stopped = false;

  constructor(deps: GarbageRoundsDeps) {
    this.#deps = deps;
    const first = deps.bus.on('runtime.relisted', () => {
      // Nothing can be told before the runtime answers.
      first.off();
      void this.#run();
    });
    this.#listenings = [first, deps.bus.on('gc.requested', ({ payload }) => this.#requested(payload))];
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    for (const listening of this.#listenings) listening.off();
  }

  #requested(request: Request): void {
    if (request.what !== this.#deps.what) return;
    this.#requests.push(request);
    void this.#run();
  }

  /** What is asked for during a pass is done in one more. */
  async #run(): Promise<void> {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    const { clock, periodMs } = this.#deps;
    clock.clearTimeout(this.#timer);
    do {
      const requests = this.#requests;
      this.#requests = [];
      const pass: GarbagePass = { isAsked: requests.length > 0, removed: 0, freedBytes: 0, troubles: [] };
      await this.#deps.pass(pass);
      if (this.#stopped) return;
      this.#tell(pass, requests);
    } while (this.#requests.length > 0);
    this.#running = false;
    this.#timer = clock.setTimeout(() => void this.#run(), periodMs);
  }

  #tell(pass: GarbagePass, requests: readonly Request[]): void {
    const { bus, what, over } = this.#deps;
    const { removed, freedBytes } = pass;
    const trouble = pass.troubles.join('; ');
    over(pass, trouble);
    const done = { what, removed, freedBytes, trouble };
    if (requests.length === 0 && (removed > 0 || trouble !== '')) bus.publish('gc.done', { ...done, requestId: undefined });
    for (const { requestId } of requests) bus.publish('gc.done', { ...done, requestId }, { key: requestId });
  }
}
