// The Debian package as an administrator has it: built, installed, configured, started by the line of its unit, upgraded, removed and
// purged, on this machine and with real containers. systemd does not start it here: where it runs as PID 1 the scripts do.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NodeVolumes } from '../../src/adapters/node-volumes.ts';
import { type CommandOutcome, runCommand } from '../../src/demo/child-process.ts';
import { type ContainerdFixture, containerdProblem, withContainerd } from '../support/containerd.ts';
import { podManifest } from '../support/daemon-world.ts';
import { until } from '../support/daemon-process.ts';
import { freePort } from '../support/mosquitto.ts';
import { listenForNotify, notifyProblem } from '../support/notify-socket.ts';
import { startUnit, type UnitProcess } from '../support/unit-file.ts';

const checkout = path.resolve(import.meta.dirname, '../..');
const unit = '/usr/lib/systemd/system/mqlet.service';
/** Everything the package and its daemon may leave on a machine. */
const traces = ['/etc/mqlet', '/etc/default/mqlet', '/usr/lib/mqlet', '/usr/bin/mqlet', unit, '/usr/share/doc/mqlet', '/var/lib/mqlet', '/etc/systemd/logind.conf.d/99-mqlet.conf'];

function packageProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'installing needs root';
  if (!existsSync('/usr/bin/dpkg-deb')) return 'this machine is no Debian';
  if (existsSync('/run/containerd/containerd.sock')) return 'this machine has a containerd of its own, whose pods are not ours';
  if (existsSync('/run/systemd/system')) return 'systemd runs this machine: the service would be its own';
  const there = traces.find((trace) => existsSync(trace));
  return there === undefined ? undefined : `mqlet is on this machine: ${there}`;
}

const problem = packageProblem() ?? notifyProblem() ?? await containerdProblem();

