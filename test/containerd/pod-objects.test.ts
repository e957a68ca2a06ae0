// Secrets and config maps on real containerd, looked at from inside the container, and where a planted secret may not be found.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
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

  const volumes = (...list: NonNullable<PodSpec['volumes']>): Partial<PodSpec> => ({ volumes: list });
  const at = (name: string, mountPath: string, part: object = {}) => ({ name, mountPath, ...part });

  it('given a config map and a secret as files, when they change, then the running pod sees it, all at once', async () => {
    configMap('files', { 'app.conf': 'colour=blue', other: 'x' });
    secret('keys', { token: planted });
    apply('files', { volumeMounts: [at('conf', '/conf'), at('keys', '/keys')] }, volumes(
      { name: 'conf', configMap: { name: 'files', items: [{ key: 'app.conf', path: 'deep/app.conf', mode: 0o640 }] } },
      { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
    ));
    const before = await running('files');
    expect(await inside('files', 'cat /conf/deep/app.conf; ls -l /conf | grep deep; stat -Lc %a /conf/deep/app.conf /keys/token; cat /keys/token; grep " /keys " /proc/mounts | cut -d" " -f1,3; echo x > /keys/new'))
      .toMatch(new RegExp(`^colour=blue.*deep -> ..data/deep\n640\n400\n${planted}tmpfs tmpfs\n.*Read-only file system`, 's'));
    configMap('files', { 'app.conf': 'colour=green', other: 'x' });
    secret('keys', { token: 'changed' });
    await expect.poll(() => inside('files', 'cat /conf/deep/app.conf /keys/token'), { timeout: 5_000 }).toBe('colour=greenchanged');
    expect(status(node.pod('files'))?.containerID).toBe(status(before)?.containerID);
    await remove('files');
  });

  it('given volumes of an object that is missing, when it comes, then the pod says so first and starts then', async () => {
    apply('patient', { volumeMounts: [at('conf', '/conf')] }, volumes({ name: 'conf', configMap: { name: 'patience' } }));
    await eventually('the event is there', () => node.cloud.events().find(({ reason, message }) => reason === 'FailedMount' && message === 'MountVolume.SetUp failed for volume "conf" : configmap "patience" not found'));
    configMap('patience', { a: 'b' });
    await running('patient');
    await remove('patient');
  });

  it('given downward API and projected volumes, when labels change, then the files follow', async () => {
    const spec = volumes(
      { name: 'info', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }, { path: 'notes', fieldRef: { fieldPath: 'metadata.annotations' } }] } },
      { name: 'all', projected: { sources: [
        { configMap: { name: 'files', items: [{ key: 'other', path: 'conf' }] } }, { secret: { name: 'keys' } },
        { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } }, { configMap: { name: 'none', optional: true } },
      ] } },
    );
    const container = { volumeMounts: [at('info', '/info'), at('all', '/all')] };
    apply('labelled', container, spec, { labels: { tier: 'front', app: 'shop' }, annotations: { note: 'a"b' } });
    await running('labelled');
    expect(await inside('labelled', 'cat /info/labels; echo; grep note /info/notes; cd /all; for f in *; do echo $f=$(cat $f); done')).toBe('app="shop"\ntier="front"\nnote="a\\"b"\nconf=x\nname=labelled\ntoken=changed\n');
    apply('labelled', container, spec, { labels: { tier: 'back' } });
    await expect.poll(() => inside('labelled', 'cat /info/labels'), { timeout: 5_000 }).toBe('tier="back"');
    await remove('labelled');
  });

  it('given memory, host paths, sub paths and a group, when the pod runs, then each is as asked, and nothing stays mounted', async () => {
    const host = `${node.fixture.directory}/host`;
    const outside = `${node.fixture.directory}/outside`;
    execFileSync('sh', ['-c', 'mkdir -p "$0" "$1/made" && ln -s "$0" "$1/trap"', outside, host]);
    const expression = { subPathExpr: 'logs/$(POD)' };
    apply('mounts', {
      env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      securityContext: { runAsUser: 1000 },
      volumeMounts: [at('memory', '/memory'), at('data', '/data'), at('data', '/sub', { subPath: 'a/b' }), at('data', '/logs', expression), at('made', '/made'), at('conf', '/etc/one.conf', { subPath: 'app.conf' }), at('keys', '/keys')],
    }, {
      securityContext: { fsGroup: 4242 },
      ...volumes({ name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '2Mi' } }, { name: 'data', emptyDir: {} }, { name: 'made', hostPath: { path: `${host}/new/dir`, type: 'DirectoryOrCreate' } },
        { name: 'conf', configMap: { name: 'files' } }, { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } }),
    });
    await running('mounts');
    const script = 'df -k /memory | tail -1 | awk "{print \\$2}"; touch /sub/x /logs/y /memory/z; cd /data; find . -type f | sort; stat -c "%g %a" /data/a/b /memory /data/a/b/x; cat /etc/one.conf; echo; stat -Lc "%g %a" /keys/token; cat /keys/token';
    expect(await inside('mounts', script)).toBe('2048\n./a/b/x\n./logs/mounts/y\n4242 2777\n4242 2777\n4242 644\ncolour=green\n4242 440\nchanged');
    const root = `${node.fixture.directory}/root/pods`;
    const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(` ${root}/`)).length;
    expect(mounts()).toBe(4);
    await remove('mounts');
    await expect.poll(mounts, { timeout: 10_000 }).toBe(0);
  });

  it.each([
    ['a host path of another kind', volumes({ name: 'v', hostPath: { path: '/etc/passwd', type: 'Directory' } }), {}, 'hostPath type check failed: /etc/passwd is not a directory'],
    ['a link that leads out', {}, { subPath: 'trap/deeper' }, 'failed to prepare subPath for volumeMount "v" of container "app"'],
  ])('given %s, when the pod starts, then it does not, and says why', async (_what, spec, mount, message) => {
    const host = `${node.fixture.directory}/host`;
    apply('refused', { volumeMounts: [at('v', '/v', mount)] }, { ...volumes({ name: 'v', hostPath: { path: host } }), ...spec });
    await eventually(message, () => node.cloud.events().find((event) => event.message?.includes(message)) ?? status(node.pod('refused'))?.state?.waiting?.message?.includes(message));
    expect(readdirSync(`${node.fixture.directory}/outside`)).toEqual([]);
    await remove('refused');
  });

  it('given a volume inside a config map and a restart of the agent, when all is gone from the cloud meanwhile, then nothing stays mounted', async () => {
    const root = `${node.fixture.directory}/root`;
    const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(` ${root}/pods/`)).length;
    const nested = (name: string) => apply(name, { volumeMounts: [at('conf', '/conf'), at('memory', '/conf/inner'), at('memory', '/sub', { subPath: 'x' }), at('keys', '/keys')] }, volumes(
      { name: 'conf', configMap: { name: 'files' } }, { name: 'memory', emptyDir: { medium: 'Memory' } }, { name: 'keys', secret: { secretName: 'keys' } },
    ));
    nested('stays');
    nested('goes');
    await running('goes');
    const before = await running('stays');
    await node.stopAgent();
    node.cloud.deletePod('default', 'goes', { graceMs: 0 });
    node.startAgent();
    configMap('files', { 'app.conf': 'colour=red' });
    await expect.poll(() => inside('stays', 'cat /conf/app.conf; ls /conf/inner'), { timeout: 20_000 }).toBe('colour=redx\n');
    await expect.poll(mounts, { timeout: 20_000 }).toBe(2);
    expect(status(node.pod('stays'))?.containerID).toBe(status(before)?.containerID);
    await remove('stays');
    await expect.poll(mounts, { timeout: 10_000 }).toBe(0);
    await expect.poll(() => readdirSync(`${root}/memory`), { timeout: 10_000 }).toEqual([]);
  });

  it('given host aliases, when the pod runs, then its hosts file has them and its own name', async () => {
    apply('hosts', {}, { hostname: 'node-a', subdomain: 'ring', hostAliases: [{ ip: '192.0.2.9', hostnames: ['cache', 'cache.local'] }] });
    const pod = await running('hosts');
    const text = await inside('hosts', 'cat /etc/hosts');
    expect(text).toMatch(/^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/);
    expect(text).toContain(`${pod.status?.podIP}\tnode-a.ring.default.svc.\tnode-a\n`);
    expect(text).toMatch(/\n\n# Entries added by HostAliases\.\n192\.0\.2\.9\tcache\tcache\.local\n$/);
    await remove('hosts');
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
