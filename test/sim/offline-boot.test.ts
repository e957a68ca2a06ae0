import { describe, expect, it } from 'vitest';
import { fail } from '../../src/ports/result.ts';
import { apply, calmWorld, cloudPod, deleteInCloud, forever, putManifest, runningPods, simPod } from './offline-world.ts';
import { rootDirectory, type World } from './world.ts';

/** Sees to it that the cloud has what the node shows. */
async function inStep(world: World, ...names: readonly string[]): Promise<void> {
  const isRunning = (name: string) => cloudPod(world, name)?.status?.phase === 'Running';
  expect(await world.passUntil(() => names.every(isRunning), { limitMs: 60_000, everyMs: 100 })).toBe(true);
  // A new pod's file may take a quarter of a second.
  await world.pass(1_000);
}

/** The power goes and comes back, and neither broker nor the right time are there. */
async function bootAlone(world: World, { wrongClockMs = 0 } = {}): Promise<void> {
  world.broker.goDown();
  if (wrongClockMs !== 0) world.clock.jumpWall(wrongClockMs);
  world.rebootMachine({ downMs: 5_000 });
  await world.pass(5_000);
  await world.pass(60_000);
}

const cachedPods = async (world: World): Promise<readonly string[]> => {
  const listed = await world.files.list(`${rootDirectory}/cache/pods`);
  return listed.ok ? listed.value.map(({ name }) => name) : [];
};

