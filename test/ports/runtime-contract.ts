// What every RuntimePort and ImagesPort must do, as far as our actors rely on it. Run on the twin, on the twin through gRPC,
// and on a real containerd, so that the twin stays honest.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerId, SandboxId } from '../../src/ports/pod-types.ts';
import type { RuntimeEvent } from '../../src/ports/runtime-port.ts';
import { containerConfigOf, sandboxConfigOf, uidOf } from '../support/runtime-configs.ts';
import type { RuntimeUnderTest } from './runtime-world.ts';
import { ContractWorld, faultOf, valueOf } from './runtime-world.ts';

export function runtimeContract(name: string, create: () => Promise<RuntimeUnderTest>): void {
  describe(`RuntimePort of ${name}`, () => {
    const world = new ContractWorld();
    beforeAll(() => world.open(create), 60_000);
    afterAll(() => world.close(), 120_000);
    runtimeRules(world);
    sandboxRules(world);
    containerRules(world);
    execRules(world);
    stopRules(world);
    removalRules(world);
    eventRules(world);
    imageRules(world);
  });
}

/** Who the runtime is, and that it names what nobody has. */
function runtimeRules(world: ContractWorld): void {
  it('given a runtime, when asked who it is, then it names itself and is ready', async () => {
    const version = valueOf(await world.runtime.version());
    expect(version.runtimeName).not.toBe('');
    expect(version.runtimeApiVersion).toBe('v1');
    const conditions = valueOf(await world.runtime.status());
    // Runtimes before CRI 1.30 tell of no handler; the others of the default one too.
    const handlers = valueOf(await world.runtime.handlers());
    expect(handlers.length === 0 || handlers.some(({ name }) => name === '')).toBe(true);
    expect(conditions.map((condition) => [condition.type, condition.status])).toEqual([['RuntimeReady', true], ['NetworkReady', true]]);
  });

  it('given a runtime, when asked who makes its cgroups, then it names one of the two, or says that it cannot tell', async () => {
    const driver = await world.runtime.cgroupDriver();
    expect(driver.ok ? driver.value : driver.fault.kind).toMatch(/^(?:cgroupfs|systemd|unimplemented)$/);
  });

  it('given ids and images nobody has, when used, then the faults say so and ends are success', async () => {
    const pod = world.newPod();
    const [sandboxId, containerId] = ['0'.repeat(64) as SandboxId, '0'.repeat(64) as ContainerId]; // Ids nobody was given.
    const config = containerConfigOf(pod, world.under.programs.graceful);
    expect(faultOf(await world.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod))).kind).toBe('not-found');
    expect(faultOf(await world.runtime.startContainer(containerId)).kind).toBe('not-found');
    expect(faultOf(await world.runtime.containerStatus(containerId)).kind).toBe('not-found');
    expect(await world.runtime.stopContainer(containerId, { graceMs: 1_000 })).toEqual({ ok: true });
    expect(await world.runtime.removeContainer(containerId)).toEqual({ ok: true });
    expect((await world.runtime.reopenLog(containerId)).ok).toBe(false);
    const unknownImage = { ...config, image: { image: world.under.missingImage, userSpecifiedImage: world.under.missingImage } };
    const created = await world.runtime.createContainer(await world.runPod(pod), unknownImage, sandboxConfigOf(pod));
    expect(faultOf(created).kind).toBe('not-found');
  });
}

