// The file system as our actors and sources need it.
import type { FileFault } from './faults.ts';
import type { Result, Stoppable } from './result.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

export interface DirectoryEntry {
  readonly name: string;
  /** What the name leads to, symbolic links followed; `other` for sockets, devices, dangling links. */
  readonly kind: 'file' | 'directory' | 'other';
  readonly sizeBytes: number;
  /** Wall milliseconds of the last change of content or attributes, such as name and mode. */
  readonly modifiedAtMs: number;
}

/** What a tree takes of its file system. */
export interface TreeUsage {
  /** Blocks that are allocated, not lengths: a sparse file counts what it has. */
  readonly bytes: number;
  /** Files and directories, itself among them; a file of several names is one. */
  readonly inodes: number;
  /** False when the tree has more entries than were looked at: the figures are what was seen. */
  readonly complete: boolean;
}

export interface FilesPort {
  /** Sorted by name. */
  list(directory: string): Answer<readonly DirectoryEntry[]>;
  /** `too-large` without reading when the file is over the limit. */
  read(path: string, options: { readonly bytesMax: number }): Answer<Uint8Array>;
  /** The last bytes of a file, at most `bytesMax`. */
  readEnd(path: string, options: { readonly bytesMax: number }): Answer<Uint8Array>;
  /** An empty file for somebody else to write to; one that is there is emptied. Not safe against a crash, but quick. */
  makeFile(path: string, options: { readonly mode: number }): Answer<void>;
  /** Temporary file in the same folder, fsync, rename, fsync of the folder. */
  writeAtomic(path: string, content: Uint8Array | string, options: { readonly mode: number }): Answer<void>;
  /**
   * At the end of a file, made when it is missing, and fsync (of the folder too when it was made). Where the power goes before the answer,
   * any first part of the content may be there. A fault leaves the file as it was, as far as the disk lets it.
   */
  append(path: string, content: Uint8Array | string, options: { readonly mode: number }): Answer<void>;
  /** With parents. An existing directory is success; its mode is left alone. */
  makeDirectory(path: string, options: { readonly mode: number }): Answer<void>;
  /**
   * A missing file is success.
   * @param options.durable fsync of the folder: the file does not come back when the power goes
   */
  removeFile(path: string, options?: { readonly durable: boolean }): Answer<void>;
  /** Everything below and the directory itself, without following links or crossing file systems. Missing is success. */
  removeTree(path: string): Answer<void>;
  /** Adds up everything below and the path itself, without following links or crossing file systems. A missing path uses nothing. */
  usage(path: string, options: { readonly entriesMax: number }): Answer<TreeUsage>;
  /**
   * Calls back when something in the directory may have changed. A hint: several changes may be one call, and one change several.
   * A directory that does not exist or goes away is watched again when it appears. The path may also be that of a file.
   */
  watch(path: string, changed: () => void): Stoppable;
}
