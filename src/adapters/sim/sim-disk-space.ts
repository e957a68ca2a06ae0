// DiskPort's twin: one file system of a given size, of which somebody says how much is used.
import type { DiskPort, DiskSpace } from '../../ports/disk-port.ts';
import type { FileFault } from '../../ports/faults.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

export class SimDiskSpace implements DiskPort {
  /** May be changed at any time. */
  capacityBytes: number;
  readonly #usedBytes: () => number;

  constructor(options: { readonly capacityBytes: number; readonly usedBytes: () => number }) {
    this.capacityBytes = options.capacityBytes;
    this.#usedBytes = options.usedBytes;
  }

  async space(path: string): Promise<Result<DiskSpace, FileFault>> {
    if (!path.startsWith('/')) return fail({ kind: 'failed', path, message: `${path}: is not an absolute path` });
    return ok({ capacityBytes: this.capacityBytes, availableBytes: Math.max(0, this.capacityBytes - this.#usedBytes()) });
  }
}
