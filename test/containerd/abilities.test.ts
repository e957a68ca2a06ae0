// What this containerd, and this machine, can do or not: recursive read-only mounts, user namespaces, huge pages. Told by the runtime.
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PodSpec } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { inside } from '../support/inside.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();

describe.skipIf(problem)(`abilities of containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  let recursive = false;
  let namespaces = false;
  beforeAll(async () => {
    node = await startRealNode();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
    const told = await node.cri.runtime.handlers();
    const own = told.ok ? told.value.find(({ name }) => name === '') : undefined;
    recursive = own?.recursiveReadOnlyMounts === true;
    namespaces = own?.userNamespaces === true;
  });
  afterAll(() => node?.stop());

  const readOnly = (mode: string): Partial<PodSpec> => ({
    volumes: [{ name: 'data', emptyDir: {} }],
    containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', 'sleep 60'], volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true, recursiveReadOnly: mode }] }],
  });
  const status = (name: string) => node.pod(name)?.status?.containerStatuses?.[0];
  const apply = (name: string, spec: Partial<PodSpec>) => expect(node.cloud.applyPod(shellPod(name, 'sleep 60', spec))).toMatchObject({ ok: true });
  const remove = (name: string) => node.cloud.deletePod('default', name, { graceMs: 0 });

  it('given recursive read-only mode demanded, when the runtime cannot, then the container waits with the reason', async () => {
    apply('strict', readOnly('Enabled'));
    if (recursive) await eventually('it runs', () => status('strict')?.state?.running);
    else {
      const waiting = await eventually('it waits', () => status('strict')?.state?.waiting?.reason === 'CreateContainerConfigError' && status('strict'));
      expect(waiting.state?.waiting?.message).toBe('volume "data" requested recursive read-only mode, but it is not supported by the runtime');
    }
    expect(status('strict')?.volumeMounts).toEqual([{ name: 'data', mountPath: '/data', readOnly: true, recursiveReadOnly: recursive ? 'Enabled' : 'Disabled' }]);
    remove('strict');
  });

  it('given recursive read-only mode if possible, when the pod runs, then it is as possible and the status says which', async () => {
    apply('lenient', readOnly('IfPossible'));
    await eventually('it runs', () => status('lenient')?.state?.running);
    expect(status('lenient')?.volumeMounts).toEqual([{ name: 'data', mountPath: '/data', readOnly: true, recursiveReadOnly: recursive ? 'Enabled' : 'Disabled' }]);
    remove('lenient');
  });

  it('given users of its own, when the runtime has none, then the pod fails and says so', async () => {
    apply('own-users', { hostUsers: false });
    const pod = await eventually('it has failed', () => node.pod('own-users')?.status?.phase === 'Failed' && node.pod('own-users'));
    const message = namespaces ? 'this version of the node agent makes no user namespaces' : 'runtime does not support user namespaces';
    expect(pod.status).toMatchObject({ reason: 'UnsupportedPodFeature', message: `Failed to create pod sandbox: can't set \`spec.hostUsers: false\`, ${message}` });
    expect(node.cloud.events().find(({ reason, involvedObject }) => reason === 'FailedCreatePodSandBox' && involvedObject.name === 'own-users')).toBeDefined();
    remove('own-users');
  });

  const hugePages = existsSync('/sys/kernel/mm/hugepages/hugepages-2048kB') && readFileSync('/proc/filesystems', 'utf8').includes('hugetlbfs');
  const huge = (medium: string): Partial<PodSpec> => ({ volumes: [{ name: 'huge', emptyDir: { medium } }] });
  const container = (limits: Record<string, string>) => ({ volumeMounts: [{ name: 'huge', mountPath: '/huge' }], resources: { limits: { memory: '64Mi', ...limits }, requests: limits } });

  it.skipIf(!hugePages)('given a volume of huge pages, when the pod runs, then it is one, of the size asked for, and goes with the pod', async () => {
    const seen = await inside(node, 'huge', 'grep " /huge " /proc/mounts; stat -c %a /huge', { spec: huge('HugePages'), container: container({ 'hugepages-2Mi': '4Mi' }) });
    expect(seen[0]).toMatch(/^hugetlbfs \/huge hugetlbfs rw.*pagesize=2M.*size=4096K|^hugetlbfs \/huge hugetlbfs rw.*pagesize=2M/);
    expect(seen[1]).toBe('777');
    await expect.poll(() => readFileSync('/proc/self/mountinfo', 'utf8').includes(`${node.fixture.directory}/root/pods`), { timeout: 10_000 }).toBe(false);
  });

  it('given huge pages of a size the machine has not, when the pod starts, then it says so', async () => {
    apply('odd', { ...huge('HugePages-3Mi'), containers: [{ name: 'app', image: busyboxImage, command: ['true'], ...container({ 'hugepages-3Mi': '3Mi' }) }] });
    await eventually('it is told', () => node.cloud.events().find(({ reason, message }) => reason === 'FailedMount' && message === 'MountVolume.SetUp failed for volume "huge" : the node has no huge pages of 3145728 bytes'));
    remove('odd');
  });
});
