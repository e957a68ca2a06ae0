// The machine goes down, as systemd tells it: pods on a real containerd end in order, while the machine waits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemdShutdown } from '../../src/adapters/shutdown/systemd-shutdown.ts';
import type { Pod, PodUid } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { type FakeLogind, fakeLogind } from '../support/fake-logind.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const graceful = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

describe.skipIf(problem)(`the end of the machine on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let logind: FakeLogind;
  let node: RealNode;
  beforeAll(async () => {
    logind = await fakeLogind();
    node = await startRealNode({
      shutdown: {
        port: systemdShutdown({ systemRoot: logind.root, commandPath: logind.commandPath }),
        groups: [{ priority: 0, periodMs: 8_000 }, { priority: 2_000_000_000, periodMs: 4_000 }],
      },
    });
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(async () => {
    await node?.stop();
    await logind?.remove();
  });

  const run = async (name: string, spec: object = {}): Promise<Pod> => {
    node.cloud.applyPod(shellPod(name, '', { containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', graceful] }], ...spec }));
    return eventually(`${name} runs`, () => node.pod(name)?.status?.phase === 'Running' && node.pod(name));
  };
  const containers = async (pod: Pod) => {
    const listed = await node.cri.runtime.listContainers({ podUid: pod.metadata?.uid as PodUid }); // Any string is a UID to the runtime.
    return listed.ok ? listed.value.map(({ state }) => state) : [listed.fault.message];
  };
  const delayed = () => expect.poll(() => logind.delays(), { timeout: 10_000 });

  it('given the agent is stopped by hand, when the machine stays up, then its pods run on', async () => {
    const pod = await run('steady');
    await delayed().toBe(1);
    await node.agent().endPods();
    await node.stopAgent();
    await delayed().toBe(0);
    expect(await containers(pod)).toEqual(['running']);
    node.startAgent();
    await delayed().toBe(1);
  });

  it('given the machine goes down, when it says so, then pods end by priority, new ones are refused, and it waits until then', async () => {
    const [steady, vital] = [await eventually('the pod', () => node.pod('steady')), await run('vital', { priority: 2_000_000_000 })];
    const ended: string[] = [];
    node.agent().bus.as('test').on('pod.transitioned', ({ payload: { pod, to } }) => { if (to === 'terminated') ended.push(pod.name); });
    await logind.prepare(true);
    await eventually('the node says so', () => node.cloud.nodes()[0]?.status?.conditions?.some(({ type, status, reason, message }) =>
      type === 'Ready' && status === 'False' && reason === 'KubeletNotReady' && message === 'node is shutting down'));
    node.cloud.applyPod(shellPod('late', graceful));
    const late = await eventually('the late pod is refused', () => node.pod('late')?.status?.phase === 'Failed' && node.pod('late'));
    expect(late.status).toMatchObject({ reason: 'NodeShutdown', message: 'Pod was rejected: Pod was rejected as the node is shutting down.' });
    await delayed().toBe(0);
    expect(ended.filter((name) => name !== 'late')).toEqual(['steady', 'vital']);
    for (const pod of [steady, vital]) {
      const name = pod.metadata?.name ?? '';
      const shown = await eventually(`${name} has failed`, () => node.pod(name)?.status?.phase === 'Failed' && node.pod(name));
      expect(shown.status).toMatchObject({ reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' });
      expect(shown.status?.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }));
      expect(await containers(pod)).toEqual(['exited']);
    }
    await eventually('the event', () => node.cloud.events().some(({ reason, message }) => reason === 'Shutdown' && message === 'Shutdown manager detected shutdown event'));
  });
});
