// VolumesPort on the machine. No retries, no memory of what was done: it looks.
import { constants, promises as fs, type Stats } from 'node:fs';
import type { FileFault } from '../ports/faults.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { ContentFile, HostPathType, SubPathRequest, VolumesPort } from '../ports/volumes-port.ts';
import { answer, errorCode } from './files/node-file-faults.ts';
import { writeContent } from './volumes/content-writer.ts';
import { mountsBelow, runMount, unmountBelow } from './volumes/mounts.ts';
import { bindSubPath } from './volumes/sub-path.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

const hugePagesDirectory = '/sys/kernel/mm/hugepages';
const createdDirectoryMode = 0o755;
const createdFileMode = 0o644;
const groupFileBits = 0o660;
const groupDirectoryBits = 0o2110;

const kinds: Readonly<Record<HostPathType, { readonly word: string; readonly is: (status: Stats) => boolean }>> = {
  DirectoryOrCreate: { word: 'directory', is: (status) => status.isDirectory() },
  Directory: { word: 'directory', is: (status) => status.isDirectory() },
  FileOrCreate: { word: 'file', is: (status) => status.isFile() },
  File: { word: 'file', is: (status) => status.isFile() },
  Socket: { word: 'socket file', is: (status) => status.isSocket() },
  CharDevice: { word: 'character device', is: (status) => status.isCharacterDevice() },
  BlockDevice: { word: 'block device', is: (status) => status.isBlockDevice() },
};

export interface NodeVolumesOptions {
  /** Where the root of the host is mounted, for an agent in a container; empty on the host itself. */
  readonly hostRoot?: string;
  /** What is below has the same path here and on the host: volumes of ours. */
  readonly rootDirectory?: string;
}

export class NodeVolumes implements VolumesPort {
  readonly #hostRoot: string;
  readonly #rootDirectory: string;

  constructor({ hostRoot = '', rootDirectory = '' }: NodeVolumesOptions = {}) {
    this.#hostRoot = hostRoot;
    this.#rootDirectory = rootDirectory;
  }

  mountMemory(directory: string, { mode, sizeBytes }: { readonly mode: number; readonly sizeBytes?: number }): Answer<void> {
    return answer(directory, () => mountOnce(directory, 'tmpfs', [`mode=${mode.toString(8)}`, ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])]));
  }

  async mountHugePages(directory: string, { mode, pageBytes, sizeBytes }: { readonly mode: number; readonly pageBytes: number; readonly sizeBytes: number }): Answer<void> {
    // The kernel's own refusal does not say what it lacks.
    const known = await fs.stat(`${hugePagesDirectory}/hugepages-${pageBytes / 1_024}kB`).then(() => true, () => false);
    if (!known) return fail({ kind: 'failed', path: directory, message: `the node has no huge pages of ${pageBytes} bytes` });
    return answer(directory, () => mountOnce(directory, 'hugetlbfs', [`mode=${mode.toString(8)}`, `pagesize=${pageBytes}`, `size=${sizeBytes}`]));
  }

  writeContent(directory: string, files: readonly ContentFile[], { gid }: { readonly gid?: number }): Answer<'written' | 'same'> {
    return answer(directory, () => writeContent(directory, files, gid));
  }

  async checkHostPath(hostPath: string, type: HostPathType): Answer<void> {
    const { word, is } = kinds[type];
    const place = `${this.#hostRoot}${hostPath}`;
    const made = type === 'DirectoryOrCreate' || type === 'FileOrCreate' ? await answer(hostPath, () => create(place, type)) : ok();
    if (!made.ok) return made;
    const status = await fs.stat(place).catch(() => undefined);
    if (status !== undefined && is(status)) return ok();
    return fail({ kind: 'failed', path: hostPath, message: `hostPath type check failed: ${hostPath} is not a ${word}` });
  }

  bindSubPath(request: SubPathRequest): Answer<void> {
    const { root } = request;
    const isOurs = this.#hostRoot === '' || root.startsWith(`${this.#rootDirectory}/`);
    return answer(request.subPath, () => bindSubPath(isOurs ? request : { ...request, root: `${this.#hostRoot}${root}` }));
  }

  giveToGroup(directory: string, { gid, unless }: { readonly gid: number; readonly unless: 'never' | 'root matches' }): Answer<void> {
    return answer(directory, async () => {
      const root = await fs.lstat(directory);
      const bits = groupFileBits | groupDirectoryBits;
      if (unless === 'root matches' && root.gid === gid && (root.mode & bits) === bits) return;
      await giveTree(directory, gid);
    });
  }

  writeInPlace(file: string, content: string, { mode }: { readonly mode: number }): Answer<void> {
    return answer(file, async () => {
      const before = await fs.readFile(file, 'utf8').catch(() => undefined);
      if (before === content) return;
      await fs.writeFile(file, content, { mode });
      if (before === undefined) await fs.chmod(file, mode);
    });
  }

  unmountBelow(directory: string): Answer<void> {
    return answer(directory, () => unmountBelow(directory));
  }
}

/** A file system of the kernel's own, unless something is mounted there. */
async function mountOnce(directory: string, type: string, options: readonly string[]): Promise<void> {
  const real = await fs.realpath(directory).catch(() => directory);
  if ((await mountsBelow(directory)).includes(real)) return;
  await fs.mkdir(directory, { recursive: true, mode: 0o750 });
  await runMount('mount', ['-t', type, '-o', ['nosuid', 'nodev', ...options].join(','), type, directory]);
}

async function create(hostPath: string, type: 'DirectoryOrCreate' | 'FileOrCreate'): Promise<void> {
  if ((await fs.stat(hostPath).catch(() => undefined)) !== undefined) return;
  if (type === 'FileOrCreate') {
    await (await fs.open(hostPath, 'a', createdFileMode)).close();
    return;
  }
  await fs.mkdir(hostPath, { recursive: true, mode: createdDirectoryMode });
  await fs.chmod(hostPath, createdDirectoryMode);
}

/**
 * Without following a link, also not one that is put there meanwhile: every name is opened in an open directory, and what is open
 * is changed. Links, sockets and devices keep their owner.
 */
async function giveTree(place: string, gid: number): Promise<void> {
  let opened;
  try {
    opened = await fs.open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO', 'ENODEV'].includes(errorCode(error))) return;
    throw error;
  }
  try {
    const status = await opened.stat();
    if (!status.isFile() && !status.isDirectory()) return;
    await opened.chown(status.uid, gid);
    await opened.chmod((status.mode & 0o7777) | groupFileBits | (status.isDirectory() ? groupDirectoryBits : 0));
    if (!status.isDirectory()) return;
    const held = `/proc/self/fd/${opened.fd}`;
    for (const name of await fs.readdir(held)) await giveTree(`${held}/${name}`, gid);
  } finally {
    await opened.close();
  }
}
