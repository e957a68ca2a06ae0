// Planted secrets: pods that use them in every way run, fail and go, and then every place that others may read is searched for them.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container, Pod, PodSpec, PodStatus } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { buildMqlet, type DaemonProcess, until } from '../support/daemon-process.ts';
import { DaemonWorld, forever, isReady, nodeName, rootTopic } from '../support/daemon-world.ts';
import { filesBelow } from '../support/readable-files.ts';

const problem = await containerdProblem();
const base64 = (text: string) => Buffer.from(text).toString('base64');

const planted = {
  env: 'planted-env-4f1c9a', whole: 'planted-whole-77b0e2', file: 'planted-file-a83d55', part: 'planted-part-0c6e91', registry: 'planted-registry-be2207',
  broken: 'planted-broken-51fd3c', unreadable: 'planted-unreadable-d4', later: 'planted-later-2a90ff', argument: 'planted-argument-6e7b18', broker: 'planted-broker-93c4d0',
};
const docker = (content: object | string) => base64(typeof content === 'string' ? content : JSON.stringify(content));
const login = { auths: { '127.0.0.1:1': { auth: base64(`puller:${planted.registry}`) } } };
/** A value shows as it is, in base64, and in the base64 of a docker configuration around it. */
const forms = [...Object.values(planted).flatMap((value) => [value, base64(value)]), base64(`puller:${planted.registry}`), docker(login), docker(`{"auths": ${planted.broken}`)];

const app = (container: Partial<Container> = {}): Container => ({ name: 'app', image: busyboxImage, command: ['sh', '-c', forever], ...container });
const token = (key: string) => ({ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key } } });
const mounted = { volumeMounts: [{ name: 'keys', mountPath: '/keys' }, { name: 'keys', mountPath: '/one', subPath: 'file' }, { name: 'all', mountPath: '/all' }] };
const volumes: Partial<PodSpec> = { volumes: [{ name: 'keys', secret: { secretName: 'keys' } }, { name: 'all', projected: { sources: [{ secret: { name: 'keys', items: [{ key: 'part', path: 'part' }] } }] } }] };

const fine: Readonly<Record<string, Partial<PodSpec>>> = {
  user: { containers: [app({ env: [token('env')], envFrom: [{ secretRef: { name: 'whole' } }], ...mounted })], ...volumes },
  grouped: { containers: [app(mounted)], ...volumes, securityContext: { fsGroup: 4_242, runAsUser: 1_000 } },
};
const failing: Readonly<Record<string, Partial<PodSpec>>> = {
  keyless: { containers: [app({ env: [token('none')] })] },
  pathless: { containers: [app(mounted)], volumes: [{ name: 'keys', secret: { secretName: 'keys', items: [{ key: 'none', path: 'none' }] } }, { name: 'all', emptyDir: {} }] },
  crashing: { containers: [app({ command: ['sh', '-c', 'exit 3'], args: ['$(TOKEN)'], env: [token('argument')], ...mounted })], ...volumes },
  unstartable: { containers: [app({ command: ['/no/such/program', '$(TOKEN)'], env: [token('argument')] })] },
  placeless: { containers: [app({ env: [token('argument')], volumeMounts: [{ name: 'data', mountPath: '/data', subPathExpr: '$(TOKEN)/$(NONE)' }] })], volumes: [{ name: 'data', emptyDir: {} }] },
  probed: { containers: [app({ env: [token('argument')], livenessProbe: { exec: { command: ['test', '-e', '/$(TOKEN)'] }, periodSeconds: 1, failureThreshold: 1 } })] },
  hooked: { containers: [app({ env: [token('argument')], lifecycle: { postStart: { exec: { command: ['/no/such/hook', '$(TOKEN)'] } } } })] },
  pulling: { containers: [app({ image: '127.0.0.1:1/private/tool:1' })], imagePullSecrets: [{ name: 'registry' }, { name: 'broken' }, { name: 'absent' }] },
  unreadable: { containers: [app({ env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'unreadable', key: 'token' } } }] })] },
};

