// Secrets and config maps on real containerd, looked at from inside the container, and where a planted secret may not be found.
import { execFileSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container, ContainerId, Pod, PodSpec } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, nodeName, type RealNode, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const forever = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'];
const planted = 'correct-horse-battery-staple';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe.skipIf(problem)(`objects on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  const taps: string[] = [];
  beforeAll(async () => {
    node = await startRealNode();
    node.agent().bus.tap((envelope) => void taps.push(JSON.stringify(envelope)));
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  const must = (answer: { readonly ok: boolean }) => expect(answer).toMatchObject({ ok: true });
  const configMap = (name: string, data: Readonly<Record<string, string>>) => must(node.cloud.applyObject('ConfigMap', { metadata: { name, namespace: 'default' }, data }));
  const secret = (name: string, data: Readonly<Record<string, string>>) =>
    must(node.cloud.applyObject('Secret', { metadata: { name, namespace: 'default' }, data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])) }));
  const apply = (name: string, container: Partial<Container>, spec: Partial<PodSpec> = {}, metadata: object = {}) =>
    must(node.cloud.applyPod({
      metadata: { name, namespace: 'default', ...metadata },
      spec: { nodeName, terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: busyboxImage, command: forever, ...container }], ...spec },
    }));
  const status = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];
  const running = (name: string) => eventually(`${name} runs`, () => (status(node.pod(name))?.state?.running === undefined ? undefined : node.pod(name)));
  const inside = async (name: string, script: string): Promise<string> => {
    const id = (status(node.pod(name))?.containerID ?? '').replace('containerd://', '') as ContainerId; // What the status shows is an ID.
    const done = await node.cri.runtime.execSync(id, ['sh', '-c', script], { timeoutMs: 5_000 });
    if (!done.ok) throw new Error(done.fault.message);
    return Buffer.from(done.value.stdout).toString() + Buffer.from(done.value.stderr).toString();
  };
  const remove = async (name: string) => {
    node.cloud.deletePod('default', name);
    await eventually(`${name} is gone`, () => node.pod(name) === undefined);
  };

  it('given env from a config map and a secret, when the pod runs, then its processes have the values', async () => {
    configMap('settings', { MODE: 'fast', level: 'debug' });
    secret('keys', { token: planted });
    apply('env', {
      envFrom: [{ prefix: 'S_', configMapRef: { name: 'settings' } }, { configMapRef: { name: 'none', optional: true } }],
      env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }, { name: 'BOTH', value: '$(S_MODE)/$(TOKEN)' }],
    });
    await running('env');
    expect(await inside('env', 'echo $S_MODE $S_level $TOKEN $BOTH')).toBe(`fast debug ${planted} fast/${planted}\n`);
    await remove('env');
  });

  it('given a secret that comes later, when it comes, then the waiting pod starts', async () => {
    apply('late', { env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'late-keys', key: 'token' } } }] });
    const waiting = await eventually('it waits', () => status(node.pod('late'))?.state?.waiting?.reason === 'CreateContainerConfigError' && node.pod('late'));
    expect(status(waiting)?.state?.waiting?.message).toBe('secret "late-keys" not found');
    secret('late-keys', { token: planted });
    await running('late');
    expect(await inside('late', 'echo $TOKEN')).toBe(`${planted}\n`);
    await remove('late');
  });

  it('given a planted secret, when all is said and done, then no tap, event or world-readable file of the agent has it', async () => {
    const told = [...taps, ...node.cloud.events().map((event) => JSON.stringify(event))].join('\n');
    expect(taps.length).toBeGreaterThan(20);
    for (const text of [planted, base64(planted)]) expect(told).not.toContain(text);
    const root = `${node.fixture.directory}/root`;
    expect((await stat(`${root}/cache/secrets/default_keys.json`)).mode & 0o777).toBe(0o600);
    expect((await stat(`${root}/cache/secrets`)).mode & 0o777).toBe(0o700);
    for (const text of [planted, base64(planted)]) {
      const found = execFileSync('sh', ['-c', 'find "$0" -type f -perm -004 -print | xargs -r grep -lsF "$1" || true', root, text]).toString();
      expect(found).toBe('');
    }
  });
});
