// Reading a container's log from its files, on a real disk: rotated and packed ones, its end, and following it through a rotation.
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type LogFilesOptions, readLogFiles } from '../../../src/actors/streams/log-files.ts';
import { NodeFiles } from '../../../src/adapters/node-files.ts';
import { NodeLogReader } from '../../../src/adapters/node-log-reader.ts';
import { SystemClock } from '../../../src/adapters/system-clock.ts';

const root = mkdtempSync(path.join(tmpdir(), 'mqlet-logs-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
let file = '';
const deps = { files: new NodeFiles(), logs: new NodeLogReader(), clock: new SystemClock() };

function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_none, index) => `2026-01-31T10:00:00Z stdout F line ${from + index}\n`).join('');
}

async function read(options: Partial<LogFilesOptions> = {}): Promise<string> {
  const parts: Uint8Array[] = [];
  const never = new Promise(() => undefined);
  for await (const bytes of readLogFiles(deps, { path: file, follow: false, isWritten: () => false, closed: never, ...options })) if (bytes !== 'cut') parts.push(bytes);
  return Buffer.concat(parts).toString();
}

describe('the files of a log', () => {
  beforeEach(async () => {
    count += 1;
    const directory = path.join(root, String(count));
    await new NodeFiles().makeDirectory(directory, { mode: 0o755 });
    file = path.join(directory, '0.log');
    writeFileSync(`${file}.20260131-080000.gz`, gzipSync(lines(0, 5_000)));
    writeFileSync(`${file}.20260131-090000`, lines(5_000, 7_000));
    writeFileSync(file, lines(7_000, 8_000));
  });

  it('given rotated and packed ones, when all is read, then it comes in order', async () => {
    expect(await read()).toBe(lines(0, 8_000));
  });

  it.each([0, 1, 999, 1_000, 1_001, 2_999, 3_000, 3_001, 7_999, 8_000, 9_000])('given %i lines from the end, when they are read, then exactly those come', async (tailLines) => {
    expect(await read({ tailLines })).toBe(lines(Math.max(0, 8_000 - tailLines), 8_000));
  });

  it('given no file any more, when it is read, then what is left comes', async () => {
    rmSync(file);
    expect(await read({ tailLines: 2_500 })).toBe(lines(4_500, 7_000));
  });

  it('given a log that is followed, when it is rotated, then nothing is lost and nothing comes twice', async () => {
    let written = true;
    const reading = read({ tailLines: 10, follow: true, isWritten: () => written });
    await new Promise((resolve) => setTimeout(resolve, 50));
    appendFileSync(file, lines(8_000, 8_100));
    renameSync(file, `${file}.20260131-110000`);
    appendFileSync(`${file}.20260131-110000`, lines(8_100, 8_200));
    writeFileSync(file, lines(8_200, 8_300));
    await new Promise((resolve) => setTimeout(resolve, 50));
    appendFileSync(file, lines(8_300, 8_400));
    written = false;
    expect(await reading).toBe(lines(7_990, 8_400));
  });

  it('given a log that is followed, when nobody wants it any more, then the reading ends', async () => {
    let close: (nothing: unknown) => void = () => undefined;
    const reading = read({ tailLines: 1, follow: true, isWritten: () => true, closed: new Promise((resolve) => { close = resolve; }) });
    await new Promise((resolve) => setTimeout(resolve, 20));
    close(undefined);
    expect(await reading).toBe(lines(7_999, 8_000));
  });
});
