// Syncs, stops and removals of one pod on a simulated runtime that has its bad moments.
import { afterEach, describe, expect, test } from 'vitest';
import type { PodUid, SandboxId } from '../../src/ports/pod-types.ts';
import { fail, ok } from '../../src/ports/result.ts';
import { aConfigMap } from '../support/stored-objects.ts';
import { silentLog } from '../support/silent-log.ts';
import { podWorld, type PodWorld, type PodWorldOptions, simPod } from '../support/pod-world.ts';

const worlds: PodWorld[] = [];
afterEach(async () => { for (const world of worlds.splice(0)) await world.stop(); });

/** A world in which a pod runs already. */
async function running(options: PodWorldOptions = {}) {
  const world = podWorld(options);
  worlds.push(world);
  const { clock, sim, operate } = world;
  await clock.advance(100);
  operate('ADD', simPod());
  const isRunning = (): boolean => [...sim.containers.values()].some(({ state, ending }) => state === 'running' && !ending);
  await clock.runUntil(isRunning, { limitMs: 5_000 });
  await clock.advance(1_000);
  const [containerId = ''] = sim.containers.keys();
  const [sandboxId] = sim.sandboxes.keys() as Iterable<SandboxId>;
  return { ...world, isRunning, sandboxId, containerId, callsOf: (method: string) => sim.calls.filter((call) => call.method === method) };
}

const refusal = { kind: 'rejected', message: 'the plugin is not ready', grpcCode: 2 } as const;