describe('a node that boots alone', () => {
  it.each([['the right time', 0], ['a clock years behind', -50 * 365 * 86_400_000], ['a clock years ahead', 30 * 365 * 86_400_000]])(
    'given pods of the cloud and a static pod, when the power goes and comes without broker and with %s, then the same pods run', async (_time, wrongClockMs) => {
      const world = await calmWorld('boot-alone');
      apply(world, simPod('one'), simPod('two', { nodeSelector: { zone: 'north' } }));
      putManifest(world, simPod('fixed'));
      await inStep(world, 'one', 'fixed-edge-07');
      const before = world.cloud.pods().map(({ metadata }) => metadata?.uid);
      await bootAlone(world, { wrongClockMs });
      expect(runningPods(world)).toEqual(['fixed-edge-07', 'one']);
      world.broker.comeUp();
      await world.pass(120_000);
      expect(runningPods(world)).toEqual(['fixed-edge-07', 'one']);
      expect(world.cloud.pods().map(({ metadata }) => metadata?.uid)).toEqual(before);
      expect(cloudPod(world, 'two')?.status?.reason).toBe('NodeAffinity');
    });

  it('given a pod that has ended for good, when the node boots alone, then it does not run again', async () => {
    const world = await calmWorld('ended');
    apply(world, simPod('job', { restartPolicy: 'Never', containers: [{ name: 'app', image: 'sim/exit:0' }] }));
    apply(world, simPod('late', { activeDeadlineSeconds: 5 }));
    expect(await world.passUntil(() => cloudPod(world, 'late')?.status?.phase === 'Failed', { limitMs: 60_000, everyMs: 100 })).toBe(true);
    const started = world.runtime.containers.size;
    await bootAlone(world);
    expect(runningPods(world)).toEqual([]);
    expect(world.runtime.containers.size).toBeLessThanOrEqual(started);
    world.broker.comeUp();
    await world.pass(60_000);
    expect(cloudPod(world, 'job')?.status?.phase).toBe('Succeeded');
    expect(cloudPod(world, 'late')?.status?.reason).toBe('DeadlineExceeded');
  });

  it('given a pod deleted in the cloud while the node was away, when it comes back, then the pod runs until the cloud is heard, and goes', async () => {
    const world = await calmWorld('deleted-meanwhile');
    apply(world, simPod('one'), simPod('two'));
    await inStep(world, 'one', 'two');
    world.broker.goDown();
    deleteInCloud(world, 'one', { graceMs: 0 });
    await bootAlone(world);
    expect(runningPods(world)).toEqual(['one', 'two']);
    world.broker.comeUp();
    expect(await world.passUntil(() => runningPods(world).join() === 'two', { limitMs: 120_000, everyMs: 100 })).toBe(true);
    await world.pass(1_000);
    expect(await cachedPods(world)).toHaveLength(1);
  });

  it('given a deletion heard and carried out but never acknowledged, when the power goes, then the pod does not come back, and the object goes at the next chance', async () => {
    const world = await calmWorld('half-seen');
    apply(world, simPod('one'), simPod('two'));
    await inStep(world, 'one', 'two');
    deleteInCloud(world, 'one');
    // The deletion arrives; the answer to it never does.
    await world.passUntil(() => runningPods(world).join() === 'two', { limitMs: 10_000, everyMs: 1 });
    world.broker.goDown();
    await world.pass(500);
    expect(cloudPod(world, 'one')).toBeDefined();
    for (const _life of [1, 2]) {
      await bootAlone(world);
      expect(runningPods(world)).toEqual(['two']);
    }
    world.broker.comeUp();
    expect(await world.passUntil(() => cloudPod(world, 'one') === undefined, { limitMs: 120_000, everyMs: 100 })).toBe(true);
    expect(runningPods(world)).toEqual(['two']);
    await world.pass(1_000);
    expect(await cachedPods(world)).toHaveLength(1);
  });

  it.each([
    ['cannot be reached', fail({ kind: 'rejected', message: 'failed to resolve reference: dial tcp: lookup registry.example: no such host', grpcCode: 2 } as const), ['always', 'present']],
    ['has been reached and refuses', fail({ kind: 'rejected', message: 'failed to resolve reference: failed to authorize: 401 Unauthorized', grpcCode: 2 } as const), ['present']],
    ['has the image no more', fail({ kind: 'not-found', message: 'registry.example/app:1: not found' } as const), ['present']],
  ])('given pods that pull always, when the node boots and the registry %s, then those that ran the image before run it again, and no others', async (_what, answer, expected) => {
    let isOffline = false;
    const world = await calmWorld('registry', {}, { ports: (ports) => ({ ...ports, images: new Proxy(ports.images, {
      get: (target, name) => (name === 'pull' && isOffline ? () => Promise.resolve(answer) : Reflect.get(target, name)),
    }) }) });
    const container = (imagePullPolicy: string) => ({ containers: [{ name: 'app', image: forever, imagePullPolicy }] });
    apply(world, simPod('always', container('Always')), simPod('present', container('IfNotPresent')));
    await inStep(world, 'always', 'present');
    isOffline = true;
    world.broker.goDown();
    world.rebootMachine({ downMs: 5_000 });
    putManifest(world, simPod('stranger', container('Always')));
    await world.pass(120_000);
    expect(runningPods(world)).toEqual(expected);
  });

  it('given cached pods of which one file is torn, when the node boots alone, then it is set aside, said once, and the others run', async () => {
    const world = await calmWorld('torn');
    apply(world, simPod('one'), simPod('two'));
    await inStep(world, 'one', 'two');
    const [first = ''] = await cachedPods(world);
    const path = `${rootDirectory}/cache/pods/${first}`;
    const torn = world.files.peek(path)?.bytes.slice(0, 200) ?? new Uint8Array();
    world.broker.goDown();
    world.rebootMachine({ downMs: 5_000 });
    world.files.put(path, torn, { mode: 0o600 });
    await world.pass(60_000);
    expect(runningPods(world)).toHaveLength(1);
    expect(await cachedPods(world)).toEqual(expect.arrayContaining([`${first}.damaged`]));
    world.broker.comeUp();
    await world.passUntil(() => runningPods(world).length === 2, { limitMs: 120_000, everyMs: 100 });
    expect(runningPods(world)).toEqual(['one', 'two']);
  });

  it('given a static pod, when the daemon is started again, then its start time stays', async () => {
    const world = await calmWorld('start-time');
    putManifest(world, simPod('fixed'));
    await inStep(world, 'fixed-edge-07');
    await world.pass(5_000);
    const before = cloudPod(world, 'fixed-edge-07')?.status?.startTime;
    await world.stopDaemon({ downMs: 60_000 });
    await world.pass(120_000);
    expect(cloudPod(world, 'fixed-edge-07')?.status?.startTime).toBe(before);
    world.rebootMachine({ downMs: 5_000 });
    await world.pass(120_000);
    expect(cloudPod(world, 'fixed-edge-07')?.status?.startTime).toBe(before);
  });
});
