// Virtual time: order of timers, settling of promises, and what a failed wait says.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';

describe('VirtualClock', () => {
  it('given timers with mixed deadlines, when time advances, then they fire by deadline and then by arming', async () => {
    const clock = new VirtualClock({ startMs: 1_000 });
    const seen: string[] = [];
    for (const [name, delayMs] of [['c', 30], ['a', 10], ['b', 20], ['b2', 20], ['late', 31]] as const) {
      clock.setTimeout(() => seen.push(`${name}@${clock.nowMs()}`), delayMs);
    }
    await clock.advance(30);
    expect(seen).toEqual(['a@1010', 'b@1020', 'b2@1020', 'c@1030']);
    expect(clock.monotonicMs()).toBe(30);
  });

  it('given a timer armed by a promise of another timer, when one advance covers both, then both fire at their time', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const wait = (delayMs: number): Promise<void> => new Promise((resolve) => { clock.setTimeout(resolve, delayMs); });
    const chain = async (): Promise<void> => {
      for (let index = 0; index < 5; index++) {
        await wait(10);
        await Promise.resolve();
        seen.push(clock.monotonicMs());
      }
    };
    void chain();
    await clock.advance(45);
    expect(seen).toEqual([10, 20, 30, 40]);
  });

  it('given a cancelled timer, when time passes it, then it does not fire and does not wait', async () => {
    const clock = new VirtualClock();
    const handle = clock.setTimeout(() => { throw new Error('fired'); }, 5);
    clock.clearTimeout(handle);
    clock.clearTimeout(handle);
    clock.clearTimeout(undefined);
    await clock.advance(10);
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given delays that are negative or no number, when time settles forward by nothing, then they fire at once', async () => {
    const clock = new VirtualClock();
    let fired = 0;
    clock.setTimeout(() => { fired++; }, -5);
    clock.setTimeout(() => { fired++; }, Number.NaN);
    await clock.advance(0);
    expect(fired).toBe(2);
  });

  it('given a predicate, when it comes true at a timer, then runUntil stops exactly there', async () => {
    const clock = new VirtualClock();
    let count = 0;
    const tick = (): void => { count++; clock.setTimeout(tick, 100); };
    tick();
    await clock.runUntil(() => count === 4, { limitMs: 10_000 });
    expect(clock.monotonicMs()).toBe(300);
  });

  it('given a predicate that stays false, when the limit is reached, then the failure names the waiting timers', async () => {
    const clock = new VirtualClock({ traceTimers: true });
    clock.setTimeout(function renewLease() { /* waits */ }, 60_000);
    await expect(clock.runUntil(() => false, { limitMs: 1_000 })).rejects.toThrow(/not within 1000 ms.*renewLease in 60000 ms \(.*virtual-clock\.test/);
    const empty = new VirtualClock();
    await expect(empty.runUntil(() => false, { limitMs: 1 })).rejects.toThrow('nothing waits any more');
  });

  it('given a wall clock jump, when time is read, then only the wall moved', async () => {
    const clock = new VirtualClock({ startMs: 5_000 });
    clock.jumpWall(-3_000);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([2_000, 0]);
  });

  it('given ten thousand timers in scrambled order, when time advances, then they fire sorted', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    for (let index = 0; index < 10_000; index++) {
      const delayMs = (index * 7_919) % 10_007;
      clock.setTimeout(() => seen.push(delayMs), delayMs);
    }
    await clock.advance(20_000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen).toHaveLength(10_000);
  });
});
