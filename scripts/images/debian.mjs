// Files of Debian packages, of any architecture, without a Debian of that architecture: apt with a state of its own fetches and checks
// them, dpkg-deb unpacks them. The machine's own apt is asked only where its mirrors are.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, ScriptFailure } from '../progress.mjs';
import { home } from '../setup.mjs';

const cache = path.join(home, 'build', 'cache');
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Lists of packages older than this are fetched anew. */
const listsMsMax = 24 * 3_600_000;

/**
 * @param {string} release Debian's code name
 * @param {string} architecture Debian's name
 */
export async function debianRelease(release, architecture) {
  const state = path.join(cache, `apt-${release}-${architecture}`);
  const archives = path.join(state, 'archives');
  for (const directory of [path.join(state, 'lists', 'partial'), path.join(archives, 'partial')]) mkdirSync(directory, { recursive: true });
  const sources = path.join(state, 'sources.list');
  writeFileSync(sources, await sourcesOf(release));
  writeFileSync(path.join(state, 'status'), '');
  const apt = (directory, ...args) => run('apt-get', [...options(state, sources, architecture), ...args], { quiet: true, directory });
  await refresh(state, () => apt(state, 'update'));
  return { fetch: (name) => fetchPackage(apt, { state, archives }, name, architecture) };
}

function options(state, sources, architecture) {
  const set = {
    'Dir::State': state, 'Dir::State::lists': path.join(state, 'lists'), 'Dir::State::status': path.join(state, 'status'), 'Dir::Cache': state,
    'Dir::Etc::sourcelist': sources, 'Dir::Etc::sourceparts': '/dev/null', 'Dir::Etc::preferencesparts': '/dev/null', 'APT::Architecture': architecture, 'APT::Architectures': architecture, 'Acquire::Languages': 'none', 'APT::Sandbox::User': 'root',
  };
  return Object.entries(set).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** The mirrors this machine takes Debian from, for the release that is wanted. */
async function sourcesOf(release) {
  const { code, output } = await run('apt-get', ['indextargets', '--format', '$(ORIGIN) $(CODENAME) $(REPO_URI)', 'Created-By: Packages'], { quiet: true });
  if (code !== 0) throw new ScriptFailure(`images are made from Debian packages: apt-get is needed, with Debian's mirrors:\n${output.trimEnd()}`);
  const mirrors = new Map(output.split('\n').map((line) => line.split(' ')).filter(([origin]) => origin === 'Debian')
    .map(([, codename, uri]) => [codename.replace(/^[a-z]+/, ''), uri]));
  const lines = [...mirrors].filter(([kind]) => ['', '-updates', '-security'].includes(kind)).map(([kind, uri]) => `deb [signed-by=${keyring}] ${uri} ${release}${kind} main\n`);
  if (!mirrors.has('')) throw new ScriptFailure('images are made from Debian packages, and this machine knows no mirror of Debian: run apt-get update on a Debian');
  return lines.join('');
}

async function refresh(state, update) {
  const stamp = path.join(state, 'fetched');
  const sources = readFileSync(path.join(state, 'sources.list'), 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources && Date.now() - statSync(stamp).mtimeMs < listsMsMax) return;
  const { code, output } = await update();
  // A mirror that is being synced lacks a list now and then: what is there serves.
  if (code !== 0 && !readdirSync(path.join(state, 'lists')).some((name) => name.endsWith('_Packages') || name.includes('_Packages.'))) throw new ScriptFailure(`apt-get update:\n${output.trimEnd()}`);
  if (code === 0) writeFileSync(stamp, sources);
}

/** @returns {Promise<{name: string, version: string, architecture: string, file: string, sha256: string}>} */
async function fetchPackage(apt, { state, archives }, name, architecture) {
  // Asked elsewhere: of files that are there apt says nothing.
  const asked = await apt(state, 'download', '--print-uris', `${name}:${architecture}`);
  const file = /^'[^']+' (\S+\.deb) \d+/m.exec(asked.output)?.[1];
  if (asked.code !== 0 || file === undefined) throw new ScriptFailure(`Debian has no package ${name} for ${architecture}:\n${asked.output.trimEnd()}`);
  const whole = path.join(archives, file);
  if (!existsSync(whole)) {
    const { code, output } = await apt(archives, 'download', `${name}:${architecture}`);
    if (code !== 0) throw new ScriptFailure(`apt-get download ${name}:${architecture}:\n${output.trimEnd()}`);
  }
  const [, version] = file.split('_');
  return { name, version: decodeURIComponent(version), architecture, file: whole, sha256: createHash('sha256').update(readFileSync(whole)).digest('hex') };
}

/** Unpacks everything of the package into a folder. */
export async function unpack({ file }, directory) {
  mkdirSync(directory, { recursive: true });
  const { code, output } = await run('dpkg-deb', ['--extract', file, directory], { quiet: true });
  if (code !== 0) throw new ScriptFailure(output.trimEnd());
}

export function debianComponent({ name, version, architecture, sha256 }, release) {
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}&distro=${release}`;
  return { type: 'library', 'bom-ref': purl, name, version, purl, hashes: [{ alg: 'SHA-256', content: sha256 }] };
}
