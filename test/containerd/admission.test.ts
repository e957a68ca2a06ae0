// Pods the node refuses, seen from the cloud, with a runtime that must not hear of them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod, PodUid } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const app = (part: object = {}) => ({ name: 'app', image: busyboxImage, command: ['sh', '-c', forever], ...part });

describe.skipIf(problem)(`admission on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  beforeAll(async () => {
    node = await startRealNode();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
    node.cloud.applyPod(shellPod('holder', '', { containers: [app({ ports: [{ containerPort: 80, hostPort: 18_080 }], resources: { requests: { cpu: '1500m' } } })] }));
    await eventually('the first pod runs', () => node.pod('holder')?.status?.phase === 'Running');
  });
  afterAll(() => node?.stop());

  const sandboxes = async (pod: Pod) => {
    const listed = await node.cri.runtime.listSandboxes({ podUid: pod.metadata?.uid as PodUid }); // Any string is a UID to the runtime.
    return listed.ok ? listed.value.length : listed.fault.message;
  };

  it.each<[name: string, spec: object, reason: string, message: RegExp]>([
    ['cpu', { containers: [app({ resources: { requests: { cpu: '600m' } } })] }, 'OutOfcpu', /^Pod was rejected: Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000$/],
    ['port', { containers: [app({ ports: [{ containerPort: 81, hostPort: 18_080 }] })] }, 'NodePorts', /^Pod was rejected: Predicate NodePorts failed: /],
    ['selector', { nodeSelector: { zone: 'nowhere' } }, 'NodeAffinity', /^Pod was rejected: Predicate NodeAffinity failed: /],
    ['sysctl', { securityContext: { sysctls: [{ name: 'kernel.sem', value: '1 1 1 1' }] } }, 'SysctlForbidden', /^Pod was rejected: forbidden sysctl: "kernel\.sem" not allowlisted$/],
  ])('given a pod that does not fit by its %s, when applied, then it has failed with kubelet\'s words, and nothing was made', async (name, spec, reason, message) => {
    node.cloud.applyPod(shellPod(name, forever, spec));
    const pod = await eventually(`${name} is refused`, () => node.pod(name)?.status?.phase === 'Failed' && node.pod(name));
    expect(pod.status).toMatchObject({ reason, message: expect.stringMatching(message) as unknown });
    expect(pod.status?.containerStatuses).toBeUndefined();
    expect(await sandboxes(pod)).toBe(0);
  });

  it('given a critical pod that does not fit, when applied, then the other goes and it runs', async () => {
    node.cloud.applyPod(shellPod('vital', '', { priority: 2_000_000_000, containers: [app({ resources: { requests: { cpu: '1' } } })] }));
    await eventually('the critical pod runs', () => node.pod('vital')?.status?.phase === 'Running');
    const gone = await eventually('the other has failed', () => node.pod('holder')?.status?.phase === 'Failed' && node.pod('holder'));
    expect(gone.status).toMatchObject({ reason: 'Preempting', message: 'Preempted in order to admit critical pod' });
  });
});