/** Sandboxes from run to remove. */
function sandboxRules(world: ContractWorld): void {
  it('given a sandbox, when it lives from run to remove, then each look shows where it is', async () => {
    const pod = world.newPod({ attempt: 2 });
    const beforeMs = world.under.nowMs();
    const id = await world.runPod(pod);
    const status = valueOf(await world.runtime.sandboxStatus(id));
    expect(status).toMatchObject({ id, podUid: pod.uid, name: pod.name, namespace: 'default', attempt: 2, state: 'ready', hostNetwork: false });
    expect(status.ips[0]).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(status.createdAtMs).toBeGreaterThanOrEqual(beforeMs - 1);
    expect(status.createdAtMs).toBeLessThanOrEqual(world.under.nowMs());
    const { ips: _ips, hostNetwork: _hostNetwork, ...listed } = status;
    expect(valueOf(await world.runtime.listSandboxes({ podUid: uidOf(pod.uid) }))).toEqual([listed]);

    expect(await world.runtime.stopSandbox(id)).toEqual({ ok: true });
    expect(valueOf(await world.runtime.sandboxStatus(id)).state).toBe('notReady');
    expect(await world.runtime.stopSandbox(id)).toEqual({ ok: true });

    expect(await world.runtime.removeSandbox(id)).toEqual({ ok: true });
    expect(faultOf(await world.runtime.sandboxStatus(id)).kind).toBe('not-found');
    expect(valueOf(await world.runtime.listSandboxes({ podUid: uidOf(pod.uid) }))).toEqual([]);
    expect(await world.runtime.stopSandbox(id)).toEqual({ ok: true });
    expect(await world.runtime.removeSandbox(id)).toEqual({ ok: true });
  });

  it('given a sandbox on the host network, when looked at, then it says so and has no address of its own', async () => {
    const id = await world.runPod(world.newPod({ hostNetwork: true }));
    expect(valueOf(await world.runtime.sandboxStatus(id))).toMatchObject({ hostNetwork: true, ips: [] });
  });

  it('given a sandbox, when the same attempt is run again, then the name is taken until it is removed', async () => {
    const pod = world.newPod();
    const id = await world.runPod(pod);
    expect(faultOf(await world.runtime.runSandbox(sandboxConfigOf(pod), '')).kind).toBe('already-exists');
    const second = await world.runPod({ ...pod, attempt: 1 });
    expect(valueOf(await world.runtime.listSandboxes({ podUid: uidOf(pod.uid) })).map((each) => each.id)).toEqual([second, id]);
    valueOf(await world.runtime.stopSandbox(id));
    valueOf(await world.runtime.removeSandbox(id));
    await world.runPod(pod);
  });
}

