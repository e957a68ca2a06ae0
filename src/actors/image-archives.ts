// Brings the images of archives that lie on the node into the runtime: at the start, when an archive comes, and when a pod's image could
// not be had. One archive at a time; what the runtime has is left alone.
import type { BusPort, Listening } from '../bus/bus.ts';
import { fullImageName } from '../machines/decide/image-name.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { ImageArchive, ImageArchivesPort } from '../ports/image-archives-port.ts';
import type { ImagesPort } from '../ports/images-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';

/** A file that is being copied changes for a while. */
export const settleMs = 2_000;
/** A runtime hears of what its importer brought a moment later: so often, so far apart, it is asked. */
const arrivalLooks = 8;
const arrivalLookMs = 250;
/** Between two attempts on one archive that cannot be taken. */
export const againMs = 300_000;

export interface ImageArchivesDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly archives: ImageArchivesPort;
  readonly images: Pick<ImagesPort, 'status'>;
}

/** Listens to `runtime.health` and `image.resolved`; notes events on the node. */
export function startImageArchives(deps: ImageArchivesDeps): Stoppable {
  return new ArchiveKeeper(deps);
}

class ArchiveKeeper implements Stoppable {
  readonly #deps: ImageArchivesDeps;
  readonly #listenings: readonly Listening[];
  readonly #watch: Stoppable;
  /** Monotonic milliseconds of the last failure, and what it was, by path. */
  readonly #failures = new Map<string, { readonly atMs: number; readonly message: string }>();
  #ready = false;
  #looking = false;
  /** Whose archives are looked at next: all, or those that name these images. Undefined: nobody waits. */
  #next: 'all' | ReadonlySet<string> | undefined;
  #stopped = false;
  #timer: unknown;
  #endMoment: () => void = () => undefined;

  constructor(deps: ImageArchivesDeps) {
    this.#deps = deps;
    const { bus, archives } = deps;
    this.#listenings = [
      bus.on('runtime.health', ({ payload: { runtimeReady } }) => {
        const before = this.#ready;
        this.#ready = runtimeReady;
        if (runtimeReady && !before) void this.#look();
      }),
      bus.on('image.resolved', ({ payload: { image, outcome } }) => { if (outcome.kind === 'failed') void this.#look(fullImageName(image)); }),
    ];
    this.#watch = archives.watch(() => this.#lookIn(settleMs));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#endMoment();
    for (const listening of this.#listenings) listening.off();
    await this.#watch.stop();
  }

  #lookIn(delayMs: number): void {
    this.#deps.clock.clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = this.#deps.clock.setTimeout(() => void this.#look(), delayMs);
  }

  /** @param image full name: only archives that name it */
  async #look(image?: string): Promise<void> {
    if (!this.#ready || this.#stopped) return;
    if (image === undefined) this.#next = 'all';
    else if (this.#next !== 'all') this.#next = new Set(this.#next).add(image);
    if (this.#looking) return;
    this.#looking = true;
    while (this.#next !== undefined && !this.#stopped) {
      const which: 'all' | ReadonlySet<string> = this.#next;
      this.#next = undefined;
      await this.#lookOnce(which);
    }
    this.#looking = false;
  }

  async #lookOnce(which: 'all' | ReadonlySet<string>): Promise<void> {
    const { archives, log, clock } = this.#deps;
    const listed = await archives.list();
    if (!listed.ok) return log.warn('archives.unreadable', { fault: listed.fault.message });
    for (const archive of listed.value) {
      if (this.#stopped) return;
      if (which !== 'all' && !archive.images.some((image) => which.has(fullImageName(image)))) continue;
      const failed = this.#failures.get(archive.path);
      if (failed !== undefined && clock.monotonicMs() - failed.atMs < againMs) continue;
      if (archive.problem !== undefined) this.#failedAt(archive.path, archive.problem);
      else if ((await this.#missing(archive)).length > 0) await this.#take(archive);
    }
    for (const path of [...this.#failures.keys()]) if (!listed.value.some((archive) => archive.path === path)) this.#failures.delete(path);
  }

  async #missing({ images }: Pick<ImageArchive, 'images'>): Promise<readonly string[]> {
    const missing: string[] = [];
    for (const image of images) {
      const status = await this.#deps.images.status(fullImageName(image));
      // A runtime that does not answer lacks nothing that we know of.
      if (status.ok && status.value === undefined) missing.push(image);
    }
    return missing;
  }

  async #take({ path, images }: ImageArchive): Promise<void> {
    const { archives, clock, log } = this.#deps;
    const beganMs = clock.monotonicMs();
    const taken = await archives.take(path);
    if (this.#stopped) return;
    if (!taken.ok) return this.#failedAt(path, taken.fault);
    log.info('archives.taken', { path, images, tookMs: clock.monotonicMs() - beganMs });
    let missing = await this.#missing({ images });
    for (let look = 0; look < arrivalLooks && missing.length > 0 && !this.#stopped; look += 1) {
      await this.#moment();
      missing = await this.#missing({ images });
    }
    if (this.#stopped) return;
    // Waiting mends that not: another file does, or a pod that asks for it again.
    if (missing.length > 0) return this.#failed(path, `it did not bring ${missing.join(', ')}: made for another platform, or named without its registry`);
    this.#failures.delete(path);
    this.#note('Normal', 'ImageArchiveImported', `Imported ${images.join(', ')} from ${path}`);
  }

  #moment(): Promise<void> {
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, arrivalLookMs);
      this.#endMoment = () => {
        clock.clearTimeout(timer);
        resolve();
      };
    });
  }

  #failedAt(path: string, message: string): void {
    this.#failed(path, message);
    this.#lookIn(againMs);
  }

  #failed(path: string, message: string): void {
    const before = this.#failures.get(path);
    this.#failures.set(path, { atMs: this.#deps.clock.monotonicMs(), message });
    // Once for each reason.
    if (before?.message !== message) this.#note('Warning', 'ImageArchiveFailed', `Cannot import ${path}: ${message}`);
  }

  #note(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Node' }, type, reason, message });
  }
}
