// The Node.js that goes into packages and images: the released program from its npm package, checked against the digest that is
// committed, made smaller, and kept in build/cache for the next time.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, ScriptFailure } from '../progress.mjs';
import { npmPurl } from '../sbom.mjs';
import { home } from '../setup.mjs';
import { tryNode, withoutLanguages } from './slim-node.mjs';

const { version, packages } = JSON.parse(readFileSync(path.join(home, 'scripts', 'runtime', 'node-packages.json'), 'utf8'));
const cache = path.join(home, 'build', 'cache');
/** Debian's names, and Node.js's. */
const ownArchitecture = { x64: 'amd64', arm64: 'arm64', arm: 'armhf' }[process.arch];
/** Changes when what is made of the released program does. */
const recipe = createHash('sha256').update(['elf.mjs', 'icu-data.mjs', 'slim-node.mjs'].map((name) => readFileSync(path.join(home, 'scripts', 'runtime', name), 'utf8')).join('')).digest('hex').slice(0, 12);

export const nodeArchitectures = Object.keys(packages);

/**
 * @param {'amd64' | 'arm64'} architecture as Debian calls it
 * @returns {Promise<{file: string, licence: string, component: object}>} the program, its licence, and what the bill of materials says of it
 */
export async function nodeRuntime(architecture) {
  const wanted = packages[architecture];
  if (wanted === undefined) throw new ScriptFailure(`Node.js ${version} is not released for ${architecture}; there are ${nodeArchitectures.join(', ')}`);
  const directory = path.join(cache, `node-${version}-${architecture}-${recipe}`);
  const [file, licence] = [path.join(directory, 'node'), path.join(directory, 'LICENSE')];
  if (!existsSync(file)) await make(wanted, architecture, directory);
  return { file, licence, component: componentOf(wanted) };
}

async function make({ name, integrity }, architecture, directory) {
  const work = `${directory}.${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const archive = await fetchPackage(name, integrity, work);
  const unpacked = await run('tar', ['-xzf', archive, '-C', work, 'package/bin/node', 'package/LICENSE'], { quiet: true });
  if (unpacked.code !== 0) throw new ScriptFailure(unpacked.output);
  const file = path.join(work, 'node');
  writeFileSync(file, withoutLanguages(readFileSync(path.join(work, 'package', 'bin', 'node'))));
  chmodSync(file, 0o755);
  renameSync(path.join(work, 'package', 'LICENSE'), path.join(work, 'LICENSE'));
  rmSync(path.join(work, 'package'), { recursive: true });
  rmSync(archive);
  if (architecture === ownArchitecture && tryNode(file) !== `v${version}`) throw new ScriptFailure(`${file} is not Node.js ${version}`);
  rmSync(directory, { recursive: true, force: true });
  renameSync(work, directory);
}

async function fetchPackage(name, integrity, directory) {
  const packed = await run('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', directory], { quiet: true, directory });
  const archive = path.join(directory, `${name}-${version}.tgz`);
  if (packed.code !== 0 || !existsSync(archive)) throw new ScriptFailure(`npm pack ${name}@${version} failed:\n${packed.output.trimEnd()}`);
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== integrity) throw new ScriptFailure(`${name}@${version} is not what scripts/runtime/node-packages.json says: ${found}`);
  return archive;
}

function componentOf({ name, integrity }) {
  const purl = npmPurl(name, version);
  return {
    type: 'application', 'bom-ref': purl, name: 'Node.js', version, purl, licenses: [{ license: { id: 'MIT' } }],
    hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') }],
    properties: [{ name: 'mqlet:made', value: 'without symbols, and without the data of languages other than English' }],
  };
}