/** Containers from creation to their end. */
function containerRules(world: ContractWorld): void {
  it('given a program that fails, when it has ended, then its status tells how', async () => {
    const pod = world.newPod();
    const sandboxId = await world.runPod(pod);
    const config = containerConfigOf(pod, world.under.programs.exits(3), { attempt: 4 });
    const id = valueOf(await world.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod)));
    const created = await world.statusOf(id);
    expect(created).toMatchObject({ id, sandboxId, podUid: pod.uid, name: 'app', attempt: 4, state: 'created', startedAtMs: 0, finishedAtMs: 0 });
    expect(created.annotations).toEqual({ 'io.kubernetes.container.restartCount': '4' });
    valueOf(await world.runtime.startContainer(id));
    const ended = await world.exited(id);
    expect(ended).toMatchObject({ state: 'exited', exitCode: 3, reason: 'Error', sandboxId, logPath: `${world.under.logDirectory}/app-4.log` });
    expect(ended.startedAtMs).toBeGreaterThanOrEqual(ended.createdAtMs);
    // containerd stamps the start once its call has returned: a program that ends at once may have ended before that.
    expect(ended.finishedAtMs).toBeGreaterThanOrEqual(ended.createdAtMs);
    expect(ended.finishedAtMs).toBeLessThanOrEqual(world.under.nowMs());
    expect(ended.image).not.toBe('');
    expect(ended.imageRef).toMatch(/sha256:/);
  });

  it('given a program that succeeds, when it has ended, then it is completed, and cannot be started again', async () => {
    const pod = world.newPod();
    const id = await world.runContainer(pod, await world.runPod(pod), world.under.programs.exits(0));
    expect(await world.exited(id)).toMatchObject({ exitCode: 0, reason: 'Completed' });
    expect(faultOf(await world.runtime.startContainer(id)).kind).toBe('rejected');
  });

  it('given a container that runs, when its resources are updated, then it goes on; one that nobody has is not found', async () => {
    const pod = world.newPod();
    const id = await world.runContainer(pod, await world.runPod(pod), world.under.programs.graceful);
    const resources = { cpuPeriod: 100_000, cpuQuota: 50_000, cpuShares: 512, memoryLimitInBytes: 2 ** 26, memorySwapLimitInBytes: 2 ** 26, oomScoreAdj: 0 };
    expect(await world.runtime.updateContainerResources(id, resources)).toEqual({ ok: true });
    expect(await world.runtime.updateContainerResources(id, { ...resources, cpuQuota: -1, memoryLimitInBytes: -1, memorySwapLimitInBytes: -1 })).toEqual({ ok: true });
    expect(await world.statusOf(id)).toMatchObject({ state: 'running' });
    const nobody = '0'.repeat(64) as ContainerId; // An ID nobody was given.
    expect(faultOf(await world.runtime.updateContainerResources(nobody, resources)).kind).toBe('not-found');
  });

  it('given containers of two pods, when one pod is listed, then only its own are there, newest first', async () => {
    const [one, other] = [world.newPod(), world.newPod()];
    const sandboxId = await world.runPod(one);
    const first = await world.runContainer(one, sandboxId, world.under.programs.exits(0), 0);
    await world.under.wait(5);
    const second = await world.runContainer(one, sandboxId, world.under.programs.graceful, 1);
    const foreign = await world.runContainer(other, await world.runPod(other), world.under.programs.graceful);
    const listed = valueOf(await world.runtime.listContainers({ podUid: uidOf(one.uid) }));
    expect(listed.map((each) => [each.id, each.attempt, each.sandboxId])).toEqual([[second, 1, sandboxId], [first, 0, sandboxId]]);
    const all = valueOf(await world.runtime.listContainers());
    expect(all.map((each) => each.id)).toEqual(expect.arrayContaining([first, second, foreign]));
    expect(all).toEqual([...all].sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt));
  });

  it('given a container that runs, when usage is listed, then its memory and processes are among it', async () => {
    const pod = world.newPod();
    const id = await world.runContainer(pod, await world.runPod(pod), world.under.programs.graceful);
    const stats = valueOf(await world.runtime.listContainerStats()).find((each) => each.id === id);
    expect(stats).toMatchObject({ podUid: pod.uid, workingSetBytes: expect.any(Number) as unknown });
    const processes = valueOf(await world.runtime.listProcessCounts());
    expect(processes.get(uidOf(pod.uid)) ?? 1).toBeGreaterThanOrEqual(1);
  });

  it('given containers of pods, when listed, then rows name their image, and none is unidentified', async () => {
    const pod = world.newPod();
    const id = await world.runContainer(pod, await world.runPod(pod), world.under.programs.graceful);
    const row = valueOf(await world.runtime.listContainers({ podUid: uidOf(pod.uid) }))[0];
    const observed = valueOf(await world.runtime.containerStatus(id));
    expect(row?.imageRef).toMatch(/sha256:/);
    expect([row?.image, row?.imageRef]).toContain(observed.imageRef);
    expect(await world.runtime.reopenLog(id)).toEqual({ ok: true });
    expect(valueOf(await world.runtime.listUnidentified())).toEqual({ sandboxes: [], containers: [] });
  });

  it('given a container, when the same attempt is created again, then the name is taken until it is removed', async () => {
    const pod = world.newPod();
    const sandboxId = await world.runPod(pod);
    const id = await world.runContainer(pod, sandboxId, world.under.programs.graceful);
    const config = containerConfigOf(pod, world.under.programs.graceful);
    expect(faultOf(await world.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod))).kind).toBe('already-exists');
    expect(await world.runtime.removeContainer(id)).toEqual({ ok: true });
    expect(faultOf(await world.runtime.containerStatus(id)).kind).toBe('not-found');
    valueOf(await world.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod)));
  });

  it('given a program that cannot be started, when started, then that is refused and its status says so', async () => {
    const pod = world.newPod();
    const sandboxId = await world.runPod(pod);
    const config = containerConfigOf(pod, world.under.programs.cannotStart);
    const id = valueOf(await world.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod)));
    expect(faultOf(await world.runtime.startContainer(id)).kind).toBe('rejected');
    expect(await world.statusOf(id)).toMatchObject({ state: 'exited', exitCode: 128, reason: 'StartError' });
  });
}

