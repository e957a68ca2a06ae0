// What the twin adds to the contract: faults, restarts, deaths from outside, and that a seed repeats itself.
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import type { SimFaults } from '../../../src/adapters/sim/sim-faults.ts';
import { noFaults } from '../../../src/adapters/sim/sim-faults.ts';
import { SimRuntime } from '../../../src/adapters/sim/sim-runtime.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import type { ContainerId, SandboxId } from '../../../src/ports/pod-types.ts';
import type { RuntimeEvent } from '../../../src/ports/runtime-port.ts';
import { drivenTime } from '../../support/driven-time.ts';
import type { PodIdentity } from '../../support/runtime-configs.ts';
import { containerConfigOf, sandboxConfigOf } from '../../support/runtime-configs.ts';

const images = ['sim/run', 'sim/ignore-term', 'sim/oom', 'sim/slow-term:5000'];

function world(seed: string | number = 1) {
  const clock = new VirtualClock();
  const sim = new SimRuntime({ clock, random: new SeededRandom(seed), images, callTimeoutMs: 30_000, latencies: { removeContainer: [0, 0] } });
  const time = drivenTime(clock);
  const port = time.drive(sim);
  const startPod = async (pod: PodIdentity, image = 'sim/run'): Promise<{ sandboxId: SandboxId; id: ContainerId }> => {
    const sandbox = await port.runSandbox(sandboxConfigOf(pod), '');
    if (!sandbox.ok) throw new Error(sandbox.fault.message);
    const container = await port.createContainer(sandbox.value, containerConfigOf(pod, { image, command: [] }), sandboxConfigOf(pod));
    if (!container.ok) throw new Error(container.fault.message);
    await port.startContainer(container.value);
    return { sandboxId: sandbox.value, id: container.value };
  };
  const watch = async (): Promise<string[]> => {
    const seen: string[] = [];
    await port.watch({
      event: (event: RuntimeEvent) => seen.push(`${event.kind} ${event.id.slice(0, 8)}`), lost: (fault) => seen.push(`lost ${fault.kind}`),
    });
    return seen;
  };
  const state = (id: string) => sim.containers.get(id)?.state;
  return { clock, sim, time, port, startPod, watch, state };
}

