// Images as the OCI describes them: layers packed in two ways, configuration, manifest, an index over platforms, a layout of all of it,
// and archives of single images. The same folders give the same bytes: names are sorted, times are the commit's, owners are root.
import { createHash } from 'node:crypto';
import { copyFileSync, createReadStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run, ScriptFailure } from '../progress.mjs';

const types = {
  index: 'application/vnd.oci.image.index.v1+json', manifest: 'application/vnd.oci.image.manifest.v1+json', config: 'application/vnd.oci.image.config.v1+json',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip', zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
};
export const packings = ['gzip', 'zstd'];
/** The best zstd can do without asking readers for more memory than they give. */
const zstdLevel = '-19';

const pack = {
  // A file beside the one that is packed is what libdeflate's program makes.
  gzip: async (from, to, { libdeflate }) => {
    await demand(libdeflate.program, ['-12', '-k', '-f', '-S', '.best', from], libdeflate.environment);
    renameSync(`${from}.best`, to);
  },
  zstd: (from, to) => demand('zstd', ['--quiet', zstdLevel, '--single-thread', '--no-check', from, '-o', to]),
};

export class OciLayout {
  #directory;
  #blobs;
  #entries = [];
  #tools;

  /**
   * @param {string} directory made anew
   * @param {{libdeflate: {program: string, environment: object}}} tools
   */
  constructor(directory, tools) {
    this.#tools = tools;
    this.#directory = directory;
    this.#blobs = path.join(directory, 'blobs', 'sha256');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(this.#blobs, { recursive: true });
    writeFileSync(path.join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  }

  /**
   * @param {string} folder what is in the layer
   * @param {{seconds: number, packed: string[]}} options time of everything in it, and how it is packed
   * @returns {Promise<{diffId: string, bytes: number, gzip?: object, zstd?: object}>} descriptors by packing; `bytes` is the unpacked archive
   */
  async layer(folder, { seconds, packed }) {
    const work = mkdtempSync(path.join(this.#directory, 'layer-'));
    const archive = path.join(work, 'layer.tar');
    await demand('tar', ['--create', `--file=${archive}`, '--format=ustar', '--sort=name', '--numeric-owner', '--owner=0', '--group=0', `--mtime=@${seconds}`, `--directory=${folder}`, '.']);
    const layer = { diffId: `sha256:${await digestOf(archive)}`, bytes: statSync(archive).size };
    for (const packing of packed) {
      const file = `${archive}.${packing}`;
      await pack[packing](archive, file, this.#tools);
      const [digest, size] = [await digestOf(file), statSync(file).size];
      renameSync(file, path.join(this.#blobs, digest));
      layer[packing] = { mediaType: types[packing], digest: `sha256:${digest}`, size };
    }
    rmSync(work, { recursive: true });
    return layer;
  }

  /**
   * @param {{platform: object, layers: object[], config: object, packing: string, created: string, annotations: object}} image
   * @returns descriptor of the manifest, with what it weighs
   */
  image({ platform, layers, config, packing, created, annotations }) {
    const settings = this.#keep(types.config, {
      created, ...platform, config, rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(({ comment }) => ({ created, created_by: comment })),
    });
    const packed = layers.map((layer) => layer[packing]);
    const manifest = this.#keep(types.manifest, { schemaVersion: 2, mediaType: types.manifest, config: settings, layers: packed, annotations });
    return { descriptor: { ...manifest, platform }, blobs: [settings, manifest, ...packed], compressedBytes: packed.reduce((sum, { size }) => sum + size, 0), extractedBytes: layers.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** One name for all its platforms. @returns its descriptor and the blobs it is made of */
  named(name, images) {
    const index = this.#keep(types.index, { schemaVersion: 2, mediaType: types.index, manifests: images.map(({ descriptor }) => descriptor) });
    // containerd takes the full name from its own annotation; the standard one may hold the tag alone.
    const entry = { ...index, annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name } };
    this.#entries.push(entry);
    return { entry, blobs: [index, ...images.flatMap(({ blobs }) => blobs)] };
  }

  finish() {
    writeFileSync(path.join(this.#directory, 'index.json'), indexText(this.#entries));
  }

  /** One file that `ctr images import` and others read. */
  async archive(file, { entry, blobs }, seconds) {
    const folder = mkdtempSync(path.join(this.#directory, 'archive-'));
    mkdirSync(path.join(folder, 'blobs', 'sha256'), { recursive: true });
    copyFileSync(path.join(this.#directory, 'oci-layout'), path.join(folder, 'oci-layout'));
    writeFileSync(path.join(folder, 'index.json'), indexText([entry]));
    for (const { digest } of blobs) {
      const name = digest.slice('sha256:'.length);
      copyFileSync(path.join(this.#blobs, name), path.join(folder, 'blobs', 'sha256', name));
    }
    await demand('tar', ['--create', `--file=${file}`, '--format=ustar', '--sort=name', '--numeric-owner', '--owner=0', '--group=0', '--mode=u+rwX,go+rX', `--mtime=@${seconds}`, `--directory=${folder}`, 'oci-layout', 'index.json', 'blobs']);
    rmSync(folder, { recursive: true });
  }

  #keep(mediaType, value) {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = createHash('sha256').update(bytes).digest('hex');
    const file = path.join(this.#blobs, digest);
    if (!existsSync(file)) writeFileSync(file, bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  }
}

function indexText(manifests) {
  return JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests });
}

async function digestOf(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function demand(program, args, environment = {}) {
  const { code, output } = await run(program, args, { quiet: true, environment });
  if (code === 127) throw new ScriptFailure(`${program} is not installed: apt-get install ${program}`);
  if (code !== 0) throw new ScriptFailure(`${program} failed:\n${output.trimEnd()}`);
}
