// CgroupsPort on this machine's kernel, and on made-up trees of both versions; slices through a stand-in of systemd's tool.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findHierarchies, type Hierarchies } from '../../src/adapters/cgroups/hierarchies.ts';
import { weightOfShares } from '../../src/adapters/cgroups/limit-files.ts';
import { NodeCgroups } from '../../src/adapters/node-cgroups.ts';
import { unlimited } from '../../src/ports/cgroups-port.ts';
import { cgroupsContract } from '../ports/cgroups-contract.ts';

const own = findHierarchies(readFileSync('/proc/self/mountinfo', 'utf8'));
const machine = await new NodeCgroups().check('cgroupfs', '');

describe.skipIf(!machine.ok)('on this machine', () => {
  cgroupsContract(`this machine's kernel${machine.ok ? '' : ` (${machine.fault.message})`}`, async () => {
    const root = `/mqlet-test-${process.pid}`;
    const children: ChildProcess[] = [];
    const cgroups = new NodeCgroups();
    await cgroups.apply(root, {});
    return {
      cgroups, root,
      enter: async (cgroup) => {
        const child = spawn('sleep', ['60']);
        children.push(child);
        for (const mount of new Set(own?.controllers.values())) writeFileSync(path.join(mount, cgroup, 'cgroup.procs'), String(child.pid));
      },
      stop: async () => {
        for (const child of children) child.kill('SIGKILL');
        await cgroups.remove(root, { processes: 'kill' });
      },
    };
  });
});

let root = '';
beforeEach(() => { root = mkdtempSync(path.join(tmpdir(), 'mqlet-cgroups-')); });
afterEach(() => rmSync(root, { recursive: true, force: true }));

const limits = { cpuShares: 512, cpuQuota: 50_000, cpuPeriod: 100_000, memoryBytes: 2 ** 26, pidsMax: 100, hugepageBytes: { '2MB': 0 } };
const valuesIn = (directory: string): Record<string, string> =>
  Object.fromEntries(readdirSync(path.join(root, directory)).sort().map((name) => [name, readFileSync(path.join(root, directory, name), 'utf8')]));

describe('cgroup v1', () => {
  const v1 = (): Hierarchies => {
    for (const name of ['cpu', 'memory', 'pids']) mkdirSync(path.join(root, name));
    return { version: 1, controllers: new Map(['cpu', 'memory', 'pids'].map((name) => [name, path.join(root, name)])), all: ['cpu', 'memory', 'pids'].map((name) => path.join(root, name)) };
  };

  it('given limits, when applied, then each is in the file of its controller; pages that the kernel does not count are passed over', async () => {
    const cgroups = new NodeCgroups({ hierarchies: v1() });
    expect(await cgroups.apply('/kubepods/pod1', limits)).toEqual({ ok: true, value: undefined });
    expect(valuesIn('cpu/kubepods/pod1')).toEqual({ 'cpu.shares': '512', 'cpu.cfs_quota_us': '50000' });
    expect(valuesIn('memory/kubepods/pod1')).toEqual({ 'memory.limit_in_bytes': '67108864' });
    expect(valuesIn('pids/kubepods/pod1')).toEqual({ 'pids.max': '100' });
  });

  it('given no limits, when a new cgroup is made, then nothing is written that it has anyhow; later the limit is taken away', async () => {
    const cgroups = new NodeCgroups({ hierarchies: v1() });
    await cgroups.apply('/pod1', { cpuQuota: unlimited, memoryBytes: unlimited, pidsMax: unlimited });
    expect(valuesIn('memory/pod1')).toEqual({});
    await cgroups.apply('/pod1', { memoryBytes: unlimited });
    expect(valuesIn('memory/pod1')).toEqual({ 'memory.limit_in_bytes': '-1' });
  });
});

