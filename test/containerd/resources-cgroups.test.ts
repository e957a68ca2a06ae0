// Where pods stand in the kernel's tree of cgroups and what they are held to there, read on the host.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../src/ports/pod-types.ts';
import { cgroupsBelow, cgroupValue, isCgroupV2, treesWith } from '../support/cgroup-files.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

type Resources = { readonly limits?: Record<string, string>; readonly requests?: Record<string, string> };

describe.skipIf(problem)(`cgroups of pods on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  beforeAll(async () => {
    node = await startRealNode();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  const kubepods = (): string => `${node.fixture.containerd.cgroupRoot}/kubepods`;
  const containers = (...resources: readonly Resources[]) => resources.map((each, index) => ({ name: `c${index}`, image: busyboxImage, command: ['sh', '-c', forever], resources: each }));
  const running = async (name: string, spec: object): Promise<Pod> => {
    node.cloud.applyPod(shellPod(name, forever, spec));
    return eventually(`${name} runs`, () => node.pod(name)?.status?.containerStatuses?.every(({ state }) => state?.running !== undefined) && node.pod(name));
  };
  const gone = async (name: string): Promise<void> => {
    node.cloud.deletePod('default', name);
    await eventually(`${name} is gone`, () => node.pod(name) === undefined);
  };

  it.each([
    ['guaranteed', '', [{ limits: { cpu: '200m', memory: '32Mi' } }, { limits: { cpu: '300m', memory: '32Mi' } }], ['512', '50000', '67108864']],
    ['burstable', 'burstable/', [{ limits: { memory: '32Mi' }, requests: { cpu: '250m' } }, { requests: { cpu: '250m' } }], ['512', 'none', 'none']],
    ['besteffort', 'besteffort/', [{}], ['2', 'none', 'none']],
  ])('given a %s pod, when it runs, then its cgroup and its containers are where kubelet has them, and go with it', async (name, place, resources, expected) => {
    const pod = await running(name, { containers: containers(...resources) });
    const cgroup = `${kubepods()}/${place}pod${pod.metadata?.uid}`;
    expect(treesWith(cgroup)).not.toEqual([]);
    // Those of the containers, and the sandbox's.
    const ids = (pod.status?.containerStatuses ?? []).map(({ containerID = '' }) => containerID.replace('containerd://', ''));
    expect(cgroupsBelow(cgroup)).toEqual(expect.arrayContaining(ids));
    expect(cgroupsBelow(cgroup)).toHaveLength(ids.length + 1);
    const [shares, quota, memory] = expected;
    if (!isCgroupV2) expect(cgroupValue(cgroup, 'cpu.shares')).toBe(shares);
    expect(cgroupValue(cgroup, 'cpu.cfs_quota_us')).toBe(quota === 'none' ? (isCgroupV2 ? 'max' : '-1') : quota);
    if (memory !== 'none') expect(cgroupValue(cgroup, 'memory.limit_in_bytes')).toBe(memory);
    await gone(name);
    await eventually('its cgroup is gone', () => treesWith(cgroup).length === 0);
  });

  it('given pods of two classes, when they run, then the class has what they ask for together, and all have what the node has', async () => {
    await Promise.all([running('one', { containers: containers({ requests: { cpu: '300m' } }) }), running('two', { containers: containers({ requests: { cpu: '200m' } }) })]);
    if (!isCgroupV2) expect(cgroupValue(`${kubepods()}/burstable`, 'cpu.shares')).toBe('512');
    if (!isCgroupV2) expect(cgroupValue(kubepods(), 'cpu.shares')).toBe('2048');
    expect(cgroupValue(kubepods(), 'memory.limit_in_bytes')).toBe(String(8 * 2 ** 30));
    await Promise.all([gone('one'), gone('two')]);
    if (!isCgroupV2) await eventually('the class is back', () => cgroupValue(`${kubepods()}/burstable`, 'cpu.shares') === '2');
  });

  it('given overhead, when the pod runs, then its cgroup has it on top', async () => {
    const pod = await running('overhead', { overhead: { cpu: '100m', memory: '16Mi' }, containers: containers({ limits: { cpu: '100m', memory: '32Mi' } }) });
    const cgroup = `${kubepods()}/pod${pod.metadata?.uid}`;
    expect([cgroupValue(cgroup, 'cpu.cfs_quota_us'), cgroupValue(cgroup, 'memory.limit_in_bytes')]).toEqual(['20000', String(48 * 2 ** 20)]);
    await gone('overhead');
  });

  it('given a pod that has ended, when its containers are stopped, then its cgroup is gone before the pod is deleted', async () => {
    node.cloud.applyPod(shellPod('done', 'exit 0', { restartPolicy: 'Never' }));
    const pod = await eventually('it has succeeded', () => node.pod('done')?.status?.phase === 'Succeeded' && node.pod('done'));
    await eventually('its cgroup is gone', () => treesWith(`${kubepods()}/besteffort/pod${pod.metadata?.uid}`).length === 0);
    await gone('done');
  });

  it('given a pod that runs, when the agent is started anew, then it stays, and its cgroup still goes with it', async () => {
    const before = await running('stays', { containers: containers({ requests: { cpu: '100m' } }) });
    await node.stopAgent();
    node.startAgent();
    await eventually('it is seen again', () => node.agent().health !== undefined);
    await gone('stays');
    await eventually('its cgroup is gone', () => treesWith(`${kubepods()}/burstable/pod${before.metadata?.uid}`).length === 0);
  });
});
