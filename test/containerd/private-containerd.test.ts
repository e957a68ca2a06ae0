// The private containerd leaves nothing on the host, however it ends. Looks only for what carries its names,
// since other containerds may run on the same machine.
import { Client, credentials } from '@grpc/grpc-js';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { loadMethods } from '../../src/adapters/cri/cri-methods.ts';
import { containerdLayout } from '../../src/demo/containerd-config.ts';
import { cleanUpPrivateContainerd } from '../../src/demo/private-containerd.ts';
import { busyboxImage, containerdProblem, withContainerd, type ContainerdFixture } from '../support/containerd.ts';

const problem = await containerdProblem();
const methods = loadMethods();

async function call(fixture: ContainerdFixture, name: string, request: object): Promise<Record<string, unknown>> {
  const client = new Client(fixture.endpoint, credentials.createInsecure());
  const { path, serialize, deserialize } = methods.runtime(name);
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, serialize, deserialize, request, (error, answer) => {
        if (error === null) resolve({ ...answer });
        else reject(error);
      });
    });
  } finally {
    client.close();
  }
}

/** A pod with a host port (so that iptables is used) and one running container. */
async function startPod(fixture: ContainerdFixture, name: string, hostPort: number): Promise<{ readonly sandboxId: string; readonly containerId: string }> {
  const sandboxConfig = {
    metadata: { name, uid: name, namespace: 'default', attempt: 0 },
    logDirectory: `${fixture.directory}/logs/${name}`,
    portMappings: [{ containerPort: 80, hostPort }],
    linux: { cgroupParent: '/kubepods/test' },
  };
  const { podSandboxId } = await call(fixture, 'RunPodSandbox', { config: sandboxConfig });
  const { containerId } = await call(fixture, 'CreateContainer', {
    podSandboxId, sandboxConfig,
    config: { metadata: { name: 'main' }, image: { image: busyboxImage }, command: ['sleep', '600'], logPath: 'main.log' },
  });
  await call(fixture, 'StartContainer', { containerId });
  return { sandboxId: String(podSandboxId), containerId: String(containerId) };
}

/** Everything on the host that carries this containerd's names. */
function traces(fixture: ContainerdFixture, sandboxIds: readonly string[]): Record<string, readonly string[]> {
  const layout = containerdLayout(`${fixture.directory}/c`);
  const having = (text: string, ...names: readonly string[]): string[] => text.split('\n').filter((line) => names.some((name) => line.includes(name)));
  const names = (directory: string): string => (existsSync(directory) ? readdirSync(directory).join('\n') : '');
  return {
    mounts: having(readFileSync('/proc/self/mountinfo', 'utf8'), layout.directory),
    processes: readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(layout.directory)),
    rules: having(execFileSync('iptables', ['-t', 'nat', '-S'], { encoding: 'utf8' }), layout.network),
    links: having(names('/sys/class/net'), layout.bridge),
    cniCache: having(`${names('/var/lib/cni/results')}\n${names('/var/lib/cni/cache/results')}`, layout.network, ...sandboxIds),
    files: [layout.root, layout.state, layout.configFile].filter(existsSync),
  };
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

const noTraces = { mounts: [], processes: [], rules: [], links: [], cniCache: [], files: [] };

describe.skipIf(problem !== undefined)(`private containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  const fixtures: ContainerdFixture[] = [];
  const start = async (): Promise<ContainerdFixture> => {
    const fixture = await withContainerd();
    fixtures.push(fixture);
    return fixture;
  };
  afterEach(async () => {
    for (const fixture of fixtures.splice(0)) await fixture.stop();
  });

  it('given running pods, when it stops, then no process, mount, rule, link, cache or file of it remains', async () => {
    const fixture = await start();
    const pods = await Promise.all([startPod(fixture, 'one', 31871), startPod(fixture, 'two', 31872)]);
    const sandboxIds = pods.map((pod) => pod.sandboxId);
    const during = traces(fixture, sandboxIds);
    for (const [what, found] of Object.entries(during)) expect(found, what).not.toEqual([]);
    await fixture.containerd.stop();
    expect(traces(fixture, sandboxIds)).toEqual(noTraces);
  });

  it('given a containerd that was killed, when its directory is cleaned up, then nothing of it remains', async () => {
    const fixture = await start();
    const { sandboxId } = await startPod(fixture, 'one', 31873);
    process.kill(fixture.containerd.pid, 'SIGKILL');
    expect(await cleanUpPrivateContainerd(`${fixture.directory}/c`)).toEqual([]);
    expect(traces(fixture, [sandboxId])).toEqual(noTraces);
  });

  it('given a running container, when the daemon restarts, then the container runs on', async () => {
    const fixture = await start();
    const { containerId } = await startPod(fixture, 'one', 31874);
    const pidBefore = fixture.containerd.pid;
    const before = await call(fixture, 'ContainerStatus', { containerId });
    expect(await fixture.containerd.restart({ signal: 'SIGKILL' })).toEqual({ ok: true, value: undefined });
    expect(fixture.containerd.pid).not.toBe(pidBefore);
    expect(await call(fixture, 'ContainerStatus', { containerId })).toEqual(before);
  });
});
