// A recording that goes on for ever in a bounded place: real files, a clock that the test moves.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Packing, RotatingRecording, type RotatingRecordingOptions } from '../../src/adapters/rotating-recording.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';

const hasZstd = 'createZstdCompress' in zlib;

describe('a rotating recording', () => {
  let directory = '';
  let file = '';
  const ended: string[] = [];
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-test-rotating-'));
    file = path.join(directory, 'a.jsonl');
    ended.length = 0;
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const options = (part: Partial<RotatingRecordingOptions> = {}): RotatingRecordingOptions => ({
    path: file, clock: new VirtualClock(), header: '{"recording":1}', bytesMax: 100, ageMaxMs: 1_000, olderMax: 2, packs: 'gzip', ended: (why) => ended.push(why), ...part,
  });
  const opened = (part: Partial<RotatingRecordingOptions> = {}): RotatingRecording => {
    const recording = RotatingRecording.open(options(part));
    if (!recording.ok) throw new Error(recording.fault);
    return recording.value;
  };
  const names = (): readonly string[] => readdirSync(directory).sort();

  it.each<[Packing, readonly string[]]>([
    ['gzip', ['a.jsonl', 'a.jsonl.2.gz', 'a.jsonl.3.gz']],
    ['none', ['a.jsonl', 'a.jsonl.2', 'a.jsonl.3']],
    ...(hasZstd ? [['zstd', ['a.jsonl', 'a.jsonl.2.zst', 'a.jsonl.3.zst']] as [Packing, readonly string[]]] : []), // as in the rows above
  ])('given packing with %s, when more comes than a file holds, then older ones are packed and the oldest go', async (packs, expected) => {
    const recording = opened({ packs });
    for (let count = 0; count < 4; count += 1) recording.writeLine(`{"n":${count},"fill":"${'x'.repeat(70)}"}`);
    await recording.close();
    expect(names()).toEqual(expected);
    expect(readFileSync(file, 'utf8')).toMatch(/^{"recording":1}\n{"n":3,/);
    expect(names().map((name) => statSync(path.join(directory, name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
    expect(ended).toEqual([]);
  });

  it('given an age, when a line comes after it, then a new file begins', async () => {
    const clock = new VirtualClock();
    const recording = opened({ clock, packs: 'none' });
    recording.writeLine('{"n":1}');
    await clock.advance(1_001);
    recording.writeLine('{"n":2}');
    await recording.close();
    expect(names()).toEqual(['a.jsonl', 'a.jsonl.1']);
  });

  it('given a file that is there, when a recording is opened, then that one is kept as an older one', async () => {
    await opened({ packs: 'none' }).close();
    await opened({ packs: 'none' }).close();
    expect(names()).toEqual(['a.jsonl', 'a.jsonl.1']);
  });

  it.skipIf(hasZstd)('given a Node.js without zstd, when it is asked for, then it says so and touches nothing', () => {
    expect(RotatingRecording.open(options({ packs: 'zstd' }))).toEqual({ ok: false, fault: 'this Node.js has no zstd (22.15 and newer have): pack with gzip' });
    expect(names()).toEqual([]);
  });
});