describe('SimRuntime', () => {
  it('given a running container, when killed from outside, then watchers hear of it before its status shows it', async () => {
    const { sim, startPod, watch, state, clock } = world();
    const { id } = await startPod({ uid: 'u' });
    const seen = await watch();
    let heardWhile: string | undefined;
    sim.kill(id, 9);
    await clock.runUntil(() => {
      if (seen.length > 0) heardWhile ??= state(id);
      return state(id) === 'exited';
    }, { limitMs: 100 });
    await clock.advance(10);
    expect(seen).toEqual([`exited ${id.slice(0, 8)}`]);
    expect(sim.containers.get(id)).toMatchObject({ exitCode: 9, reason: 'Error', ending: true });
    expect([undefined, 'running', 'exited']).toContain(heardWhile);
    sim.kill(id, 1);
    await clock.advance(100);
    expect(sim.containers.get(id)?.exitCode).toBe(9);
  });

  it('given a program without memory, when it ends, then the kill for memory is told before the exit', async () => {
    const { sim, startPod, watch, clock } = world();
    const seen = await watch();
    const { id } = await startPod({ uid: 'u' }, 'sim/oom');
    await clock.advance(200);
    expect(seen.slice(-2)).toEqual([`oom ${id.slice(0, 8)}`, `exited ${id.slice(0, 8)}`]);
    expect(sim.containers.get(id)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  it('given a lost sandbox, when looked at, then it is not ready, its container goes on and no other can start', async () => {
    const { sim, port, startPod, state, watch, clock } = world();
    const pod = { uid: 'u' };
    const { sandboxId, id } = await startPod(pod);
    const seen = await watch();
    sim.loseSandbox(sandboxId);
    await clock.advance(10);
    expect(seen).toEqual([`exited ${sandboxId.slice(0, 8)}`]);
    expect(await port.sandboxStatus(sandboxId)).toMatchObject({ ok: true, value: { state: 'notReady', ips: [] } });
    expect(state(id)).toBe('running');
    const created = await port.createContainer(sandboxId, containerConfigOf(pod, { image: 'sim/run', command: [] }, { attempt: 1 }), sandboxConfigOf(pod));
    expect(created).toMatchObject({ ok: false, fault: { kind: 'rejected' } });
  });

  it('given a restart, when calls are in flight and come after, then all are unavailable until it is over, and containers live', async () => {
    const { sim, port, startPod, watch, state, clock } = world();
    const { id } = await startPod({ uid: 'u' });
    const seen = await watch();
    const inFlight = sim.runSandbox(sandboxConfigOf({ uid: 'v' }), '');
    sim.restart({ downMs: 2_000 });
    await clock.advance(500);
    expect(await inFlight).toMatchObject({ ok: false, fault: { kind: 'unavailable' } });
    expect(await port.listContainers()).toMatchObject({ ok: false, fault: { kind: 'unavailable' } });
    expect(seen).toEqual(['lost unavailable']);
    await clock.advance(2_000);
    expect(await port.listContainers()).toMatchObject({ ok: true, value: [{ id, state: 'running' }] });
    sim.kill(id);
    await clock.advance(100);
    expect([seen, state(id)]).toEqual([['lost unavailable'], 'exited']);
  });

  it('given a stop in its grace period, when the runtime goes down, then the call ends at once and nobody kills the container', async () => {
    const { sim, startPod, state, clock, port } = world();
    const { id } = await startPod({ uid: 'u' }, 'sim/ignore-term');
    const stopping = sim.stopContainer(id, { graceMs: 5_000 });
    await clock.advance(1_000);
    sim.restart({ downMs: 100 });
    await clock.settle();
    expect(await stopping).toMatchObject({ ok: false, fault: { kind: 'unavailable' } });
    await clock.advance(60_000);
    expect(state(id)).toBe('running');
    await port.stopContainer(id, { graceMs: 1_000 });
    expect(state(id)).toBe('exited');
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given a reboot, when the runtime is back, then every process is gone and its end unknown', async () => {
    const { sim, port, startPod, clock } = world();
    const { id, sandboxId } = await startPod({ uid: 'u' });
    sim.reboot({ downMs: 1_000 });
    await clock.advance(1_000);
    expect(await port.containerStatus(id)).toMatchObject({ ok: true, value: { state: 'exited', exitCode: 255, reason: 'Unknown' } });
    expect(await port.sandboxStatus(sandboxId)).toMatchObject({ ok: true, value: { state: 'notReady' } });
  });

  it.each<[string, SimFaults['calls'], RegExp, number]>([
    ['an error', { runSandbox: { error: 1 } }, /^(rejected|unavailable|timeout)$/, 0],
    ['a lost answer', { runSandbox: { lost: 1 } }, /^(unavailable|timeout)$/, 1],
    ['slowness', { runSandbox: { slow: 1 } }, /^ok$/, 1],
  ])('given %s by odds of one, when a sandbox is run, then the answer and the effect fit', async (_name, calls, outcome, sandboxes) => {
    const { sim, port } = world();
    sim.setFaults({ calls, eventLoss: 0 });
    await port.runSandbox(sandboxConfigOf({ uid: 'u' }), '');
    expect(sim.calls[0]?.outcome).toMatch(outcome);
    expect(sim.sandboxes.size).toBe(sandboxes);
    sim.setFaults(noFaults);
    // A refused attempt frees the name, a done one keeps it.
    expect((await port.runSandbox(sandboxConfigOf({ uid: 'u' }), '')).ok).toBe(sandboxes === 0);
  });

  it('given hanging calls, when the deadline passes, then the answer is a timeout and the effect may have happened', async () => {
    const { sim, port, clock } = world();
    sim.setFaults({ calls: { '*': { hang: 1 } }, eventLoss: 0 });
    for (let index = 0; index < 20; index++) {
      expect(await port.runSandbox(sandboxConfigOf({ uid: `u${index}` }), '')).toMatchObject({ ok: false, fault: { kind: 'timeout', afterMs: 30_000 } });
    }
    expect(sim.sandboxes.size).toBeGreaterThan(3);
    expect(sim.sandboxes.size).toBeLessThan(17);
    expect(clock.monotonicMs()).toBe(20 * 30_000);
  });

  it('given events that are all lost, when a container ends, then nobody hears of it', async () => {
    const { sim, startPod, watch, clock, state } = world();
    sim.setFaults({ calls: {}, eventLoss: 1 });
    const seen = await watch();
    const { id } = await startPod({ uid: 'u' });
    sim.kill(id);
    await clock.advance(100);
    expect([seen, state(id)]).toEqual([[], 'exited']);
  });

  it('given a container that is starting, when it is removed, then that is refused', async () => {
    const { sim, port, clock } = world();
    const pod = { uid: 'u' };
    const sandbox = await port.runSandbox(sandboxConfigOf(pod), '');
    if (!sandbox.ok) throw new Error('no sandbox');
    const created = await port.createContainer(sandbox.value, containerConfigOf(pod, { image: 'sim/run', command: [] }), sandboxConfigOf(pod));
    if (!created.ok) throw new Error('no container');
    const started = sim.startContainer(created.value);
    await clock.runUntil(() => sim.containers.get(created.value)?.starting === true, { limitMs: 1_000 });
    const removed = sim.removeContainer(created.value);
    await clock.advance(100);
    expect(await removed).toMatchObject({ ok: false, fault: { kind: 'rejected' } });
    expect((await started).ok).toBe(true);
  });

  it('given a pull, when the image is missing or private, then it is refused with the name', async () => {
    const { sim, time } = world();
    const store = time.drive(sim.images);
    expect(await store.pull('registry.example/missing:1', undefined, undefined)).toMatchObject({ ok: false, fault: { message: expect.stringContaining('registry.example/missing:1') as string } });
    expect((await store.pull('registry.example/private/app', undefined, undefined)).ok).toBe(false);
    const auth = { username: 'u', password: 'p', auth: '', serverAddress: '', identityToken: '', registryToken: '' };
    const pulled = await store.pull('registry.example/private/app', auth, undefined);
    expect(pulled).toMatchObject({ ok: true, value: expect.stringMatching(/^sha256:/) as string });
    if (!pulled.ok) return;
    expect(await store.status(pulled.value)).toMatchObject({ ok: true, value: { repoTags: ['registry.example/private/app:latest'] } });
    await store.remove(pulled.value);
    expect(await store.status('registry.example/private/app')).toEqual({ ok: true, value: undefined });
  });

  it.each([1, 2, 3, 4, 5])('given seed %i, when a stormy minute is run twice, then calls, events and states are the same', async (seed) => {
    const first = await storm(seed);
    expect(await storm(seed)).toBe(first);
    expect(await storm(seed + 1_000)).not.toBe(first);
  });
});

/** Many callers at once, with faults, kills and restarts; everything that can be seen, as text. */
async function storm(seed: number): Promise<string> {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const sim = new SimRuntime({ clock, random: random.fork('runtime'), images, callTimeoutMs: 10_000 });
  const trace: string[] = [];
  sim.setFaults({ calls: { '*': { error: 0.1, slow: 0.1, lost: 0.1, hang: 0.02 } }, eventLoss: 0.1 });
  const watch = async (): Promise<void> => {
    await sim.watch({
      event: (event) => trace.push(`${clock.monotonicMs()} ${event.kind} ${event.id}`),
      lost: () => { trace.push('lost'); void watch(); },
    });
  };
  void watch();
  const live = async (index: number): Promise<void> => {
    const pod = { uid: `u${index}`, name: `p${index}` };
    for (let attempt = 0; attempt < 5; attempt++) {
      const sandbox = await sim.runSandbox(sandboxConfigOf({ ...pod, attempt }), '');
      if (!sandbox.ok) continue;
      const program = { image: images[index % images.length] ?? '', command: [] };
      const container = await sim.createContainer(sandbox.value, containerConfigOf(pod, program, { attempt }), sandboxConfigOf({ ...pod, attempt }));
      if (container.ok) {
        await sim.startContainer(container.value);
        if (random.fraction() < 0.3) sim.kill(container.value);
        await sim.stopContainer(container.value, { graceMs: 2_000 });
      }
      await sim.removeSandbox(sandbox.value);
    }
  };
  const lives = Promise.all(Array.from({ length: 12 }, (_, index) => live(index)));
  clock.setTimeout(() => sim.restart({ downMs: 700 }), 5_000);
  await clock.advance(60_000);
  await clock.advance(600_000);
  await lives;
  return JSON.stringify([trace, sim.calls, [...sim.sandboxes.keys()], [...sim.containers.values()].map(({ id, state, exitCode }) => [id, state, exitCode])]);
}
