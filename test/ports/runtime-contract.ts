// What every RuntimePort and ImagesPort must do, as far as our actors rely on it. Run on the twin, on the twin through gRPC,
// and on a real containerd, so that the twin stays honest.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerId, SandboxId } from '../../src/ports/pod-types.ts';
import type { Result } from '../../src/ports/result.ts';
import type { ImagesPort, ObservedContainer, RuntimeEvent, RuntimePort } from '../../src/ports/runtime-port.ts';
import type { PodIdentity, Program } from '../support/runtime-configs.ts';
import { containerConfigOf, sandboxConfigOf, uidOf } from '../support/runtime-configs.ts';

export interface RuntimeUnderTest {
  readonly runtime: RuntimePort;
  readonly images: ImagesPort;
  /** Lets time pass, in the runtime's own time. */
  wait(delayMs: number): Promise<void>;
  /** Milliseconds on a clock that is the runtime's own. */
  nowMs(): number;
  /** Where a sandbox's logs go; made by the factory. */
  readonly logDirectory: string;
  readonly programs: {
    /** Runs until SIGTERM, then ends with 0 at once. */
    readonly graceful: Program;
    readonly ignoresTerm: Program;
    /** Ends by itself with the code, within a second. */
    exits(code: number): Program;
    readonly cannotStart: Program;
  };
  /** A name that no registry has. */
  readonly missingImage: string;
  stop(): Promise<void>;
}

/** Longest wait for something that must come by itself, in the runtime's time. */
const patienceMs = 10_000;
const pollMs = 20;