/** Commands in running containers. */
function execRules(world: ContractWorld): void {
  it('given a running container, when commands are run in it, then their exit codes and output come back', async () => {
    const pod = world.newPod();
    const { graceful, commands } = world.under.programs;
    const id = await world.runContainer(pod, await world.runPod(pod), graceful);
    expect(valueOf(await world.runtime.execSync(id, commands.ends(0), { timeoutMs: 10_000 })).exitCode).toBe(0);
    const failed = valueOf(await world.runtime.execSync(id, commands.ends(3), { timeoutMs: 0 }));
    expect(failed.exitCode).toBe(3);
    expect(`${failed.stdout}${failed.stderr}`).toContain('exit 3');
  });

  it('given a command that goes on, when its time is over, then the fault says so and the container still runs', async () => {
    const pod = world.newPod();
    const { graceful, commands } = world.under.programs;
    const id = await world.runContainer(pod, await world.runPod(pod), graceful);
    const beforeMs = world.under.nowMs();
    expect(faultOf(await world.runtime.execSync(id, commands.goesOn, { timeoutMs: 500 })).kind).toBe('timeout');
    expect(world.under.nowMs() - beforeMs).toBeGreaterThanOrEqual(990);
    expect((await world.statusOf(id)).state).toBe('running');
  });

  it('given a container that has ended, when a command is to run in it, then that is refused', async () => {
    const pod = world.newPod();
    const id = await world.runContainer(pod, await world.runPod(pod), world.under.programs.exits(0));
    await world.exited(id);
    expect((await world.runtime.execSync(id, world.under.programs.commands.ends(0), { timeoutMs: 1_000 })).ok).toBe(false);
  });
}

/** How containers are stopped. */
function stopRules(world: ContractWorld): void {
  it('given a graceful program, when stopped, then it ends with its own code well before the grace period', async () => {
    const pod = world.newPod();
    const id = await world.runContainer(pod, await world.runPod(pod), world.under.programs.graceful);
    expect((await world.statusOf(id)).state).toBe('running');
    await world.under.wait(300);
    const beforeMs = world.under.nowMs();
    expect(await world.runtime.stopContainer(id, { graceMs: 30_000 })).toEqual({ ok: true });
    expect(world.under.nowMs() - beforeMs).toBeLessThan(5_000);
    expect(await world.statusOf(id)).toMatchObject({ state: 'exited', exitCode: 0, reason: 'Completed' });
    expect(await world.runtime.stopContainer(id, { graceMs: 0 })).toEqual({ ok: true });
  });

  it('given a program that ignores SIGTERM, when stopped with half a second, then it is killed after a whole one', async () => {
    const pod = world.newPod();
    const id = await world.runContainer(pod, await world.runPod(pod), world.under.programs.ignoresTerm);
    await world.under.wait(300);
    const beforeMs = world.under.nowMs();
    expect(await world.runtime.stopContainer(id, { graceMs: 500 })).toEqual({ ok: true });
    expect(world.under.nowMs() - beforeMs).toBeGreaterThanOrEqual(990);
    expect(await world.statusOf(id)).toMatchObject({ state: 'exited', exitCode: 137, reason: 'Error' });
  });

  it('given a running program, when stopped without grace, then it is killed at once', async () => {
    const pod = world.newPod();
    const id = await world.runContainer(pod, await world.runPod(pod), world.under.programs.ignoresTerm);
    const beforeMs = world.under.nowMs();
    expect(await world.runtime.stopContainer(id, { graceMs: 0 })).toEqual({ ok: true });
    expect(world.under.nowMs() - beforeMs).toBeLessThan(900);
    expect((await world.statusOf(id)).exitCode).toBe(137);
  });

  it('given two stops of one container, when the second has no grace, then it does not wait for the first', async () => {
    const pod = world.newPod();
    const id = await world.runContainer(pod, await world.runPod(pod), world.under.programs.ignoresTerm);
    const beforeMs = world.under.nowMs();
    const slow = world.runtime.stopContainer(id, { graceMs: 20_000 });
    await world.under.wait(100);
    const [first, second] = await Promise.all([slow, world.runtime.stopContainer(id, { graceMs: 0 })]);
    expect([first, second]).toEqual([{ ok: true }, { ok: true }]);
    expect(world.under.nowMs() - beforeMs).toBeLessThan(5_000);
  });
}

