// Sidecars on virtual time: they start before the others, are restarted, and end last and in reverse order.
import { describe, expect, it } from 'vitest';
import type { PodStatus } from '../../src/ports/pod-types.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { aContainer, uid } from '../support/pods.ts';

const side = (name: string, word = 'run') => aContainer(name, { image: 'sim/run', command: ['sim', word], restartPolicy: 'Always' });

describe('sidecars', () => {
  it('given two sidecars, when the pod starts and is deleted, then they start first and in order, and end last and in reverse', async () => {
    const world = podWorld();
    const app = aContainer('app', { image: 'sim/run', command: ['sim', 'slow-term:3000'] });
    const pod = simPod('sim/run', { initContainers: [side('one'), side('two')], containers: [app] });
    world.operate('ADD', pod);
    await world.clock.advance(5_000);
    // Of that topic.
    const status = world.seen.findLast((each) => each.topic === 'pod.status')?.payload.status as PodStatus;
    expect(status).toMatchObject({ phase: 'Running', initContainerStatuses: [{ name: 'one', ready: true, started: true }, { name: 'two', ready: true, started: true }] });
    const nameOf = new Map([...world.sim.containers.values()].map((each) => [each.id as string, each.config.metadata.name]));
    const ended = (method: string) => world.sim.calls.filter((call) => call.method === method).map((call) => nameOf.get(call.target));
    expect(ended('startContainer')).toEqual(['one', 'two', 'app']);
    world.operate('DELETE', { ...pod, pod: { ...pod.pod, metadata: { ...pod.pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 } } });
    await world.clock.advance(10_000);
    expect(ended('stopContainer')).toEqual(['app', 'two', 'one']);
    const stops = world.sim.calls.filter((call) => call.method === 'stopContainer');
    expect(stops[1]?.startedAtMs).toBeGreaterThanOrEqual(stops[0]?.endedAtMs ?? Number.NaN);
    expect(world.state(uid)).toMatchObject({ to: 'done' });
    await world.stop();
  });

  it('given an app that ignores its signal, when the grace is over, then the sidecar does not wait for it for ever', async () => {
    const world = podWorld();
    const app = aContainer('app', { image: 'sim/run', command: ['sim', 'ignore-term'] });
    const pod = simPod('sim/run', { initContainers: [side('one', 'ignore-term')], containers: [app] });
    world.operate('ADD', pod);
    await world.clock.advance(5_000);
    world.operate('DELETE', { ...pod, pod: { ...pod.pod, metadata: { ...pod.pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 5 } } });
    await world.clock.advance(9_000);
    expect(world.state(uid)).toMatchObject({ to: 'done' });
    await world.stop();
  });

  it('given a job with a sidecar, when the job is done, then the sidecar is stopped and the pod has succeeded', async () => {
    const world = podWorld();
    world.operate('ADD', simPod('sim/run', { initContainers: [side('one')], containers: [aContainer('app', { image: 'sim/run', command: ['sim', 'exit:0-after-2000'] })], restartPolicy: 'Never' }));
    await world.clock.advance(20_000);
    // Of that topic.
    expect(world.seen.findLast((each) => each.topic === 'pod.status')?.payload.status as PodStatus).toMatchObject({ phase: 'Succeeded' });
    await world.stop();
  });
});
