// Turns of nodes on one API: one of each at a time, the urgent first, within a rate.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { FairLanes, type LanesLimits, urgency } from '../../src/bridge/fair-lanes.ts';

const limits: LanesLimits = { concurrentMax: 1, perSecond: 1_000, burst: 1_000, waitingPerNodeMax: 3 };

function world(change: Partial<LanesLimits> = {}) {
  const clock = new VirtualClock();
  const lanes = new FairLanes({ clock, limits: { ...limits, ...change } });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const ask = (nodeName: string, what: string, more: { readonly urgent?: 0 | 1 | 2; readonly replaces?: string } = {}) =>
    lanes.run({ nodeName, urgency: more.urgent ?? urgency.write, ...(more.replaces === undefined ? {} : { replaces: more.replaces }) }, () => {
      begun.push(`${nodeName} ${what}`);
      return new Promise<string>((resolve) => ends.push(() => resolve(what)));
    });
  const settle = async () => {
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
  };
  const end = async () => {
    ends.shift()?.();
    await settle();
  };
  return { clock, lanes, begun, ask, end, settle };
}

describe('turns of nodes', () => {
  it('given a node with much to do and another with little, when places become free, then they take turns', async () => {
    const { begun, ask, end } = world();
    for (const what of ['1', '2', '3']) void ask('a', what);
    void ask('b', '1');
    for (let turns = 0; turns < 4; turns += 1) await end();
    expect(begun).toEqual(['a 1', 'b 1', 'a 2', 'a 3']);
  });

  it('given events wait, when a lease comes, then it goes first', async () => {
    const { begun, ask, end } = world();
    void ask('a', 'first');
    void ask('a', 'event', { urgent: urgency.event });
    void ask('a', 'lease', { urgent: urgency.lease });
    await end();
    await end();
    expect(begun).toEqual(['a first', 'a lease', 'a event']);
  });

  it('given a renewal waits, when a newer one comes, then only that is made', async () => {
    const { begun, ask, end, lanes } = world();
    void ask('a', 'first');
    const older = ask('a', 'older', { replaces: 'lease' });
    void ask('a', 'newer', { replaces: 'lease' });
    await end();
    expect(begun).toEqual(['a first', 'a newer']);
    expect(await older).toBeUndefined();
    expect(lanes.replaced).toBe(1);
  });

  it('given a node that floods, when too many wait, then further ones are refused and others are served', async () => {
    const { begun, ask, end, lanes } = world();
    for (let count = 0; count < 5; count += 1) void ask('a', String(count));
    void ask('b', 'served');
    await end();
    expect(lanes.refused).toBe(1);
    expect(begun).toEqual(['a 0', 'b served']);
  });

  it('given the rate is spent, when time passes, then it goes on', async () => {
    const { begun, ask, clock, settle } = world({ concurrentMax: 10, perSecond: 10, burst: 2 });
    for (const node of ['a', 'b', 'c']) void ask(node, '1');
    expect(begun).toEqual(['a 1', 'b 1']);
    await clock.advance(100);
    await settle();
    expect(begun).toEqual(['a 1', 'b 1', 'c 1']);
  });

  it('given calls wait, when it stops, then they are told that they are not made', async () => {
    const { ask, lanes } = world();
    void ask('a', '1');
    const waiting = ask('a', '2');
    lanes.stop();
    expect(await waiting).toBeUndefined();
  });
});
