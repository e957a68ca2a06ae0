// `mqlet record` where nothing can be recorded: what is said, and that older recordings stay where they are.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { freePort } from '../support/mosquitto.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-test-record-'));
const file = path.join(directory, 'former.jsonl');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function record(words: readonly string[]): Promise<{ readonly code: number; readonly complaints: readonly string[] }> {
  const complaints: string[] = [];
  const code = await runCommand(['record', ...words], {
    print: () => undefined, complain: (line) => void complaints.push(line), environment: {}, readFile: () => new Uint8Array(),
    readStandardInput: () => Promise.resolve(''), readLines: async function* () {}, nowMs: () => 0,
  });
  return { code, complaints };
}

describe('mqlet record', () => {
  it('given a broker that is not there, when it is started, then it says so in one line, and a file that is there is not touched', async () => {
    writeFileSync(file, 'kept\n');
    const { code, complaints } = await record(['--mqtt-url', `mqtt://127.0.0.1:${await freePort()}`, file]);
    expect(code).toBe(1);
    expect(complaints).toEqual([expect.stringMatching(/^mqlet record: 127\.0\.0\.1:\d+: /)]);
    expect(readdirSync(directory)).toEqual(['former.jsonl']);
    expect(readFileSync(file, 'utf8')).toBe('kept\n');
  });

  it.each([
    ['a packing that is none', ['--compress', 'rar'], /--compress must be gzip, zstd or none, not "rar"/],
    ['a size that is none', ['--max-megabytes', 'many'], /--max-megabytes must be a whole number above 0, not "many"/],
  ])('given %s, when it is started, then it says so before anything else', async (_name, flags, line) => {
    const { code, complaints } = await record([...flags, '--mqtt-url', 'mqtt://127.0.0.1:1', file]);
    expect(code).toBe(2);
    expect(complaints).toEqual([expect.stringMatching(line)]);
  });
});
