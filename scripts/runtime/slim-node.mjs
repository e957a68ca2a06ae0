// Node.js as the daemon needs it: the released program, or the library that holds ICU's data, without symbols and without the data of
// languages other than English. What it computes stays the same; `new Intl.NumberFormat('de')` falls back to the root locale.
import { execFileSync } from 'node:child_process';
import { loadedSegments, withoutSections, withoutStretch } from './elf.mjs';
import { keepItems } from './icu-data.mjs';

/** @param {Buffer} file a program or library with ICU's data in it @returns {Buffer} */
export function withoutLanguages(file) {
  const bare = withoutSections(file);
  const { from, to } = keepItems(bare);
  // Programs for kernels with larger pages are aligned to those.
  const align = Math.max(...loadedSegments(bare).map((segment) => segment.align));
  return withoutStretch(bare, { from: Math.ceil(from / align) * align, to: Math.floor(to / align) * align });
}

/** What the daemon leans on, tried out. */
const trial = `
const assert = require('node:assert');
assert.equal(new Intl.NumberFormat('en').format(1234567.891), '1,234,567.891');
assert.equal(typeof new Intl.NumberFormat('de').format(1.5), 'string');
assert.match(new Date(0).toLocaleString('en-US', { timeZone: 'Europe/Berlin' }), /1970/);
assert.equal('\\u00e9'.normalize('NFD').length, 2);
assert.equal('straße'.toUpperCase(), 'STRASSE');
assert.ok(/^\\p{Lu}\\p{Script=Greek}$/u.test('ÉΩ'));
assert.ok('a'.localeCompare('B', 'en') < 0 && 'ä'.localeCompare('z', 'sv') !== 0);
assert.equal(new URL('http://bücher.example').host, 'xn--bcher-kva.example');
assert.equal(new TextDecoder('utf-16le').decode(Uint8Array.of(0x61, 0)), 'a');
assert.equal(require('node:crypto').createHash('sha256').update('x').digest('hex').length, 64);
assert.equal(require('node:zlib').gunzipSync(require('node:zlib').gzipSync('x')).toString(), 'x');
for (const name of ['http', 'http2', 'tls', 'dns', 'worker_threads', 'child_process']) require('node:' + name);
[...'äöü'].sort(new Intl.Collator('en').compare);
new Intl.Segmenter('en', { granularity: 'word' }).segment('a b');
process.stdout.write(process.version);
`;

/** @returns its version @throws where it does not do what the daemon needs */
export function tryNode(file) {
  return execFileSync(file, ['-e', trial], { encoding: 'utf8', env: {} });
}