/** What goes with a sandbox. */
function removalRules(world: ContractWorld): void {
  it('given running containers, when their sandbox is stopped and removed, then they end and go with it', async () => {
    const pod = world.newPod();
    const sandboxId = await world.runPod(pod);
    const id = await world.runContainer(pod, sandboxId, world.under.programs.ignoresTerm);
    valueOf(await world.runtime.stopSandbox(sandboxId));
    expect(await world.exited(id)).toMatchObject({ exitCode: 137 });
    valueOf(await world.runtime.removeSandbox(sandboxId));
    expect(faultOf(await world.runtime.containerStatus(id)).kind).toBe('not-found');
  });

  it('given a ready sandbox with a running container, when it is removed at once, then both are gone', async () => {
    const pod = world.newPod();
    const sandboxId = await world.runPod(pod);
    await world.runContainer(pod, sandboxId, world.under.programs.graceful);
    expect(await world.runtime.removeSandbox(sandboxId)).toEqual({ ok: true });
    expect(valueOf(await world.runtime.listContainers({ podUid: uidOf(pod.uid) }))).toEqual([]);
  });
}

/** The event stream. */
function eventRules(world: ContractWorld): void {
  it('given a watcher, when containers and sandboxes come and go, then it hears of each, and of nothing after its stop', async () => {
    const events: RuntimeEvent[] = [];
    const faults: unknown[] = [];
    const watching = valueOf(await world.runtime.watch({ event: (event) => events.push(event), lost: (fault) => faults.push(fault) }));
    const pod = world.newPod();
    const sandboxId = await world.runPod(pod);
    const id = await world.runContainer(pod, sandboxId, world.under.programs.exits(0));
    const heard = (kind: RuntimeEvent['kind'], of: string) => (): boolean => events.some((event) => event.kind === kind && event.id === of);
    await world.until('the sandbox is heard to start', heard('started', sandboxId));
    await world.until('the container is heard to start', heard('started', id));
    await world.until('the container is heard to exit', heard('exited', id));
    await world.exited(id);
    valueOf(await world.runtime.removeContainer(id));
    await world.until('the container is heard to be removed', heard('removed', id));
    valueOf(await world.runtime.stopSandbox(sandboxId));
    await world.until('the sandbox is heard to exit', heard('exited', sandboxId));
    await watching.stop();
    const count = events.length;
    valueOf(await world.runtime.removeSandbox(sandboxId));
    await world.under.wait(200);
    expect(events).toHaveLength(count);
    expect(faults).toEqual([]);
  });
}

/** The image store. */
function imageRules(world: ContractWorld): void {
  it('given an image store, when asked, then it knows what it has and nothing else', async () => {
    const { image } = world.under.programs.graceful;
    const facts = valueOf(await world.images.status(image));
    expect(facts?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(facts?.sizeBytes).toBeGreaterThan(0);
    expect(valueOf(await world.images.list()).map((each) => each.id)).toContain(facts?.id);
    expect(valueOf(await world.images.status(world.under.missingImage))).toBeUndefined();
    expect(await world.images.remove(world.under.missingImage)).toEqual({ ok: true });
    expect((await world.images.pull(world.under.missingImage, undefined, undefined)).ok).toBe(false);
    expect(valueOf(await world.images.fsInfo())[0]?.mountpoint).toMatch(/^\//);
  });
}
