import { beforeEach, describe, expect, it } from 'vitest';
import { collectionPeriodMs, quietMs, startHeapKeeper } from '../../src/actors/heap-keeper.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { Collection } from '../../src/ports/collection.ts';
import type { Stoppable } from '../../src/ports/result.ts';

describe('heap keeper', () => {
  let clock: VirtualClock;
  let bus: Bus;
  let keeper: Stoppable;
  let collectedAtMs: number[];
  let code: Collection['code'][];
  beforeEach(() => {
    clock = new VirtualClock();
    bus = new Bus(clock);
    collectedAtMs = [];
    code = [];
    keeper = startHeapKeeper({
      bus: bus.as('heap'), clock,
      collectGarbage: (collection) => {
        collectedAtMs.push(clock.monotonicMs());
        code.push(collection.code);
      },
    });
  });

  const work = (): void => void bus.as('test').publish('pods.changed', { op: 'SET', source: 'file', pods: [] });

  it('given the start of the agent, when it is quiet, then it collects once and never again by itself', async () => {
    const startedAtMs = clock.monotonicMs();
    await clock.advance(10 * collectionPeriodMs);
    expect(collectedAtMs).toEqual([startedAtMs + quietMs]);
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given work that goes on, when it ends, then it collects after the quiet time', async () => {
    const startedAtMs = clock.monotonicMs();
    for (let round = 0; round < 10; round += 1) {
      work();
      await clock.advance(quietMs - 1_000);
    }
    expect(collectedAtMs).toEqual([]);
    await clock.advance(quietMs);
    expect(collectedAtMs).toEqual([startedAtMs + 9 * (quietMs - 1_000) + quietMs]);
  });

  it('given a collection just now, when there is work again, then the next one waits for its turn', async () => {
    await clock.advance(quietMs);
    const first = collectedAtMs[0] ?? 0;
    work();
    await clock.advance(2 * collectionPeriodMs);
    expect(collectedAtMs).toEqual([first, first + collectionPeriodMs]);
    // What started the agent does not run again; what starts pods does.
    expect(code).toEqual(['dropped', 'kept']);
  });

  it('given a keeper that was stopped, when time goes by, then nothing is collected', async () => {
    await keeper.stop();
    work();
    await clock.advance(collectionPeriodMs);
    expect(collectedAtMs).toEqual([]);
  });
});
