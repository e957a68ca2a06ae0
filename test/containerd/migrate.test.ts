// A pod that another agent made on this containerd, with a kubelet's labels, annotations and volumes: `mqlet migrate` takes it over, and the node
// that starts from what it wrote goes on with the very same container.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectCri, type CriConnection } from '../../src/adapters/cri/cri-client.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { NodeVolumes } from '../../src/adapters/node-volumes.ts';
import type { ContainerId } from '../../src/ports/pod-types.ts';
import type { Result } from '../../src/ports/result.ts';
import { busyboxImage, type ContainerdFixture, containerdProblem, withContainerd } from '../support/containerd.ts';
import { buildMqlet, mqlet, startDaemon } from '../support/daemon-process.ts';
import { containerConfigOf, sandboxConfigOf } from '../support/runtime-configs.ts';
import { silentLog } from '../support/silent-log.ts';

const problem = await containerdProblem();
if (problem !== undefined) console.warn(`skipped: ${problem}`);
const uid = '5f2b9a0c1d7e4b6f8a3c2d1e0f9b8a7c';
const script = 'echo began >> /data/diary; trap "exit 0" TERM; while :; do sleep 0.1; done';

function valueOf<T, F>(result: Result<T, F>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.fault));
  return result.value;
}

describe.skipIf(problem)('a node that changes hands', () => {
  let fixture: ContainerdFixture;
  let cri: CriConnection;
  let id: ContainerId;
  const at = (name: string): string => path.join(fixture.directory, name);
  const diary = (): string => path.join(at('kubelet'), 'pods', uid, 'volumes', 'kubernetes.io~empty-dir', 'data');

  beforeAll(async () => {
    await buildMqlet();
    fixture = await withContainerd();
    cri = connectCri({ endpoint: fixture.endpoint, clock: new SystemClock(), log: silentLog, callTimeoutMs: 20_000 });
    mkdirSync(at('manifests'));
    writeFileSync(at('manifests/web.yaml'), `apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n    - name: app\n      image: ${busyboxImage}\n      command: [sh, -c, ${JSON.stringify(script)}]\n      volumeMounts: [{name: data, mountPath: /data}]\n  volumes: [{name: data, emptyDir: {}}]\n`);
    mkdirSync(diary(), { recursive: true });
    // As a kubelet before 1.31 makes it: its hash is over the whole definition.
    const pod = { uid, name: 'web-edge-07', logDirectory: at(`logs/default_web-edge-07_${uid}`) };
    mkdirSync(pod.logDirectory, { recursive: true });
    const sandbox = sandboxConfigOf(pod);
    const sandboxId = valueOf(await cri.runtime.runSandbox(sandbox, ''));
    const container = {
      ...containerConfigOf(pod, { image: busyboxImage, command: ['sh', '-c', script] }),
      annotations: { 'io.kubernetes.container.hash': '7f3a91c2', 'io.kubernetes.container.restartCount': '0', 'io.kubernetes.container.terminationMessagePath': '/dev/termination-log', 'io.kubernetes.container.terminationMessagePolicy': 'File', 'io.kubernetes.pod.terminationGracePeriod': '1' },
      mounts: [{ containerPath: '/data', hostPath: diary(), readonly: false, selinuxRelabel: false, propagation: 'PROPAGATION_PRIVATE' as const }],
    };
    id = valueOf(await cri.runtime.createContainer(sandboxId, container, sandbox));
    valueOf(await cri.runtime.startContainer(id));
  }, 120_000);
  afterAll(async () => {
    await cri?.close();
    await new NodeVolumes().unmountBelow(at('kubelet'));
    await fixture?.stop();
  });

  const flags = (): readonly string[] => [
    '--container-runtime=remote', `--container-runtime-endpoint=${fixture.endpoint}`, `--pod-manifest-path=${at('manifests')}`, `--root-dir=${at('kubelet')}`, '--hostname-override=edge-07',
    `--cgroup-root=${fixture.containerd.cgroupRoot}`, '--kubeconfig=/etc/kubernetes/kubelet.conf', '--healthz-port=0',
  ];

  test('given its command line, when mqlet migrates, then it says what it takes over and what it cannot', async () => {
    const dry = await mqlet(['migrate', '--to', at('etc'), '--dry-run', '--', ...flags()]);
    expect(dry.stderr).toBe('');
    expect(dry.stdout).toMatch(/taken over as they run\n {2}default\/web-edge-07\n/);
    expect(dry.stdout).toMatch(/--kubeconfig has no effect in mqlet: .*mqlet bridge/);
    const done = await mqlet(['migrate', '--to', at('etc'), '--', ...flags()]);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(at('etc/manifests/web.yaml'), 'utf8')).toContain(`uid: ${uid}`);
    const again = await mqlet(['migrate', '--to', at('etc'), '--', ...flags()]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
  });

  test('given what it wrote, when the node starts, then the container goes on, its volume too, and the pod is Running', async () => {
    const before = valueOf(await cri.runtime.containerStatus(id));
    const daemon = startDaemon(['--config', at('etc/config.yaml'), '--pod-logs-dir', at('logs')]);
    const why = (): Promise<string> => mqlet(['get', 'pods', '-o', 'json', '--root-dir', at('kubelet')]).then(({ stdout }) => stdout);
    await expect.poll(why, { timeout: 15_000, interval: 200 }).toMatch(/"phase": ?"Running"/);
    const listed = valueOf(await cri.runtime.listContainers());
    expect(listed.map((one) => ({ id: one.id, state: one.state }))).toEqual([{ id, state: 'running' }]);
    expect(valueOf(await cri.runtime.containerStatus(id)).startedAtMs).toBe(before.startedAtMs);
    expect(readFileSync(path.join(diary(), 'diary'), 'utf8')).toBe('began\n');
    expect(await why()).toMatch(/"restartCount": ?0/);
    await daemon.end('SIGTERM');
  });

  test('given a list of what was taken over that is gone, when the node starts again, then that container is made anew: the list is what kept it', async () => {
    writeFileSync(at('kubelet/adopted.json'), '{"version":1,"containers":[]}\n');
    const daemon = startDaemon(['--config', at('etc/config.yaml'), '--pod-logs-dir', at('logs')]);
    await expect.poll(async () => valueOf(await cri.runtime.listContainers()).some((one) => one.id !== id && one.state === 'running'), { timeout: 20_000, interval: 200 }).toBe(true);
    expect(readFileSync(path.join(diary(), 'diary'), 'utf8')).toBe('began\nbegan\n');
    await daemon.end('SIGTERM');
  });
});
