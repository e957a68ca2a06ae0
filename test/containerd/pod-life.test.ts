// What happens to pods from outside on real containerd: deletion, lost containers and sandboxes, preemption, restarts of the agent and of the runtime.
// What pods can ask for is in the corpus (corpus.test.ts).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerId, Pod, PodUid } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

describe.skipIf(problem)(`pods on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  beforeAll(async () => {
    node = await startRealNode();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  const ready = (pod: Pod | undefined) => pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
  const running = (name: string, also: (pod: Pod) => boolean = () => true) =>
    eventually(`${name} runs and is ready: ${JSON.stringify(node.pod(name)?.status)}`, () => {
      const pod = node.pod(name);
      return pod !== undefined && pod.status?.phase === 'Running' && ready(pod) && also(pod) && pod;
    });
  const status = (pod: Pod | undefined, container = 'app') => pod?.status?.containerStatuses?.find(({ name }) => name === container);
  const idOf = (pod: Pod | undefined, container = 'app') => (status(pod, container)?.containerID ?? '').replace('containerd://', '');
  const apply = (pod: Pod) => {
    const applied = node.cloud.applyPod(pod);
    if (!applied.ok) throw new Error(applied.fault.message);
  };
  const nothingLeft = async (pod: Pod) => {
    let sandboxes = Number.POSITIVE_INFINITY;
    const until = Date.now() + 10_000;
    while (sandboxes > 0 && Date.now() < until) {
      const listed = await node.cri.runtime.listSandboxes({ podUid: pod.metadata?.uid as PodUid }); // Any string is a UID to the runtime.
      if (listed.ok) sandboxes = listed.value.length;
    }
    expect(sandboxes).toBe(0);
  };
  const remove = async (name: string) => {
    node.cloud.deletePod('default', name);
    await eventually(`${name} is gone`, () => node.pod(name) === undefined);
  };

  it('given a pod from the cloud, when applied, then it runs, is reported in full, and its deletion leaves nothing', async () => {
    apply(shellPod('web', forever));
    const pod = await running('web');
    expect(pod.status).toMatchObject({ hostIP: '192.0.2.7', qosClass: 'BestEffort', podIP: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/) });
    expect(status(pod)).toMatchObject({ ready: true, started: true, restartCount: 0, state: { running: { startedAt: expect.any(String) } } });
    expect(pod.status?.conditions?.map(({ type, status: value }) => `${type}=${value}`)).toEqual(
      expect.arrayContaining(['Initialized=True', 'Ready=True', 'ContainersReady=True', 'PodScheduled=True']),
    );
    await remove('web');
    await nothingLeft(pod);
  });

  it('given a running pod, when its container is killed from outside, then it is restarted in the same sandbox', async () => {
    apply(shellPod('victim', forever));
    const before = await running('victim');
    await node.cri.runtime.stopContainer(idOf(before) as ContainerId, { graceMs: 0 });
    const after = await running('victim', (pod) => status(pod)?.restartCount === 1);
    expect(after.status?.podIP).toBe(before.status?.podIP);
    expect(idOf(after)).not.toBe(idOf(before));
    await remove('victim');
  });

  it('given a running pod, when its sandbox is lost, then a new one is made and the container restarted', async () => {
    apply(shellPod('homeless', forever));
    const before = await running('homeless');
    const container = await node.cri.runtime.containerStatus(idOf(before) as ContainerId);
    if (!container.ok) throw new Error(container.fault.message);
    await node.cri.runtime.stopSandbox(container.value.sandboxId);
    await running('homeless', (pod) => status(pod)?.restartCount === 1 && idOf(pod) !== idOf(before));
    await remove('homeless');
  });

  it('given running pods, when the agent is stopped and started, then no container is restarted', async () => {
    apply(shellPod('steady-1', forever));
    apply(shellPod('steady-2', forever));
    const before = [await running('steady-1'), await running('steady-2')].map((pod) => idOf(pod));
    await node.stopAgent();
    node.startAgent();
    await eventually('the agent adopts them', () => node.agent().bus.statistics().published > 10);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const after = [await running('steady-1'), await running('steady-2')];
    expect(after.map((pod) => idOf(pod))).toEqual(before);
    expect(after.map((pod) => status(pod)?.restartCount)).toEqual([0, 0]);
    await Promise.all([remove('steady-1'), remove('steady-2')]);
  });

  it('given a ready pod, when the agent is restarted, then it stays ready', async () => {
    const containers = [{ name: 'app', image: busyboxImage, command: ['sh', '-c', forever], readinessProbe: { exec: { command: ['true'] }, periodSeconds: 60 } }];
    apply(shellPod('kept', '', { containers }));
    await running('kept');
    const seen: (boolean | undefined)[] = [];
    const forget = node.cloud.onChange(() => { seen.push(status(node.pod('kept'))?.ready); });
    await node.stopAgent();
    node.startAgent();
    await eventually('the agent adopts it', () => node.agent().bus.statistics().published > 10);
    await new Promise((resolve) => { setTimeout(resolve, 1_500); });
    expect(status(node.pod('kept'))).toMatchObject({ ready: true, restartCount: 0 });
    expect(seen.filter((ready) => ready === false)).toEqual([]);
    forget();
    await remove('kept');
  });

  it('given a critical pod that does not fit, when applied, then another goes and it runs', async () => {
    const asking = (name: string, cpu: string, spec: object = {}) => shellPod(name, '', { containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', forever], resources: { requests: { cpu } } }], ...spec });
    apply(asking('holder', '1500m'));
    await running('holder');
    apply(asking('vital', '1', { priority: 2_000_000_000 }));
    await running('vital');
    const gone = await eventually('the other has failed', () => node.pod('holder')?.status?.phase === 'Failed' && node.pod('holder'));
    expect(gone.status).toMatchObject({ reason: 'Preempting', message: 'Preempted in order to admit critical pod' });
    await Promise.all([remove('holder'), remove('vital')]);
  });

  it('given a running pod, when containerd is restarted under it, then it goes on, and what happens afterwards is seen', async () => {
    apply(shellPod('survivor', forever));
    const before = await running('survivor');
    const restarted = await node.fixture.containerd.restart();
    expect(restarted).toMatchObject({ ok: true });
    apply(shellPod('later', forever));
    await running('later');
    expect(idOf(await running('survivor'))).toBe(idOf(before));
    await node.cri.runtime.stopContainer(idOf(before) as ContainerId, { graceMs: 0 });
    await running('survivor', (pod) => status(pod)?.restartCount === 1);
    await Promise.all([remove('survivor'), remove('later')]);
  });
});
