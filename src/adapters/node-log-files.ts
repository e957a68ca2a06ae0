// LogFilesPort and DiskPort on the machine's file system. No retries, no caching; every error becomes a fault.
import { promises as fs, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { createGzip } from 'node:zlib';
import type { DiskPort, DiskSpace } from '../ports/disk-port.ts';
import type { FileFault } from '../ports/faults.ts';
import type { LogFilesPort } from '../ports/log-files-port.ts';
import type { Result } from '../ports/result.ts';
import { answer } from './files/node-file-faults.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

/** Read, compressed and written at a time: the loop is free again after each, and memory holds two or three. */
const chunkBytes = 64 * 1_024;

export class NodeLogFiles implements LogFilesPort, DiskPort {
  #temporaries = 0;

  sizeOf(path: string): Answer<number> {
    return answer(path, async () => {
      // Asked for each running container every few seconds: at once it costs a tenth of what a promise of it does.
      const status = statSync(path);
      if (!status.isFile()) throw new Error('is not a regular file');
      return status.size;
    });
  }

  rename(from: string, to: string): Answer<void> {
    return answer(from, () => fs.rename(from, to));
  }

  link(target: string, path: string): Answer<void> {
    return answer(path, async () => {
      const found = await fs.lstat(path).catch(() => undefined);
      if (found !== undefined && !found.isSymbolicLink()) throw new Error('exists and is not a symbolic link');
      if (found !== undefined && (await fs.readlink(path)) === target) return;
      this.#temporaries += 1;
      const temporary = `${dirname(path)}/.${process.pid}-${this.#temporaries}.tmp`;
      await fs.rm(temporary, { force: true });
      await fs.symlink(target, temporary);
      // Over the old one at once: a reader of logs finds one or the other.
      await fs.rename(temporary, path);
    });
  }

  compress(from: string, to: string): Answer<void> {
    return answer(from, async () => {
      try {
        await gzipFile(from, to);
      } catch (error) {
        await fs.rm(to, { force: true }).catch(() => undefined);
        throw error;
      }
    });
  }

  space(path: string): Promise<Result<DiskSpace, FileFault>> {
    return answer(path, async () => {
      const { blocks, bavail, bsize } = await fs.statfs(path);
      return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize };
    });
  }
}

async function gzipFile(from: string, to: string): Promise<void> {
  const source = await fs.open(from, 'r');
  try {
    const { mode } = await source.stat();
    await fs.rm(to, { force: true });
    const target = await fs.open(to, 'wx', mode & 0o777);
    try {
      // The umask has had its say; the mode of the log is the one that counts.
      await target.chmod(mode & 0o777);
      const gzip = createGzip({ chunkSize: chunkBytes });
      const chunks = source.createReadStream({ autoClose: false, highWaterMark: chunkBytes });
      chunks.once('error', (error) => gzip.destroy(error));
      chunks.pipe(gzip);
      try {
        for await (const chunk of gzip) await target.writeFile(chunk as Uint8Array); // A gzip stream gives bytes.
      } finally {
        chunks.destroy();
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
