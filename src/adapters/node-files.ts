// FilesPort on the machine's file system. No retries, no caching; every error becomes a fault.
import { constants, promises as fs, type Dirent } from 'node:fs';
import path from 'node:path';
import type { FileFault } from '../ports/faults.ts';
import type { DirectoryEntry, FilesPort, TreeUsage } from '../ports/files-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { answer, errorCode } from './files/node-file-faults.ts';
import { removeTree } from './files/node-remove-tree.ts';
import { treeUsage } from './files/node-tree-usage.ts';
import { watchPath } from './files/node-watch.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

/** Entries of a directory asked for at once: more would only fill the thread pool's queue. */
const statsAtOnce = 16;
const chunkBytes = 64 * 1_024;

export class NodeFiles implements FilesPort {
  #temporaries = 0;

  list(directory: string): Answer<readonly DirectoryEntry[]> {
    return answer(directory, async () => {
      const names = await fs.readdir(directory, { withFileTypes: true });
      names.sort((a, b) => (a.name < b.name ? -1 : 1));
      const entries: DirectoryEntry[] = [];
      for (let start = 0; start < names.length; start += statsAtOnce) {
        const some = await Promise.all(names.slice(start, start + statsAtOnce).map((name) => entryOf(directory, name)));
        for (const one of some) if (one !== undefined) entries.push(one);
      }
      return entries;
    });
  }

  async read(file: string, options: { readonly bytesMax: number }): Answer<Uint8Array> {
    const { bytesMax } = options;
    const read = await answer(file, () => readAtMost(file, bytesMax));
    if (!read.ok) return read;
    if (read.value === undefined) {
      return fail({ kind: 'too-large', path: file, message: `${file}: larger than ${bytesMax} bytes`, bytesMax });
    }
    return ok(read.value);
  }

  readEnd(file: string, { bytesMax }: { readonly bytesMax: number }): Answer<Uint8Array> {
    return answer(file, async () => {
      const handle = await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const { size } = await handle.stat();
        const end = Buffer.alloc(Math.min(size, bytesMax));
        const { bytesRead } = await handle.read(end, 0, end.length, size - end.length);
        return end.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    });
  }

  makeFile(file: string, { mode }: { readonly mode: number }): Answer<void> {
    return answer(file, async () => {
      const handle = await fs.open(file, 'w', mode);
      try {
        // The umask has had its say; the caller's mode is the one that counts.
        await handle.chmod(mode);
      } finally {
        await handle.close();
      }
    });
  }

  writeAtomic(file: string, content: Uint8Array | string, options: { readonly mode: number }): Answer<void> {
    return answer(file, async () => {
      this.#temporaries += 1;
      const directory = path.dirname(file);
      // With a dot in front, so that whoever reads the directory meanwhile leaves it alone.
      const temporary = path.join(directory, `.${process.pid}-${this.#temporaries}.tmp`);
      // Left by a crash of an earlier process with our number.
      await fs.rm(temporary, { force: true });
      try {
        await writeSynced(temporary, content, options.mode);
        await fs.rename(temporary, file);
      } catch (error) {
        await fs.rm(temporary, { force: true }).catch(() => undefined);
        throw error;
      }
      await syncDirectory(directory);
    });
  }

  append(file: string, content: Uint8Array | string, { mode }: { readonly mode: number }): Answer<void> {
    return answer(file, async () => {
      const isNew = await appendSynced(file, content, mode);
      if (isNew) await syncDirectory(path.dirname(file));
    });
  }

  makeDirectory(directory: string, options: { readonly mode: number }): Answer<void> {
    return answer(directory, async () => {
      const made = await fs.mkdir(directory, { recursive: true, mode: options.mode });
      // The process's umask has had its say; the caller's mode is the one that counts.
      if (made !== undefined) await fs.chmod(directory, options.mode);
    });
  }

  removeFile(file: string, options: { readonly durable: boolean } = { durable: false }): Answer<void> {
    return answer(file, async () => {
      try {
        await fs.unlink(file);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw error;
        return;
      }
      if (options.durable) await syncDirectory(path.dirname(file));
    });
  }

  removeTree(directory: string): Answer<void> {
    return answer(directory, () => removeTree(directory));
  }

  usage(target: string, options: { readonly entriesMax: number }): Answer<TreeUsage> {
    return answer(target, () => treeUsage(target, options));
  }

  watch(target: string, changed: () => void): Stoppable {
    return watchPath(target, changed);
  }
}

/** @returns undefined for a name that has gone since it was listed */
async function entryOf(directory: string, entry: Dirent): Promise<DirectoryEntry | undefined> {
  try {
    const status = await fs.stat(path.join(directory, entry.name));
    const kind = status.isFile() ? 'file' : status.isDirectory() ? 'directory' : 'other';
    return { name: entry.name, kind, sizeBytes: status.size, modifiedAtMs: Math.max(status.mtimeMs, status.ctimeMs) };
  } catch {
    return entry.isSymbolicLink() ? { name: entry.name, kind: 'other', sizeBytes: 0, modifiedAtMs: 0 } : undefined;
  }
}

/** @returns undefined when there are more than `bytesMax` */
async function readAtMost(file: string, bytesMax: number): Promise<Uint8Array | undefined> {
  // Not to hang on a pipe that nobody writes to.
  const handle = await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new Error(status.isDirectory() ? 'is a directory' : 'is not a regular file');
    if (status.size > bytesMax) return undefined;
    const chunks: Uint8Array[] = [];
    let total = 0;
    // The size is a hint: files of /proc say 0, and a file may grow while it is read.
    for (let wanted = status.size + 1; ; wanted = chunkBytes) {
      const chunk = Buffer.allocUnsafe(Math.min(wanted, bytesMax - total + 1));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
      total += bytesRead;
      if (total > bytesMax) return undefined;
      chunks.push(chunk.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

async function writeSynced(file: string, content: Uint8Array | string, mode: number): Promise<void> {
  const handle = await fs.open(file, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @returns whether the file was made */
async function appendSynced(file: string, content: Uint8Array | string, mode: number): Promise<boolean> {
  const handle = await fs.open(file, 'a', mode);
  try {
    const { size } = await handle.stat();
    if (size === 0) await handle.chmod(mode);
    try {
      await handle.writeFile(content);
      await handle.datasync();
    } catch (error) {
      // Half of it may be there, on a disk that is full: the next one shall not stand behind it.
      await handle.truncate(size).catch(() => undefined);
      throw error;
    }
    return size === 0;
  } finally {
    await handle.close();
  }
}

/** The rename itself is on the disk only when the directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