describe('pod sync', () => {
  test('given a lost sandbox, when no other can be made for minutes, then the containers start as soon as one is', async () => {
    let refusing = false;
    const { clock, sim, sandboxId = '', isRunning } = await running({
      runtime: (sim) => ({ runSandbox: (config, handler) => (refusing ? Promise.resolve(fail(refusal)) : sim.runSandbox(config, handler)) }),
    });
    refusing = true;
    sim.loseSandbox(sandboxId);
    await clock.advance(100_000);
    expect(isRunning()).toBe(false);
    refusing = false;
    await clock.runUntil(isRunning, { limitMs: 20_000 });
  });

  test('given an image that cannot be pulled, when it fails, then the container is soon shown in its back-off, and tried again after it', async () => {
    const { clock, seen, operate } = await running();
    operate('REMOVE', simPod());
    await clock.advance(60_000);
    operate('ADD', simPod('registry.example/missing:1', {}, { uid: 'u-none' as PodUid }));
    const reasons = () => seen.flatMap((each) => (each.topic === 'pod.status' ? [each.payload.status.containerStatuses?.[0]?.state?.waiting?.reason] : [])).slice(-2);
    await clock.runUntil(() => reasons().at(-1) === 'ErrImagePull', { limitMs: 5_000 });
    await clock.runUntil(() => reasons().at(-1) === 'ImagePullBackOff', { limitMs: 2_000 });
    await clock.runUntil(() => reasons().at(-1) === 'ErrImagePull', { limitMs: 20_000 });
  });

  test('given volumes that are at hand, when they take their time, then the sandbox is made meanwhile, and containers wait', async () => {
    const world = podWorld({ objects: ({ kind, name }) => (kind === 'ConfigMap' && name === 'there' ? aConfigMap('there', { a: 'b' }) : undefined) });
    worlds.push(world);
    const { clock, sim, volumes, operate } = world;
    const write = volumes.writeContent.bind(volumes);
    let written: (() => void) | undefined;
    volumes.writeContent = async (...given) => {
      await new Promise<void>((resolve) => { written = resolve; });
      return write(...given);
    };
    const all = () => sim.calls.map(({ method }) => method).filter((method) => ['runSandbox', 'createContainer'].includes(method));
    await clock.advance(100);
    operate('ADD', simPod('sim/run', { volumes: [{ name: 'map', configMap: { name: 'there' } }] }));
    await clock.advance(5_000);
    expect(all()).toEqual(['runSandbox']);
    written?.();
    await clock.advance(5_000);
    expect(all()).toEqual(['runSandbox', 'createContainer']);
    operate('ADD', simPod('sim/run', { volumes: [{ name: 'map', configMap: { name: 'missing' } }] }, { uid: 'u-missing' as PodUid, name: 'other' }));
    await clock.advance(5_000);
    expect(all()).toEqual(['runSandbox', 'createContainer']);
  });

  test('given a sandbox lost, when it is replaced, then it is stopped, so that its network goes', async () => {
    const { clock, sim, sandboxId = '', callsOf } = await running();
    sim.loseSandbox(sandboxId);
    await clock.advance(5_000);
    expect(callsOf('stopSandbox').map(({ target }) => target)).toEqual([sandboxId]);
  });

  test('given a network that gives no addresses, when minutes pass, then sandboxes are not made without a pause', async () => {
    let addressless = false;
    const { clock, sim, sandboxId = '', callsOf } = await running({
      runtime: (sim) => ({
        sandboxStatus: async (id) => {
          const status = await sim.sandboxStatus(id);
          return status.ok && addressless ? ok({ ...status.value, ips: [] }) : status;
        },
      }),
    });
    addressless = true;
    sim.loseSandbox(sandboxId);
    await clock.advance(60_000);
    expect(callsOf('runSandbox').length).toBeLessThan(20);
  });

  test('given a network that is not ready, when minutes pass, then that is told once a minute, and the pod tries all the time', async () => {
    let ready = false;
    const world = podWorld({ facts: () => ({ runtimeName: 'mqlet-sim', hostIps: [], networkReady: ready, networkMessage: 'no plugin' }) });
    await world.clock.advance(1_000);
    world.operate('ADD', simPod());
    await world.clock.advance(179_000);
    const told = () => world.seen.filter((each) => each.topic === 'event.noted' && (each.payload as { readonly reason: string }).reason === 'NetworkNotReady').length;
    expect(told()).toBe(3);
    ready = true;
    await world.clock.advance(5_000);
    expect(world.state()?.to).toBe('running.settled');
    await world.stop();
  });

  test('given a runtime that is late to show an end, when the event has come, then the container is started again within seconds', async () => {
    let lateUntilMs = 0;
    const { clock, sim, containerId, isRunning } = await running({
      runtime: (sim) => ({
        containerStatus: async (id) => {
          const status = await sim.containerStatus(id);
          return status.ok && status.value.state === 'exited' && clock.monotonicMs() < lateUntilMs ? ok({ ...status.value, state: 'running' }) : status;
        },
      }),
    });
    await clock.advance(29_000);
    lateUntilMs = clock.monotonicMs() + 500;
    sim.kill(containerId);
    expect(isRunning()).toBe(false);
    await clock.runUntil(isRunning, { limitMs: 5_000 });
  });

  test('given what cannot be removed, when a pod ends, then the log says why', async () => {
    const lines: string[] = [];
    const { clock, operate, state } = await running({
      log: { ...silentLog, warn: (event, fields) => { lines.push(`${event} ${JSON.stringify(fields)}`); } },
      runtime: () => ({ removeSandbox: () => Promise.resolve(fail({ ...refusal, message: 'device or resource busy' })) }),
    });
    operate('REMOVE', simPod());
    await clock.advance(60_000);
    expect(state()?.to).toBe('finishing.waiting');
    expect(lines.filter((line) => line.includes('device or resource busy'))).toEqual([expect.stringContaining('default/web')]);
  });

  test('given a call of ours that throws, when a pod syncs, then the log says so', async () => {
    const lines: string[] = [];
    const world = podWorld({
      log: { ...silentLog, warn: (event, fields) => { lines.push(`${event} ${JSON.stringify(fields)}`); } },
      runtime: () => ({ runSandbox: () => { throw new Error('a broken invariant'); } }),
    });
    worlds.push(world);
    await world.clock.advance(100);
    world.operate('ADD', simPod());
    await world.clock.advance(60_000);
    expect(lines).toEqual([expect.stringContaining('a broken invariant')]);
  });
});
