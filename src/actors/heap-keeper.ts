// Gives memory back after work: the garbage of a burst of pods otherwise stays for hours, because an idle process does not collect.
// While pods change, V8 collects as it sees fit. The code that started the agent goes with the first collection; later ones keep code, so
// that a pod need not wait for a compiler.
import type { BusPort } from '../bus/bus.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { Collection } from '../ports/collection.ts';
import type { Stoppable } from '../ports/result.ts';

/** Without a change of a pod for so long, work is over. */
export const quietMs = 5_000;
/** At most one collection in so long: each costs 10 to 30 ms of CPU. */
export const collectionPeriodMs = 15_000;

export interface HeapKeeperDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  /** A full collection, synchronous. */
  collectGarbage(collection: Collection): void;
}

/** Counts the start of the agent as work, and each `pods.changed` and `pod.status`. */
export function startHeapKeeper({ bus, clock, collectGarbage }: HeapKeeperDeps): Stoppable {
  let workedAtMs = clock.monotonicMs();
  let collectedAtMs = Number.NEGATIVE_INFINITY;
  let timer: unknown;

  const look = (): void => {
    timer = undefined;
    const nowMs = clock.monotonicMs();
    const dueAtMs = Math.max(workedAtMs + quietMs, collectedAtMs + collectionPeriodMs);
    if (nowMs < dueAtMs) {
      timer = clock.setTimeout(look, dueAtMs - nowMs);
      return;
    }
    collectGarbage({ code: collectedAtMs === Number.NEGATIVE_INFINITY ? 'dropped' : 'kept' });
    collectedAtMs = nowMs;
  };
  const worked = (): void => {
    workedAtMs = clock.monotonicMs();
    timer ??= clock.setTimeout(look, quietMs);
  };
  worked();
  const listenings = [bus.on('pods.changed', worked), bus.on('pod.status', worked)];
  return {
    stop: () => {
      clock.clearTimeout(timer);
      for (const listening of listenings) listening.off();
      return Promise.resolve();
    },
  };
}
