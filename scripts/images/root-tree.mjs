// The folders that become layers of an image: libraries and Node.js, mount programs, the program itself, CNI plugins.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { ScriptFailure } from '../progress.mjs';
import { nodeRuntime } from '../runtime/node-runtime.mjs';
import { withoutLanguages } from '../runtime/slim-node.mjs';
import { withComponents } from '../sbom.mjs';
import { home } from '../setup.mjs';
import { debianComponent, debianRelease, unpack } from './debian.mjs';
import { cniPackage, debianNodePackages, mountPackages, systemPackages } from './variants.mjs';

const accounts = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};
/** Where things are mounted, and what programs expect. */
const directories = ['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'host', 'opt/cni/bin', 'var/lib/mqlet', 'var/log/pods', 'var/log/containers', 'etc/mqlet/manifests'];
/** A window as large as the largest plugin; the highest quality takes minutes for one part in fifty. */
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 } };

/** @param {{fetch: (name: string) => Promise<object>}} debian @returns {Promise<object[]>} what the bill of materials says of it */
export async function systemTree(folder, platform, debian) {
  for (const name of ['usr/bin', 'usr/lib', `usr/lib/${platform.triplet}`, 'usr/lib/mqlet/runtime/bin', ...directories]) mkdirSync(path.join(folder, name), { recursive: true });
  chmodSync(path.join(folder, 'tmp'), 0o1777);
  for (const [link, target] of [['bin', 'usr/bin'], ['sbin', 'usr/bin'], ['lib', 'usr/lib'], ['lib64', 'usr/lib64'], ['usr/sbin', 'bin']]) symlinkSync(target, path.join(folder, link));
  for (const [name, text] of Object.entries(accounts)) writeFileSync(path.join(folder, name), text);
  const components = await packageTree(folder, platform, debian, { ...systemPackages, ...licencesOf(platform) });
  placeLoader(folder, platform);
  if (platform.node === 'debian') return [...components, ...await debianNode(folder, platform, debian)];
  const { file, licence, component } = await nodeRuntime(platform.debian);
  copyFileSync(file, path.join(folder, 'usr/lib/mqlet/runtime/bin/node'));
  place(licence, path.join(folder, 'usr/share/doc/nodejs/copyright'));
  return [...components, component];
}

/** Some libraries have their licence in a package of its own. */
function licencesOf({ licences }) {
  return Object.fromEntries(licences.map((name) => [name, {}]));
}

/** Debian's Node.js and every library it needs, and nothing else. */
export async function debianNodeTree(folder, platform) {
  const debian = await debianRelease(platform.release, platform.debian);
  const { dash: _shell, ...libraries } = systemPackages;
  const components = await packageTree(folder, platform, debian, { ...libraries, ...licencesOf(platform) });
  return [...components, ...await debianNode(folder, platform, debian)];
}

async function debianNode(folder, platform, debian) {
  const components = await packageTree(folder, platform, debian, debianNodePackages);
  const data = path.join(folder, 'usr/lib', platform.triplet, 'libicudata.so.76');
  writeFileSync(data, withoutLanguages(readFileSync(data)));
  return components;
}

/** A program names its loader by a path of its own. */
function placeLoader(folder, { loader, triplet }) {
  const [directory, name] = [path.dirname(loader), path.basename(loader)];
  mkdirSync(path.join(folder, 'usr', directory), { recursive: true });
  const link = path.join(folder, 'usr', loader);
  if (!existsSync(link)) symlinkSync(path.relative(path.join('usr', directory), path.join('usr/lib', triplet, name)), link);
}

export async function mountTree(folder, platform, debian) {
  return packageTree(folder, platform, debian, mountPackages);
}

async function packageTree(folder, platform, debian, packages) {
  const components = [];
  for (const [name, { libraries = [], programs = {}, scripts = [] }] of Object.entries(packages)) {
    const found = await debian.fetch(name);
    const whole = `${folder}.package`;
    await unpack(found, whole);
    const wanted = name === 'libc6' ? [...libraries, path.basename(platform.loader)] : libraries;
    for (const library of wanted) place(findLibrary(whole, platform.triplet, library), path.join(folder, 'usr/lib', platform.triplet, library), 0o755);
    for (const [from, to] of Object.entries(programs)) place(firstOf(whole, [from, `usr/${from}`]), path.join(folder, to), 0o755);
    for (const one of scripts) place(path.join(whole, 'usr/share/nodejs', one), path.join(folder, 'usr/share/nodejs', one));
    const licence = path.join(whole, 'usr/share/doc', name, 'copyright');
    if (existsSync(licence)) place(licence, path.join(folder, 'usr/share/doc', name, 'copyright'));
    rmSync(whole, { recursive: true });
    components.push(debianComponent(found, platform.release));
  }
  return components;
}

