// Asks the garbage collectors and waits for their answers, one question at a time.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { GarbageKind } from '../bus/messages.ts';
import type { ClockPort } from '../ports/clock-port.ts';

/** A collection that takes longer goes on without anybody waiting for it. */
const answerMsMax = 60_000;

export interface GarbageRequestsDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  newRequestId(): string;
}

export class GarbageRequests {
  readonly #deps: GarbageRequestsDeps;
  #end: (() => void) | undefined;
  #stopped = false;

  constructor(deps: GarbageRequestsDeps) {
    this.#deps = deps;
  }

  /** Whoever waits is let go. */
  stop(): void {
    this.#stopped = true;
    this.#end?.();
  }

  /** Resolves when the collection is over, or has taken too long. */
  collect(what: GarbageKind, reason: string): Promise<void> {
    const { bus, clock, newRequestId } = this.#deps;
    if (this.#stopped) return Promise.resolve();
    const requestId = newRequestId();
    return new Promise((resolve) => {
      let answer: Listening | undefined;
      let timer: unknown;
      this.#end = () => {
        this.#end = undefined;
        answer?.off();
        clock.clearTimeout(timer);
        resolve();
      };
      const end = this.#end;
      answer = bus.on('gc.done', end, requestId);
      timer = clock.setTimeout(end, answerMsMax);
      bus.publish('gc.requested', { requestId, what, reason });
    });
  }
}
