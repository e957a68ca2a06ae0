// Finds pulls that get nowhere. While anything is pulled it asks now and then how far the pulls have come; otherwise it does nothing.
import type { ClockPort } from '../ports/clock-port.ts';
import type { ImagesPort } from '../ports/images-port.ts';

/** Looks within one deadline: a pull is found stuck at most a fifth of it late. */
const looksPerDeadline = 5;

export interface PullWatchDeps {
  readonly images: Pick<ImagesPort, 'progress'>;
  readonly clock: ClockPort;
  /** Without progress for so long a pull is stuck. */
  readonly deadlineMs: number;
}

interface Watched {
  readonly sinceMs: number;
  readonly stuck: () => void;
}

/** Runtimes tell of all pulls together: one that gets on vouches for the others. Of one that tells nothing, nothing is concluded. */
export class PullWatch {
  readonly #deps: PullWatchDeps;
  readonly #watched = new Set<Watched>();
  #timer: unknown;
  #last = '';
  #changedAtMs = 0;

  constructor(deps: PullWatchDeps) {
    this.#deps = deps;
  }

  /** @param stuck called at most once @returns how to stop watching */
  watch(stuck: () => void): () => void {
    const entry: Watched = { sinceMs: this.#deps.clock.monotonicMs(), stuck };
    this.#watched.add(entry);
    if (this.#watched.size === 1) this.#again();
    return () => {
      this.#watched.delete(entry);
      if (this.#watched.size === 0) this.#deps.clock.clearTimeout(this.#timer);
    };
  }

  stop(): void {
    this.#watched.clear();
    this.#deps.clock.clearTimeout(this.#timer);
  }

  #again(): void {
    const { clock, deadlineMs } = this.#deps;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => void this.#look(), deadlineMs / looksPerDeadline);
  }

  async #look(): Promise<void> {
    const { images, clock, deadlineMs } = this.#deps;
    const progress = await images.progress();
    if (this.#watched.size === 0) return;
    const nowMs = clock.monotonicMs();
    if (!progress.ok || progress.value !== this.#last) this.#changedAtMs = nowMs;
    if (progress.ok) this.#last = progress.value;
    for (const entry of [...this.#watched]) {
      if (nowMs - Math.max(this.#changedAtMs, entry.sinceMs) < deadlineMs) continue;
      this.#watched.delete(entry);
      entry.stuck();
    }
    if (this.#watched.size > 0) this.#again();
  }
}
