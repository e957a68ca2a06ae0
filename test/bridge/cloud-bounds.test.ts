// What is kept and logged of whoever speaks: bounded; and nodes that came back are vouched for again.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { CloudLeases } from '../../src/bridge/cloud-leases.ts';
import { NodeDialects } from '../../src/bridge/cloud-wire.ts';
import { LineLimit } from '../../src/bridge/denials.ts';
import { FairLanes } from '../../src/bridge/fair-lanes.ts';
import { nodesMax } from '../../src/bridge/members.ts';
import { memoryCalls } from '../../src/bridge/memory-calls.ts';
import { MemoryStore } from '../../src/bridge/memory-store.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';

describe('bounds', () => {
  it('given as many names as are kept, when another one comes, then there is no room for it, and for the known there is', () => {
    const dialects = new NodeDialects();
    for (let index = 0; index < nodesMax; index += 1) dialects.heard(`edge-${index}`, 'lite');
    expect([dialects.hasRoomFor('edge-7'), dialects.hasRoomFor('stranger')]).toEqual([true, false]);
  });

  it('given sixty lines in a minute, when there are more, then they wait for the next minute', async () => {
    const clock = new VirtualClock();
    const limit = new LineLimit(clock);
    expect(Array.from({ length: 70 }, () => limit.take()).filter(Boolean)).toHaveLength(60);
    await clock.advance(60_000);
    expect(limit.take()).toBe(true);
  });
});

describe('leases', () => {
  it('given a node that renewed its own, when it left and is heard without, then it is vouched for', () => {
    const clock = new VirtualClock();
    const calls = memoryCalls(new MemoryStore({ clock, random: new SeededRandom(1) }));
    const leases = new CloudLeases({ calls, clock, lanes: new FairLanes({ clock, limits: { concurrentMax: 1, perSecond: 10, burst: 10, waitingPerNodeMax: 10 } }) });
    leases.heard('edge-07', { lease: true });
    leases.heard('edge-07', { lease: false });
    expect(leases.vouches('edge-07')).toBe(false);
    leases.lost('edge-07');
    leases.heard('edge-07', { lease: false });
    expect(leases.vouches('edge-07')).toBe(true);
    leases.stop();
  });
});
