// Pods applied by hand: kept on disk, changed where the API would let them, deleted when their containers are gone.
import { afterEach, describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import { startAdminPods } from '../../src/bus/ingress/admin-pods.ts';
import type { SourceUpdate } from '../../src/bus/source-update.ts';
import type { DesiredPod, PodUid } from '../../src/ports/pod-types.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { silentLog } from '../support/silent-log.ts';

const running: Stoppable[] = [];
afterEach(async () => { for (const source of running.splice(0)) await source.stop(); });

const directory = '/root/admin-pods';

function manifest(name = 'web', image = 'registry.example/app:1', extra = ''): Uint8Array {
  return new TextEncoder().encode(`apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  uid: from-the-manifest\nspec:\n  ${extra}\n  containers:\n  - name: app\n    image: ${image}\n`);
}

async function world(files?: SimFiles) {
  const clock = new VirtualClock();
  const disk = files ?? new SimFiles({ clock });
  const bus = new Bus(clock);
  const updates: SourceUpdate[] = [];
  const refused: string[] = [];
  const port = bus.as('test');
  port.on('source.updated', ({ payload }) => { updates.push(payload); });
  port.on('input.refused', ({ payload }) => { refused.push(payload.fault.message); });
  const holders = new Map<string, Pick<DesiredPod, 'source' | 'origin' | 'uid'>>();
  const source = startAdminPods({
    bus: bus.as('admin-pods'), files: disk, clock, random: new SeededRandom(1), log: silentLog, directory, nodeName: 'edge-07',
    holder: ({ name }) => holders.get(name),
  });
  running.push(source);
  await clock.settle();
  const apply = async (bytes: Uint8Array, dryRun = false) => {
    const outcome = await source.apply(bytes, { dryRun });
    return { results: outcome.applied.map(({ name, result }) => `${name} ${result}`), faults: outcome.faults.map(({ message }) => message), uids: outcome.applied.map(({ uid }) => uid) };
  };
  const records = async () => {
    const listed = await disk.list(directory);
    return listed.ok ? listed.value.map(({ name }) => name) : [];
  };
  return { clock, disk, source, updates, refused, holders, apply, records, bus: port };
}

describe('admin pods', () => {
  test('given nothing on disk, when it starts, then it says an empty set', async () => {
    expect((await world()).updates).toEqual([{ kind: 'set', source: 'admin', pods: [] }]);
  });

  test('given a manifest, when applied, then it is stored first, gets an own UID and is said', async () => {
    const { apply, updates, records } = await world();
    const { results, faults, uids } = await apply(manifest());
    expect({ results, faults }).toEqual({ results: ['web created'], faults: [] });
    expect(uids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(await records()).toEqual([`${uids[0]}.json`]);
    expect(updates[1]).toMatchObject({ kind: 'upsert', source: 'admin', pod: { uid: uids[0], namespace: 'default', name: 'web', source: 'admin', pod: { metadata: { creationTimestamp: '2026-01-01T00:00:00Z' } } } });
  });

  test('given a dry run, when applied, then nothing is stored or said', async () => {
    const { apply, updates, records } = await world();
    expect((await apply(manifest(), true)).results).toEqual(['web created']);
    expect(updates).toHaveLength(1);
    expect(await records()).toEqual([]);
  });

  test('given an applied pod, when applied again with another image, then its UID stays; without change nothing is said', async () => {
    const { apply, updates } = await world();
    const first = await apply(manifest());
    expect((await apply(manifest())).results).toEqual(['web unchanged']);
    expect(updates).toHaveLength(2);
    const second = await apply(manifest('web', 'registry.example/app:2'));
    expect(second.results).toEqual(['web configured']);
    expect(second.uids).toEqual(first.uids);
    expect(updates).toHaveLength(3);
  });

  test('given a restart, when it starts again, then the set holds what was applied, with its UID', async () => {
    const first = await world();
    const { uids } = await first.apply(manifest());
    await first.source.stop();
    const second = await world(first.disk);
    expect(second.updates).toMatchObject([{ kind: 'set', pods: [{ uid: uids[0], name: 'web', pod: { spec: { containers: [{ image: 'registry.example/app:1' }] } } }] }]);
  });

  test.each([
    ['another field', manifest('web', 'registry.example/app:1', 'hostNetwork: true'), 'spec.hostNetwork of a pod cannot be changed; delete the pod first, then apply it'],
    ['another container', manifest('web', 'registry.example/app:1\n  - name: two\n    image: x'), 'spec.containers of a pod cannot be changed; delete the pod first, then apply it'],
  ])('given an applied pod, when applied with %s, then it is refused', async (_name, bytes, expected) => {
    const { apply } = await world();
    await apply(manifest());
    expect((await apply(bytes)).faults).toEqual([expected]);
  });

  test('given a name that a static pod holds, when applied, then the line says where that comes from', async () => {
    const { apply, holders } = await world();
    holders.set('web', { source: 'file', origin: '/etc/m/web.yaml', uid: 'u' as PodUid });
    expect(await apply(manifest())).toEqual({ results: [], faults: ['the name belongs to a pod from /etc/m/web.yaml; choose another name'], uids: [] });
  });

  test('given a bad and a good document, when applied, then the good one counts', async () => {
    const { apply } = await world();
    const both = new TextEncoder().encode(`kind: Pod\napiVersion: v1\nmetadata: {name: Bad_Name}\nspec: {containers: [{name: a, image: b}]}\n---\n${new TextDecoder().decode(manifest())}`);
    const { results, faults } = await apply(both);
    expect(results).toEqual(['web created']);
    expect(faults).toHaveLength(1);
  });

  test('given a pod, when deleted, then it is marked; it is forgotten when its containers are gone', async () => {
    const { clock, apply, source, updates, records, bus } = await world();
    const { uids: [uid = '' as PodUid] } = await apply(manifest());
    expect(await source.remove({ namespace: 'default', name: 'web' }, { graceSeconds: 5 })).toEqual({ ok: true, value: uid });
    expect(updates[2]).toMatchObject({ kind: 'upsert', pod: { pod: { metadata: { deletionTimestamp: '2026-01-01T00:00:05Z', deletionGracePeriodSeconds: 5 } } } });
    expect((await apply(manifest('web', 'registry.example/app:9'))).faults).toEqual(['is being deleted; apply it again when it is gone']);
    const [, , said] = updates;
    if (said?.kind !== 'upsert') throw new Error('not said');
    bus.publish('pod.terminated', { pod: said.pod, desired: said.pod });
    await clock.settle();
    expect(updates.at(-1)).toEqual({ kind: 'forget', source: 'admin', uid });
    expect(await records()).toEqual([]);
    expect((await apply(manifest())).uids[0]).not.toBe(uid);
  });

  test('given a deletion under way, when asked again, then only a shorter time changes it, counted from the first', async () => {
    const { clock, apply, source, updates } = await world();
    await apply(manifest());
    const pod = { namespace: 'default', name: 'web' };
    await source.remove(pod, {});
    await clock.advance(4_000);
    await source.remove(pod, { graceSeconds: 60 });
    expect(updates).toHaveLength(3);
    await source.remove(pod, { graceSeconds: 10 });
    expect(updates[3]).toMatchObject({ pod: { pod: { metadata: { deletionTimestamp: '2026-01-01T00:00:10Z', deletionGracePeriodSeconds: 10 } } } });
  });

  test('given a pod that ended by itself, when it is terminated, then it stays until it is deleted', async () => {
    const { clock, apply, updates, records, bus } = await world();
    await apply(manifest());
    const [, said] = updates;
    if (said?.kind !== 'upsert') throw new Error('not said');
    bus.publish('pod.terminated', { pod: said.pod, desired: said.pod });
    await clock.settle();
    expect(await records()).toHaveLength(1);
  });

  test('given a pod nobody applied, when deleted, then a line says so', async () => {
    expect(await (await world()).source.remove({ namespace: 'default', name: 'web' }, {})).toEqual({ ok: false, fault: 'pod default/web was not applied here' });
  });

  test('given a damaged record, when it starts, then it is set aside and the others count', async () => {
    const first = await world();
    await first.apply(manifest());
    await first.source.stop();
    await first.disk.writeAtomic(`${directory}/broken.json`, '{"kind": "Po', { mode: 0o600 });
    const second = await world(first.disk);
    expect(second.updates).toMatchObject([{ kind: 'set', pods: [{ name: 'web' }] }]);
    expect(second.refused[0]).toContain(`set aside as ${directory}/broken.json.damaged`);
    expect(await second.records()).toContain('broken.json.damaged');
    expect(await second.records()).not.toContain('broken.json');
  });
});

describe('admin pods on a bad disk', () => {
  test('given records that cannot be listed, when it starts, then it says nothing and applies nothing until they can', async () => {
    const clock = new VirtualClock();
    const disk = new SimFiles({ clock });
    disk.faults.forbidden.add(directory);
    const { clock: time, updates, apply } = await world(disk);
    expect(updates).toEqual([]);
    expect((await apply(manifest())).faults).toEqual([`the pods kept in ${directory} cannot be read; see the log`]);
    disk.faults.forbidden.clear();
    await time.advance(5_000);
    expect(updates).toEqual([{ kind: 'set', source: 'admin', pods: [] }]);
  });

  test('given a full disk, when a pod is applied, then it is refused and not said', async () => {
    const { disk, updates, apply } = await world();
    disk.faults.noSpace = true;
    expect((await apply(manifest())).faults[0]).toContain('cannot be stored');
    expect(updates).toHaveLength(1);
  });

  test('given ephemeral containers, when applied, then they may come to a pod that exists, and stay as they are', async () => {
    const { apply } = await world();
    const looking = (...names: string[]) => manifest('web', 'registry.example/app:1', `ephemeralContainers: [${names.map((name) => `{name: ${name}, image: 'x:1'}`).join(', ')}]`);
    expect((await apply(looking('debug'))).faults).toEqual(['spec.ephemeralContainers: Forbidden: cannot be set on create']);
    await apply(manifest());
    expect((await apply(looking('debug'))).results).toEqual(['web configured']);
    expect((await apply(looking('more', 'debug'))).results).toEqual(['web configured']);
    expect((await apply(looking('more'))).faults).toEqual(['spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed']);
    const changed = manifest('web', 'registry.example/app:1', "ephemeralContainers: [{name: more, image: 'x:2'}, {name: debug, image: 'x:1'}]");
    expect((await apply(changed)).faults).toEqual(['spec.ephemeralContainers: Forbidden: existing ephemeral containers "more" may not be changed']);
  });
});
