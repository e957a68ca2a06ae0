// Which pods eviction and the node's shutdown choose from, as the bus tells of their lives.
import { describe, expect, it } from 'vitest';
import { ActivePods } from '../../src/actors/active-pods.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import { aPod } from '../support/pods.ts';

describe('active pods', () => {
  const life = (...moves: readonly (readonly [to: string, on: string])[]): readonly boolean[] => {
    const bus = new Bus(new VirtualClock());
    const pods = new ActivePods(bus.as('eviction'));
    bus.as('test').publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [aPod()] });
    return moves.map(([to, on], index) => {
      bus.as('test').publish('pod.transitioned', { pod: aPod(), from: moves[index - 1]?.[0] ?? '', to, on });
      expect(pods.begun().length > 0).toBe(to !== 'pending' && pods.all().length > 0);
      return pods.all().length > 0;
    });
  };

  it('given a pod that runs and is stopped, then it is one until nothing of it runs', () => {
    expect(life(['pending', 'start'], ['creating.syncing', 'pod.admit'], ['running.settled', 'own work'], ['terminating.stopping', 'own work'], ['terminated', 'own work']))
      .toEqual([true, true, true, true, false]);
  });

  it('given a pod that had ended before the agent began, when it is cleaned up, then it is none', () => {
    expect(life(['pending', 'start'], ['terminating.stopping', 'pod.admit'], ['terminating.stopped', 'own work'], ['terminated', 'own work'])).toEqual([true, false, false, false]);
  });
});
