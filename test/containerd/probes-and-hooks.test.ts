// Probes and hooks on real containerd: what happens inside the containers, and what a user of Kubernetes sees of it.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container, Pod, PodSpec } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const web = 'mkdir -p /www; echo fine > /www/index.html; trap "exit 0" TERM; httpd -p 8080 -h /www; while :; do sleep 0.1; done';

describe.skipIf(problem)(`probes and hooks on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  beforeAll(async () => {
    node = await startRealNode();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  const app = (name: string) => node.pod(name)?.status?.containerStatuses?.find((each) => each.name === 'app');
  const apply = (pod: Pod) => {
    const applied = node.cloud.applyPod(pod);
    if (!applied.ok) throw new Error(applied.fault.message);
  };
  const withContainer = (name: string, script: string, container: Partial<Container>, spec: Partial<PodSpec> = {}) =>
    shellPod(name, '', { terminationGracePeriodSeconds: 5, containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', script], ...container }], ...spec });
  const remove = async (name: string) => {
    node.cloud.deletePod('default', name);
    await eventually(`${name} is gone`, () => node.pod(name) === undefined);
  };
  const eventOf = (reason: string, name: string) => node.cloud.events().find((event) => event.reason === reason && event.involvedObject.name === name);

  it('given probes of all kinds, when the server answers, then the pod becomes ready', async () => {
    const httpGet = { port: 'http', path: '/index.html' };
    apply(withContainer('probed', web, {
      ports: [{ name: 'http', containerPort: 8080 }],
      startupProbe: { httpGet, periodSeconds: 1 },
      readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1 },
      livenessProbe: { exec: { command: ['test', '-e', '/www/index.html'] }, periodSeconds: 1 },
    }));
    await eventually('it is ready', () => app('probed')?.ready === true);
    expect(app('probed')).toMatchObject({ started: true, restartCount: 0 });
    await remove('probed');
  });

  it('given a readiness probe on a file, when the file comes and goes, then the pod is ready and not', async () => {
    const script = 'sleep 1; touch /ok; sleep 3; rm /ok; ' + forever;
    apply(withContainer('moody', script, { readinessProbe: { exec: { command: ['cat', '/ok'] }, periodSeconds: 1, failureThreshold: 1 } }));
    await eventually('it runs unready', () => app('moody')?.state?.running !== undefined && app('moody')?.ready === false);
    await eventually('it is ready', () => app('moody')?.ready === true);
    await eventually('it is unready again', () => app('moody')?.ready === false);
    expect(app('moody')?.restartCount).toBe(0);
    expect(eventOf('Unhealthy', 'moody')?.message).toMatch(/^Readiness probe failed: .*ok.*No such file/);
    await remove('moody');
  });

  it('given a liveness probe that fails, when its threshold is reached, then the container is restarted and the event says so', async () => {
    apply(withContainer('sick', forever, { livenessProbe: { httpGet: { port: 81 }, periodSeconds: 1, failureThreshold: 2 } }));
    await eventually('it is restarted', () => (app('sick')?.restartCount ?? 0) >= 1);
    await eventually('the events are told', () => eventOf('Killing', 'sick') && eventOf('Unhealthy', 'sick'));
    expect(eventOf('Unhealthy', 'sick')?.message).toMatch(/^Liveness probe failed: Get "http:\/\/[\d.]+:81\/": dial tcp [\d.]+:81: connect: connection refused$/);
    expect(eventOf('Killing', 'sick')?.message).toBe('Container app failed liveness probe, will be restarted');
    await remove('sick');
  });

  it('given a ready pod, when the agent is restarted, then it stays ready', async () => {
    apply(withContainer('kept', forever, { readinessProbe: { exec: { command: ['true'] }, periodSeconds: 60 } }));
    await eventually('it is ready', () => app('kept')?.ready === true);
    const seen: (boolean | undefined)[] = [];
    const forget = node.cloud.onChange(() => { seen.push(app('kept')?.ready); });
    await node.stopAgent();
    node.startAgent();
    await eventually('the agent adopts it', () => node.agent().bus.statistics().published > 10);
    await new Promise((resolve) => { setTimeout(resolve, 1_500); });
    expect(app('kept')).toMatchObject({ ready: true, restartCount: 0 });
    expect(seen.filter((ready) => ready === false)).toEqual([]);
    forget();
    await remove('kept');
  });

  const volumes = (path: string): Partial<PodSpec> => ({ volumes: [{ name: 'host', hostPath: { path, type: 'DirectoryOrCreate' } }] });
  const mounted = { volumeMounts: [{ name: 'host', mountPath: '/host' }] };
  const written = (path: string) => readFile(`${path}/log`, 'utf8').catch(() => '');

  it('given hooks, when the pod starts and is deleted, then each runs inside the container at its time', async () => {
    const path = `${node.fixture.directory}/hooked`;
    const lifecycle = { postStart: { exec: { command: ['sh', '-c', 'echo begun >> /host/log'] } }, preStop: { exec: { command: ['sh', '-c', 'sleep 1; echo stopping >> /host/log'] } } };
    const script = 'trap "echo terminated >> /host/log; exit 0" TERM; while :; do sleep 0.1; done';
    apply(withContainer('hooked', script, { lifecycle, ...mounted }, volumes(path)));
    await eventually('it is ready', () => app('hooked')?.ready === true);
    expect(await written(path)).toBe('begun\n');
    await remove('hooked');
    expect(await written(path)).toBe('begun\nstopping\nterminated\n');
  });

  it('given an HTTP preStop hook, when a liveness probe fails, then the server hears of it before the restart', async () => {
    const path = `${node.fixture.directory}/told`;
    const script = `mkdir -p /www/cgi-bin; printf '#!/bin/sh\\necho told >> /host/log; echo; echo ok' > /www/cgi-bin/bye; chmod +x /www/cgi-bin/bye; ${web}`;
    apply(withContainer('told', script, {
      livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1 },
      lifecycle: { preStop: { httpGet: { port: 8080, path: '/cgi-bin/bye' } } }, ...mounted,
    }, volumes(path)));
    await eventually('it is restarted', () => (app('told')?.restartCount ?? 0) >= 1);
    expect(await written(path)).toMatch(/^told\n/);
    await remove('told');
  });

  it('given a postStart hook that fails, when the container starts, then it is killed and the reason is told', async () => {
    apply(withContainer('unhooked', forever, { lifecycle: { postStart: { exec: { command: ['/no/such/file'] } } } }));
    await eventually('the reason is told', () => ['PostStartHookError', 'CrashLoopBackOff'].includes(app('unhooked')?.state?.waiting?.reason ?? ''));
    await eventually('the event is told', () => eventOf('FailedPostStartHook', 'unhooked'));
    await remove('unhooked');
  });

  it('given a deadline, when the pod runs longer, then it fails with the reason', async () => {
    apply(withContainer('late', forever, {}, { activeDeadlineSeconds: 2 }));
    await eventually('it fails', () => node.pod('late')?.status?.phase === 'Failed');
    expect(node.pod('late')?.status).toMatchObject({ reason: 'DeadlineExceeded' });
    await eventually('the event is told', () => eventOf('DeadlineExceeded', 'late'));
    await remove('late');
  });

  it('given last words in the file or in the log, when the container ends, then its status has them', async () => {
    const never = { restartPolicy: 'Never' };
    apply(withContainer('spoken', 'echo -n goodbye > /tmp/last; exit 3', { terminationMessagePath: '/tmp/last' }, never));
    apply(withContainer('logged', 'echo first >&2; echo oops >&2; exit 3', { terminationMessagePolicy: 'FallbackToLogsOnError' }, never));
    await eventually('both fail', () => ['spoken', 'logged'].every((name) => node.pod(name)?.status?.phase === 'Failed'));
    expect(app('spoken')?.state?.terminated).toMatchObject({ exitCode: 3, message: 'goodbye' });
    expect(app('logged')?.state?.terminated).toMatchObject({ exitCode: 3, message: 'first\noops\n' });
    await remove('spoken');
    await remove('logged');
  });

  it('given sidecars, when the pod starts and is deleted, then they begin before the others and end after them', async () => {
    const path = `${node.fixture.directory}/sided`;
    const loud = (name: string) => `echo ${name} begins >> /host/log; trap "echo ${name} ends >> /host/log; exit 0" TERM; while :; do sleep 0.1; done`;
    const side = (name: string, part: Partial<Container> = {}): Container => ({ name, image: busyboxImage, command: ['sh', '-c', loud(name)], restartPolicy: 'Always', ...mounted, ...part });
    const started = { startupProbe: { exec: { command: ['grep', '-q', 'one begins', '/host/log'] }, periodSeconds: 1 } };
    apply(withContainer('sided', loud('app'), mounted, { ...volumes(path), initContainers: [side('one', started), side('two')] }));
    await eventually('it is ready', () => app('sided')?.ready === true);
    expect(node.pod('sided')?.status?.initContainerStatuses).toMatchObject([{ name: 'one', ready: true, started: true }, { name: 'two', ready: true }]);
    await remove('sided');
    expect(await written(path)).toBe('one begins\ntwo begins\napp begins\napp ends\ntwo ends\none ends\n');
  });
});
