// `npm run deb`: the Debian package, with its own Node.js inside. `--arch amd64|arm64|armhf` (default: this machine's), `--out DIRECTORY`
// (default: build/packages), `--compression xz|gzip`. The same checkout gives the same bytes.
import { chmodSync, cpSync, existsSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { buildFacts } from './build-facts.mjs';
import { buildIfStale } from './build.mjs';
import { run, runMain, ScriptFailure, step } from './progress.mjs';
import { platforms } from './images/variants.mjs';
import { placeDebianRuntime } from './runtime/debian-runtime.mjs';
import { nodeArchitectures, nodeRuntime } from './runtime/node-runtime.mjs';
import { withComponents } from './sbom.mjs';
import { home, setUp } from './setup.mjs';

/** What the released Node.js links to, and what volumes are mounted with. */
const depends = 'libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 8), mount';
const settings = ['/etc/default/mqlet', '/etc/mqlet/config.yaml'];
const ownArchitecture = { x64: 'amd64', arm64: 'arm64', arm: 'armhf' }[process.arch];

/**
 * @param {{architecture: string, output: string, compression: 'xz' | 'gzip'}} options
 * @returns {Promise<string>} the package's file
 */
export async function buildDeb({ architecture, output, compression }) {
  const facts = buildFacts();
  const version = debianVersion(facts);
  const stage = path.join(home, 'build', `deb-${architecture}-${process.pid}`);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  try {
    const released = nodeArchitectures.includes(architecture) ? await nodeRuntime(architecture) : undefined;
    await installInto(stage, released?.file ?? process.execPath);
    const components = released === undefined ? await placeDebianRuntime(platformOf(architecture), path.join(stage, 'usr/lib/mqlet'), path.join(stage, 'usr/share/doc/mqlet')) : [released.component];
    writeDocuments(stage, facts, version, { licence: released?.licence, components });
    writeControl(stage, { version, architecture, depends: released === undefined ? 'libc6, mount' : depends });
    setTimes(stage, Date.parse(facts.committedAt) / 1000);
    mkdirSync(output, { recursive: true });
    const file = path.join(output, `mqlet_${version}_${architecture}.deb`);
    const { code, output: said } = await run('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', stage, file], {
      quiet: true, environment: { SOURCE_DATE_EPOCH: String(Date.parse(facts.committedAt) / 1000), DPKG_DEB_THREADS_MAX: '1' },
    });
    if (code !== 0) throw new ScriptFailure(`dpkg-deb failed:\n${said.trimEnd()}`);
    return file;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function platformOf(architecture) {
  return Object.values(platforms).find(({ debian }) => debian === architecture);
}

/** Later commits are later versions. */
function debianVersion({ version, commit, modified, committedAt }) {
  const time = committedAt.replace(/\D/g, '').slice(0, 14);
  return `${version}+${time}${commit === '' ? '' : `.g${commit.slice(0, 7)}`}${modified ? '.m' : ''}`;
}

/** The program puts itself in place, as it does on a machine. */
async function installInto(stage, node) {
  const { code, output } = await run(path.join(home, 'bin', 'mqlet'), ['install', '--root', stage, '--prefix', '/usr', '--node', node], { quiet: true });
  if (code !== 0) throw new ScriptFailure(output.trimEnd());
}

function writeDocuments(stage, facts, version, { licence, components }) {
  const documents = path.join(stage, 'usr', 'share', 'doc', 'mqlet');
  mkdirSync(documents, { recursive: true });
  for (const name of ['deploying.md', 'operating.md']) cpSync(path.join(home, 'docs', name), path.join(documents, name));
  const dist = path.join(home, 'dist');
  const texts = [path.join(home, 'LICENSE'), path.join(dist, 'THIRD-PARTY-LICENSES.txt'), ...(licence === undefined ? [] : [licence])].map((file) => readFileSync(file, 'utf8').trimEnd());
  writeFileSync(path.join(documents, 'copyright'), `mqlet is licensed as follows; then what is built into it, and its Node.js.\n\n${texts.join('\n\n')}\n`);
  writeFileSync(path.join(documents, 'sbom.cdx.json'), withComponents(readFileSync(path.join(dist, 'sbom.cdx.json'), 'utf8'), components));
  const changes = `mqlet (${version}) unstable; urgency=medium\n\n  * Built from commit ${facts.commit || 'unknown'}.\n\n -- The mqlet project <mqlet@mqlet.example>  ${new Date(facts.committedAt).toUTCString().replace('GMT', '+0000')}\n`;
  writeFileSync(path.join(documents, 'changelog.gz'), gzipSync(changes, { level: 9 }));
}

function writeControl(stage, { version, architecture, depends: needs }) {
  const sources = path.join(home, 'packaging', 'debian');
  const control = path.join(stage, 'DEBIAN');
  mkdirSync(control);
  const files = filesBelow(stage).filter((file) => !file.startsWith('DEBIAN/'));
  const bytes = files.reduce((sum, file) => sum + lstatSync(path.join(stage, file)).size, 0);
  const text = readFileSync(path.join(sources, 'control'), 'utf8')
    .replace('@version@', version).replace('@architecture@', architecture).replace('@kilobytes@', String(Math.ceil(bytes / 1024))).replace('@depends@', needs);
  writeFileSync(path.join(control, 'control'), text);
  writeFileSync(path.join(control, 'conffiles'), `${settings.join('\n')}\n`);
  const sums = files.filter((file) => lstatSync(path.join(stage, file)).isFile() && !settings.includes(`/${file}`))
    .map((file) => `${createHash('md5').update(readFileSync(path.join(stage, file))).digest('hex')}  ${file}\n`);
  writeFileSync(path.join(control, 'md5sums'), sums.join(''));
  for (const name of ['postinst', 'prerm', 'postrm']) {
    cpSync(path.join(sources, name), path.join(control, name));
    chmodSync(path.join(control, name), 0o755);
  }
}

/** Relative, sorted; links are themselves. */
function filesBelow(directory, below = '') {
  return readdirSync(path.join(directory, below)).sort().flatMap((name) => {
    const file = path.posix.join(below, name);
    return lstatSync(path.join(directory, file)).isDirectory() ? filesBelow(directory, file) : [file];
  });
}

function setTimes(directory, seconds) {
  for (const name of readdirSync(directory)) {
    const file = path.join(directory, name);
    if (lstatSync(file).isDirectory()) setTimes(file, seconds);
    lutimesSync(file, seconds, seconds);
  }
}

async function main() {
  // What is packed is for everybody to read and run.
  process.umask(0o022);
  const { values } = parseArgs({ options: { arch: { type: 'string', multiple: true }, out: { type: 'string' }, compression: { type: 'string' } } });
  const { arch = [ownArchitecture], out = path.join(home, 'build', 'packages'), compression = 'xz' } = values;
  if (!['xz', 'gzip'].includes(compression)) throw new ScriptFailure('--compression must be xz or gzip');
  const known = Object.values(platforms).map(({ debian }) => debian);
  const unknown = arch.find((one) => !known.includes(one));
  if (unknown !== undefined) throw new ScriptFailure(`--arch must be one of ${known.join(', ')}, not ${unknown}`);
  if (!existsSync('/usr/bin/dpkg-deb')) throw new ScriptFailure('dpkg-deb is not installed: apt-get install dpkg');
  await setUp({ system: 'no' });
  await buildIfStale();
  for (const architecture of arch) {
    await step(`package for ${architecture}`, async () => {
      const file = await buildDeb({ architecture, output: path.resolve(out), compression });
      return `${file}, ${(statSync(file).size / 1e6).toFixed(1)} MB`;
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(main);
