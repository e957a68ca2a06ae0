// The store's promise: what was answered is there afterwards, whatever happened in between, and nothing is seen that could be lost.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { SimFiles } from '../../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import type { ApiKey, ApiObject } from '../../../src/api-server/objects.ts';
import { resourceNamed } from '../../../src/api-server/resources.ts';
import { readJournal } from '../../../src/api-server/store/journal.ts';
import { ObjectStore } from '../../../src/api-server/store/object-store.ts';
import { ok } from '../../../src/ports/result.ts';
import { silentLog } from '../../support/silent-log.ts';

const directory = '/store';
const file = `${directory}/objects.journal`;
const resource = resourceNamed('configmaps');
const key = (name: string): ApiKey => ({ resource, namespace: 'default', name });

function object(name: string, value: string): ApiObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, uid: name, resourceVersion: '', creationTimestamp: '' }, data: { value } };
}

async function opened(files: SimFiles): Promise<ObjectStore> {
  const store = await ObjectStore.open({ files, log: silentLog, directory });
  if (!store.ok) throw new Error(store.fault.message);
  return store.value;
}

const freshFiles = (): SimFiles => new SimFiles({ clock: new VirtualClock() });
const put = (store: ObjectStore, name: string, value: string) => store.write(key(name), () => ok({ kind: 'put', object: object(name, value) }));
const remove = (store: ObjectStore, name: string) => store.write(key(name), (current) => (current === undefined ? ok({ kind: 'keep', object: object(name, '') }) : ok({ kind: 'delete' })));
const contentOf = (store: ObjectStore): Readonly<Record<string, unknown>> => Object.fromEntries([...store.all(resource)].map(([name, { data, metadata }]) => [name, [data, metadata.resourceVersion]]).sort());

async function bytesOf(files: SimFiles): Promise<Uint8Array> {
  const read = await files.read(file, { bytesMax: 2 ** 30 });
  return read.ok ? read.value : new Uint8Array();
}

const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.option(fc.string({ maxLength: 20 }), { nil: undefined })), { minLength: 1, maxLength: 12 });

describe('the store of the embedded API', () => {
  test('given a file cut at every byte, when it is opened, then it has every change up to the cut and takes new ones that stay', async () => {
    await fc.assert(fc.asyncProperty(steps, async (made) => {
      const files = freshFiles();
      const store = await opened(files);
      const states = [{ length: 0, content: contentOf(store) }];
      for (const [name, value] of made) {
        await (value === undefined ? remove(store, name) : put(store, name, value));
        states.push({ length: (await bytesOf(files)).byteLength, content: contentOf(store) });
      }
      const whole = await bytesOf(files);
      for (let cut = 0; cut <= whole.byteLength; cut += 1) {
        const left = freshFiles();
        left.put(file, whole.slice(0, cut));
        const again = await opened(left);
        const expected = states.filter(({ length }) => length <= cut).at(-1);
        expect(contentOf(again)).toEqual(expected?.content);
        if (cut % 7 !== 0) continue;
        await put(again, 'later', 'x');
        expect(contentOf(await opened(left))).toEqual(contentOf(again));
      }
    }), { numRuns: 12 });
  }, 60_000);

  test('given a process that dies at any time, when the store is opened again, then all that was answered is there', async () => {
    await fc.assert(fc.asyncProperty(steps, fc.nat(30), fc.nat(), async (made, turns, seed) => {
      const files = freshFiles();
      const store = await opened(files);
      const answered = new Map<string, string | undefined>();
      const asked = new Map<string, Set<string | undefined>>();
      for (const [name, value] of made) {
        asked.set(name, (asked.get(name) ?? new Set()).add(value));
        void (value === undefined ? remove(store, name) : put(store, name, value)).then((done) => done.ok && answered.set(name, value));
      }
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      files.crash(new SeededRandom(seed));
      const told = new Map(answered);
      const again = await opened(files);
      for (const [name, value] of told) {
        const found = again.get(key(name))?.['data'] as { readonly value: string } | undefined; // as `object` makes it
        // A later wish that was not answered may have been carried out too.
        const wishes = asked.get(name) ?? new Set();
        expect(found?.value === value || wishes.has(found?.value)).toBe(true);
      }
    }), { numRuns: 100 });
  });

  test('given two writers that began from one version, when both write, then the second is shown what the first has done', async () => {
    const store = await opened(freshFiles());
    await put(store, 'a', '0');
    const seen: unknown[] = [];
    const write = (value: string) => store.write(key('a'), (current) => {
      seen.push(current?.['data']);
      return ok({ kind: 'put', object: object('a', value) });
    });
    await Promise.all([write('1'), write('2')]);
    expect(seen).toEqual([{ value: '0' }, { value: '1' }]);
    expect(store.get(key('a'))?.['data']).toEqual({ value: '2' });
  });

  test('given a write on its way, when others read or watch, then they see it only when it is on disk', async () => {
    const files = freshFiles();
    const store = await opened(files);
    const seen: string[] = [];
    store.onChange(({ after }) => void seen.push(after?.metadata.name ?? ''));
    const writing = put(store, 'a', '1');
    expect([store.get(key('a')), seen]).toEqual([undefined, []]);
    await writing;
    expect([store.get(key('a'))?.metadata.name, seen]).toEqual(['a', ['a']]);
  });

  test('given a disk that is full, when a write fails, then nobody sees it, later ones succeed, and versions never repeat', async () => {
    const files = freshFiles();
    const store = await opened(files);
    const first = await put(store, 'a', '1');
    files.faults.noSpace = true;
    expect(await put(store, 'a', '2')).toMatchObject({ ok: false, fault: { code: 500, reason: 'InternalError' } });
    files.faults.noSpace = false;
    const third = await put(store, 'a', '3');
    expect(first.ok && third.ok && Number(third.value.metadata.resourceVersion) > Number(first.value.metadata.resourceVersion)).toBe(true);
    expect(contentOf(await opened(files))).toEqual(contentOf(store));
  });

  test('given a damaged line, when the store is opened, then the others count and the file is set aside as it was', async () => {
    const files = freshFiles();
    const store = await opened(files);
    for (const name of ['a', 'b', 'c']) await put(store, name, name);
    const bytes = await bytesOf(files);
    const second = bytes.indexOf(10) + 20;
    bytes[second] = (bytes[second] ?? 0) ^ 1;
    files.put(file, bytes);
    const again = await opened(files);
    expect(Object.keys(contentOf(again))).toEqual(['default/a', 'default/c']);
    const aside = await files.read(`${file}.damaged`, { bytesMax: 2 ** 20 });
    expect(aside.ok && Buffer.compare(aside.value, bytes)).toBe(0);
    await put(again, 'd', 'd');
    expect(readJournal(await bytesOf(files))).toMatchObject({ damaged: 0, torn: false });
  });

  test('given many changes of few objects, when they are written, then the file stays in bounds', async () => {
    const files = freshFiles();
    const store = await opened(files);
    const big = 'x'.repeat(100_000);
    let largest = 0;
    for (let round = 0; round < 150; round += 1) {
      await put(store, 'a', `${big}${round}`);
      largest = Math.max(largest, (await bytesOf(files)).byteLength);
    }
    expect(largest).toBeLessThan(5_000_000);
    expect(contentOf(await opened(files))).toEqual(contentOf(store));
  });

  test('given arbitrary bytes, when they are read as a journal, then nothing is thrown', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      readJournal(bytes);
    }));
  });
});
