// Records on disk: written late, whole, once, and read back by the next life; whatever is wrong with a file or the disk.
import { beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { SimFiles } from '../../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../../src/bus/bus.ts';
import { asideMax, recordObject, RecordFiles, writeRetryMs } from '../../../src/bus/disk/record-files.ts';
import type { AnyEnvelope } from '../../../src/bus/messages.ts';
import { silentLog } from '../../support/silent-log.ts';

const directory = '/var/lib/mqlet/cache/pods';

describe('record files', () => {
  let clock: VirtualClock;
  let files: SimFiles;
  let writes: string[];
  let seen: AnyEnvelope[];
  const life = async (options: { readonly recordsMax?: number } = {}) => {
    const bus = new Bus(clock);
    seen = [];
    bus.tap((envelope) => void seen.push(envelope));
    const counted = new Proxy(files, { get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        if (name === 'writeAtomic' || name === 'removeFile') writes.push(`${name === 'writeAtomic' ? '+' : '-'}${String(args[0]).slice(directory.length + 1)}`);
        return member.apply(target, args) as unknown;
      };
    } });
    const records = new RecordFiles({ bus: bus.as('records'), clock, files: counted, log: silentLog, directory, area: 'pods', bytesMax: 1_000, recordsMax: options.recordsMax ?? 100 });
    const loaded = new Map<string, unknown>();
    await Promise.all([
      records.load((name, content) => {
        const object = recordObject(content);
        if (object === undefined) return 'is no JSON object';
        loaded.set(name, object);
        return undefined;
      }),
      clock.advance(1),
    ]);
    return { records, loaded };
  };
  const text = (name: string): string | undefined => {
    const file = files.peek(`${directory}/${name}.json`);
    return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
  };
  const troubles = () => seen.flatMap((each) => (each.topic === 'storage.health' ? [each.payload.trouble?.reason] : []));
  beforeEach(() => {
    clock = new VirtualClock();
    files = new SimFiles({ clock });
    writes = [];
  });

  it('given records, when put, changed and taken away, then files follow, for root alone, and the next life reads them', async () => {
    const { records } = await life();
    records.put('a', () => '{"n":1}');
    records.put('b', () => '{"n":2}');
    await clock.advance(1);
    expect([text('a'), files.peek(`${directory}/a.json`)?.mode, files.modeOfDirectory(directory)]).toEqual(['{"n":1}', 0o600, 0o700]);
    records.put('b', undefined);
    await clock.advance(1);
    const next = await life();
    expect([...next.loaded]).toEqual([['a', { n: 1 }]]);
    expect(next.records.names()).toEqual(['a']);
  });

  it('given the same content, from this life or the one before, when put, then nothing is written', async () => {
    const first = await life();
    first.records.put('a', () => '{"n":1}');
    await clock.advance(1);
    first.records.put('a', () => '{"n":1}');
    await clock.advance(1);
    const next = await life();
    next.records.put('a', () => '{"n":1}');
    next.records.put('missing', undefined);
    await clock.advance(1);
    expect(writes).toEqual(['+a.json']);
  });

  it('given changes that may wait, when more come within the time, then the newest alone is written', async () => {
    const { records } = await life();
    let version = 0;
    for (let count = 0; count < 5; count += 1) {
      version += 1;
      records.put('a', () => `{"n":${version}}`, { withinMs: 1_000 });
      await clock.advance(100);
    }
    expect(writes).toEqual([]);
    await clock.advance(500);
    expect([writes, text('a')]).toEqual([['+a.json'], '{"n":5}']);
    records.put('b', () => '{}', { withinMs: 1_000 });
    records.put('b', undefined, { withinMs: 1_000 });
    await clock.advance(2_000);
    expect(writes).toEqual(['+a.json']);
    await records.stop();
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given a change that may wait, when it comes while the files are read, then it is written when they are', async () => {
    const bus = new Bus(clock);
    const records = new RecordFiles({ bus: bus.as('records'), clock, files, log: silentLog, directory, area: 'pods', bytesMax: 1_000, recordsMax: 100 });
    const loading = records.load(() => undefined);
    records.put('web', () => '{"a":1}', { withinMs: 200 });
    await Promise.all([loading, clock.advance(1)]);
    await clock.advance(10);
    expect(text('web')).toBe('{"a":1}');
    await records.stop();
  });

  it('given changes that wait, when it is stopped, then they are written at once', async () => {
    const { records } = await life();
    records.put('a', () => '{"n":1}', { withinMs: 60_000 });
    await Promise.all([records.stop(), clock.advance(1)]);
    expect(text('a')).toBe('{"n":1}');
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given a file that was taken away, when the power goes, then it does not come back', async () => {
    for (let seed = 0; seed < 10; seed += 1) {
      const { records } = await life();
      records.put('a', () => '{"n":1}');
      await clock.advance(1);
      records.put('a', undefined);
      await clock.advance(1);
      files.losePower(new SeededRandom(seed));
      expect(text('a')).toBeUndefined();
    }
  });

  it('given damaged files, when read, then each is set aside, told once, and the rest is there; what a crash left of a write is removed', async () => {
    files.put(`${directory}/good.json`, '{}');
    files.put(`${directory}/torn.json`, '{"n":');
    files.put(`${directory}/huge.json`, ' '.repeat(2_000));
    files.put(`${directory}/.sim-1.tmp`, 'half');
    const { loaded, records } = await life();
    expect([...loaded.keys()]).toEqual(['good']);
    const listed = await files.list(directory);
    expect(listed.ok ? listed.value.map(({ name }) => name) : []).toEqual(['good.json', 'huge.json', 'torn.json.damaged']);
    expect(seen.filter(({ topic }) => topic === 'input.refused')).toHaveLength(2);
    expect(troubles()).toEqual(['FilesDamaged']);
    // What could not be set aside is replaced when there is something better.
    records.put('huge', () => '{"n":1}');
    await clock.advance(1);
    expect(text('huge')).toBe('{"n":1}');
    records.repaired();
    expect(troubles()).toEqual(['FilesDamaged', undefined]);
  });

  it('given many files that were set aside, when read, then the newest stay', async () => {
    for (let index = 0; index < asideMax + 5; index += 1) {
      files.put(`${directory}/r${index}.json.damaged`, '{');
      await clock.advance(1_000);
    }
    await life();
    const listed = await files.list(directory);
    const names = listed.ok ? listed.value.map(({ name }) => name) : [];
    expect(names).toHaveLength(asideMax);
    expect(names).not.toContain('r4.json.damaged');
  });

  it('given a disk that is full and then not, when records change, then trouble is told once, the newest is written when there is room, and all is well again', async () => {
    const { records } = await life();
    files.faults.noSpace = true;
    for (let count = 1; count <= 10; count += 1) {
      records.put('a', () => `{"n":${count}}`);
      await clock.advance(3_000);
    }
    expect(troubles()).toEqual(['DiskFull']);
    files.faults.noSpace = false;
    await clock.advance(writeRetryMs);
    expect([text('a'), troubles()]).toEqual(['{"n":10}', ['DiskFull', undefined]]);
    await records.stop();
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given more files than are to be read, when read, then the first are', async () => {
    for (let index = 0; index < 5; index += 1) files.put(`${directory}/r${index}.json`, '{}');
    expect([...(await life({ recordsMax: 3 })).loaded.keys()]).toEqual(['r0', 'r1', 'r2']);
  });
});
