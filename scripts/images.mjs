// `npm run images`: the images of mqlet, from Debian and npm packages, without a registry or a daemon. build/images/layout is an OCI
// layout of all of them, build/images/*.tar one archive each.
//   --platform linux/amd64 (again for more; default: all)   --variant cni (again for more; default: all; `agent` is the one without a name)
//   --name NAME (default mqlet.local/mqlet)   --out DIRECTORY   --json FILE (what each weighs)   --packing gzip|zstd (default: both)
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildFacts } from './build-facts.mjs';
import { buildIfStale } from './build.mjs';
import { debianRelease } from './images/debian.mjs';
import { libdeflate } from './images/libdeflate.mjs';
import { OciLayout, packings } from './images/oci.mjs';
import { cniTree, emptyFolder, mountTree, normalise, programTree, systemTree } from './images/root-tree.mjs';
import { platforms, variants } from './images/variants.mjs';
import { runMain, ScriptFailure, step } from './progress.mjs';
import { home, setUp } from './setup.mjs';

const plainVariant = 'agent';

/**
 * @param {{platformNames: string[], variantNames: string[], name: string, output: string, packed: string[]}} options
 * @returns {Promise<{name: string, platform: string, compressedBytes: number, extractedBytes: number, digest: string}[]>}
 */
export async function buildImages({ platformNames, variantNames, name, output, packed }) {
  const facts = buildFacts();
  const seconds = Date.parse(facts.committedAt) / 1000;
  const layout = new OciLayout(path.join(output, 'layout'), packed.includes('gzip') ? { libdeflate: await libdeflate() } : {});
  const work = path.join(home, 'build', `images-${process.pid}`);
  const made = new Map();
  try {
    for (const platformName of platformNames) await step(`layers for ${platformName}`, () => layersOf({ platformName, variantNames, work, layout, packing: { seconds, packed }, made }));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const rows = [];
  for (const variant of variantNames) {
    for (const packing of packed) {
      const tag = [facts.version, variant, packing === 'zstd' ? packing : ''].filter((part) => part !== '').join('-');
      const images = platformNames.map((platformName) => imageOf(layout, { variant, packing, platformName, facts, layers: made.get(`${platformName} ${variant}`) }));
      const named = layout.named(`${name}:${tag}`, images);
      await layout.archive(path.join(output, `${path.posix.basename(name)}-${tag}.tar`), named, seconds);
      for (const [index, platform] of platformNames.entries()) {
        const { compressedBytes, extractedBytes, descriptor: { digest } } = images[index];
        rows.push({ name: `${name}:${tag}`, platform, compressedBytes, extractedBytes, digest });
      }
    }
  }
  layout.finish();
  return rows;
}

async function layersOf({ platformName, variantNames, work, layout, packing, made }) {
  const platform = platforms[platformName];
  const debian = await debianRelease(platform.release, platform.debian);
  const layer = async (comment, fill) => {
    const folder = emptyFolder(path.join(work, platform.debian, comment.replace(/\W+/g, '-')));
    const components = await fill(folder);
    normalise(folder);
    return { ...await layout.layer(folder, packing), comment, components: components ?? [] };
  };
  const system = await layer('Debian libraries and Node.js', (folder) => systemTree(folder, platform, debian));
  const mounts = await layer('mount and umount', (folder) => mountTree(folder, platform, debian));
  for (const variant of variantNames) {
    const { plugins } = variants[variant];
    const below = [system, ...(variants[variant].mounts ? [mounts] : [])];
    const cni = plugins === undefined ? [] : [await layer(`CNI plugins ${variant}`, (folder) => cniTree(folder, platform, debian, plugins))];
    const components = [...below, ...cni].flatMap((one) => one.components);
    const program = await layer(`mqlet ${variant}`, async (folder) => programTree(folder, variants[variant], components));
    made.set(`${platformName} ${variant}`, [...below, ...cni, program]);
  }
  return `${variantNames.length} variants`;
}

function imageOf(layout, { variant, packing, platformName, facts, layers }) {
  const { title, plugins, run } = variants[variant];
  const labels = {
    'org.opencontainers.image.title': title, 'org.opencontainers.image.version': facts.version, 'org.opencontainers.image.licenses': 'Apache-2.0',
    ...(facts.commit === '' ? {} : { 'org.opencontainers.image.revision': `${facts.commit}${facts.modified ? '+changes' : ''}` }),
  };
  const config = {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...(variants[variant].mounts ? ['MQLET_HOST_ROOT=/host'] : [])],
    Entrypoint: [plugins === undefined ? '/usr/bin/mqlet' : '/usr/lib/mqlet/bin/with-cni'], Cmd: run, WorkingDir: '/', Labels: labels, StopSignal: 'SIGTERM',
  };
  return layout.image({ platform: platforms[platformName].oci, layers, config, packing, created: facts.committedAt, annotations: { ...labels, 'org.opencontainers.image.created': facts.committedAt } });
}

function optionsOf() {
  const { values } = parseArgs({ options: {
    platform: { type: 'string', multiple: true }, variant: { type: 'string', multiple: true }, name: { type: 'string' }, out: { type: 'string' }, json: { type: 'string' }, packing: { type: 'string', multiple: true },
  } });
  const platformNames = known('--platform', values.platform ?? Object.keys(platforms), Object.keys(platforms));
  const variantNames = known('--variant', values.variant ?? Object.keys(variants).map((name) => name || plainVariant), [plainVariant, ...Object.keys(variants).filter((name) => name !== '')]).map((name) => (name === plainVariant ? '' : name));
  const packed = known('--packing', values.packing ?? packings, packings);
  return { platformNames, variantNames, packed, name: values.name ?? 'mqlet.local/mqlet', output: path.resolve(values.out ?? path.join(home, 'build', 'images')), json: values.json };
}

function known(flag, given, all) {
  const unknown = given.find((one) => !all.includes(one));
  if (unknown !== undefined) throw new ScriptFailure(`${flag} must be one of ${all.join(', ')}, not ${unknown}`);
  return given;
}

function table(rows) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(2).padStart(10);
  return ['image'.padEnd(48) + 'platform'.padEnd(14) + 'compressed MB   extracted MB',
    ...rows.map(({ name, platform, compressedBytes, extractedBytes }) => `${name.padEnd(48)}${platform.padEnd(14)}${megabytes(compressedBytes)}     ${megabytes(extractedBytes)}`)].join('\n');
}

async function main() {
  // What is packed is for everybody to read and run.
  process.umask(0o022);
  const { json, ...options } = optionsOf();
  await setUp({ system: 'no' });
  await buildIfStale();
  mkdirSync(options.output, { recursive: true });
  const images = await buildImages(options);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ images }, null, 2)}\n`);
  console.log(table(images));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain(main);
