// The software bill of materials of what is built, as CycloneDX 1.5 JSON, and the licences of it. Pure functions of what they are given,
// but for the licence files they read.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const marker = 'node_modules/';

/**
 * The npm packages whose code is in an output, by their folders.
 * @param {import('esbuild').Metafile} metafile
 * @returns {Set<string>} `node_modules/mqtt`, `node_modules/a/node_modules/b`
 */
export function packagesIn(metafile) {
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file));
  return new Set(used.filter((file) => file.includes(marker)).map(packageFolder));
}

function packageFolder(file) {
  const from = file.lastIndexOf(marker) + marker.length;
  const names = file.slice(from).split('/');
  return file.slice(0, from) + names.slice(0, names[0].startsWith('@') ? 2 : 1).join('/');
}

/** One component for each folder, sorted; `bundles` says which files of dist/ have code of it. */
export function npmComponents(lock, foldersByBundle) {
  const folders = [...new Set([...foldersByBundle.values()].flatMap((set) => [...set]))].sort();
  return folders.map((folder) => {
    const { version, license, integrity } = lock.packages[folder];
    const name = folder.slice(folder.lastIndexOf(marker) + marker.length);
    const purl = npmPurl(name, version);
    return {
      type: 'library', 'bom-ref': purl, name, version, purl,
      ...(license === undefined ? {} : { licenses: [licenseOf(license)] }),
      ...(integrity === undefined ? {} : { hashes: [hashOf(integrity)] }),
      properties: [{ name: 'mqlet:bundles', value: [...foldersByBundle].filter(([, set]) => set.has(folder)).map(([bundle]) => bundle).sort().join(' ') }],
    };
  });
}

export function npmPurl(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function licenseOf(text) {
  return /^[\w.+-]+$/.test(text) ? { license: { id: text } } : { expression: text };
}

/** npm's `sha512-BASE64`. */
function hashOf(integrity) {
  const [algorithm, digest] = integrity.split(' ')[0].split('-');
  return { alg: algorithm.replace(/^sha/, 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') };
}

/** Who needs whom, as far as both are in: found as Node.js finds packages, from the innermost folder outwards. */
export function npmDependencies(lock, folders) {
  const refOf = (folder) => npmPurl(folder.slice(folder.lastIndexOf(marker) + marker.length), lock.packages[folder].version);
  const resolve = (from, name) => {
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf(`/${marker}`)))) {
      const candidate = at === '' ? `${marker}${name}` : `${at}/${marker}${name}`;
      if (lock.packages[candidate] !== undefined) return candidate;
      if (at === '') return undefined;
    }
  };
  return [...folders].sort().map((folder) => {
    const names = Object.keys({ ...lock.packages[folder].dependencies, ...lock.packages[folder].optionalDependencies });
    const found = names.map((name) => resolve(folder, name)).filter((target) => target !== undefined && folders.has(target));
    return { ref: refOf(folder), dependsOn: [...new Set(found.map(refOf))].sort() };
  });
}

/**
 * @param {{facts: ReturnType<import('./build-facts.mjs').buildFacts>, components: object[], dependencies: {ref: string, dependsOn: string[]}[]}} parts
 * @returns {string} the document; the same parts give the same bytes
 */
export function billOfMaterials({ facts, components, dependencies, name = 'mqlet', type = 'application' }) {
  const root = `pkg:generic/${name}@${facts.version}`;
  const body = {
    version: 1,
    metadata: {
      timestamp: facts.committedAt,
      component: {
        type, 'bom-ref': root, name, version: facts.version, purl: root, licenses: [{ license: { id: 'Apache-2.0' } }],
        properties: [{ name: 'mqlet:commit', value: `${facts.commit === '' ? 'unknown' : facts.commit}${facts.modified ? ' with changes' : ''}` }],
      },
    },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((component) => component['bom-ref']).sort() }, ...dependencies],
  };
  return written(body);
}

function written(body) {
  const document = { $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json', bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}`, ...body };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** What is packed together with the program: the same document with more in it. */
export function withComponents(text, added) {
  const { $schema: _schema, bomFormat: _format, specVersion: _version, serialNumber: _number, ...body } = JSON.parse(text);
  const [own, ...dependencies] = body.dependencies;
  const refs = added.map((component) => component['bom-ref']);
  return written({ ...body, components: [...body.components, ...added], dependencies: [{ ...own, dependsOn: [...own.dependsOn, ...refs].sort() }, ...dependencies] });
}

/** A UUID that says nothing but what the text says (RFC 9562, version 8). */
function uuidOf(text) {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The licence texts of the packages; each says under what terms their code may be passed on. */
export function licenceTexts(home, lock, folders) {
  return [...folders].sort().map((folder) => {
    const { version, license } = lock.packages[folder];
    const directory = path.join(home, folder);
    const file = existsSync(directory) ? readdirSync(directory).sort().find((name) => /^(licen[cs]e|copying)/i.test(name)) : undefined;
    const text = file === undefined ? `${license ?? 'see the package'}\n` : readFileSync(path.join(directory, file), 'utf8');
    return `${'='.repeat(80)}\n${folder.slice(folder.lastIndexOf(marker) + marker.length)} ${version}\n${'='.repeat(80)}\n\n${text.trimEnd()}\n`;
  }).join('\n');
}
