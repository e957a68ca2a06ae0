// The agent in a container of its own image, started by plain ctr as docs/deploying.md says, on real containerd: pods run, volumes made
// inside are seen by them, another agent takes them over, and what would not work is refused.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/demo/child-process.ts';
import { bind, buildImages, ctr, endContainer, forgetContainers, type ImageWeight, importImage, namespace } from '../support/built-images.ts';
import { busyboxImage, type ContainerdFixture, containerdProblem, withContainerd } from '../support/containerd.ts';
import { until } from '../support/daemon-process.ts';
import { forever } from '../support/daemon-world.ts';
import { freePort } from '../support/mosquitto.ts';

const problem = await containerdProblem();
/** A kubelet alone, in the image that others run. */
const bar = { compressedBytes: 24.75e6, extractedBytes: 75.46e6 };

describe.skipIf(problem !== undefined)(`the agent in a container${problem === undefined ? '' : ` (${problem})`}`, () => {
  let fixture: ContainerdFixture;
  let weights: readonly ImageWeight[];
  let shared = '';
  let running: string | undefined;
  const place = (name: string): string => path.join(fixture.directory, name);
  const image = (): string => weights[0]?.name ?? '';

  beforeAll(async () => {
    fixture = await withContainerd();
    const images = place('images');
    mkdirSync(images);
    weights = await buildImages(images, 'agent', 'flannel');
    for (const { name } of weights) importImage(fixture, path.join(images, `mqlet-${name.split(':')[1]}.tar`));
    for (const name of ['logs', 'etc/manifests', 'root', 'cni']) mkdirSync(place(name), { recursive: true });
    // A machine with systemd has all of its mounts shared; this one need not.
    execFileSync('mount', ['--bind', place('root'), place('root')]);
    execFileSync('mount', ['--make-shared', place('root')]);
    shared = place('root');
    const { endpoint, containerd: { cgroupRoot } } = fixture;
    const settings = {
      apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', staticPodPath: '/etc/mqlet/manifests', rootDir: place('root'), podLogsDir: place('logs'),
      containerRuntimeEndpoint: endpoint, cgroupRoot, healthzPort: await freePort(), hostnameOverride: 'edge-07',
    };
    writeFileSync(place('etc/config.yaml'), JSON.stringify(settings));
    writeFileSync(place('etc/manifests/web.json'), JSON.stringify(podWithVolumes(place('out'))));
  }, 300_000);
  afterEach(async () => {
    if (running !== undefined) await endContainer(fixture, running, 'SIGKILL');
    running = undefined;
  });
  afterAll(async () => {
    if (fixture === undefined) return;
    for (const { name } of weights ?? []) ctr(fixture, 'images', 'remove', '--sync', name);
    if (shared !== '') await runCommand('umount', ['--recursive', '--lazy', shared]);
    await fixture.stop();
    forgetContainers();
  });

  const mounts = (): readonly string[] => [
    ...bind('/', '/host', 'rslave'), ...bind(place('root'), place('root'), 'rshared'), ...bind(place('logs'), place('logs'), 'rw'), ...bind('/sys/fs/cgroup', '/sys/fs/cgroup', 'rw'),
    ...bind(place('etc'), '/etc/mqlet', 'ro'), ...bind(path.dirname(fixture.endpoint.slice('unix://'.length)), path.dirname(fixture.endpoint.slice('unix://'.length)), 'rw'),
  ];
  const hostWords = ['--privileged', '--rootfs-propagation', 'shared', '--net-host', '--with-ns', 'pid:/proc/self/ns/pid'];
  const start = (id: string): void => {
    ctr(fixture, 'run', '--detach', '--snapshotter', fixture.containerd.snapshotter, '--log-uri', `file://${place(`${id}.log`)}`, ...hostWords, ...mounts(), image(), id);
    running = id;
  };
  /** To its end. @returns exit code and everything it said */
  const attempt = (id: string, words: readonly string[], name: string, ...command: readonly string[]) =>
    runCommand('ctr', ['--address', fixture.endpoint.slice('unix://'.length), '--namespace', namespace, 'run', '--rm', '--snapshotter', fixture.containerd.snapshotter, ...words, name, id, ...command]);
  const logOf = (id: string): string => (existsSync(place(`${id}.log`)) ? readFileSync(place(`${id}.log`), 'utf8').slice(-3_000) : 'no log');
  const podRuns = (id: string) => until(() => `the pod runs: ${logOf(id)}`, () => {
    try {
      return / 1\/1 +Running /.test(ctr(fixture, 'tasks', 'exec', '--exec-id', `look-${Date.now()}`, id, '/usr/bin/mqlet', 'get', 'pods', '--root-dir', place('root')));
    } catch {
      // It does not answer yet.
      return false;
    }
  }, 30_000);
  const podTasks = (): string => execFileSync('ctr', ['--address', fixture.endpoint.slice('unix://'.length), '--namespace', 'k8s.io', 'tasks', 'list', '--quiet'], { encoding: 'utf8' }).trim().split('\n').sort().join('\n');

  it('given the images, when they are weighed, then the agent is lighter than a kubelet in its image', () => {
    console.info(weights.map(({ name, compressedBytes, extractedBytes }) => `${name}: ${(compressedBytes / 1e6).toFixed(2)} MB compressed, ${(extractedBytes / 1e6).toFixed(2)} MB extracted`).join('\n'));
    const [agent] = weights;
    expect(agent?.compressedBytes).toBeLessThan(bar.compressedBytes);
    expect(agent?.extractedBytes).toBeLessThan(bar.extractedBytes);
  });

  it('given plain ctr, when the agent is started and replaced, then its pod runs with every kind of volume, and runs on', async () => {
    start('agent-1');
    await podRuns('agent-1');
    await until(() => `the pod has written: ${logOf('agent-1')}`, () => existsSync(place('out/done')));
    expect(readFileSync(place('out/fast'), 'utf8')).toMatch(/^tmpfs \/fast tmpfs /m);
    expect(readFileSync(place('out/deep/part'), 'utf8')).toBe('of a host path\n');
    expect(readFileSync(place('out/data'), 'utf8')).toBe('of a volume\n');
    const before = podTasks();
    expect(before.split('\n')).toHaveLength(2);

    await endContainer(fixture, 'agent-1');
    running = undefined;
    expect(podTasks()).toBe(before);
    start('agent-2');
    await podRuns('agent-2');
    expect(podTasks()).toBe(before);

    rmSync(place('etc/manifests/web.json'));
    await until(() => `the pod goes: ${logOf('agent-2')}`, () => podTasks() === '', 30_000);
    await until('its volumes go', () => !readFileSync('/proc/self/mountinfo', 'utf8').includes(`${place('root')}/pods`));
  });

  it('given a container that shares too little, when the agent starts, then it refuses with every reason, and touches nothing', async () => {
    const { code, stdout, stderr } = await attempt('lonely', [...bind('/', '/host', 'rslave'), ...bind(place('etc'), '/etc/mqlet', 'ro')], image());
    expect({ code, said: stdout + stderr }).toEqual({ code: 1, said: expect.stringMatching(/--privileged.*pid:\/proc\/self\/ns\/pid.*--net-host.*--root-dir.*--pod-logs-dir.*dst=\/sys\/fs\/cgroup/s) });
    const alone = await attempt('alone', [...bind(place('etc'), '/etc/mqlet', 'ro')], image());
    expect({ code: alone.code, said: alone.stdout + alone.stderr }).toEqual({ code: 1, said: expect.stringMatching(/the root of the host is not mounted at \/host/) });
  });

  it('given the image with plugins, when it starts, then those that flannel calls are put where the host looks for them, and they run', async () => {
    const name = weights[1]?.name ?? '';
    const outcome = await attempt('plugins', bind(place('cni'), '/opt/cni/bin', 'rw'), name, '/usr/lib/mqlet/bin/with-cni', '--version');
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringMatching(/^CNI plugins put into \/opt\/cni\/bin: bridge, host-local, loopback, portmap\nmqlet v/) });
    const told = execFileSync(place('cni/bridge'), { encoding: 'utf8', env: { CNI_COMMAND: 'VERSION' }, input: '{"cniVersion":"1.0.0"}' });
    expect(JSON.parse(told)).toMatchObject({ supportedVersions: expect.arrayContaining(['1.0.0']) });
    expect(await attempt('absent', [], name, '/usr/bin/mqlet', 'demo')).toMatchObject({ code: 1, stderr: expect.stringContaining('mqlet demo: this command is not part of this installation') });
  });
});

/** A volume on disk, one in memory, one of the host, and parts of two of them. */
function podWithVolumes(out: string): object {
  const script = `grep " /fast " /proc/mounts > /out/fast; echo of a host path > /deep/part; echo of a volume > /part/file; cp /data/part/file /out/data; touch /out/done; ${forever}`;
  const volumeMounts = [
    { name: 'data', mountPath: '/data' }, { name: 'data', mountPath: '/part', subPath: 'part' }, { name: 'fast', mountPath: '/fast' },
    { name: 'out', mountPath: '/out' }, { name: 'out', mountPath: '/deep', subPath: 'deep' },
  ];
  return {
    apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 1, securityContext: { fsGroup: 2_000 },
      volumes: [{ name: 'data', emptyDir: {} }, { name: 'fast', emptyDir: { medium: 'Memory' } }, { name: 'out', hostPath: { path: out, type: 'DirectoryOrCreate' } }],
      containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', script], volumeMounts }],
    },
  };
}
