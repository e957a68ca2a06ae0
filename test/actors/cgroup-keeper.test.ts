// The tree of cgroups as pods come and go.
import { describe, expect, it } from 'vitest';
import { CgroupKeeper } from '../../src/actors/cgroup-keeper.ts';
import { SimCgroups } from '../../src/adapters/sim/sim-cgroups.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import { cgroupsOf } from '../../src/daemon/node-cgroups.ts';
import type { LogPort } from '../../src/ports/log-port.ts';
import type { Container, PodUid } from '../../src/ports/pod-types.ts';
import { aContainer, aPod, uid } from '../support/pods.ts';

const asPod = (requests: Record<string, string>, of: PodUid = uid) => aPod({ containers: [aContainer('app', { resources: { requests } as Container['resources'] & object })] }, { uid: of });
const busy = asPod({ cpu: '500m' });

function world() {
  const lines: string[] = [];
  const note = (event: string): void => { lines.push(event); };
  const log: LogPort = { debug: note, info: note, warn: note, error: note };
  const bus = new Bus(new VirtualClock());
  const events: string[] = [];
  bus.as('test').on('event.noted', ({ payload }) => { events.push(`${payload.reason}: ${payload.message}`); });
  const cgroups = new SimCgroups();
  const keeper = () => new CgroupKeeper({
    bus: bus.as('cgroups'), cgroups, log, settings: { root: '', driver: 'cgroupfs', enforcesPods: true, podPidsMax: -1 }, enforced: { cpu: 4_000, memory: 2 ** 32 }, pageSizes: [],
  });
  return { cgroups, log, lines, events, keeper };
}
const driver = { ok: true, value: 'cgroupfs' } as const;
const path = `/kubepods/burstable/pod${uid}`;

