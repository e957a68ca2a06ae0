// The twin of archives lying on the node: what is in them is said, taking one gives its images to the simulated runtime.
import type { FileFault } from '../../ports/faults.ts';
import type { ImageArchive, ImageArchivesPort } from '../../ports/image-archives-port.ts';
import { fail, ok, type Result, type Stoppable } from '../../ports/result.ts';
import type { SimImages } from './sim-images.ts';

export class SimImageArchives implements ImageArchivesPort {
  /** Paths in the order in which they were taken, those that failed too. */
  readonly taken: string[] = [];
  /** Why nothing can be taken; empty: it can. */
  fault = '';
  /** What does not come, whatever an archive says: made for another platform. */
  readonly barren = new Set<string>();
  readonly #images: SimImages;
  readonly #archives = new Map<string, ImageArchive>();
  readonly #watchers = new Set<() => void>();

  constructor(images: SimImages) {
    this.#images = images;
  }

  /** Somebody puts an archive there. */
  put(archive: ImageArchive): void {
    this.#archives.set(archive.path, archive);
    for (const changed of this.#watchers) changed();
  }

  async list(): Promise<Result<readonly ImageArchive[], FileFault>> {
    return ok([...this.#archives.values()].sort((a, b) => (a.path < b.path ? -1 : 1)));
  }

  async take(path: string): Promise<Result<void, string>> {
    this.taken.push(path);
    const archive = this.#archives.get(path);
    if (archive === undefined || this.fault !== '') return fail(this.fault || `${path}: no such file`);
    for (const image of archive.images) if (!this.barren.has(image)) this.#images.add(image);
    return ok();
  }

  watch(changed: () => void): Stoppable {
    this.#watchers.add(changed);
    return { stop: async () => void this.#watchers.delete(changed) };
  }
}