export function runtimeContract(name: string, create: () => Promise<RuntimeUnderTest>): void {
  describe(`RuntimePort of ${name}`, () => {
    let under: RuntimeUnderTest;
    let pods = 0;
    beforeAll(async () => { under = await create(); }, 60_000);
    afterAll(async () => {
      if (under === undefined) return;
      for (const sandbox of valueOf(await under.runtime.listSandboxes())) {
        await under.runtime.stopSandbox(sandbox.id);
        await under.runtime.removeSandbox(sandbox.id);
      }
      await under.stop();
    }, 120_000);

    const newPod = (options: Partial<PodIdentity> = {}): PodIdentity => {
      pods++;
      return { uid: `00000000-0000-4000-8000-${String(pods).padStart(12, '0')}`, name: `pod-${pods}`, logDirectory: under.logDirectory, ...options };
    };
    const runPod = async (pod: PodIdentity): Promise<SandboxId> => valueOf(await under.runtime.runSandbox(sandboxConfigOf(pod), ''));
    const runContainer = async (pod: PodIdentity, sandboxId: SandboxId, program: Program, attempt = 0): Promise<ContainerId> => {
      const id = valueOf(await under.runtime.createContainer(sandboxId, containerConfigOf(pod, program, { attempt }), sandboxConfigOf(pod)));
      valueOf(await under.runtime.startContainer(id));
      return id;
    };
    const until = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
      for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
        if (await condition()) return;
        await under.wait(pollMs);
      }
      throw new Error(`${what}: not within ${patienceMs} ms`);
    };
    const statusOf = async (id: ContainerId): Promise<ObservedContainer> => valueOf(await under.runtime.containerStatus(id));
    const exited = async (id: ContainerId): Promise<ObservedContainer> => {
      await until(`container ${id} exits`, async () => (await statusOf(id)).state === 'exited');
      return statusOf(id);
    };

    it('given a runtime, when asked who it is, then it names itself and is ready', async () => {
      const version = valueOf(await under.runtime.version());
      expect(version.runtimeName).not.toBe('');
      expect(version.runtimeApiVersion).toBe('v1');
      const conditions = valueOf(await under.runtime.status());
      expect(conditions.map((condition) => [condition.type, condition.status])).toEqual([['RuntimeReady', true], ['NetworkReady', true]]);
    });

    it('given a sandbox, when it lives from run to remove, then each look shows where it is', async () => {
      const pod = newPod({ attempt: 2 });
      const beforeMs = under.nowMs();
      const id = await runPod(pod);
      const status = valueOf(await under.runtime.sandboxStatus(id));
      expect(status).toMatchObject({ id, podUid: pod.uid, name: pod.name, namespace: 'default', attempt: 2, state: 'ready', hostNetwork: false });
      expect(status.ips[0]).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(status.createdAtMs).toBeGreaterThanOrEqual(beforeMs - 1);
      expect(status.createdAtMs).toBeLessThanOrEqual(under.nowMs());
      const { ips: _ips, hostNetwork: _hostNetwork, ...listed } = status;
      expect(valueOf(await under.runtime.listSandboxes({ podUid: uidOf(pod.uid) }))).toEqual([listed]);

      expect(await under.runtime.stopSandbox(id)).toEqual({ ok: true });
      expect(valueOf(await under.runtime.sandboxStatus(id)).state).toBe('notReady');
      expect(await under.runtime.stopSandbox(id)).toEqual({ ok: true });

      expect(await under.runtime.removeSandbox(id)).toEqual({ ok: true });
      expect(faultOf(await under.runtime.sandboxStatus(id)).kind).toBe('not-found');
      expect(valueOf(await under.runtime.listSandboxes({ podUid: uidOf(pod.uid) }))).toEqual([]);
      expect(await under.runtime.stopSandbox(id)).toEqual({ ok: true });
      expect(await under.runtime.removeSandbox(id)).toEqual({ ok: true });
    });

    it('given a sandbox on the host network, when looked at, then it says so and has no address of its own', async () => {
      const id = await runPod(newPod({ hostNetwork: true }));
      expect(valueOf(await under.runtime.sandboxStatus(id))).toMatchObject({ hostNetwork: true, ips: [] });
    });

    it('given a sandbox, when the same attempt is run again, then the name is taken until it is removed', async () => {
      const pod = newPod();
      const id = await runPod(pod);
      expect(faultOf(await under.runtime.runSandbox(sandboxConfigOf(pod), '')).kind).toBe('already-exists');
      const second = await runPod({ ...pod, attempt: 1 });
      expect(valueOf(await under.runtime.listSandboxes({ podUid: uidOf(pod.uid) })).map((each) => each.id)).toEqual([second, id]);
      valueOf(await under.runtime.stopSandbox(id));
      valueOf(await under.runtime.removeSandbox(id));
      await runPod(pod);
    });

    it('given a program that fails, when it has ended, then its status tells how', async () => {
      const pod = newPod();
      const sandboxId = await runPod(pod);
      const config = containerConfigOf(pod, under.programs.exits(3), { attempt: 4 });
      const id = valueOf(await under.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod)));
      const created = await statusOf(id);
      expect(created).toMatchObject({ id, sandboxId, podUid: pod.uid, name: 'app', attempt: 4, state: 'created', startedAtMs: 0, finishedAtMs: 0 });
      expect(created.annotations).toEqual({ 'io.kubernetes.container.restartCount': '4' });
      valueOf(await under.runtime.startContainer(id));
      const ended = await exited(id);
      expect(ended).toMatchObject({ state: 'exited', exitCode: 3, reason: 'Error', sandboxId, logPath: `${under.logDirectory}/app-4.log` });
      expect(ended.startedAtMs).toBeGreaterThanOrEqual(ended.createdAtMs);
      expect(ended.finishedAtMs).toBeGreaterThanOrEqual(ended.startedAtMs);
      expect(ended.finishedAtMs).toBeLessThanOrEqual(under.nowMs());
      expect(ended.image).not.toBe('');
      expect(ended.imageRef).toMatch(/sha256:/);
    });

    it('given a program that succeeds, when it has ended, then it is completed, and cannot be started again', async () => {
      const pod = newPod();
      const id = await runContainer(pod, await runPod(pod), under.programs.exits(0));
      expect(await exited(id)).toMatchObject({ exitCode: 0, reason: 'Completed' });
      expect(faultOf(await under.runtime.startContainer(id)).kind).toBe('rejected');
    });

    it('given containers of two pods, when one pod is listed, then only its own are there, newest first', async () => {
      const [one, other] = [newPod(), newPod()];
      const sandboxId = await runPod(one);
      const first = await runContainer(one, sandboxId, under.programs.exits(0), 0);
      await under.wait(5);
      const second = await runContainer(one, sandboxId, under.programs.graceful, 1);
      const foreign = await runContainer(other, await runPod(other), under.programs.graceful);
      const listed = valueOf(await under.runtime.listContainers({ podUid: uidOf(one.uid) }));
      expect(listed.map((each) => [each.id, each.attempt, each.sandboxId])).toEqual([[second, 1, sandboxId], [first, 0, sandboxId]]);
      const all = valueOf(await under.runtime.listContainers());
      expect(all.map((each) => each.id)).toEqual(expect.arrayContaining([first, second, foreign]));
      expect(all).toEqual([...all].sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt));
    });

    it('given a container, when the same attempt is created again, then the name is taken until it is removed', async () => {
      const pod = newPod();
      const sandboxId = await runPod(pod);
      const id = await runContainer(pod, sandboxId, under.programs.graceful);
      const config = containerConfigOf(pod, under.programs.graceful);
      expect(faultOf(await under.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod))).kind).toBe('already-exists');
      expect(await under.runtime.removeContainer(id)).toEqual({ ok: true });
      expect(faultOf(await under.runtime.containerStatus(id)).kind).toBe('not-found');
      valueOf(await under.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod)));
    });

    it('given a graceful program, when stopped, then it ends with its own code well before the grace period', async () => {
      const pod = newPod();
      const id = await runContainer(pod, await runPod(pod), under.programs.graceful);
      expect((await statusOf(id)).state).toBe('running');
      await under.wait(300);
      const beforeMs = under.nowMs();
      expect(await under.runtime.stopContainer(id, { graceMs: 30_000 })).toEqual({ ok: true });
      expect(under.nowMs() - beforeMs).toBeLessThan(5_000);
      expect(await statusOf(id)).toMatchObject({ state: 'exited', exitCode: 0, reason: 'Completed' });
      expect(await under.runtime.stopContainer(id, { graceMs: 0 })).toEqual({ ok: true });
    });

    it('given a program that ignores SIGTERM, when stopped with half a second, then it is killed after a whole one', async () => {
      const pod = newPod();
      const id = await runContainer(pod, await runPod(pod), under.programs.ignoresTerm);
      await under.wait(300);
      const beforeMs = under.nowMs();
      expect(await under.runtime.stopContainer(id, { graceMs: 500 })).toEqual({ ok: true });
      expect(under.nowMs() - beforeMs).toBeGreaterThanOrEqual(990);
      expect(await statusOf(id)).toMatchObject({ state: 'exited', exitCode: 137, reason: 'Error' });
    });

    it('given a running program, when stopped without grace, then it is killed at once', async () => {
      const pod = newPod();
      const id = await runContainer(pod, await runPod(pod), under.programs.ignoresTerm);
      const beforeMs = under.nowMs();
      expect(await under.runtime.stopContainer(id, { graceMs: 0 })).toEqual({ ok: true });
      expect(under.nowMs() - beforeMs).toBeLessThan(900);
      expect((await statusOf(id)).exitCode).toBe(137);
    });

    it('given two stops of one container, when the second has no grace, then it does not wait for the first', async () => {
      const pod = newPod();
      const id = await runContainer(pod, await runPod(pod), under.programs.ignoresTerm);
      const beforeMs = under.nowMs();
      const slow = under.runtime.stopContainer(id, { graceMs: 20_000 });
      await under.wait(100);
      const [first, second] = await Promise.all([slow, under.runtime.stopContainer(id, { graceMs: 0 })]);
      expect([first, second]).toEqual([{ ok: true }, { ok: true }]);
      expect(under.nowMs() - beforeMs).toBeLessThan(5_000);
    });

    it('given a program that cannot be started, when started, then that is refused and its status says so', async () => {
      const pod = newPod();
      const sandboxId = await runPod(pod);
      const config = containerConfigOf(pod, under.programs.cannotStart);
      const id = valueOf(await under.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod)));
      expect(faultOf(await under.runtime.startContainer(id)).kind).toBe('rejected');
      expect(await statusOf(id)).toMatchObject({ state: 'exited', exitCode: 128, reason: 'StartError' });
    });

    it('given running containers, when their sandbox is stopped and removed, then they end and go with it', async () => {
      const pod = newPod();
      const sandboxId = await runPod(pod);
      const id = await runContainer(pod, sandboxId, under.programs.ignoresTerm);
      valueOf(await under.runtime.stopSandbox(sandboxId));
      expect(await exited(id)).toMatchObject({ exitCode: 137 });
      valueOf(await under.runtime.removeSandbox(sandboxId));
      expect(faultOf(await under.runtime.containerStatus(id)).kind).toBe('not-found');
    });

    it('given a ready sandbox with a running container, when it is removed at once, then both are gone', async () => {
      const pod = newPod();
      const sandboxId = await runPod(pod);
      await runContainer(pod, sandboxId, under.programs.graceful);
      expect(await under.runtime.removeSandbox(sandboxId)).toEqual({ ok: true });
      expect(valueOf(await under.runtime.listContainers({ podUid: uidOf(pod.uid) }))).toEqual([]);
    });

    it('given ids and images nobody has, when used, then the faults say so and ends are success', async () => {
      const pod = newPod();
      const [sandboxId, containerId] = ['0'.repeat(64) as SandboxId, '0'.repeat(64) as ContainerId]; // Ids nobody was given.
      const config = containerConfigOf(pod, under.programs.graceful);
      expect(faultOf(await under.runtime.createContainer(sandboxId, config, sandboxConfigOf(pod))).kind).toBe('not-found');
      expect(faultOf(await under.runtime.startContainer(containerId)).kind).toBe('not-found');
      expect(faultOf(await under.runtime.containerStatus(containerId)).kind).toBe('not-found');
      expect(await under.runtime.stopContainer(containerId, { graceMs: 1_000 })).toEqual({ ok: true });
      expect(await under.runtime.removeContainer(containerId)).toEqual({ ok: true });
      const unknownImage = { ...config, image: { image: under.missingImage, userSpecifiedImage: under.missingImage } };
      const created = await under.runtime.createContainer(await runPod(pod), unknownImage, sandboxConfigOf(pod));
      expect(faultOf(created).kind).toBe('not-found');
      valueOf(await under.runtime.createContainer(sandboxIdOf(await under.runtime.listSandboxes({ podUid: uidOf(pod.uid) })), config, sandboxConfigOf(pod)));
    });

    it('given a watcher, when containers and sandboxes come and go, then it hears of each, and of nothing after its stop', async () => {
      const events: RuntimeEvent[] = [];
      const faults: unknown[] = [];
      const watching = valueOf(await under.runtime.watch({ event: (event) => events.push(event), lost: (fault) => faults.push(fault) }));
      const pod = newPod();
      const sandboxId = await runPod(pod);
      const id = await runContainer(pod, sandboxId, under.programs.exits(0));
      const heard = (kind: RuntimeEvent['kind'], of: string) => (): boolean => events.some((event) => event.kind === kind && event.id === of);
      await until('the sandbox is heard to start', heard('started', sandboxId));
      await until('the container is heard to start', heard('started', id));
      await until('the container is heard to exit', heard('exited', id));
      await exited(id);
      valueOf(await under.runtime.removeContainer(id));
      await until('the container is heard to be removed', heard('removed', id));
      valueOf(await under.runtime.stopSandbox(sandboxId));
      await until('the sandbox is heard to exit', heard('exited', sandboxId));
      await watching.stop();
      const count = events.length;
      valueOf(await under.runtime.removeSandbox(sandboxId));
      await under.wait(200);
      expect(events).toHaveLength(count);
      expect(faults).toEqual([]);
    });

    it('given an image store, when asked, then it knows what it has and nothing else', async () => {
      const { image } = under.programs.graceful;
      const facts = valueOf(await under.images.status(image));
      expect(facts?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(facts?.sizeBytes).toBeGreaterThan(0);
      expect(valueOf(await under.images.list()).map((each) => each.id)).toContain(facts?.id);
      expect(valueOf(await under.images.status(under.missingImage))).toBeUndefined();
      expect(await under.images.remove(under.missingImage)).toEqual({ ok: true });
      expect((await under.images.pull(under.missingImage, undefined, undefined)).ok).toBe(false);
      expect(valueOf(await under.images.fsInfo())[0]?.mountpoint).toMatch(/^\//);
    });
  });
}

function valueOf<T, F>(result: Result<T, F>): T {
  if (!result.ok) throw new Error(`unexpected fault: ${JSON.stringify(result.fault)}`);
  return result.value;
}

function faultOf<T, F>(result: Result<T, F>): F {
  if (result.ok) throw new Error(`unexpected success: ${JSON.stringify(result.value)}`);
  return result.fault;
}

function sandboxIdOf<F>(result: Result<readonly { readonly id: SandboxId }[], F>): SandboxId {
  const [first] = valueOf(result);
  if (first === undefined) throw new Error('no sandbox');
  return first.id;
}