describe('CgroupKeeper', () => {
  it('given a runtime that does not tell its driver, when it begins, then the setting counts, and the tree is there', async () => {
    const { cgroups, keeper, events } = world();
    expect(await keeper().begin({ ok: false, fault: { kind: 'unimplemented', message: 'unknown method' } })).toBeUndefined();
    expect(Object.fromEntries(cgroups.groups)).toEqual({
      '/kubepods': { cpuShares: 4_096, memoryBytes: 2 ** 32 }, '/kubepods/burstable': { cpuShares: 2 }, '/kubepods/besteffort': { cpuShares: 2 },
    });
    expect(events).toEqual(['NodeAllocatableEnforced: Updated Node Allocatable limit across pods']);
  });

  it('given a runtime that does not answer, when it begins, then the node waits, because nobody knows yet where pods belong', async () => {
    const { cgroups, keeper } = world();
    const one = keeper();
    expect(await one.begin({ ok: false, fault: { kind: 'unavailable', message: 'down' } })).toBe('down');
    expect(cgroups.groups.size).toBe(0);
    expect(await one.begin(driver)).toBeUndefined();
    expect(cgroups.groups.has('/kubepods')).toBe(true);
  });

  it('given a tree that cannot be written, when it begins, then one line says so, and pods stay where the runtime places them', async () => {
    const { cgroups, keeper, lines } = world();
    cgroups.broken = 'read-only file system';
    const one = keeper();
    await one.begin(driver);
    expect(lines).toEqual(['cgroups.off']);
    expect(await one.bring(busy, { isNew: true, settled: true })).toEqual({ ok: true, value: undefined });
    expect([one.parentOf(uid), await one.release(uid)]).toEqual(['', { ok: true, value: undefined }]);
  });

  it('given pods, when they come, change and go, then they have cgroups, and their class has what they ask for together', async () => {
    const { cgroups, keeper } = world();
    const one = keeper();
    await one.begin(driver);
    await one.bring(busy, { isNew: true, settled: true });
    await one.bring(asPod({ cpu: '1' }, 'other' as PodUid), { isNew: true, settled: true }); // Any text may be an identity.
    expect([one.parentOf(uid), cgroups.groups.get(path)?.cpuShares, cgroups.groups.get('/kubepods/burstable')?.cpuShares]).toEqual([path, 512, 1_536]);
    const more = asPod({ cpu: '2' });
    await one.raise(more, busy.pod.spec);
    expect(cgroups.groups.get(path)?.cpuShares).toBe(2_048);
    await one.settle(more);
    expect(cgroups.groups.get('/kubepods/burstable')?.cpuShares).toBe(3_072);
    await one.release(uid);
    expect([cgroups.groups.has(path), cgroups.groups.get('/kubepods/burstable')?.cpuShares]).toEqual([false, 1_024]);
  });

  it('given a pod that was made without a cgroup, when it is taken over, then it stays as it is until it gets a sandbox anew', async () => {
    const { cgroups, keeper } = world();
    const one = keeper();
    await one.begin(driver);
    await one.bring(busy, { isNew: false, settled: true });
    expect([one.parentOf(uid), cgroups.groups.has(path)]).toEqual(['', false]);
    await one.bring(busy, { isNew: true, settled: true });
    expect([one.parentOf(uid), cgroups.groups.has(path)]).toEqual([path, true]);
  });

  it('given a pod with a cgroup, when another life of the agent takes it over, then it is found, and goes with the pod', async () => {
    const { cgroups, keeper } = world();
    const first = keeper();
    await first.begin(driver);
    await first.bring(busy, { isNew: true, settled: true });
    const second = keeper();
    await second.begin(driver);
    await second.bring(busy, { isNew: false, settled: true });
    expect(second.parentOf(uid)).toBe(path);
    const third = keeper();
    await third.begin(driver);
    await third.release(uid);
    expect(cgroups.groups.has(path)).toBe(false);
  });

  it('given a resize that was cut short, when the pod is seen with what it was granted, then its cgroup is settled', async () => {
    const { cgroups, keeper } = world();
    const one = keeper();
    await one.begin(driver);
    await one.bring(busy, { isNew: true, settled: true });
    const less = asPod({ cpu: '100m' });
    await one.raise(less, busy.pod.spec);
    await one.bring(less, { isNew: false, settled: false });
    expect(cgroups.groups.get(path)?.cpuShares).toBe(512);
    await one.bring(less, { isNew: false, settled: true });
    expect(cgroups.groups.get(path)?.cpuShares).toBe(102);
  });

  it('given cgroups of pods nobody knows, when swept twice, then empty ones go, and those with processes stay: they may be another agent\'s', async () => {
    const { cgroups, keeper, lines } = world();
    const one = keeper();
    await one.begin(driver);
    for (const name of ['podempty', 'podbusy', 'podknown', 'strange']) await cgroups.apply(`/kubepods/besteffort/${name}`, {});
    cgroups.inside.set('/kubepods/besteffort/podbusy/c1', [4711]);
    await one.sweep((of) => of === 'known');
    expect(cgroups.groups.has('/kubepods/besteffort/podempty')).toBe(true);
    await one.sweep((of) => of === 'known');
    expect([...cgroups.groups.keys()].filter((each) => each.startsWith('/kubepods/besteffort/'))).toEqual(['/kubepods/besteffort/podbusy', '/kubepods/besteffort/podknown', '/kubepods/besteffort/strange']);
    expect(lines.filter((line) => line === 'cgroups.orphan')).toHaveLength(1);
  });
});

describe('cgroupsOf', () => {
  const config = { cgroupDriver: 'cgroupfs', cgroupRoot: '', enforceNodeAllocatable: ['pods'], podPidsLimit: -1 } as const;
  it.each([
    [true, undefined, { ok: true, cgroups: true }],
    [false, undefined, { ok: true, cgroups: false }],
    [undefined, 'read-only file system', { ok: true, cgroups: false, line: 'cgroups.off' }],
    [true, 'read-only file system', { ok: false, fault: '--cgroups-per-qos: cgroups cannot be made here: read-only file system' }],
  ] as const)('given cgroups-per-qos %s on a machine with the fault %s, when it starts, then %j', async (cgroupsPerQos, broken, expected) => {
    const { cgroups, log, lines } = world();
    cgroups.broken = broken;
    const had = await cgroupsOf({ ...config, cgroupsPerQos }, log, cgroups);
    const seen = had.ok ? { ok: true, cgroups: had.value !== undefined } : { ok: false, fault: had.fault };
    expect({ ...seen, ...(lines[0] === undefined ? {} : { line: lines[0] }) }).toEqual(expected);
  });
});
