// Log files of containers as a reader needs them: by position, and still after their names have changed.
import type { FileFault } from './faults.ts';
import type { Result } from './result.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

export interface OpenLogFile {
  /** The same for the same file whatever its name. */
  readonly identity: string;
  size(): Answer<number>;
  /** Fewer bytes than asked for at the end of the file; none behind it. */
  read(at: number, bytesMax: number): Answer<Uint8Array>;
  close(): Promise<void>;
}

export interface PackedLogFile {
  /** The next bytes of what was packed; undefined at the end. */
  next(): Answer<Uint8Array | undefined>;
  close(): Promise<void>;
}

export interface LogReaderPort {
  open(path: string): Answer<OpenLogFile>;
  /** Of a file in gzip's format. */
  unpack(path: string): Answer<PackedLogFile>;
  /** What the name leads to, as `identity` of an open file; cheap. */
  identityOf(path: string): Answer<string>;
}
