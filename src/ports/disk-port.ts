// How much room a file system has. Apart from HostPort because it is asked about file systems that others name.
import type { FileFault } from './faults.ts';
import type { Result } from './result.ts';

export interface DiskSpace {
  readonly capacityBytes: number;
  /** For unprivileged writers: what the system keeps back for root is not in it. */
  readonly availableBytes: number;
}

export interface DiskPort {
  /** @param path anything on the file system: its mount point, or a directory in it */
  space(path: string): Promise<Result<DiskSpace, FileFault>>;
}
