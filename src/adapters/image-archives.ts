// ImageArchivesPort on a directory of tar files (OCI layouts, or what docker save writes) and containerd's own importer, ctr.
// Of an archive only its index is read here.
import { execFile } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import type { FileFault } from '../ports/faults.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { ImageArchive, ImageArchivesPort } from '../ports/image-archives-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';

/** Archives of one directory; further ones, in order of name, are left alone. */
const archivesMax = 200;
/** Members of one archive that are looked at for its index. */
const membersMax = 10_000;
const indexBytesMax = 4 * 1_024 * 1_024;
const blockBytes = 512;
/** A large archive on a slow disk. */
const importMsMax = 30 * 60_000;
const outputBytesMax = 1_048_576;

export interface ImageArchivesOptions {
  readonly directory: string;
  /** `unix:///…` of containerd. */
  readonly endpoint: string;
  readonly files: FilesPort;
}

export class ImageArchives implements ImageArchivesPort {
  readonly #options: ImageArchivesOptions;

  constructor(options: ImageArchivesOptions) {
    this.#options = options;
  }

  async list(): Promise<Result<readonly ImageArchive[], FileFault>> {
    const { directory, files } = this.#options;
    const listed = await files.list(directory);
    if (!listed.ok) return listed.fault.kind === 'not-found' ? ok([]) : listed;
    const names = listed.value.filter(({ name, kind }) => kind === 'file' && name.endsWith('.tar') && !name.startsWith('.')).map(({ name }) => name);
    const archives: ImageArchive[] = [];
    for (const name of names.slice(0, archivesMax)) archives.push(await readArchive(path.join(directory, name)));
    return ok(archives);
  }

  take(file: string): Promise<Result<void, string>> {
    const address = this.#options.endpoint.replace(/^unix:\/\//, '');
    // Layers are unpacked by the first container, as the runtime is set up for it.
    const args = ['--address', address, '--namespace', 'k8s.io', 'images', 'import', '--no-unpack', file];
    return new Promise((resolve) => {
      execFile('ctr', args, { timeout: importMsMax, maxBuffer: outputBytesMax }, (error, _stdout, stderr) => {
        if (error === null) resolve(ok());
        else if (error.code === 'ENOENT') resolve(fail('ctr is not installed: it comes with containerd'));
        else resolve(fail(stderr.trim().split('\n').at(-1)?.replace(/^ctr: /, '') || error.message));
      });
    });
  }

  watch(changed: () => void): Stoppable {
    return this.#options.files.watch(this.#options.directory, changed);
  }
}

async function readArchive(file: string): Promise<ImageArchive> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const images = await namesIn(handle);
    return images.length === 0 ? { path: file, images, problem: 'names no image' } : { path: file, images };
  } catch (error) {
    return { path: file, images: [], problem: error instanceof Error ? error.message : String(error) };
  } finally {
    await handle?.close();
  }
}

/** @throws for what is no tar file, or holds an index that cannot be read */
async function namesIn(handle: FileHandle): Promise<readonly string[]> {
  const names = new Set<string>();
  const header = Buffer.alloc(blockBytes);
  let at = 0;
  for (let member = 0; member < membersMax; member += 1) {
    const { bytesRead } = await handle.read(header, 0, blockBytes, at);
    if (bytesRead < blockBytes || header.every((byte) => byte === 0)) break;
    if (header.readUInt16BE(0) === 0x1f8b || header.readUInt32BE(0) === 0x28b52ffd) throw new Error('is compressed as a whole: unpack it to a plain .tar');
    if (header.toString('latin1', 257, 262) !== 'ustar') throw new Error('is no tar file');
    const bytes = sizeOf(header);
    const name = header.toString('utf8', 0, 100).replace(/\0.*$/s, '').replace(/^\.\//, '');
    if (name === 'index.json' || name === 'manifest.json') for (const image of namesOf(await contentOf(handle, at + blockBytes, bytes))) names.add(image);
    at += blockBytes + Math.ceil(bytes / blockBytes) * blockBytes;
  }
  return [...names];
}

/** Octal digits, or a binary number where they do not suffice. */
function sizeOf(header: Buffer): number {
  if (((header[124] ?? 0) & 0x80) !== 0) return Number(header.readBigUInt64BE(128));
  const digits = header.toString('latin1', 124, 136).replace(/[\0 ]/g, '');
  if (!/^[0-7]*$/.test(digits)) throw new Error('is a damaged tar file');
  return Number.parseInt(digits || '0', 8);
}

async function contentOf(handle: FileHandle, at: number, bytes: number): Promise<unknown> {
  if (bytes > indexBytesMax) throw new Error(`has an index of more than ${indexBytesMax} bytes`);
  const content = Buffer.alloc(bytes);
  await handle.read(content, 0, bytes, at);
  const parsed: unknown = JSON.parse(content.toString('utf8'));
  return parsed;
}

/** Of an OCI index, or of docker's manifest. */
function namesOf(content: unknown): readonly string[] {
  if (Array.isArray(content)) return content.flatMap((one) => (isRecord(one) && Array.isArray(one['RepoTags']) ? one['RepoTags'].filter((tag): tag is string => typeof tag === 'string') : []));
  const manifests: unknown = isRecord(content) ? content['manifests'] : undefined;
  if (!Array.isArray(manifests)) return [];
  return manifests.flatMap((one) => {
    const annotations: unknown = isRecord(one) ? one['annotations'] : undefined;
    if (!isRecord(annotations)) return [];
    // The standard's own may hold a tag alone, which names nothing.
    const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
    return typeof name === 'string' && /[/:]/.test(name) ? [name] : [];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
