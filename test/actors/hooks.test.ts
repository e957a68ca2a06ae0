// Lifecycle hooks on virtual time: when they run, what their failure does, and how they share the grace period.
import { describe, expect, it } from 'vitest';
import { graceLeftMs, preStopOf } from '../../src/machines/decide/hooks.ts';
import { preStopAnnotation } from '../../src/machines/decide/runtime-labels.ts';
import type { Container, DesiredPod, PodStatus } from '../../src/ports/pod-types.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { aContainer, anInstance, uid } from '../support/pods.ts';

type Lifecycle = NonNullable<Container['lifecycle']>;

function hookedWorld(lifecycle: Lifecycle, container: Partial<Container> = {}, spec: Parameters<typeof simPod>[1] = {}) {
  const world = podWorld();
  const { clock, seen } = world;
  const pod = simPod('sim/run', { containers: [aContainer('app', { image: 'sim/run', lifecycle, ...container })], ...spec });
  world.operate('ADD', pod);
  const deleted = (seconds: number): DesiredPod => ({
    ...pod, pod: { ...pod.pod, metadata: { ...pod.pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: seconds } },
  });
  // Of that topic.
  const app = () => (seen.findLast((each) => each.topic === 'pod.status')?.payload.status as PodStatus | undefined)?.containerStatuses?.[0];
  return {
    ...world, app, clock,
    until: (condition: () => boolean, limitMs: number) => clock.runUntil(condition, { limitMs }),
    remove: (seconds = 30) => { world.operate('DELETE', deleted(seconds)); },
    isDone: () => world.state(uid)?.to === 'done',
    calls: (method: string) => world.sim.calls.filter((call) => call.method === method),
    events: () => seen.flatMap((each) => (each.topic === 'event.noted' ? [`${each.payload.reason}: ${each.payload.message}`] : [])),
  };
}

describe('hooks, the pure part', () => {
  it('given annotations, when the preStop hook is read, then nonsense is none', () => {
    const of = (text: string) => preStopOf(anInstance('app', { annotations: { [preStopAnnotation]: text } }))?.handler;
    expect(of('{"exec":{"command":["x"]}}')).toEqual({ exec: { command: ['x'] } });
    expect([of(''), of('['), of('[]'), of('null'), of('3')]).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it.each([[30_000, 0, 30_000], [30_000, 4_900, 26_000], [30_000, 29_500, 2_000], [5_000, 60_000, 2_000]])(
    'given %i ms of grace, when %i ms are used, then %i ms are left', (graceMs, usedMs, left) => {
      expect(graceLeftMs({ graceMs, usedMs })).toBe(left);
    },
  );
});

describe('postStart', () => {
  it('given a hook that succeeds, when the container starts, then it runs once and nothing else happens', async () => {
    const world = hookedWorld({ postStart: { exec: { command: ['sim', 'exit:0'] } } });
    await world.until(() => world.app()?.ready === true, 10_000);
    await world.clock.advance(60_000);
    expect(world.calls('execSync')).toHaveLength(1);
    expect(world.app()).toMatchObject({ ready: true, restartCount: 0 });
    await world.stop();
  });

  it('given a hook that fails, when the container starts, then it is killed, says why, and is restarted with back-off', async () => {
    const world = hookedWorld({ postStart: { exec: { command: ['sim', 'exit:3'] } } });
    await world.until(() => world.app()?.state?.waiting?.reason === 'PostStartHookError', 10_000);
    expect(world.events()).toEqual(expect.arrayContaining(['FailedPostStartHook: PostStartHook failed', 'Killing: FailedPostStartHook']));
    await world.until(() => world.app()?.restartCount === 2, 60_000);
    expect(world.app()?.restartCount).toBe(2);
    await world.stop();
  });

  it('given a hook without end, when the pod is deleted, then nobody waits for it', async () => {
    const world = hookedWorld({ postStart: { exec: { command: ['sim', 'run'] } } });
    await world.clock.advance(5_000);
    world.remove();
    await world.until(world.isDone, 10_000);
    expect(world.isDone()).toBe(true);
    await world.stop();
  });
});

describe('preStop', () => {
  it('given a hook, when the pod is deleted, then it runs before the process is told to end, and shares its grace', async () => {
    const world = hookedWorld({ preStop: { exec: { command: ['sim', 'exit:0-after-4000'] } } }, { command: ['sim', 'ignore-term'] });
    await world.until(() => world.app()?.ready === true, 10_000);
    const fromMs = world.clock.monotonicMs();
    world.remove(10);
    await world.until(world.isDone, 60_000);
    const [hook, stop] = [world.calls('execSync')[0], world.calls('stopContainer')[0]];
    expect(stop?.startedAtMs).toBeGreaterThanOrEqual(hook?.endedAtMs ?? Number.NaN);
    expect((stop?.endedAtMs ?? 0) - fromMs).toBeGreaterThanOrEqual(10_000);
    expect((stop?.endedAtMs ?? 0) - fromMs).toBeLessThan(11_000);
    await world.stop();
  });

  it('given a hook without end, when its grace is over, then the process has two seconds more', async () => {
    const world = hookedWorld({ preStop: { sleep: { seconds: 600 } } }, { command: ['sim', 'ignore-term'] });
    await world.until(() => world.app()?.ready === true, 10_000);
    const fromMs = world.clock.monotonicMs();
    world.remove(5);
    await world.until(world.isDone, 60_000);
    const stop = world.calls('stopContainer')[0];
    expect((stop?.startedAtMs ?? 0) - fromMs).toBeGreaterThanOrEqual(5_000);
    expect((stop?.endedAtMs ?? 0) - fromMs).toBeLessThan(8_000);
    await world.stop();
  });

  it('given a hook that runs, when the grace is shortened, then it is not run twice and the stop comes sooner', async () => {
    const world = hookedWorld({ preStop: { exec: { command: ['sim', 'exit:0-after-20000'] } } });
    await world.until(() => world.app()?.ready === true, 10_000);
    world.remove(60);
    await world.clock.advance(2_000);
    const fromMs = world.clock.monotonicMs();
    world.remove(3);
    await world.until(() => world.app()?.state?.terminated !== undefined, 60_000);
    expect(world.clock.monotonicMs() - fromMs).toBeLessThan(5_000);
    await world.until(world.isDone, 60_000);
    await world.clock.advance(30_000);
    expect(world.calls('execSync')).toHaveLength(1);
    await world.stop();
  });

  it('given a hook that fails, when the pod is deleted, then the event says so and the stop goes on', async () => {
    const world = hookedWorld({ preStop: { exec: { command: ['sim', 'exit:1'] } } });
    await world.until(() => world.app()?.ready === true, 10_000);
    world.remove();
    await world.until(world.isDone, 10_000);
    expect(world.events()).toContain('FailedPreStopHook: PreStopHook failed');
    await world.stop();
  });

  it('given a container that ends by itself, when the pod goes on, then its hook does not run', async () => {
    const world = hookedWorld({ preStop: { exec: { command: ['sim', 'exit:0'] } } }, { command: ['sim', 'exit:0-after-1000'] }, { restartPolicy: 'Never' });
    await world.until(() => world.app()?.state?.terminated !== undefined, 10_000);
    await world.clock.advance(5_000);
    expect(world.calls('execSync')).toEqual([]);
    await world.stop();
  });
});
