// `mqlet install-cni`: puts the CNI plugins that an image brings where the host's runtime looks for them. What is there stays.
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { Refusal } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { flagsOf } from './words.ts';

const help = `Usage: mqlet install-cni [flags]

Puts the CNI plugins of this image into a directory of the host. Plugins that are there stay as they are.

      --to DIRECTORY           default: /opt/cni/bin
      --force                  replace those that are there
`;
const packedName = 'plugins.br';
/** All of them together are not larger; what is packed grows no further. */
const pluginsBytesMax = 256 * 1024 * 1024;
const programMode = 0o755;

/** @throws Refusal */
export function runInstallCni(argv: readonly string[], terminal: Terminal): number {
  const { help: wantsHelp, to = '/opt/cni/bin', force = false } = flagsOf('install-cni', argv, { to: { type: 'string' }, force: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } });
  if (wantsHelp === true) {
    terminal.print(help);
    return 0;
  }
  const from = path.join(terminal.environment['MQLET_HOME'] ?? '', 'cni', packedName);
  if (!existsSync(from)) throw new Refusal('this installation brings no CNI plugins: take the image with -cni, or your distribution\'s package');
  if (!existsSync(to) || !statSync(to).isDirectory()) throw new Refusal(`${to} is not there: mount the host's directory of CNI plugins at it`);
  const placed = pluginsIn(readFileSync(from)).filter(({ name }) => force || !existsSync(path.join(to, name)));
  for (const { name, bytes } of placed) {
    const fresh = path.join(to, `.${name}.new`);
    writeFileSync(fresh, bytes, { mode: programMode });
    renameSync(fresh, path.join(to, name));
  }
  terminal.print(placed.length === 0 ? `the CNI plugins are in ${to}\n` : `CNI plugins put into ${to}: ${placed.map(({ name }) => name).join(', ')}\n`);
  return 0;
}

interface Plugin {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A line of JSON with names and sizes, then the files one after another. */
function pluginsIn(archive: Uint8Array): readonly Plugin[] {
  const all = brotliDecompressSync(archive, { maxOutputLength: pluginsBytesMax });
  const end = all.indexOf('\n');
  // The image's own file, written by scripts/images.
  const listed = JSON.parse(all.toString('utf8', 0, end)) as { readonly name: string; readonly size: number }[];
  let at = end + 1;
  return listed.map(({ name, size }) => ({ name, bytes: all.subarray(at, (at += size)) }));
}
