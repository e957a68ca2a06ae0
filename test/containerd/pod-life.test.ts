// A pod's whole life on real containerd, seen from the cloud: what a user of Kubernetes would see.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerId, Pod, PodUid } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, otherBusyboxImage, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

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

  it('given a container that exits with success, when restartPolicy is Always, then it is restarted and the count grows', async () => {
    apply(shellPod('restless', 'sleep 0.3'));
    const pod = await eventually('two restarts are reported', () => {
      const seen = node.pod('restless');
      return (status(seen)?.restartCount ?? 0) >= 1 && seen;
    });
    expect(status(pod)?.lastState).toMatchObject({ terminated: { exitCode: 0, reason: 'Completed' } });
    const waiting = await eventually('it backs off', () => {
      const seen = node.pod('restless');
      return status(seen)?.state?.waiting?.reason === 'CrashLoopBackOff' && seen;
    });
    expect(status(waiting)?.state?.waiting?.message).toMatch(/^back-off 10s restarting failed container=app pod=restless_default\(/);
    await remove('restless');
  });

  it('given restartPolicy OnFailure, when a container fails and then succeeds, then the pod ends as Succeeded', async () => {
    const script = 'if [ -e /data/again ]; then exit 0; else touch /data/again; exit 3; fi';
    apply(shellPod('job', '', {
      restartPolicy: 'OnFailure',
      volumes: [{ name: 'data', emptyDir: {} }],
      containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', script], volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
    }));
    const pod = await eventually('it succeeds', () => node.pod('job')?.status?.phase === 'Succeeded' && node.pod('job'));
    expect(status(pod)).toMatchObject({ restartCount: 1, ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } }, lastState: { terminated: { exitCode: 3, reason: 'Error' } } });
    await remove('job');
  });

  it('given restartPolicy Never, when a container fails, then the pod ends as Failed and stays', async () => {
    apply(shellPod('once', 'exit 7', { restartPolicy: 'Never' }));
    const pod = await eventually('it fails', () => node.pod('once')?.status?.phase === 'Failed' && node.pod('once'));
    expect(status(pod)).toMatchObject({ restartCount: 0, state: { terminated: { exitCode: 7, reason: 'Error' } } });
    await remove('once');
  });

  it('given init containers, when the pod starts, then they run one after the other before the app', async () => {
    const step = (name: string, script: string) => ({ name, image: busyboxImage, command: ['sh', '-c', script], volumeMounts: [{ name: 'data', mountPath: '/data' }] });
    apply(shellPod('stepped', '', {
      volumes: [{ name: 'data', emptyDir: {} }],
      initContainers: [step('one', 'echo 1 >> /data/log'), step('two', 'echo 2 >> /data/log')],
      containers: [step('app', `[ "$(cat /data/log | tr -d '\\n')" = 12 ] && ${forever}`)],
    }));
    const pod = await running('stepped');
    expect(pod.status?.initContainerStatuses?.map(({ name, ready: done, state }) => [name, done, state?.terminated?.exitCode])).toEqual([['one', true, 0], ['two', true, 0]]);
    await remove('stepped');
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

  it('given a running pod, when an image changes, then only that container is restarted', async () => {
    const two = (image: string) => shellPod('twins', '', {
      containers: [
        { name: 'app', image, command: ['sh', '-c', forever] },
        { name: 'other', image: busyboxImage, command: ['sh', '-c', forever] },
      ],
    });
    apply(two(busyboxImage));
    const before = await running('twins');
    apply(two(otherBusyboxImage));
    const after = await running('twins', (pod) => status(pod)?.restartCount === 1);
    expect(idOf(after)).not.toBe(idOf(before));
    expect(idOf(after, 'other')).toBe(idOf(before, 'other'));
    await remove('twins');
  });

  it('given an image that is not there, when the pod is applied, then the reason says so, and others run', async () => {
    apply(shellPod('imageless', forever, { containers: [{ name: 'app', image: 'mqlet.local/missing:1', imagePullPolicy: 'Never' }] }));
    const pod = await eventually('the reason is reported', () => status(node.pod('imageless'))?.state?.waiting?.reason === 'ErrImageNeverPull' && node.pod('imageless'));
    expect(pod.status?.phase).toBe('Pending');
    await remove('imageless');
  });

  it('given a process that ignores SIGTERM, when the pod is deleted, then it is killed after the grace period', async () => {
    apply(shellPod('stubborn', 'trap "" TERM; while :; do sleep 0.1; done', { terminationGracePeriodSeconds: 3 }));
    await running('stubborn');
    const from = Date.now();
    await remove('stubborn');
    expect(Date.now() - from).toBeGreaterThan(2_900);
    expect(Date.now() - from).toBeLessThan(6_000);
  });

  it('given a running pod, when it is deleted with force, then it is gone from the cloud at once and stopped on the node', async () => {
    apply(shellPod('forced', forever));
    const pod = await running('forced');
    node.cloud.deletePod('default', 'forced', { graceMs: 0 });
    expect(node.pod('forced')).toBeUndefined();
    await nothingLeft(pod);
  });

  it('given a manifest, when it is edited, then the old pod ends before the new one starts; when removed, the pod goes', async () => {
    const manifest = (text: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: static}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n  - name: app\n    image: ${busyboxImage}\n    env: [{name: X, value: "${text}"}]\n    command: [sh, -c, '${forever.replaceAll("'", '"')}']\n`;
    await node.manifest('static.yaml', manifest('one'));
    const first = await running('static-edge-07');
    expect(first.metadata?.annotations?.['kubernetes.io/config.mirror']).toBeDefined();
    await node.manifest('static.yaml', manifest('two'));
    const second = await running('static-edge-07', (pod) => pod.metadata?.annotations?.['kubernetes.io/config.hash'] !== first.metadata?.annotations?.['kubernetes.io/config.hash']);
    expect(idOf(second)).not.toBe(idOf(first));
    await rm(`${node.manifests}/static.yaml`);
    await eventually('the mirror pod is gone', () => node.pod('static-edge-07') === undefined);
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
