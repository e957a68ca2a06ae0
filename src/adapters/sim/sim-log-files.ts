// LogFilesPort over the tree of sim-files: the same disk, the same faults.
import { gzipSync } from 'node:zlib';
import type { FileFault } from '../../ports/faults.ts';
import type { LogFilesPort } from '../../ports/log-files-port.ts';
import { ok, type Result } from '../../ports/result.ts';
import { failed, missing } from './sim-disk-faults.ts';
import type { SimTree } from './sim-tree.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

export interface SimDisk {
  readonly tree: SimTree;
  /** With the disk's latency and faults. */
  call<T>(path: string, what: 'look' | 'write' | 'change', act: () => Result<T, FileFault>): Answer<T>;
  notify(path: string): void;
}

export class SimLogFiles implements LogFilesPort {
  readonly #disk: SimDisk;

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  sizeOf(path: string): Answer<number> {
    return this.#disk.call(path, 'look', () => {
      const node = this.#disk.tree.find(path);
      if (node === undefined) return missing(path);
      return node.kind === 'file' ? ok(node.bytes.byteLength) : failed(path, 'is not a regular file');
    });
  }

  rename(from: string, to: string): Answer<void> {
    return this.#disk.call(from, 'change', () => {
      const moved = this.#disk.tree.rename(from, to);
      this.#disk.notify(from);
      this.#disk.notify(to);
      return moved;
    });
  }

  link(target: string, path: string): Answer<void> {
    return this.#disk.call(path, 'write', () => {
      const found = this.#disk.tree.entry(path);
      if (found !== undefined && found.kind !== 'link') return failed(path, 'exists and is not a symbolic link');
      return this.#disk.tree.link(target, path);
    });
  }

  compress(from: string, to: string): Answer<void> {
    return this.#disk.call(from, 'write', () => {
      const node = this.#disk.tree.find(from);
      if (node === undefined) return missing(from);
      if (node.kind !== 'file') return failed(from, 'is a directory');
      return this.#disk.tree.writeFile(to, { bytes: gzipSync(node.bytes), mode: node.mode });
    });
  }
}
