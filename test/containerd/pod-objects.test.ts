// Volumes of secrets and config maps over a restart of the agent on real containerd. What they look like inside is in the corpus.
import { readdirSync, readFileSync } from 'node:fs';
import { inspect } from 'node:util';
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
  /** Every message of the bus, as whoever watches it would print it. */
  const taps: string[] = [];
  const watch = () => node.agent().bus.tap((envelope) => void taps.push(JSON.stringify(envelope), inspect(envelope, { depth: null, showHidden: true })));
  beforeAll(async () => {
    node = await startRealNode();
    watch();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  const must = (answer: { readonly ok: boolean }) => expect(answer).toMatchObject({ ok: true });
  const configMap = (name: string, data: Readonly<Record<string, string>>) => must(node.cloud.applyObject('ConfigMap', { metadata: { name, namespace: 'default' }, data }));
  const apply = (name: string, container: Partial<Container>, spec: Partial<PodSpec>) =>
    must(node.cloud.applyPod({
      metadata: { name, namespace: 'default' },
      spec: { nodeName, terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: busyboxImage, command: forever, ...container }], ...spec },
    }));
  const status = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];
  const running = (name: string) => eventually(`${name} runs`, () => (status(node.pod(name))?.state?.running === undefined ? undefined : node.pod(name)));
  const inside = async (name: string, script: string): Promise<string> => {
    const id = (status(node.pod(name))?.containerID ?? '').replace('containerd://', '') as ContainerId; // What the status shows is an ID.
    const done = await node.cri.runtime.execSync(id, ['sh', '-c', script], { timeoutMs: 5_000 });
    if (!done.ok) throw new Error(done.fault.message);
    return done.value.stdout + done.value.stderr;
  };
  const remove = async (name: string) => {
    node.cloud.deletePod('default', name);
    await eventually(`${name} is gone`, () => node.pod(name) === undefined);
  };
  const at = (name: string, mountPath: string, part: object = {}) => ({ name, mountPath, ...part });

  it('given a volume inside a config map and a restart of the agent, when all is gone from the cloud meanwhile, then nothing stays mounted', async () => {
    const root = `${node.fixture.directory}/root`;
    const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(` ${root}/pods/`)).length;
    const nested = (name: string) => apply(name, { volumeMounts: [at('conf', '/conf'), at('memory', '/conf/inner'), at('memory', '/sub', { subPath: 'x' }), at('keys', '/keys')] }, { volumes: [
      { name: 'conf', configMap: { name: 'files' } }, { name: 'memory', emptyDir: { medium: 'Memory' } }, { name: 'keys', secret: { secretName: 'keys' } },
    ] });
    configMap('files', { 'app.conf': 'colour=green' });
    must(node.cloud.applyObject('Secret', { metadata: { name: 'keys', namespace: 'default' }, data: { token: base64(planted) } }));
    nested('stays');
    nested('goes');
    await running('goes');
    const before = await running('stays');
    await node.stopAgent();
    node.cloud.deletePod('default', 'goes', { graceMs: 0 });
    node.startAgent();
    watch();
    configMap('files', { 'app.conf': 'colour=red' });
    await expect.poll(() => inside('stays', 'cat /conf/app.conf; ls /conf/inner'), { timeout: 20_000 }).toBe('colour=redx\n');
    await expect.poll(mounts, { timeout: 20_000 }).toBe(2);
    expect(status(node.pod('stays'))?.containerID).toBe(status(before)?.containerID);
    await remove('stays');
    await expect.poll(mounts, { timeout: 10_000 }).toBe(0);
    await expect.poll(() => readdirSync(`${root}/memory`), { timeout: 10_000 }).toEqual([]);
  });

  it('given all that was on the bus, when it is printed, then no secret is in it', () => {
    expect(taps.length).toBeGreaterThan(40);
    expect(taps.join('\n')).toContain('Secret');
    for (const text of [planted, base64(planted)]) expect(taps.filter((line) => line.includes(text))).toEqual([]);
  });
});
