// Image archives lying on the node, as our actors need them: what is in them, and into the runtime with one.
import type { FileFault } from './faults.ts';
import type { Result, Stoppable } from './result.ts';

export interface ImageArchive {
  readonly path: string;
  /** Full names with tags; empty where `problem` says why. */
  readonly images: readonly string[];
  readonly problem?: string;
}

export interface ImageArchivesPort {
  /** In order of name; a missing directory has none. */
  list(): Promise<Result<readonly ImageArchive[], FileFault>>;
  /** Every image of the archive, under its names. The fault is a line for people. */
  take(path: string): Promise<Result<void, string>>;
  /** A hint that the directory may have changed. */
  watch(changed: () => void): Stoppable;
}
