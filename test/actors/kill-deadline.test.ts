// Pods that are sent away and go, go late, or do not go; on virtual time.
import { beforeEach, describe, expect, it } from 'vitest';
import { ActivePods } from '../../src/actors/active-pods.ts';
import { startKillDeadline } from '../../src/actors/kill-deadline.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { DesiredPod } from '../../src/ports/pod-types.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { aPod } from '../support/pods.ts';

describe('a pod that is sent away', () => {
  let clock: VirtualClock;
  let bus: Bus;
  let deadline: Stoppable;
  let told: { readonly atMs: number; readonly reason: string; readonly message: string }[];
  const pod: DesiredPod = aPod({});
  const moves = (to: string): void => void bus.as('pod').publish('pod.transitioned', { pod, from: 'before', to, on: 'test' });
  const kill = (graceMs?: number): void => void bus.as('eviction').publish('pod.kill', { pod, reason: 'Evicted', message: '', ...(graceMs === undefined ? {} : { graceMs }) });

  beforeEach(() => {
    clock = new VirtualClock();
    bus = new Bus(clock);
    told = [];
    const beginMs = clock.monotonicMs();
    bus.as('test').on('event.noted', ({ payload: { reason, message } }) => void told.push({ atMs: clock.monotonicMs() - beginMs, reason, message }));
    deadline = startKillDeadline({ bus: bus.as('eviction'), clock, pods: new ActivePods(bus.as('eviction')) });
    bus.as('test').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [pod] });
    moves('running.settled');
  });

  it.each([
    ['no grace to speak of', 1_000, 10_000],
    ['a grace', 20_000, 30_000],
  ])('given %s, when nothing of it has ended half as long again later, then that is told once', async (_name, graceMs, atMs) => {
    kill(graceMs);
    kill(graceMs);
    moves('terminating.stopping');
    await clock.advance(600_000);
    expect(told).toEqual([{ atMs, reason: 'ExceededGracePeriod', message: 'Container runtime did not kill the pod within specified grace period.' }]);
  });

  it('given it ends in time, when time goes by, then nothing is told; sent away again, the time begins anew', async () => {
    kill(1_000);
    await clock.advance(9_000);
    moves('terminated');
    await clock.advance(600_000);
    expect(told).toEqual([]);
    moves('running.settled');
    kill(1_000);
    await clock.advance(9_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toHaveLength(1);
  });

  it('given a kill that nobody waits for, when it takes long, then nothing is told', async () => {
    kill();
    await clock.advance(600_000);
    expect(told).toEqual([]);
  });

  it('given it was stopped, when time goes by, then nothing is told and no timer is left', async () => {
    kill(1_000);
    await deadline.stop();
    await clock.advance(600_000);
    expect({ told, timers: clock.pendingTimers() }).toEqual({ told: [], timers: [] });
  });
});
