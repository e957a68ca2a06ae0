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
  #again = false;
  #stopped = false;
  #timer: unknown;

  constructor(deps: ImageArchivesDeps) {
    this.#deps = deps;
    const { bus, archives } = deps;
    this.#listenings = [
      bus.on('runtime.health', ({ payload: { runtimeReady } }) => {
        const before = this.#ready;
        this.#ready = runtimeReady;
        if (runtimeReady && !before) void this.#look();
      }),
      bus.on('image.resolved', ({ payload: { outcome } }) => { if (outcome.kind === 'failed') void this.#look(); }),
    ];
    this.#watch = archives.watch(() => this.#lookIn(settleMs));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    for (const listening of this.#listenings) listening.off();
    await this.#watch.stop();
  }

  #lookIn(delayMs: number): void {
    this.#deps.clock.clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = this.#deps.clock.setTimeout(() => void this.#look(), delayMs);
  }

  async #look(): Promise<void> {
    if (!this.#ready || this.#stopped) return;
    this.#again = true;
    if (this.#looking) return;
    this.#looking = true;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      await this.#lookOnce();
    }
    this.#looking = false;
  }

  async #lookOnce(): Promise<void> {
    const { archives, log, clock } = this.#deps;
    const listed = await archives.list();
    if (!listed.ok) return log.warn('archives.unreadable', { fault: listed.fault.message });
    for (const archive of listed.value) {
      if (this.#stopped) return;
      const failed = this.#failures.get(archive.path);
      if (failed !== undefined && clock.monotonicMs() - failed.atMs < againMs) continue;
      if (archive.problem !== undefined) this.#failedAt(archive.path, archive.problem);
      else if (await this.#lacks(archive)) await this.#take(archive);
    }
    for (const path of [...this.#failures.keys()]) if (!listed.value.some((archive) => archive.path === path)) this.#failures.delete(path);
  }

  async #lacks({ images }: ImageArchive): Promise<boolean> {
    for (const image of images) {
      const status = await this.#deps.images.status(fullImageName(image));
      // A runtime that does not answer lacks nothing that we know of.
      if (status.ok && status.value === undefined) return true;
    }
    return false;
  }

  async #take({ path, images }: ImageArchive): Promise<void> {
    const { archives, clock, log } = this.#deps;
    const beganMs = clock.monotonicMs();
    const taken = await archives.take(path);
    if (this.#stopped) return;
    if (!taken.ok) return this.#failedAt(path, taken.fault);
    this.#failures.delete(path);
    log.info('archives.taken', { path, images, tookMs: clock.monotonicMs() - beganMs });
    this.#note('Normal', 'ImageArchiveImported', `Imported ${images.join(', ')} from ${path}`);
  }

  #failedAt(path: string, message: string): void {
    const before = this.#failures.get(path);
    this.#failures.set(path, { atMs: this.#deps.clock.monotonicMs(), message });
    // Once for each reason.
    if (before?.message !== message) this.#note('Warning', 'ImageArchiveFailed', `Cannot import ${path}: ${message}`);
    this.#lookIn(againMs);
  }

  #note(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Node' }, type, reason, message });
  }
}
