// What the supervisor does when a pod's actor breaks, and whom it lets in.
import { afterEach, describe, expect, test } from 'vitest';
import type { NodeFacts } from '../../src/actors/pod-deps.ts';
import type { PodUid } from '../../src/ports/pod-types.ts';
import { podWorld, type PodWorldOptions, simPod } from '../support/pod-world.ts';

const worlds: { stop(): Promise<void> }[] = [];
afterEach(async () => { for (const world of worlds.splice(0)) await world.stop(); });

function world(options: PodWorldOptions = {}) {
  const made = podWorld(options);
  worlds.push(made);
  return made;
}

const facts: NodeFacts = { runtimeName: 'mqlet-sim', hostIps: ['192.0.2.7'], networkReady: true, networkMessage: '' };

describe('pod supervisor', () => {
  test('given an actor that breaks on its first step, when some time has passed, then another has brought the pod up', async () => {
    let broken = 2;
    const { clock, operate, state, seen } = world({
      facts: () => {
        if (broken > 0) {
          broken -= 1;
          throw new Error('a broken invariant');
        }
        return facts;
      },
    });
    await clock.advance(1_000);
    operate('ADD', simPod());
    await clock.advance(5_000);
    expect(seen.filter(({ topic }) => topic === 'actor.failed').map(({ payload }) => payload)).toEqual([
      expect.objectContaining({ actor: 'pod default/web', action: 'restarting in 500 ms' }),
      expect.objectContaining({ actor: 'pod default/web', action: 'restarting in 1000 ms' }),
    ]);
    expect(state()?.to).toBe('running.settled');
  });

  test('given a runtime that went away, when more pods come than the node may have, then those on top are refused', async () => {
    const { clock, sim, operate, seen } = world({ podsMax: 2 });
    await clock.advance(1_000);
    sim.restart({ downMs: 20_000 });
    await clock.advance(100);
    for (let number = 0; number < 4; number += 1) operate('ADD', simPod('sim/run', {}, { uid: `uid-${number}` as PodUid, name: `web-${number}` }));
    await clock.advance(60_000);
    const refused = seen.flatMap((each) => (each.topic === 'event.noted' && each.payload.reason === 'OutOfpods' && each.payload.subject.kind === 'Pod' ? [each.payload.subject.pod.uid] : []));
    expect(refused).toEqual(['uid-2', 'uid-3']);
    expect(sim.sandboxes.size).toBe(2);
  });

  test.each([
    ['RECONCILE', 'Failed'], ['UPDATE', 'Failed'], ['RECONCILE', 'Succeeded'],
  ] as const)('given a pod that runs, when an %s shows it %s at the API, then it is stopped and keeps that end', async (op, phase) => {
    const { clock, sim, operate, state, seen } = world();
    operate('ADD', simPod());
    await clock.advance(5_000);
    expect(state()?.to).toBe('running.settled');
    const shown = simPod();
    operate(op, { ...shown, pod: { ...shown.pod, status: { phase, reason: 'NodeLost', message: 'given up' } } });
    await clock.advance(60_000);
    expect(state()?.to).toBe('terminated');
    expect([...sim.containers.values()].map(({ state: now }) => now)).toEqual(['exited']);
    const statuses = seen.flatMap((each) => (each.topic === 'pod.status' ? [each.payload.status] : []));
    expect(statuses.at(-1)).toMatchObject({ phase, reason: 'NodeLost', message: 'given up', containerStatuses: [{ name: 'app', state: { terminated: {} } }] });
  });

  test('given a pod the node has refused, when its actor breaks and is made anew, then it is still refused', async () => {
    let broken = 1;
    const { clock, sim, operate, state } = world({
      podsMax: 0,
      facts: () => {
        broken -= 1;
        if (broken === 0) throw new Error('a broken invariant');
        return facts;
      },
    });
    await clock.advance(1_000);
    operate('ADD', simPod());
    await clock.advance(5_000);
    expect(state()?.to).toBe('terminated');
    expect(sim.sandboxes.size).toBe(0);
  });

  test('given a full node, when a critical pod comes, then another goes at once with the reason, and the critical one runs', async () => {
    const { clock, sim, operate, state, seen } = world({ podsMax: 1 });
    await clock.advance(1_000);
    operate('ADD', simPod('sim/ignore-term', {}, { uid: 'small' as PodUid, name: 'small' }));
    await clock.advance(5_000);
    operate('ADD', simPod('sim/run', { priority: 2_000_000_000 }, { uid: 'critical' as PodUid, name: 'critical' }));
    await clock.advance(5_000);
    expect(state('critical' as PodUid)?.to).toBe('running.settled');
    expect([...sim.sandboxes.values()].filter((sandbox) => sandbox.state === 'ready').map(({ config }) => config.metadata.name)).toEqual(['critical']);
    const status = seen.findLast((each) => each.topic === 'pod.status' && each.payload.pod.uid === 'small');
    expect(status?.payload).toMatchObject({ status: {
      phase: 'Failed', reason: 'Preempting', message: 'Preempted in order to admit critical pod',
      conditions: expect.arrayContaining([expect.objectContaining({ type: 'DisruptionTarget', status: 'True' })]) as unknown,
    } });
  });

  test('given pods that come before the runtime answers, when it does, then those the node needs are admitted first, then the older', async () => {
    const { clock, operate, seen } = world({ podsMax: 2 });
    const named = (name: string, creationTimestamp: string, spec = {}) => simPod('sim/run', spec, { uid: name as PodUid, name, metadata: { creationTimestamp } });
    operate('ADD', named('young', '2026-01-02T00:00:00Z'), named('old', '2026-01-01T00:00:00Z'), named('critical', '2026-01-03T00:00:00Z', { priority: 2_000_000_000 }));
    await clock.advance(10_000);
    const refused = seen.flatMap((each) => (each.topic === 'event.noted' && each.payload.reason === 'OutOfpods' && each.payload.subject.kind === 'Pod' ? [each.payload.subject.pod.uid] : []));
    expect(refused).toEqual(['young']);
  });
});
