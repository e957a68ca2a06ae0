// What comes to a pod while it runs, on the real containerd: ephemeral containers, seen from inside them, and readiness gates.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerId, ContainerStatus, Pod } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const debug = (name: string, script: string, part: object = {}) => ({ name, image: busyboxImage, command: ['sh', '-c', script], ...part });

describe.skipIf(problem)(`late parts on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  beforeAll(async () => {
    node = await startRealNode();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  const apply = (pod: Pod) => expect(node.cloud.applyPod(pod)).toMatchObject({ ok: true });
  const app = (name: string): ContainerStatus | undefined => node.pod(name)?.status?.containerStatuses?.[0];
  const looking = (name: string, container: string) => node.pod(name)?.status?.ephemeralContainerStatuses?.find((status) => status.name === container);
  const isReady = (name: string) => node.pod(name)?.status?.conditions?.find(({ type }) => type === 'Ready');
  const inside = async (status: ContainerStatus | undefined, script: string): Promise<string> => {
    const id = (status?.containerID ?? '').replace('containerd://', '') as ContainerId; // What the status shows is an ID.
    const done = await node.cri.runtime.execSync(id, ['sh', '-c', script], { timeoutMs: 5_000 });
    if (!done.ok) throw new Error(done.fault.message);
    return done.value.stdout;
  };

  it('given a running pod, when ephemeral containers are added, then they run beside it, see their target, and end with it', async () => {
    const pod = shellPod('looked-at', forever, { restartPolicy: 'Always' });
    apply(pod);
    const before = await eventually('it runs', () => app('looked-at')?.state?.running !== undefined && app('looked-at'));
    const added = [debug('eyes', `echo seen > /dev/termination-log; ${forever}`, { targetContainerName: 'app' }), debug('once', 'exit 3')];
    apply({ ...pod, spec: { ...pod.spec, containers: pod.spec?.containers ?? [], ephemeralContainers: added } });
    const eyes = await eventually('it looks', () => looking('looked-at', 'eyes')?.state?.running !== undefined && looking('looked-at', 'eyes'));
    await eventually('the other has ended', () => looking('looked-at', 'once')?.state?.terminated?.exitCode === 3);
    // The first process it sees is the target's, its own comes later.
    const firstProcess = 'tr "\\0" " " < /proc/1/cmdline';
    expect(await inside(eyes, firstProcess)).toBe(`sh -c ${forever} `);
    expect(await inside(eyes, 'grep -l "echo seen" /proc/[0-9]*/cmdline | grep -vc /self/')).not.toBe('0\n');
    expect(await inside(app('looked-at'), firstProcess)).toBe(`sh -c ${forever} `);
    expect(app('looked-at')).toMatchObject({ containerID: before.containerID, restartCount: 0 });
    expect(isReady('looked-at')?.status).toBe('True');
    expect(node.cloud.events().filter(({ reason, involvedObject }) => reason === 'Started' && involvedObject.fieldPath === 'spec.ephemeralContainers{once}')).toHaveLength(1);

    await node.stopAgent();
    node.startAgent();
    await eventually('it is taken over', () => node.pod('looked-at')?.status?.phase === 'Running');
    expect(looking('looked-at', 'eyes')).toMatchObject({ containerID: eyes.containerID, state: { running: {} } });
    expect(looking('looked-at', 'once')).toMatchObject({ restartCount: 0, state: { terminated: { exitCode: 3 } } });

    node.cloud.deletePod('default', 'looked-at');
    await eventually('it is gone', () => node.pod('looked-at') === undefined);
    const left = async () => {
      const listed = await node.cri.runtime.listContainers();
      return listed.ok && listed.value.filter(({ name }) => name === 'eyes' || name === 'once').map(({ name }) => name);
    };
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });

  it('given a target that does not exist, when it is added, then it waits and says so, and the pod goes on', async () => {
    const pod = shellPod('aimless', forever);
    apply(pod);
    await eventually('it runs', () => app('aimless')?.state?.running);
    // The API would refuse it, and so does the node: the pod stays as it was.
    apply({ ...pod, spec: { ...pod.spec, containers: pod.spec?.containers ?? [], ephemeralContainers: [debug('eyes', 'true', { targetContainerName: 'none' })] } });
    await eventually('it is told', () => node.cloud.events().find(({ message }) => message?.includes('spec.ephemeralContainers[0].targetContainerName: Not found: "none"')));
    expect(app('aimless')?.state?.running).toBeDefined();
    node.cloud.deletePod('default', 'aimless', { graceMs: 0 });
  });

  it('given a readiness gate, when others set its condition, then the pod is ready only while it is true', async () => {
    const gate = { namespace: 'default', name: 'gated' };
    apply(shellPod('gated', forever, { readinessGates: [{ conditionType: 'example.com/traffic' }] }));
    await eventually('it runs', () => app('gated')?.state?.running);
    expect(await eventually('it is not ready', () => isReady('gated')?.reason === 'ReadinessGatesNotReady' && isReady('gated')))
      .toMatchObject({ status: 'False', message: 'corresponding condition of pod readiness gate "example.com/traffic" does not exist.' });
    node.cloud.setPodCondition(gate, { type: 'example.com/traffic', status: 'True', message: 'by hand' });
    await eventually('it is ready', () => isReady('gated')?.status === 'True');
    node.cloud.setPodCondition(gate, { type: 'example.com/traffic', status: 'False', message: 'by hand' });
    expect(await eventually('it is not ready again', () => isReady('gated')?.status === 'False' && isReady('gated')))
      .toMatchObject({ message: 'the status of pod readiness gate "example.com/traffic" is not "True", but False' });
    expect(node.pod('gated')?.status?.conditions?.find(({ type }) => type === 'example.com/traffic')).toEqual({ type: 'example.com/traffic', status: 'False', message: 'by hand' });
    expect(app('gated')?.restartCount).toBe(0);
    node.cloud.deletePod('default', 'gated', { graceMs: 0 });
  });

  it('given a gate of a static pod, when the condition is set on its mirror, then the pod is ready', async () => {
    await node.manifest('gated.yaml', `apiVersion: v1
kind: Pod
metadata: {name: fixed}
spec:
  terminationGracePeriodSeconds: 1
  readinessGates: [{conditionType: example.com/traffic}]
  containers: [{name: app, image: ${busyboxImage}, command: [sh, -c, '${forever}']}]
`);
    await eventually('its mirror shows it', () => isReady('fixed-edge-07')?.reason === 'ReadinessGatesNotReady');
    node.cloud.setPodCondition({ namespace: 'default', name: 'fixed-edge-07' }, { type: 'example.com/traffic', status: 'True' });
    await eventually('it is ready', () => isReady('fixed-edge-07')?.status === 'True');
  });
});