describe('cgroup v2', () => {
  const v2 = (): Hierarchies => {
    writeFileSync(path.join(root, 'cgroup.controllers'), 'cpu memory pids hugetlb\n');
    writeFileSync(path.join(root, 'cgroup.subtree_control'), 'cpu\n');
    return { version: 2, controllers: new Map(['cpu', 'memory', 'pids', 'hugetlb'].map((name) => [name, root])), all: [root] };
  };

  it('given limits, when applied, then the parent hands its controllers down and the values are in words of v2', async () => {
    const cgroups = new NodeCgroups({ hierarchies: v2() });
    expect(await cgroups.apply('/pod1', limits)).toEqual({ ok: true, value: undefined });
    expect(readFileSync(path.join(root, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +pids +hugetlb');
    expect(valuesIn('pod1')).toEqual({ 'cpu.weight': String(weightOfShares(512)), 'cpu.max': '50000 100000', 'memory.max': '67108864', 'pids.max': '100' });
    await cgroups.apply('/pod1', { cpuQuota: unlimited, memoryBytes: unlimited });
    expect(valuesIn('pod1')).toMatchObject({ 'cpu.max': 'max 100000', 'memory.max': 'max' });
  });

  it.each([[2, 1], [102, 4], [1_024, 39], [262_144, 10_000]])('given %i shares, when weighed, then it is %i', (shares, weight) => {
    expect(weightOfShares(shares)).toBe(weight);
  });
});

describe('systemd', () => {
  const hierarchies = (): Hierarchies => ({ version: 2, controllers: new Map([['memory', root]]), all: [root] });

  it('given a machine that systemd does not run, when asked, then the answer says so and what to do', async () => {
    const cgroups = new NodeCgroups({ hierarchies: hierarchies(), systemd: { busctl: 'busctl', runDirectory: path.join(root, 'missing') } });
    const checked = await cgroups.check('systemd', '');
    expect(!checked.ok && checked.fault).toEqual({ kind: 'unsupported', message: expect.stringMatching(/needs systemd, which does not run this machine .*: set --cgroup-driver cgroupfs/) as unknown });
  });

  it('given a slice, when limits are applied, then systemd makes it with properties, and changes the one that is there', async () => {
    const calls = path.join(root, 'calls');
    const busctl = path.join(root, 'busctl');
    // Stands for systemd, which refuses to start what runs.
    writeFileSync(busctl, `#!/bin/sh\necho "$*" >> ${calls}\ncase "$*" in *StartTransientUnit*) [ -e ${root}/made ] && { echo "Unit was already loaded" >&2; exit 1; }; touch ${root}/made;; esac\n`);
    chmodSync(busctl, 0o755);
    const cgroups = new NodeCgroups({ hierarchies: hierarchies(), systemd: { busctl, runDirectory: root } });
    const slice = '/kubepods.slice/kubepods-pod1_2.slice';
    expect(await cgroups.check('systemd', '')).toEqual({ ok: true, value: undefined });
    for (let time = 0; time < 2; time += 1) expect(await cgroups.apply(slice, { cpuShares: 512, cpuQuota: 50_000, cpuPeriod: 100_000, memoryBytes: unlimited })).toEqual({ ok: true, value: undefined });
    expect(await cgroups.remove(slice, { processes: 'kill' })).toEqual({ ok: true, value: undefined });
    const [made, refused, changed, stopped] = readFileSync(calls, 'utf8').trim().split('\n');
    expect(made).toMatch(/StartTransientUnit ssa\(sv\)a\(sa\(sv\)\) kubepods-pod1_2\.slice replace 9 Description s .* CPUWeight t 20 CPUQuotaPerSecUSec t 500000 MemoryMax t 18446744073709551615 0$/);
    expect(refused).toBe(made);
    expect(changed).toMatch(/SetUnitProperties sba\(sv\) kubepods-pod1_2\.slice true 3 CPUWeight t 20 /);
    expect(stopped).toMatch(/StopUnit ss kubepods-pod1_2\.slice replace$/);
    expect(existsSync(path.join(root, 'kubepods.slice'))).toBe(false);
  });
});

describe('findHierarchies', () => {
  const line = (place: string, type: string, options: string) => `30 25 0:26 / ${place} rw,nosuid - ${type} cgroup rw,${options}`;

  it('given v1 with a unified tree beside it, when read, then v1 counts, and pods may lie in every tree', () => {
    const found = findHierarchies([line('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'cpu,cpuacct'), line('/sys/fs/cgroup/memory', 'cgroup', 'memory'), line('/sys/fs/cgroup/unified', 'cgroup2', 'nsdelegate')].join('\n'));
    expect(found).toEqual({
      version: 1, controllers: new Map([['cpu', '/sys/fs/cgroup/cpu,cpuacct'], ['memory', '/sys/fs/cgroup/memory']]),
      all: ['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified'],
    });
  });

  it('given v2 alone, or nothing, when read, then it is that', () => {
    expect(findHierarchies(line('/sys/fs/cgroup', 'cgroup2', 'nsdelegate'))).toMatchObject({ version: 2, all: ['/sys/fs/cgroup'] });
    expect(findHierarchies('22 25 0:20 / /proc rw - proc proc rw')).toBeUndefined();
  });
});
