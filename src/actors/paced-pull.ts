// Pulls one image no faster than it may, on the average: CRI has no word for that, so the pull is ended when it is too far ahead and goes on,
// where it was, when the time has caught up. A pull that gets nowhere is ended for good.
import { beginPace, type DownloadPace, pauseMs, sawDownloads } from '../machines/decide/download-pace.ts';
import { goDuration } from '../machines/decide/go-duration.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { ImagesPort } from '../ports/images-port.ts';
import { fail, type Result } from '../ports/result.ts';
import { PullWatch } from './pull-watch.ts';

/** Between two looks at the pace. */
const lookMs = 1_000;

export interface PacedPullDeps {
  readonly images: Pick<ImagesPort, 'pull' | 'progress'>;
  readonly clock: ClockPort;
  /** Without progress for so long a pull is ended. */
  readonly progressDeadlineMs: number;
  /** Absent: as fast as it goes. */
  readonly bytesPerSecondMax: number | undefined;
}

type Pulled = Result<string, RuntimeFault>;

export class PacedPull {
  readonly #deps: PacedPullDeps;
  readonly #watch: PullWatch;

  constructor(deps: PacedPullDeps) {
    this.#deps = deps;
    this.#watch = new PullWatch({ ...deps, deadlineMs: deps.progressDeadlineMs });
  }

  /** @param signal ends it, with `unavailable` */
  async pull(image: string, signal: AbortSignal): Promise<Pulled> {
    const { bytesPerSecondMax, clock } = this.#deps;
    if (bytesPerSecondMax === undefined) return this.#part(image, signal, () => undefined);
    let pace = beginPace(await this.#progress(), clock.monotonicMs());
    for (;;) {
      let waitMs = 0;
      const pulled = await this.#part(image, signal, (slower) => this.#look((progress) => {
        pace = sawDownloads(pace, progress);
        waitMs = pace.restarted ? 0 : pauseMs(pace, bytesPerSecondMax, clock.monotonicMs());
        if (waitMs > 0) slower();
      }));
      if (pulled.ok || waitMs === 0 || signal.aborted) return pulled;
      await this.#pause(pace, bytesPerSecondMax, signal);
      if (signal.aborted) return fail({ kind: 'unavailable', message: String(signal.reason) });
    }
  }

  stop(): void {
    this.#watch.stop();
  }

  /** @param watchPace given how to end this part; returns how to stop watching */
  async #part(image: string, signal: AbortSignal, watchPace: (slower: () => void) => (() => void) | undefined): Promise<Pulled> {
    const { images, progressDeadlineMs } = this.#deps;
    const controller = new AbortController();
    const abort = (): void => controller.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    let stuck = false;
    const unwatch = this.#watch.watch(() => {
      stuck = true;
      controller.abort();
    });
    const unwatchPace = watchPace(() => controller.abort('faster than it may be'));
    const pulled = await images.pull(image, undefined, undefined, { signal: controller.signal });
    unwatchPace?.();
    unwatch();
    signal.removeEventListener('abort', abort);
    return pulled.ok || !stuck ? pulled : fail({ kind: 'unavailable', message: `the pull has made no progress for ${goDuration(progressDeadlineMs)}` });
  }

  /** @returns how to stop looking */
  #look(saw: (progress: string) => void): () => void {
    const { clock } = this.#deps;
    let timer: unknown;
    let over = false;
    const again = (): void => {
      timer = clock.setTimeout(() => void this.#progress().then((progress) => {
        if (over) return;
        saw(progress);
        again();
      }), lookMs);
    };
    again();
    return () => {
      over = true;
      clock.clearTimeout(timer);
    };
  }

  async #progress(): Promise<string> {
    const progress = await this.#deps.images.progress();
    // Of a runtime that tells nothing, nothing is concluded.
    return progress.ok ? progress.value : '';
  }

  #pause(pace: DownloadPace, bytesPerSecondMax: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      const end = (): void => {
        clock.clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = clock.setTimeout(end, pauseMs(pace, bytesPerSecondMax, clock.monotonicMs()));
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
    });
  }
}
