// Eviction on a real node: limits of pods, and a machine that is short because the thresholds say so.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvictionSignal, EvictionThreshold } from '../../src/ports/eviction.ts';
import type { Container, Pod, PodSpec } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const app = (script: string, part: Partial<Container> = {}): Container => ({ name: 'app', image: busyboxImage, command: ['sh', '-c', `${script}; ${forever}`], ...part });
const withData = (script: string, emptyDir: object = {}): Partial<PodSpec> =>
  ({ volumes: [{ name: 'data', emptyDir }], containers: [app(script, { volumeMounts: [{ name: 'data', mountPath: '/data' }] })] });
/** More than any machine has. */
const everything = 2 ** 60;
const shortOf = (signal: EvictionSignal): readonly EvictionThreshold[] => [{ signal, value: { kind: 'amount', amount: everything, text: '1Ei' }, graceMs: 0 }];
/** The runtime collects the sizes of layers every ten seconds, and the node looks as often. */
const patienceMs = 50_000;

describe.skipIf(problem)(`eviction on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  let thresholds: readonly EvictionThreshold[] = [];
  beforeAll(async () => {
    node = await startRealNode({ eviction: () => ({ thresholds, pressureHoldMs: 0 }) });
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  const run = async (name: string, spec: Partial<PodSpec>): Promise<Pod> => {
    node.cloud.applyPod(shellPod(name, '', spec));
    return eventually(`${name} runs`, () => node.pod(name)?.status?.phase === 'Running' && node.pod(name));
  };
  /** A container runs before its script has written what it shall have on the disk. */
  const runAndWrite = async (name: string, mebibytes: number, part: Partial<PodSpec> = {}): Promise<void> => {
    const pod = await run(name, { ...withData(`dd if=/dev/zero of=/data/file bs=1M count=${mebibytes}; : > /data/done`), ...part });
    const done = path.join(node.fixture.directory, 'root', 'pods', pod.metadata?.uid ?? '', 'volumes', 'kubernetes.io~empty-dir', 'data', 'done');
    await eventually(`${name} has written`, () => existsSync(done));
  };
  const failed = (name: string): Promise<Pod> => eventually(`${name} is evicted`, () => node.pod(name)?.status?.phase === 'Failed' && node.pod(name), patienceMs);
  const disruption = ({ status }: Pod) => status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  const restart = async (next: readonly EvictionThreshold[]): Promise<readonly string[]> => {
    await node.stopAgent();
    thresholds = next;
    node.startAgent();
    const order: string[] = [];
    node.agent().bus.as('test').on('pod.evicted', ({ payload }) => { order.push(payload.pod.name); });
    return order;
  };

  it('given an emptyDir with a size, when more is written to it, then the pod is evicted and the volume is gone', async () => {
    const pod = await run('roomy', withData('dd if=/dev/zero of=/data/file bs=1M count=3', { sizeLimit: '1Mi' }));
    const gone = await failed('roomy');
    const message = 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". ';
    expect(gone.status).toMatchObject({ reason: 'Evicted', message });
    expect(disruption(gone)).toBeUndefined();
    expect(gone.status?.containerStatuses?.[0]?.state?.terminated).toBeDefined();
    await eventually('the event', () => node.cloud.events().some(({ reason, message: text, involvedObject }) => reason === 'Evicted' && text === message && involvedObject.name === 'roomy'));
    expect(existsSync(path.join(node.fixture.directory, 'root', 'pods', pod.metadata?.uid ?? ''))).toBe(false);
    const listed = await node.cri.runtime.listContainers();
    expect(listed.ok && listed.value.filter(({ podUid }) => podUid === pod.metadata?.uid)).toEqual([]);
  });

  it('given a container with a limit of storage, when it writes more into its layer, then the pod is evicted', async () => {
    const limits = { limits: { 'ephemeral-storage': '2Mi' } };
    node.cloud.applyPod(shellPod('layer', '', { containers: [app('dd if=/dev/zero of=/file bs=1M count=8', { resources: limits })] }));
    expect((await failed('layer')).status).toMatchObject({ reason: 'Evicted', message: 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ' });
    node.cloud.applyPod(shellPod('one-of-two', '', { containers: [
      app('dd if=/dev/zero of=/file bs=1M count=8', { resources: limits }), { ...app('true', { resources: { limits: { 'ephemeral-storage': '1Gi' } } }), name: 'side' },
    ] }));
    expect((await failed('one-of-two')).status).toMatchObject({ reason: 'Evicted', message: 'Container app exceeded its local ephemeral storage limit "2Mi". ' });
  }, 2 * patienceMs);

  it('given little memory, when pods run, then they go in kubelet\'s order, a static pod stays, and new ones are refused', async () => {
    await node.manifest('fixed.yaml', `apiVersion: v1\nkind: Pod\nmetadata: {name: fixed}\nspec: {terminationGracePeriodSeconds: 1, containers: [{name: app, image: ${busyboxImage}, command: [sh, -c, '${forever.replaceAll('"', '')}']}]}\n`.replace('trap exit 0 TERM; ', ''));
    await run('within', { containers: [app('true', { resources: { requests: { memory: '64Mi' } } })] });
    await run('modest', { containers: [app('true')] });
    await run('important', { priority: 1_000, containers: [app('a=$(yes | head -c 30000000)')] });
    await run('hungry', { containers: [app('a=$(yes | head -c 20000000)')] });
    await eventually('the static pod runs', () => node.pod('fixed-edge-07')?.status?.phase === 'Running');
    const order = await restart(shortOf('memory.available'));
    const hungry = await failed('hungry');
    expect(hungry.status?.message).toMatch(/^The node was low on resource: memory\. Threshold quantity: 1Ei, available: \d+Ki\. Container app was using \d+(Ki|Mi)?, request is 0, has larger consumption of memory\. $/);
    expect(disruption(hungry)).toMatchObject({ status: 'True', reason: 'TerminationByKubelet', message: hungry.status?.message });
    const event = await eventually('the event', () => node.cloud.events().find(({ reason, involvedObject }) => reason === 'Evicted' && involvedObject.name === 'hungry'));
    expect(event.metadata?.annotations).toMatchObject({ offending_containers: 'app', starved_resource: 'memory' });
    await failed('within');
    expect(order).toEqual(['hungry', 'modest', 'important', 'within']);
    expect(node.pod('fixed-edge-07')?.status?.phase).toBe('Running');
    const conditions = node.cloud.nodes()[0]?.status?.conditions ?? [];
    expect(conditions.find(({ type }) => type === 'MemoryPressure')).toMatchObject({ status: 'True', reason: 'KubeletHasInsufficientMemory' });
    node.cloud.applyPod(shellPod('late', forever));
    expect((await failed('late')).status).toMatchObject({ reason: 'Evicted', message: 'Pod was rejected: The node had condition: [MemoryPressure]. ' });
  }, 2 * patienceMs);

  it('given a full disk, when pods run, then the one that has most on it goes first, by volumes and layers', async () => {
    await restart([]);
    await eventually('the pressure is over', () => node.cloud.nodes()[0]?.status?.conditions?.some(({ type, status }) => type === 'MemoryPressure' && status === 'False'));
    await runAndWrite('small', 2);
    await runAndWrite('large', 9);
    await runAndWrite('vital', 20, { priority: 1_000 });
    const order = await restart(shortOf('nodefs.available'));
    await failed('vital');
    expect(order).toEqual(['large', 'small', 'vital']);
    expect(node.pod('large')?.status?.message).toMatch(/^The node was low on resource: ephemeral-storage\. Threshold quantity: 1Ei, available: /);
    node.cloud.applyPod(shellPod('late-too', forever));
    expect((await failed('late-too')).status).toMatchObject({ reason: 'Evicted', message: 'Pod was rejected: The node had condition: [DiskPressure]. ' });
  }, 2 * patienceMs);
});
