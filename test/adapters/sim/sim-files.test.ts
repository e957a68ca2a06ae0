import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { SimFiles } from '../../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { filesContract } from '../../ports/files-contract.ts';
import { logFilesContract, type LogFilesWorld } from '../../ports/log-files-contract.ts';

function simWorld(): LogFilesWorld {
  const clock = new VirtualClock();
  const files = new SimFiles({ clock });
  files.putDirectory('/root');
  return {
    files,
    logFiles: files.logs,
    root: '/root',
    put: async (path, content) => files.put(path, content),
    remove: async (path) => files.take(path),
    move: async (from, to) => files.move(from, to),
    modeOf: async (path) => {
      const file = files.peek(path);
      return file === undefined ? files.modeOfDirectory(path) : file.mode;
    },
    until: async (condition) => {
      await clock.settle();
      expect(condition()).toBe(true);
    },
    rest: () => clock.settle(),
    stop: async () => undefined,
  };
}

filesContract('sim-files', async () => simWorld());
logFilesContract('sim-files', async () => simWorld());

describe('SimFiles', () => {
  const started = (): { clock: VirtualClock; files: SimFiles } => {
    const clock = new VirtualClock();
    const files = new SimFiles({ clock });
    files.put('/d/a', 'before');
    return { clock, files };
  };
  const textOf = (files: SimFiles, path: string): string | undefined => {
    const file = files.peek(path);
    return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
  };

  it('given a full disk, when written, then no-space, and the former content stays', async () => {
    const { files } = started();
    files.faults.noSpace = true;
    expect(await files.writeAtomic('/d/a', 'after', { mode: 0o600 })).toMatchObject({ ok: false, fault: { kind: 'no-space' } });
    expect(await files.removeFile('/d/b')).toMatchObject({ ok: true });
    expect(textOf(files, '/d/a')).toBe('before');
  });

  it('given a read-only disk, when changed in any way, then not-permitted; reading works', async () => {
    const { files } = started();
    files.faults.readOnly = true;
    const answers = await Promise.all([
      files.writeAtomic('/d/a', 'after', { mode: 0o600 }), files.makeDirectory('/e', { mode: 0o700 }), files.removeFile('/d/a'), files.removeTree('/d'),
    ]);
    for (const answer of answers) expect(answer).toMatchObject({ ok: false, fault: { kind: 'not-permitted' } });
    expect(await files.read('/d/a', { bytesMax: 100 })).toMatchObject({ ok: true });
  });

  it('given a forbidden path, when it or what is below is used, then not-permitted', async () => {
    const { files } = started();
    files.faults.forbidden.add('/d');
    expect(await files.list('/d')).toMatchObject({ ok: false, fault: { kind: 'not-permitted' } });
    expect(await files.read('/d/a', { bytesMax: 100 })).toMatchObject({ ok: false, fault: { kind: 'not-permitted' } });
  });

  it('given half of a file put, when read, then half of it comes', async () => {
    const { files } = started();
    files.put('/d/a', '1234567890', { half: 0.5 });
    expect(textOf(files, '/d/a')).toBe('12345');
  });

  it('given slow calls, when time stands still, then they do not answer', async () => {
    const { clock, files } = started();
    files.faults.latencyMs = 10;
    let answered = false;
    void files.list('/d').then(() => { answered = true; });
    await clock.advance(9);
    expect(answered).toBe(false);
    await clock.advance(1);
    expect(answered).toBe(true);
  });

  it('given a write in flight, when the power goes, then the file is whole, a torn temporary is left, and nothing answers', async () => {
    const { clock, files } = started();
    files.faults.latencyMs = 10;
    let answered = false;
    void files.writeAtomic('/d/a', 'after'.repeat(100), { mode: 0o600 }).then(() => { answered = true; });
    await clock.advance(15);
    files.crash(new SeededRandom(7));
    await clock.advance(100);
    expect(answered).toBe(false);
    expect(textOf(files, '/d/a')).toBe('before');
    const listed = files.list('/d');
    await clock.advance(10);
    const answer = await listed;
    const torn = answer.ok ? answer.value.find(({ name }) => name.endsWith('.tmp')) : undefined;
    expect(torn?.sizeBytes).toBeLessThan(500);
  });

  it('given changes that were not synced, when the power goes, then the newest of them may not have happened, and never what came before a sync', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const { files } = started();
      await files.removeFile('/d/a');
      await files.append('/d/journal', 'first\n', { mode: 0o600 });
      await files.makeFile('/d/made', { mode: 0o600 });
      await files.removeFile('/d/journal');
      files.losePower(new SeededRandom(seed));
      expect(textOf(files, '/d/a')).toBeUndefined();
      seen.add(`${textOf(files, '/d/made') ?? 'no'} ${textOf(files, '/d/journal') ?? 'no'}`);
    }
    expect([...seen].sort()).toEqual([' first\n', ' no', 'no first\n']);
  });

  it('given a durable removal, or time enough, when the power goes, then what was removed does not come back', async () => {
    for (let seed = 0; seed < 10; seed += 1) {
      const { files, clock } = started();
      files.put('/d/b', '');
      await files.removeFile('/d/a');
      await files.removeFile('/d/b', { durable: true });
      files.losePower(new SeededRandom(seed));
      expect([textOf(files, '/d/a'), textOf(files, '/d/b')]).toEqual([undefined, undefined]);
      files.put('/d/c', '');
      await files.removeFile('/d/c');
      await clock.advance(5_000);
      files.losePower(new SeededRandom(seed));
      expect(textOf(files, '/d/c')).toBeUndefined();
    }
  });

  it('given an append in flight, when the power goes, then what stood there stays and a first part of it may follow', async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 20; seed += 1) {
      const { files } = started();
      void files.append('/d/a', ' after', { mode: 0o600 });
      files.losePower(new SeededRandom(seed));
      const text = textOf(files, '/d/a') ?? '';
      expect('before after'.startsWith(text) && text.startsWith('before')).toBe(true);
      lengths.add(text.length);
    }
    expect(lengths.size).toBeGreaterThan(3);
  });

  it('given one seed, when the same is done twice, then the same is left', () => {
    const run = (): string | undefined => {
      const { files } = started();
      void files.writeAtomic('/d/b', 'content', { mode: 0o600 });
      files.crash(new SeededRandom(3));
      return textOf(files, '/d/b');
    };
    expect(run()).toBe(run());
  });
});
