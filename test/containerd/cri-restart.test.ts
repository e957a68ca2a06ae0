// A containerd that is killed and started again under our client: what is told, how soon calls work, what survives.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CriConnection } from '../../src/adapters/cri/cri-client.ts';
import { connectCri } from '../../src/adapters/cri/cri-client.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import type { RuntimeFault } from '../../src/ports/faults.ts';
import type { ContainerId, SandboxId } from '../../src/ports/pod-types.ts';
import type { Result } from '../../src/ports/result.ts';
import type { RuntimeEvent } from '../../src/ports/runtime-port.ts';
import type { ContainerdFixture } from '../support/containerd.ts';
import { busyboxImage, containerdProblem, withContainerd } from '../support/containerd.ts';
import { containerConfigOf, sandboxConfigOf } from '../support/runtime-configs.ts';
import { silentLog } from '../support/silent-log.ts';

const problem = await containerdProblem();

function valueOf<T, F>(result: Result<T, F>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.fault));
  return result.value;
}

describe.skipIf(problem !== undefined)(`the CRI client and a restarted containerd${problem === undefined ? '' : ` (skipped: ${problem})`}`, () => {
  let fixture: ContainerdFixture;
  let connection: CriConnection;
  let sandboxId: SandboxId;
  let id: ContainerId;
  const pod = () => ({ uid: 'restart-1', logDirectory: path.join(fixture.directory, 'logs') });

  beforeAll(async () => {
    fixture = await withContainerd();
    mkdirSync(path.join(fixture.directory, 'logs'));
    connection = connectCri({ endpoint: fixture.endpoint, clock: new SystemClock(), log: silentLog, callTimeoutMs: 20_000 });
    const program = { image: busyboxImage, command: ['sleep', '3600'] };
    sandboxId = valueOf(await connection.runtime.runSandbox(sandboxConfigOf(pod()), ''));
    id = valueOf(await connection.runtime.createContainer(sandboxId, containerConfigOf(pod(), program), sandboxConfigOf(pod())));
    valueOf(await connection.runtime.startContainer(id));
  });
  afterAll(async () => {
    await connection?.close();
    await fixture?.stop();
  });

  it('given a process executed in a container, when it ends, then no exit of the container is told', async () => {
    const events: RuntimeEvent[] = [];
    const watching = valueOf(await connection.runtime.watch({ event: (event) => events.push(event), lost: () => undefined }));
    execFileSync('ctr', ['--address', fixture.endpoint.replace('unix://', ''), '--namespace', 'k8s.io', 'tasks', 'exec', '--exec-id', 'probe-1', id, 'true']);
    const second = valueOf(await connection.runtime.createContainer(
      sandboxId, containerConfigOf(pod(), { image: busyboxImage, command: ['true'] }, { name: 'second' }), sandboxConfigOf(pod())));
    valueOf(await connection.runtime.startContainer(second));
    await expect.poll(() => events.filter((event) => event.kind === 'exited')).toEqual([{ kind: 'exited', id: second }]);
    await watching.stop();
  });

  it('given a container over its memory, when the kernel kills it, then that is told', async () => {
    const events: RuntimeEvent[] = [];
    const watching = valueOf(await connection.runtime.watch({ event: (event) => events.push(event), lost: () => undefined }));
    const config = containerConfigOf(pod(), { image: busyboxImage, command: ['tail', '/dev/zero'] }, { name: 'greedy' });
    const limited = { ...config, linux: { ...config.linux, resources: { ...config.linux.resources, memoryLimitInBytes: 8 * 1024 * 1024 } } };
    const greedy = valueOf(await connection.runtime.createContainer(sandboxId, limited, sandboxConfigOf(pod())));
    valueOf(await connection.runtime.startContainer(greedy));
    await expect.poll(() => events, { timeout: 10_000 }).toEqual(expect.arrayContaining([{ kind: 'oom', id: greedy }, { kind: 'exited', id: greedy }]));
    await expect.poll(async () => valueOf(await connection.runtime.containerStatus(greedy)).reason).toBe('OOMKilled');
    await watching.stop();
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('given a watched containerd, when it gets %s and is started again, then the loss is told and containers live', async (signal) => {
    const faults: RuntimeFault[] = [];
    valueOf(await connection.runtime.watch({ event: () => undefined, lost: (fault) => faults.push(fault) }));
    valueOf(await fixture.containerd.restart({ signal }));
    // CRI answers again: our channel must find that out soon.
    const readyMs = Date.now();
    await expect.poll(async () => (await connection.runtime.version()).ok, { timeout: 10_000, interval: 10 }).toBe(true);
    expect(Date.now() - readyMs).toBeLessThan(2_000);
    expect(faults.map((fault) => fault.kind)).toEqual(['unavailable']);
    expect(valueOf(await connection.runtime.containerStatus(id))).toMatchObject({ state: 'running', sandboxId });
    const again = valueOf(await connection.runtime.watch({ event: () => undefined, lost: () => undefined }));
    await again.stop();
  });
});
