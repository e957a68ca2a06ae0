// The store of secrets and config maps: what it remembers, writes, forgets, and that it does so without waste.
import { afterEach, describe, expect, it } from 'vitest';
import { type ObjectStore, startObjectStore } from '../../src/actors/object-store.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import type { DesiredPod, PodUid } from '../../src/ports/pod-types.ts';
import type { StoredObject } from '../../src/ports/stored-object.ts';
import { aPod } from '../support/pods.ts';
import { silentLog } from '../support/silent-log.ts';
import { aConfigMap, aSecret } from '../support/stored-objects.ts';

const directory = '/var/lib/mqlet/cache';
const stores: ObjectStore[] = [];
afterEach(async () => { for (const store of stores.splice(0)) await store.stop(); });

async function world(given: { clock: VirtualClock; files: SimFiles } = newMachine()) {
  const { clock, files } = given;
  const bus = new Bus(clock);
  const seen: AnyEnvelope[] = [];
  bus.tap((envelope) => void seen.push(envelope));
  let writes = 0;
  const counted = new Proxy(files, { get: (target, name) => {
    const member: unknown = Reflect.get(target, name);
    if (name === 'writeAtomic') writes += 1;
    return typeof member === 'function' ? member.bind(target) : member;
  } });
  const store = startObjectStore({ bus: bus.as('objects'), clock, files: counted, log: silentLog, directory });
  stores.push(store);
  await clock.advance(10);
  return {
    clock, files, store, seen,
    writes: () => writes,
    receive: async (object: StoredObject) => {
      bus.as('mqtt-pods').publish('object.received', { object });
      // Its file waits for the volumes of the pod that came with it.
      await clock.advance(250);
    },
    pods: (op: 'ADD' | 'UPDATE', ...pods: readonly DesiredPod[]) => bus.as('merge').publish('pods.changed', { op, source: 'mqtt', pods }),
    forgotten: (pod: DesiredPod) => bus.as('supervisor').publish('pod.forgotten', { pod }),
    ready: () => bus.as('merge').publish('sources.ready', { sources: ['mqtt'] }),
    changed: () => seen.filter(({ topic }) => topic === 'object.changed').length,
    text: async (path: string) => {
      const read = await files.read(`${directory}/${path}`, { bytesMax: 10_000 });
      return read.ok ? Buffer.from(read.value).toString() : undefined;
    },
  };
}

function newMachine() {
  const clock = new VirtualClock();
  return { clock, files: new SimFiles({ clock }) };
}

const user = (name: string, uid = 'uid-user') =>
  aPod({ volumes: [{ name: 'v', secret: { secretName: name } }] }, { uid: uid as PodUid }); // Any string is a UID here.

describe('object store', () => {
  it('given a secret, when received, then it is found, told and written for root only', async () => {
    const { store, receive, changed, text } = await world();
    await receive(aSecret('keys', { a: 'one' }));
    expect(store.find({ kind: 'Secret', namespace: 'default', name: 'keys' })?.version).toBe('1');
    expect(changed()).toBe(1);
    expect(await text('secrets/default_keys.json')).toContain(Buffer.from('one').toString('base64'));
  });

  it('given the same again, when received, then nothing is told or written', async () => {
    const { receive, changed, writes } = await world();
    await receive(aConfigMap('files', { a: 'one' }));
    await receive(aConfigMap('files', { a: 'one' }));
    expect([changed(), writes()]).toEqual([1, 1]);
    await receive(aConfigMap('files', { a: 'one' }, { version: '2' }));
    expect([changed(), writes()]).toEqual([1, 2]);
  });

  it('given an older version, when received late, then the newer stays', async () => {
    const { store, receive } = await world();
    await receive(aConfigMap('files', { a: 'new' }, { version: '9' }));
    await receive(aConfigMap('files', { a: 'old' }, { version: '8' }));
    expect(store.find({ kind: 'ConfigMap', namespace: 'default', name: 'files' })?.version).toBe('9');
    await receive(aConfigMap('files', { a: 'other' }, { version: '1', uid: 'another' }));
    expect(store.find({ kind: 'ConfigMap', namespace: 'default', name: 'files' })?.version).toBe('1');
  });

  it('given a restart, when the store starts, then what it had is there', async () => {
    const machine = newMachine();
    const before = await world(machine);
    await before.receive(aSecret('keys', { a: 'one' }));
    const after = await world(machine);
    expect(after.store.find({ kind: 'Secret', namespace: 'default', name: 'keys' })?.data.keys()).toEqual(['a']);
    expect([after.changed(), after.writes()]).toEqual([1, 0]);
  });

  it('given a broken file, when the store starts, then the others are loaded', async () => {
    const machine = newMachine();
    const before = await world(machine);
    await before.receive(aSecret('keys', { a: 'one' }));
    await machine.files.writeAtomic(`${directory}/secrets/default_broken.json`, '{', { mode: 0o600 });
    const after = await world(machine);
    expect(after.store.find({ kind: 'Secret', namespace: 'default', name: 'keys' })).toBeDefined();
  });

  it('given the last pod that used it is gone, when a while has passed, then the object and its file go', async () => {
    const { clock, store, receive, pods, forgotten, ready, text } = await world();
    const [one, two] = [user('keys', 'one'), user('keys', 'two')];
    await receive(aSecret('keys', { a: 'one' }));
    await receive(aSecret('stray', { a: 'one' }));
    pods('ADD', one, two);
    ready();
    await clock.advance(61_000);
    expect(store.find({ kind: 'Secret', namespace: 'default', name: 'stray' })).toBeUndefined();
    forgotten(one);
    await clock.advance(61_000);
    expect(store.find({ kind: 'Secret', namespace: 'default', name: 'keys' })).toBeDefined();
    forgotten(two);
    await clock.advance(61_000);
    expect(store.find({ kind: 'Secret', namespace: 'default', name: 'keys' })).toBeUndefined();
    expect(await text('secrets/default_keys.json')).toBeUndefined();
  });

  it('given the sources have not spoken, when time passes, then nothing is removed', async () => {
    const { clock, store, receive } = await world();
    await receive(aSecret('keys', { a: 'one' }));
    await clock.advance(600_000);
    expect(store.find({ kind: 'Secret', namespace: 'default', name: 'keys' })).toBeDefined();
  });

  it('given a full disk, when an object comes, then it is used all the same and written when there is room', async () => {
    const { clock, files, store, receive, text } = await world();
    files.faults.noSpace = true;
    await receive(aSecret('keys', { a: 'one' }));
    expect(store.find({ kind: 'Secret', namespace: 'default', name: 'keys' })).toBeDefined();
    files.faults.noSpace = false;
    await clock.advance(31_000);
    expect(await text('secrets/default_keys.json')).toBeDefined();
  });
});
