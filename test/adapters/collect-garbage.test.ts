// What a collection gives back, seen in a process of Node.js that is started as the launcher starts the daemon.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';
import { collectGarbage } from '../../src/adapters/collect-garbage.ts';

const functions = 400;
const program = `
import { collectGarbage } from ${JSON.stringify(path.resolve('src/adapters/collect-garbage.ts'))};
let text = '';
for (let index = 0; index < ${functions}; index += 1) text += 'made[' + index + '] = (given) => { const local' + index + ' = given * ' + index + '; return { key' + index + ': local' + index + ' }; };';
const made = [];
new Function('made', text)(made);
for (const one of made) one(3);
const usedKib = () => process.memoryUsage().heapUsed / 1024;
for (let round = 0; round < 3; round += 1) collectGarbage({ code: 'kept' });
const before = usedKib();
collectGarbage({ code: 'kept' });
const kept = usedKib();
collectGarbage({ code: 'dropped' });
const dropped = usedKib();
console.log(JSON.stringify({ kept: before - kept, dropped: kept - dropped, again: made[7](6) }));
`;

it('given functions that ran, when code is dropped, then its memory is free and they run again; when it is kept, it is kept', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-heap-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const main = path.join(directory, 'main.cjs');
  buildSync({ stdin: { contents: program, resolveDir: directory, loader: 'ts' }, outfile: main, bundle: true, platform: 'node', format: 'cjs', logLevel: 'silent' });
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--lite-mode', main]);
  // Only ours prints to it.
  const { kept, dropped, again } = JSON.parse(stdout) as { kept: number; dropped: number; again: unknown };
  expect(again).toEqual({ key7: 42 });
  // The first moments of a process bring and free some kilobytes of their own.
  expect(dropped - kept).toBeGreaterThan(functions / 4);
});

it('given a process without a collector to call, when one is asked for, then nothing happens', () => {
  expect(() => collectGarbage({ code: 'dropped' })).not.toThrow();
});
