// What log keeping needs of the file system beside FilesPort: moving, linking and compressing files that a runtime wrote.
import type { FileFault } from './faults.ts';
import type { Result } from './result.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

export interface LogFilesPort {
  /** Bytes of a regular file, links followed; cheap enough to ask often. */
  sizeOf(path: string): Answer<number>;
  /** Within one file system, at once; what stood at `to` is replaced. */
  rename(from: string, to: string): Answer<void>;
  /** A symbolic link at `path`, in place of any link that is there. A file there is left alone, which is a fault. */
  link(target: string, path: string): Answer<void>;
  /**
   * Writes `from` as gzip to `to`, with the same mode, and on the disk before it answers. A few chunks of memory, whatever the
   * size; between chunks others have their turn. What stood at `to` is replaced; after a fault nothing is left there.
   */
  compress(from: string, to: string): Answer<void>;
}
