// Builds OCI image archives in memory: plain tar, uncompressed layers, no time and no owner but root,
// so that equal files give equal digests on every machine. Reads and writes nothing.
import { createHash } from 'node:crypto';

/** One file of an image. Parent directories are made where they are not listed. */
export type ImageFile =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Uint8Array | string }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** An image to build: one layer and the settings a container takes from it. */
export interface ImageSource {
  /** Full reference with tag: `mqlet.local/busybox:1`. */
  readonly name: string;
  readonly files: readonly ImageFile[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: readonly string[];
  /** As in a Dockerfile: `1000`, `1000:1000` or a name. */
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly stopSignal?: string;
  readonly volumes?: readonly string[];
}

export interface BuiltImage {
  readonly name: string;
  /** `sha256:…` of the manifest: what a registry would call the image's digest. */
  readonly manifestDigest: string;
  /** `sha256:…` of the configuration: what CRI calls the image's ID. */
  readonly configDigest: string;
}

export interface ImageArchive {
  readonly bytes: Uint8Array;
  readonly images: readonly BuiltImage[];
}

interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

const blockBytes = 512;

/**
 * An OCI image layout in one tar file, as `ctr images import` reads it.
 * @param architecture Go's name: `amd64`, `arm64`, …
 */
export function buildImageArchive(sources: readonly ImageSource[], architecture: string): ImageArchive {
  const blobs = new Map<string, Buffer>();
  const keep = (bytes: Buffer): Blob => {
    const blob = { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
    blobs.set(blob.digest, bytes);
    return blob;
  };
  const built = sources.map((source) => buildImage(source, architecture, keep));
  const index = jsonBytes({
    schemaVersion: 2,
    manifests: built.map(({ name, manifest }) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: manifest.digest,
      size: manifest.bytes.length,
      platform: { architecture, os: 'linux' },
      // containerd takes the full reference from its own annotation; the standard one may hold the tag alone.
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
    })),
  });
  const layout: ImageFile[] = [
    { kind: 'file', path: 'oci-layout', mode: 0o644, content: jsonBytes({ imageLayoutVersion: '1.0.0' }) },
    { kind: 'file', path: 'index.json', mode: 0o644, content: index },
    ...[...blobs].sort(([left], [right]) => (left < right ? -1 : 1)).map(([digest, content]) => ({
      kind: 'file' as const, path: `blobs/sha256/${digest.slice('sha256:'.length)}`, mode: 0o644, content,
    })),
  ];
  const images = built.map(({ name, manifest, config }) => ({ name, manifestDigest: manifest.digest, configDigest: config.digest }));
  return { bytes: tar(layout), images };
}

function buildImage(source: ImageSource, architecture: string, keep: (bytes: Buffer) => Blob) {
  const layer = keep(tar(source.files));
  const config = keep(jsonBytes({
    architecture,
    os: 'linux',
    config: {
      Env: source.environment ?? ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: source.entrypoint,
      Cmd: source.command,
      User: source.user,
      WorkingDir: source.workingDirectory,
      StopSignal: source.stopSignal,
      Volumes: source.volumes === undefined ? undefined : Object.fromEntries(source.volumes.map((path) => [path, {}])),
    },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
    history: [{ created_by: 'mqlet demo' }],
  }));
  const manifest = keep(jsonBytes({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.bytes.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer.digest, size: layer.bytes.length }],
  }));
  return { name: source.name, manifest, config };
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** A POSIX ustar file, sorted by path, parents first. Names over 100 bytes are our mistake. */
export function tar(files: readonly ImageFile[]): Buffer {
  const entries = new Map<string, ImageFile>();
  for (const file of files) {
    for (let slash = file.path.indexOf('/'); slash > 0; slash = file.path.indexOf('/', slash + 1)) {
      const path = file.path.slice(0, slash);
      if (!entries.has(path)) entries.set(path, { kind: 'directory', path, mode: 0o755 });
    }
    entries.set(file.path, file);
  }
  const parts: Buffer[] = [];
  for (const entry of [...entries.values()].sort((left, right) => (left.path < right.path ? -1 : 1))) {
    const content = entry.kind === 'file' ? Buffer.from(entry.content) : Buffer.alloc(0);
    parts.push(tarHeader(entry, content.length), content, Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes));
  }
  parts.push(Buffer.alloc(2 * blockBytes));
  return Buffer.concat(parts);
}

function tarHeader(entry: ImageFile, sizeBytes: number): Buffer {
  const name = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  const target = entry.kind === 'link' ? entry.target : '';
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(target) > 100) throw new Error(`name too long for tar: ${name}`);
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  header.write(name, 0);
  header.write(octal(entry.kind === 'link' ? 0o777 : entry.mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(sizeBytes, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write({ file: '0', link: '2', directory: '5' }[entry.kind], 156);
  header.write(target, 157);
  header.write('ustar\0' + '00', 257, 'latin1');
  // The checksum is the sum of the header's bytes with its own field as blanks.
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}
