// What pods' volumes need of the machine beyond plain files: content that changes at once, memory file systems, checked host paths,
// paths inside volumes that cannot be led out of them, and ownership.
import type { FileFault } from './faults.ts';
import type { Result } from './result.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

/** One file of a configMap, secret, downwardAPI or projected volume. */
export interface ContentFile {
  /** Relative to the volume, of plain names. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
  /** Owner; root where it is absent. */
  readonly uid?: number;
}

export type HostPathType = 'DirectoryOrCreate' | 'Directory' | 'FileOrCreate' | 'File' | 'Socket' | 'CharDevice' | 'BlockDevice';

export interface SubPathRequest {
  /** Its name, for messages. */
  readonly volume: string;
  /** The volume. */
  readonly root: string;
  /** Relative, without `..`. Made as a directory where it is missing. */
  readonly subPath: string;
  /** Where it becomes visible under a name nobody else can move. */
  readonly target: string;
}

export interface VolumesPort {
  /** A file system in memory at `path`, made with its parents; one that is there is success. */
  mountMemory(path: string, options: { readonly mode: number; readonly sizeBytes?: number }): Answer<void>;
  /** A file system of huge pages at `path`; one that is there is success. A fault where the machine has no pages of that size. */
  mountHugePages(path: string, options: { readonly mode: number; readonly pageBytes: number; readonly sizeBytes: number }): Answer<void>;
  /**
   * Brings a volume to exactly these files, all at once for whoever reads it through its `..data` link. Equal content is not written.
   * @param options.gid owner group of everything in it
   */
  writeContent(directory: string, files: readonly ContentFile[], options: { readonly gid?: number }): Answer<'written' | 'same'>;
  /** The kind of thing the path must lead to; the `OrCreate` kinds are made where they are missing. */
  checkHostPath(path: string, type: HostPathType): Answer<void>;
  /** Binds a path inside a volume to the target, following no link on the way. A target already bound to the same is success. */
  bindSubPath(request: SubPathRequest): Answer<void>;
  /** Gives a tree to a group, with read and write access and set-group-ID on directories. */
  giveToGroup(path: string, options: { readonly gid: number; readonly unless: 'never' | 'root matches' }): Answer<void>;
  /** Changes a small file in place, so that those who have it mounted see it. Equal content is not written. */
  writeInPlace(path: string, content: string, options: { readonly mode: number }): Answer<void>;
  /** Takes away whatever is mounted at the path or below it, and nothing else. */
  unmountBelow(path: string): Answer<void>;
}
