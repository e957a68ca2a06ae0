// A bundle that is let go of is really gone: looked at from inside a process of Node.js that runs bundles.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';
import { forgetPart } from '../../src/adapters/forget-part.ts';

const program = `
import { forgetPart } from ${JSON.stringify(path.resolve('src/adapters/forget-part.ts'))};
const table = () => new WeakRef(require('./part.cjs').table);
const [part, other] = [table(), new WeakRef(require('./other-part.cjs').table)];
forgetPart('part');
setTimeout(() => {
  globalThis.gc();
  console.log(JSON.stringify({ part: part.deref() !== undefined, other: other.deref() !== undefined, again: require('./part.cjs').table.length }));
}, 10);
`;

it('given a bundle that was loaded, when it is forgotten, then its memory is freed, others stay, and it can be loaded again', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-parts-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(path.join(directory, 'part.cjs'), 'exports.table = new Array(3).fill(0);');
  writeFileSync(path.join(directory, 'other-part.cjs'), 'exports.table = new Array(4).fill(0);');
  const main = path.join(directory, 'main.cjs');
  buildSync({ stdin: { contents: program, resolveDir: directory, loader: 'ts' }, outfile: main, bundle: true, platform: 'node', format: 'cjs', external: ['./*.cjs'], logLevel: 'silent' });
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', main]);
  expect(JSON.parse(stdout)).toEqual({ part: false, other: true, again: 3 });
});

it('given no bundles, when a part is forgotten, then nothing happens', () => {
  expect(() => forgetPart('config')).not.toThrow();
});
