// LogReaderPort on the machine's file system. A few chunks of memory, whatever a file's size.
import { createReadStream, type ReadStream, promises as fs } from 'node:fs';
import { createGunzip, type Gunzip } from 'node:zlib';
import type { FileFault } from '../ports/faults.ts';
import type { LogReaderPort, OpenLogFile, PackedLogFile } from '../ports/log-reader-port.ts';
import type { Result } from '../ports/result.ts';
import { answer } from './files/node-file-faults.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

const chunkBytes = 64 * 1024;

export class NodeLogReader implements LogReaderPort {
  open(path: string): Answer<OpenLogFile> {
    return answer(path, async () => {
      const file = await fs.open(path, 'r');
      const status = await file.stat();
      return {
        identity: identityIn(status),
        size: () => answer(path, async () => (await file.stat()).size),
        read: (at: number, bytesMax: number) => answer(path, async () => {
          const buffer = Buffer.allocUnsafe(bytesMax);
          const { bytesRead } = await file.read(buffer, 0, bytesMax, at);
          return buffer.subarray(0, bytesRead);
        }),
        close: () => file.close().catch(() => undefined),
      };
    });
  }

  unpack(path: string): Answer<PackedLogFile> {
    return answer(path, async () => {
      await fs.access(path);
      const file = createReadStream(path, { highWaterMark: chunkBytes });
      const gunzip = createGunzip({ chunkSize: chunkBytes });
      file.once('error', (error) => gunzip.destroy(error));
      file.pipe(gunzip);
      return unpacked(path, file, gunzip);
    });
  }

  identityOf(path: string): Answer<string> {
    return answer(path, async () => identityIn(await fs.stat(path)));
  }
}

function unpacked(path: string, file: ReadStream, gunzip: Gunzip): PackedLogFile {
  const chunks: AsyncIterator<unknown> = gunzip[Symbol.asyncIterator]();
  return {
    next: () => answer(path, async () => {
      const { value, done } = await chunks.next();
      return done === true ? undefined : (value as Uint8Array); // A gunzip stream gives bytes.
    }),
    close: async () => {
      file.destroy();
      gunzip.destroy();
      await Promise.resolve();
    },
  };
}

function identityIn({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}
