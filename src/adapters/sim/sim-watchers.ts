// Those who watch the simulated runtime. Events arrive a little late, in order, and may be lost; the truth is in the listings.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { Stoppable } from '../../ports/result.ts';
import type { RuntimeEvent, RuntimeListener } from '../../ports/runtime-port.ts';

/** Longest way of an event to its watcher, in milliseconds. */
const deliveryMsMax = 4;

interface Watcher {
  readonly listener: RuntimeListener;
  active: boolean;
  /** No event overtakes another: the time the last one arrives. */
  lastArrivalMs: number;
}

export class SimWatchers {
  readonly #clock: ClockPort;
  readonly #random: RandomPort;
  #watchers: Watcher[] = [];

  constructor(clock: ClockPort, random: RandomPort) {
    this.#clock = clock;
    this.#random = random;
  }

  add(listener: RuntimeListener): Stoppable {
    const watcher: Watcher = { listener, active: true, lastArrivalMs: 0 };
    this.#watchers.push(watcher);
    return {
      stop: async () => {
        watcher.active = false;
        this.#watchers = this.#watchers.filter((each) => each !== watcher);
      },
    };
  }

  /** @param lossOdds probability from 0 to 1 that a watcher does not get it */
  emit(event: RuntimeEvent, lossOdds: number): void {
    for (const watcher of this.#watchers) {
      if (lossOdds > 0 && this.#random.fraction() < lossOdds) continue;
      const nowMs = this.#clock.monotonicMs();
      const arrivalMs = Math.max(watcher.lastArrivalMs, nowMs + this.#random.fraction() * deliveryMsMax);
      watcher.lastArrivalMs = arrivalMs;
      this.#clock.setTimeout(function deliverEvent() {
        if (watcher.active) watcher.listener.event(event);
      }, arrivalMs - nowMs);
    }
  }

  /** Ends all streams. What was on its way is lost with them. */
  lose(fault: RuntimeFault): void {
    const lost = this.#watchers;
    this.#watchers = [];
    for (const watcher of lost) {
      watcher.active = false;
      this.#clock.setTimeout(function loseStream() { watcher.listener.lost(fault); }, 0);
    }
  }
}