describe.skipIf(problem !== undefined)(`the Debian package${problem === undefined ? '' : ` (${problem})`}`, () => {
  let directory = '';
  let file = '';
  let fixture: ContainerdFixture;
  let before = { mounts: 0, logs: true };
  let running: UnitProcess | undefined;

  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-deb-'));
    const built = await runCommand('npm', ['run', '--silent', '--prefix', checkout, 'deb', '--', '--compression', 'gzip', '--out', directory], { timeoutMs: 240_000 });
    if (built.code !== 0) throw new Error(`the package is not built: ${built.stdout}${built.stderr}`);
    file = path.join(directory, readdirSync(directory).find((name) => name.endsWith('.deb')) ?? 'none');
    fixture = await withContainerd();
    before = { mounts: mountsOf('/var/lib/mqlet').length, logs: existsSync('/var/log/pods') };
  }, 300_000);
  afterEach(async () => {
    await running?.end();
    running = undefined;
    await runCommand('dpkg', ['--purge', 'mqlet']);
    rmSync('/etc/mqlet', { recursive: true, force: true });
  });
  afterAll(async () => {
    await fixture?.stop();
    await new NodeVolumes().unmountBelow('/var/lib/mqlet');
    // Of the pods that were left running.
    for (const trace of ['/var/lib/mqlet', ...(before.logs ? [] : ['/var/log/pods', '/var/log/containers'])]) rmSync(trace, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  });

  /** Our settings come first: never does the package speak to a runtime that is not the test's. */
  const install = async (): Promise<void> => {
    const { endpoint, containerd: { cgroupRoot } } = fixture;
    const settings = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', staticPodPath: '/etc/mqlet/manifests', containerRuntimeEndpoint: endpoint, cgroupRoot, healthzPort: await freePort(), hostnameOverride: 'edge-07' };
    mkdirSync('/etc/mqlet/manifests', { recursive: true });
    writeFileSync('/etc/mqlet/config.yaml', JSON.stringify(settings));
    writeFileSync('/etc/mqlet/manifests/web.yaml', podWithVolumes('web'));
    await run('dpkg', '--force-confold', '-i', file);
  };

  /** By the line of the unit, with the unit's privileges; resolves once it says that it is ready. */
  const start = async (): Promise<void> => {
    const socket = await listenForNotify();
    running = startUnit(unit, { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '3000000' });
    await until(() => `it is ready: ${running?.output() ?? ''}`, () => socket.told()[0]?.['READY'] === '1');
    await until('it gives a sign of life', () => socket.told().some(({ WATCHDOG }) => WATCHDOG === '1'));
    await socket.stop();
  };
  const stop = async (): Promise<void> => {
    expect(await running?.end()).toBe(0);
    running = undefined;
  };
  /** IDs of running containers, and of sandboxes, that containerd has. */
  const tasks = (): string => execFileSync('ctr', ['--address', fixture.endpoint.slice('unix://'.length), '--namespace', 'k8s.io', 'tasks', 'list', '--quiet'], { encoding: 'utf8' }).trim().split('\n').sort().join('\n');
  /** In the tree of cgroup v2, or in those of v1. */
  const cgroupsLeft = (): readonly string[] => ['', '/memory', '/pids', '/unified'].map((tree) => `/sys/fs/cgroup${tree}${fixture.containerd.cgroupRoot}/kubepods`).filter((place) => existsSync(place));
  const podRuns = () => until(() => `the pod runs: ${running?.output().slice(-3_000) ?? ''}`, async () => (await runCommand('/usr/bin/mqlet', ['get', 'pods'])).stdout.includes(' Running '), 20_000);

  it('given a machine, when the package is installed, started, upgraded and purged, then the pod runs and survives the upgrade, and nothing is left', async () => {
    await install();
    expect((await run('/usr/bin/mqlet', '--version')).stdout).toMatch(/^mqlet v\d+\.\d+\.\d+\ncommit +[0-9a-f]{12} .*\n(.*\n)*runs on +Node\.js v\d+\.\d+\.\d+ /);
    await run('systemd-analyze', 'verify', unit);
    await start();
    await podRuns();
    const containers = tasks();
    expect(containers.split('\n')).toHaveLength(2);

    expect((await run('dpkg', '--force-confold', '-i', file)).stdout).not.toContain('ending pod');
    await stop();
    await start();
    await podRuns();
    expect(tasks()).toBe(containers);
    expect(readFileSync('/etc/mqlet/config.yaml', 'utf8')).toContain(fixture.endpoint);

    await stop();
    expect((await run('dpkg', '--remove', 'mqlet')).stdout).toMatch(/ending pod default\/web-edge-07\n(.*\n)*1 pods ended\n/);
    expect({ tasks: tasks(), mounts: mountsOf('/var/lib/mqlet').length, cgroups: cgroupsLeft() }).toEqual({ tasks: '', mounts: before.mounts, cgroups: [] });
    expect([existsSync('/etc/mqlet/config.yaml'), existsSync('/usr/lib/mqlet')]).toEqual([true, false]);
    await run('dpkg', '--purge', 'mqlet');
    expect(traces.filter((trace) => existsSync(trace))).toEqual([]);
    expect(existsSync('/var/log/pods')).toBe(before.logs);
  });

  it('given an administrator who says that pods stay, when the package is purged, then they run on with their volumes, and everything else goes', async () => {
    await install();
    await start();
    await podRuns();
    const containers = tasks();
    await stop();
    writeFileSync('/etc/default/mqlet', 'PODS_ON_REMOVE="leave"\n');
    expect((await run('dpkg', '--purge', 'mqlet')).stderr).toContain('pods were left running; their volumes stay in /var/lib/mqlet/pods');
    expect(tasks()).toBe(containers);
    expect(readdirSync('/var/lib/mqlet').filter((name) => name !== 'memory')).toEqual(['pods']);
    expect(traces.filter((trace) => existsSync(trace))).toEqual(['/var/lib/mqlet']);
  });

  it('given the package, when its files are looked at, then settings are for root alone and the program is for everybody', async () => {
    const unpacked = path.join(directory, 'unpacked');
    await run('dpkg-deb', '--extract', file, unpacked);
    const modes = Object.fromEntries(['/etc/mqlet', '/etc/mqlet/config.yaml', '/etc/mqlet/pki', '/etc/default/mqlet', '/usr/lib/mqlet/bin/mqlet', '/usr/lib/mqlet/runtime/bin/node', unit].map((name) => [name, (lstatSync(`${unpacked}${name}`).mode & 0o777).toString(8)]));
    expect(modes).toEqual({ '/etc/mqlet': '750', '/etc/mqlet/config.yaml': '640', '/etc/mqlet/pki': '700', '/etc/default/mqlet': '640', '/usr/lib/mqlet/bin/mqlet': '755', '/usr/lib/mqlet/runtime/bin/node': '755', [unit]: '644' });
  });
});

/** A volume on disk given to a group, and one in memory: both need what the unit leaves of root's powers. */
function podWithVolumes(name: string): string {
  // The support's own manifest.
  const pod = JSON.parse(podManifest(name)) as { spec: { nodeName?: string; containers: object[] } };
  delete pod.spec.nodeName;
  const volumes = [{ name: 'data', emptyDir: {} }, { name: 'fast', emptyDir: { medium: 'Memory' } }];
  const mounts = volumes.map(({ name: volume }) => ({ name: volume, mountPath: `/${volume}` }));
  return JSON.stringify({ ...pod, spec: { ...pod.spec, securityContext: { fsGroup: 2_000 }, volumes, containers: pod.spec.containers.map((container) => ({ ...container, volumeMounts: mounts })) } });
}

function mountsOf(directory: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.split(' ')[4]?.startsWith(`${directory}/`));
}

/** @throws with everything it said when it fails */
async function run(program: string, ...args: readonly string[]): Promise<CommandOutcome> {
  const outcome = await runCommand(program, args);
  if (outcome.code !== 0) throw new Error(`${program} ${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
  return outcome;
}
