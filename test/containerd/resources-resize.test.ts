// Resources of running pods, changed over MQTT: what the kernel has inside the container, on the pod's cgroup, and what the cloud sees.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerId, Pod } from '../../src/ports/pod-types.ts';
import { cgroupValue, isCgroupV2 } from '../support/cgroup-files.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const mebi = 2 ** 20;

type Resources = { readonly limits?: Record<string, string>; readonly requests?: Record<string, string> };
type Policies = readonly { readonly resourceName: string; readonly restartPolicy: string }[];

describe.skipIf(problem)(`resize on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  beforeAll(async () => {
    node = await startRealNode();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  const specOf = (resources: Resources, resizePolicy: Policies = []) => ({
    containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', forever], resources, ...(resizePolicy.length === 0 ? {} : { resizePolicy }) }],
  });
  const apply = (name: string, resources: Resources, policies?: Policies): void => {
    const before = node.pod(name);
    const applied = node.cloud.applyPod({ ...shellPod(name, forever, specOf(resources, policies)), ...(before === undefined ? {} : { metadata: before.metadata }) } as Pod);
    if (!applied.ok) throw new Error(applied.fault.message);
  };
  const statusOf = (name: string) => node.pod(name)?.status?.containerStatuses?.[0];
  const conditionOf = (name: string, type: string) => node.pod(name)?.status?.conditions?.find((condition) => condition.type === type);
  const running = async (name: string): Promise<string> => {
    await eventually(`${name} runs`, () => statusOf(name)?.state?.running !== undefined);
    return statusOf(name)?.containerID?.replace('containerd://', '') ?? '';
  };
  /** Quota and memory limit, as the container's own processes find them. */
  const seenInside = async (id: string): Promise<readonly string[]> => {
    const files = isCgroupV2 ? 'cut -d" " -f1 /sys/fs/cgroup/cpu.max; cat /sys/fs/cgroup/memory.max' : 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/memory/memory.limit_in_bytes';
    const run = await node.cri.runtime.execSync(id as ContainerId, ['sh', '-c', files], { timeoutMs: 10_000 }); // The ID came in the pod's status.
    return run.ok ? run.value.stdout.trim().split('\n') : [run.fault.message];
  };
  const podCgroup = (name: string, place = ''): string => `${node.fixture.containerd.cgroupRoot}/kubepods/${place}pod${node.pod(name)?.metadata?.uid}`;

  it('given a guaranteed pod, when it gets more and then less, then it feels it without a restart, and its cgroup follows', async () => {
    const amount = (cpu: string, memory: string): Resources => ({ limits: { cpu, memory }, requests: { cpu, memory } });
    apply('elastic', amount('200m', '32Mi'));
    const id = await running('elastic');
    expect(await seenInside(id)).toEqual(['20000', String(32 * mebi)]);
    expect(statusOf('elastic')).toMatchObject({ resources: amount('200m', '32Mi'), allocatedResources: { cpu: '200m', memory: '32Mi' } });

    for (const [cpu, memory, quota, bytes] of [['500m', '96Mi', '50000', 96 * mebi], ['100m', '24Mi', '10000', 24 * mebi]] as const) {
      apply('elastic', amount(cpu, memory));
      await eventually(`it has ${cpu}`, () => statusOf('elastic')?.resources?.limits?.['cpu'] === cpu && conditionOf('elastic', 'PodResizeInProgress') === undefined);
      expect(await seenInside(id)).toEqual([quota, String(bytes)]);
      await eventually('its cgroup follows', () => cgroupValue(podCgroup('elastic'), 'memory.limit_in_bytes') === String(bytes));
      expect(cgroupValue(podCgroup('elastic'), 'cpu.cfs_quota_us')).toBe(quota);
    }
    expect(statusOf('elastic')).toMatchObject({ containerID: `containerd://${id}`, restartCount: 0, allocatedResources: { cpu: '100m', memory: '24Mi' } });
    expect(node.cloud.events().map(({ reason }) => reason)).toEqual(expect.arrayContaining(['ResizeStarted', 'ResizeCompleted']));
    node.cloud.deletePod('default', 'elastic');
  });

  it('given a container whose memory needs a restart, when only its CPU changes, then it goes on; when its memory changes, then it is made anew', async () => {
    const policies = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }, { resourceName: 'cpu', restartPolicy: 'NotRequired' }];
    const amount = (cpu: string, memory: string): Resources => ({ limits: { cpu, memory }, requests: { cpu: '50m', memory: '16Mi' } });
    apply('picky', amount('100m', '32Mi'), policies);
    const first = await running('picky');
    apply('picky', amount('300m', '32Mi'), policies);
    await eventually('it has more CPU', () => statusOf('picky')?.resources?.limits?.['cpu'] === '300m');
    expect([statusOf('picky')?.restartCount, (await seenInside(first))[0]]).toEqual([0, '30000']);
    apply('picky', amount('300m', '64Mi'), policies);
    const status = await eventually('it is made anew', () => statusOf('picky')?.restartCount === 1 && statusOf('picky')?.state?.running !== undefined && statusOf('picky'));
    expect(await seenInside(status.containerID?.replace('containerd://', '') ?? '')).toEqual(['30000', String(64 * mebi)]);
    expect(node.cloud.events().some(({ message }) => message === 'Container app resize requires restart')).toBe(true);
    node.cloud.deletePod('default', 'picky');
  });

  it('given more than the node has, or than is free, when it is asked for, then the pod keeps what it has and says why; room makes it come', async () => {
    const request = (cpu: string): Resources => ({ requests: { cpu } });
    apply('hungry', request('100m'));
    apply('neighbour', request('1500m'));
    const id = await running('hungry');
    await running('neighbour');
    apply('hungry', request('64'));
    await eventually('it is infeasible', () => conditionOf('hungry', 'PodResizePending')?.reason === 'Infeasible');
    expect(conditionOf('hungry', 'PodResizePending')?.message).toBe('Node didn\'t have enough capacity: cpu, requested: 64000, capacity: 2000');
    apply('hungry', request('1'));
    await eventually('it is deferred', () => conditionOf('hungry', 'PodResizePending')?.reason === 'Deferred');
    expect(statusOf('hungry')).toMatchObject({ resources: request('100m'), allocatedResources: { cpu: '100m' } });

    // What was granted is kept over a restart of the agent.
    await node.stopAgent();
    node.startAgent();
    node.cloud.deletePod('default', 'neighbour');
    await eventually('room makes it come', () => statusOf('hungry')?.allocatedResources?.['cpu'] === '1' && conditionOf('hungry', 'PodResizePending') === undefined, 60_000);
    if (!isCgroupV2) expect(cgroupValue(podCgroup('hungry', 'burstable/'), 'cpu.shares')).toBe('1024');
    expect(statusOf('hungry')).toMatchObject({ containerID: `containerd://${id}`, restartCount: 0 });
    node.cloud.deletePod('default', 'hungry');
  });

  it('given a container that uses more than it shall have, when its limit is lowered, then it keeps it and the pod says so', async () => {
    const amount = (memory: string): Resources => ({ limits: { memory }, requests: { memory: '8Mi' } });
    const containers = [{ name: 'app', image: busyboxImage, command: ['sh', '-c', 'x=$(head -c 20000000 /dev/zero | tr "\\0" a); while :; do sleep 0.1; done'], resources: amount('96Mi') }];
    node.cloud.applyPod(shellPod('full', '', { containers }));
    const id = await running('full');
    const used = () => Number(execFileSync('cat', [`/sys/fs/cgroup/${isCgroupV2 ? '' : 'memory'}${podCgroup('full', 'burstable/')}/${id}/${isCgroupV2 ? 'memory.current' : 'memory.usage_in_bytes'}`], { encoding: 'utf8' }));
    await eventually('it uses 20 MB', () => used() > 20_000_000);
    node.cloud.applyPod({ ...shellPod('full', '', { containers: containers.map((container) => ({ ...container, resources: amount('12Mi') })) }), metadata: node.pod('full')?.metadata } as Pod);
    const condition = await eventually('it says so', () => conditionOf('full', 'PodResizeInProgress')?.reason === 'Error' && conditionOf('full', 'PodResizeInProgress'));
    expect(condition.message).toMatch(/below its current usage/);
    expect((await seenInside(id))[1]).toBe(String(96 * mebi));
    node.cloud.deletePod('default', 'full');
  });
});