describe.skipIf(problem)(`planted secrets${problem === undefined ? '' : ` (${problem})`}`, () => {
  let world: DaemonWorld;
  let daemon: DaemonProcess;
  const sent: string[] = [];
  const asked: Record<string, string> = {};
  const statuses: (PodStatus | undefined)[] = [];

  beforeAll(async () => {
    await buildMqlet();
    world = await DaemonWorld.start();
    const passwordFile = path.join(world.fixture.directory, 'password');
    writeFileSync(passwordFile, planted.broker, { mode: 0o600 });
    await listenToAgent();
    daemon = world.startDaemon(['--mqtt-dialect', 'lite', '--log-level', 'debug', '--mqtt-username', 'node', '--mqtt-password-file', passwordFile]);
    await until('the node registers', () => world.cloud.nodes()[0]);
    applySecrets();
    for (const [name, spec] of Object.entries({ ...fine, ...failing })) apply(name, spec);
    await until('those that can run do', () => Object.keys(fine).every((name) => isReady(world.cloudPod(name))), 30_000);
    await until(() => `the others have failed: ${JSON.stringify(troubles())}`, () => Object.values(troubles()).every(Boolean), 30_000);
    secret('keys', { env: planted.env, file: planted.later, part: planted.part, argument: planted.argument });
    await ask();
    for (const name of Object.keys({ ...fine, ...failing })) world.cloud.deletePod('default', name);
    await until('all are gone', () => world.cloud.pods().length === 0, 30_000);
  }, 120_000);
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await world?.stop();
  });

  const secret = (name: string, data: Readonly<Record<string, string>>) =>
    expect(world.cloud.applyObject('Secret', { metadata: { name, namespace: 'default' }, data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])) })).toMatchObject({ ok: true });
  const pullSecret = (name: string, content: string) =>
    world.cloud.applyObject('Secret', { metadata: { name, namespace: 'default' }, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': content } });

  function applySecrets(): void {
    secret('keys', { env: planted.env, file: planted.file, part: planted.part, argument: planted.argument });
    secret('whole', { WHOLE: planted.whole });
    pullSecret('registry', docker(login));
    pullSecret('broken', docker(`{"auths": ${planted.broken}`));
    // No base64: the node refuses the object.
    world.cloud.applyObject('Secret', { metadata: { name: 'unreadable', namespace: 'default' }, data: { token: planted.unreadable } });
  }

  function apply(name: string, spec: Partial<PodSpec>): void {
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { nodeName, terminationGracePeriodSeconds: 1, containers: [], ...spec } };
    expect(world.cloud.applyPod(pod)).toMatchObject({ ok: true });
  }

  /** Of each pod that fails, whether it has been told. */
  function troubles(): Record<string, boolean> {
    const told = (name: string, reason: string) => world.cloud.events().some((event) => event.involvedObject.name === name && event.reason === reason);
    return {
      keyless: told('keyless', 'Failed'), pathless: told('pathless', 'FailedMount'), crashing: told('crashing', 'BackOff'), unstartable: told('unstartable', 'Failed'),
      placeless: told('placeless', 'Failed'), probed: told('probed', 'Unhealthy'), hooked: told('hooked', 'FailedPostStartHook'), pulling: told('pulling', 'Failed') && told('pulling', 'FailedToRetrieveImagePullSecret'),
      unreadable: told('unreadable', 'Failed'),
    };
  }

  /** Everything the agent publishes, as text. */
  async function listenToAgent(): Promise<void> {
    const listener = world.mqttClient('listener');
    await listener.connect({ message: ({ payload }) => void sent.push(textOf(payload)), closed: () => undefined });
    await listener.subscribe(`${rootTopic}/data`, 1);
  }

  /** Everything the node's admin API and its metrics say while the pods are there. */
  async function ask(): Promise<void> {
    for (const words of ['get pods -A -o json', 'get pods -A -o yaml', 'get pods -A -o wide', 'get events -A -o json', 'get nodes -o json', ...Object.keys({ ...fine, ...failing }).map((name) => `describe pod ${name}`)]) {
      const { code, stdout, stderr } = await world.mqlet(words.split(' '));
      expect({ words, code }).toEqual({ words, code: 0 });
      asked[words] = stdout + stderr;
    }
    for (const target of ['/metrics', '/healthz?verbose']) asked[target] = await (await fetch(`http://127.0.0.1:${world.healthzPort}${target}`)).text();
    statuses.push(...world.cloud.pods().map(({ status }) => status));
  }

  const found = (text: string) => forms.filter((form) => text.includes(form));

  it('given the log at its most talkative, when it is searched, then no secret is in it', () => {
    const text = [...daemon.log().map((line) => JSON.stringify(line)), ...daemon.stray()].join('\n');
    expect(daemon.log().length).toBeGreaterThan(100);
    expect(daemon.log().some(({ level }) => level === 'debug')).toBe(true);
    expect(found(text)).toEqual([]);
  });

  it('given all the agent has published, when it is searched, then no secret is in it', () => {
    expect(sent.length).toBeGreaterThan(30);
    expect(sent.some((text) => text.includes('FailedToRetrieveImagePullSecret'))).toBe(true);
    expect(found(sent.join('\n'))).toEqual([]);
    expect(found(JSON.stringify([world.cloud.events(), statuses]))).toEqual([]);
  });

  it('given the answers of the admin API and the metrics, when they are searched, then no secret is in them', () => {
    expect(asked['get pods -A -o json']).toContain('secretKeyRef');
    expect(asked['get events -A -o json']).toContain('Failed');
    for (const [words, text] of Object.entries(asked)) expect({ words, found: found(text) }).toEqual({ words, found: [] });
  });

  it('given secrets in the cache, when the files are looked at, then only root reads them, and no file that others read has a secret', async () => {
    apply('stays', fine['user'] ?? {});
    await until('it runs', () => isReady(world.cloudPod('stays')), 30_000);
    const root = world.rootDirectory;
    await until('the cache is written', () => filesBelow(root).some(({ content }) => content.includes(base64(planted.env))));
    const holding = filesBelow(root).filter(({ content }) => found(content).length > 0);
    expect(holding.length).toBeGreaterThan(2);
    expect(holding.filter(({ open }) => open).map((file) => file.path)).toEqual([]);
    const cached = holding.filter((file) => file.path.startsWith(`${root}/cache/`));
    expect(cached.length).toBeGreaterThan(0);
    for (const file of cached) expect({ path: file.path, mode: file.mode, directory: statSync(path.dirname(file.path)).mode & 0o777 }).toEqual({ path: file.path, mode: 0o600, directory: 0o700 });
    // What is no cache lies in memory, and is bound from there where a container wants a part of it.
    const memory = holding.filter((file) => !file.path.startsWith(`${root}/cache/`));
    for (const { path: place } of memory) expect(place).toMatch(new RegExp(`^${root}/(?:memory|pods/[^/]+/volume-subpaths)/`));
    expect(readFileSync('/proc/self/mounts', 'utf8')).toContain(`tmpfs ${root}/memory tmpfs`);
    expect(filesBelow(path.join(world.fixture.directory, 'logs')).filter(({ content }) => found(content).length > 0)).toEqual([]);
  });

  it('given pods that are gone, when the root directory is searched, then their secrets are in the cache alone, which forgets them a minute later', async () => {
    world.cloud.deletePod('default', 'stays');
    await until('it is gone', () => world.cloud.pods().length === 0);
    const holding = () => filesBelow(world.rootDirectory).filter((file) => !file.path.includes('/cache/secrets/') && found(file.content).length > 0).map((file) => file.path);
    await until(() => `no file has a secret: ${holding().join(' ')}`, () => holding().length === 0);
  });
});

function textOf(payload: Uint8Array): string {
  try {
    return gunzipSync(payload).toString('utf8');
  } catch {
    return Buffer.from(payload).toString('utf8');
  }
}