/** Some releases have them below /lib, some below /usr/lib. */
function findLibrary(whole, triplet, library) {
  return firstOf(whole, [`lib/${triplet}/${library}`, `usr/lib/${triplet}/${library}`]);
}

function firstOf(whole, names) {
  const found = names.map((name) => path.join(whole, name)).find((file) => existsSync(file));
  if (found === undefined) throw new ScriptFailure(`${names[0]} is not in the package`);
  return found;
}

function place(from, to, mode = 0o644) {
  mkdirSync(path.dirname(to), { recursive: true });
  // Links lead to versions: what is looked for is a file.
  copyFileSync(realpathSync(from), to);
  chmodSync(to, mode);
}

/** The part of dist/ that a variant needs, its launcher, and the bill of materials of everything below it too. */
export function programTree(folder, { entries, commands, plugins }, components) {
  const program = path.join(folder, 'usr/lib/mqlet');
  const dist = path.join(home, 'dist');
  for (const name of bundlesOf(dist, entries, commands)) place(path.join(dist, `${name}.cjs`), path.join(program, 'dist', `${name}.cjs`));
  if (entries.length > 0) for (const name of readdirSync(path.join(dist, 'inspector'))) place(path.join(dist, 'inspector', name), path.join(program, 'dist', 'inspector', name));
  place(path.join(home, 'bin/mqlet'), path.join(program, 'bin/mqlet'), 0o755);
  mkdirSync(path.join(folder, 'usr/bin'), { recursive: true });
  // No link: the shell is all there is to follow one.
  writeFileSync(path.join(folder, 'usr/bin/mqlet'), '#!/bin/sh\nexec /usr/lib/mqlet/bin/mqlet "$@"\n');
  chmodSync(path.join(folder, 'usr/bin/mqlet'), 0o755);
  if (plugins !== undefined) place(path.join(home, 'packaging/with-cni'), path.join(program, 'bin/with-cni'), 0o755);
  place(path.join(home, 'packaging/config.yaml'), path.join(folder, 'etc/mqlet/config.yaml'));
  const documents = path.join(folder, 'usr/share/doc/mqlet');
  place(path.join(home, 'LICENSE'), path.join(documents, 'copyright'));
  place(path.join(dist, 'THIRD-PARTY-LICENSES.txt'), path.join(documents, 'THIRD-PARTY-LICENSES.txt'));
  writeFileSync(path.join(documents, 'sbom.cdx.json'), withComponents(readFileSync(path.join(dist, 'sbom.cdx.json'), 'utf8'), components));
}

/** Entries and commands with everything they load. A command that is not built is none. */
function bundlesOf(dist, entries, commands) {
  const found = new Set(['cli']);
  const take = (name) => {
    if (found.has(name) || !existsSync(path.join(dist, `${name}.cjs`))) return;
    found.add(name);
    for (const [, next] of readFileSync(path.join(dist, `${name}.cjs`), 'utf8').matchAll(/require\("\.\/([\w-]+)\.cjs"\)/g)) take(next);
  };
  for (const name of [...entries, ...commands]) take(name);
  return [...found].sort();
}

/** Packed, because they run on the host and not here. */
export async function cniTree(folder, platform, debian, plugins) {
  const found = await debian.fetch(cniPackage);
  const whole = `${folder}.package`;
  await unpack(found, whole);
  const directory = path.join(whole, 'usr/lib/cni');
  const names = readdirSync(directory).sort().filter((name) => plugins === 'all' || plugins.includes(name));
  const target = path.join(folder, 'usr/lib/mqlet/cni');
  mkdirSync(target, { recursive: true });
  writeFileSync(path.join(target, 'plugins.br'), packed(names.map((name) => ({ name, bytes: readFileSync(path.join(directory, name)) }))));
  place(path.join(whole, 'usr/share/doc', cniPackage, 'copyright'), path.join(folder, 'usr/share/doc', cniPackage, 'copyright'));
  rmSync(whole, { recursive: true });
  return [debianComponent(found, platform.release)];
}

/** All in one, since they have most of their code in common: a line of JSON with names and sizes, then the files. */
function packed(files) {
  const head = JSON.stringify(files.map(({ name, bytes }) => ({ name, size: bytes.length })));
  return brotliCompressSync(Buffer.concat([Buffer.from(`${head}\n`), ...files.map(({ bytes }) => bytes)]), brotli);
}

/** Everything in a folder readable for everybody and writable for its owner alone. */
export function normalise(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isSymbolicLink() || entry.name === 'tmp') continue;
    if (entry.isDirectory()) {
      chmodSync(file, 0o755);
      normalise(file);
    }
  }
}

export function emptyFolder(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}
