// Pulls shared between pods: one per image at a time, a limited number of images at once, the others in order. A pull that nobody waits
// for any more, or that gets nowhere, is ended, so that it does not keep others waiting.
import { goDuration } from '../machines/decide/go-duration.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import { fail, type Result } from '../ports/result.ts';
import type { ImagesPort, PullAuth } from '../ports/images-port.ts';
import { PullWatch } from './pull-watch.ts';

/** Images waiting for their turn. On top of it a pull is refused, which the caller's back-off repeats. */
export const pullsWaitingMax = 200;
/** A pod that changes asks again at once: so long a pull goes on without anybody who wants it. */
export const abandonedAfterMs = 5_000;

export interface PullQueueDeps {
  readonly images: Pick<ImagesPort, 'pull' | 'progress'>;
  readonly clock: ClockPort;
  /** Pulls under way at once. */
  readonly pullsMax: number;
  /** Without progress for so long a pull is ended. */
  readonly progressDeadlineMs: number;
}

export interface Pulled {
  readonly result: Result<string, RuntimeFault>;
  /** Milliseconds from its turn to its end, without the wait before. */
  readonly tookMs: number;
}

/** With what to pull. */
export interface PullRights {
  /** Tried in this order until one succeeds; none is a pull without a name. */
  readonly auths: readonly PullAuth[];
  /** Where they come from, without a value: pulls of one image share their outcome where this is the same. */
  readonly origin: string;
}

interface Shared {
  readonly pulled: Promise<Pulled>;
  readonly controller: AbortController;
  /** Who wants it still. */
  waiters: number;
  abandonTimer: unknown;
  /** Monotonic milliseconds of its turn; undefined while it waits for it. */
  beganMs: number | undefined;
}

export class PullQueue {
  readonly #deps: PullQueueDeps;
  readonly #watch: PullWatch;
  readonly #shared = new Map<string, Shared>();
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(deps: PullQueueDeps) {
    this.#deps = deps;
    this.#watch = new PullWatch({ ...deps, deadlineMs: deps.progressDeadlineMs });
  }

  /**
   * Joins a pull of the same image with the same rights that is under way or waiting.
   * @param signal fires when the caller does not want it any more; the answer comes all the same
   */
  pull(image: string, rights: PullRights, signal?: AbortSignal): Promise<Pulled> {
    const key = keyOf(image, rights);
    const known = this.#shared.get(key);
    if (known === undefined && this.#waiting.size >= pullsWaitingMax) {
      return Promise.resolve({ result: fail({ kind: 'rejected', message: `more than ${pullsWaitingMax} images are waiting to be pulled`, grpcCode: 8 }), tookMs: 0 });
    }
    const shared = known ?? this.#begin(image, key, rights.auths);
    shared.waiters += 1;
    this.#deps.clock.clearTimeout(shared.abandonTimer);
    signal?.addEventListener('abort', () => this.#leave(shared), { once: true });
    return shared.pulled;
  }

  /** Monotonic milliseconds at which its turn came; undefined while it waits for it or nobody pulls it. */
  beganMs(image: string, rights: Pick<PullRights, 'origin'>): number | undefined {
    return this.#shared.get(keyOf(image, rights))?.beganMs;
  }

  /** Ends what is under way. */
  stop(): void {
    this.#watch.stop();
    for (const { controller, abandonTimer } of this.#shared.values()) {
      this.#deps.clock.clearTimeout(abandonTimer);
      controller.abort('the node agent stops');
    }
  }

  #begin(image: string, key: string, auths: readonly PullAuth[]): Shared {
    const controller = new AbortController();
    const shared: Shared = { pulled: this.#run(image, key, auths, controller), controller, waiters: 0, abandonTimer: undefined, beganMs: undefined };
    this.#shared.set(key, shared);
    return shared;
  }

  #leave(shared: Shared): void {
    shared.waiters -= 1;
    if (shared.waiters > 0) return;
    shared.abandonTimer = this.#deps.clock.setTimeout(() => shared.controller.abort('nobody wants it any more'), abandonedAfterMs);
  }

  async #run(image: string, key: string, auths: readonly PullAuth[], controller: AbortController): Promise<Pulled> {
    const { clock } = this.#deps;
    try {
      if (!(await this.#turn(controller.signal))) return { result: fail(ended(controller.signal)), tookMs: 0 };
      const startedMs = clock.monotonicMs();
      const shared = this.#shared.get(key);
      if (shared !== undefined) shared.beganMs = startedMs;
      const result = await this.#attempt(image, auths, controller);
      return { result, tookMs: clock.monotonicMs() - startedMs };
    } finally {
      clock.clearTimeout(this.#shared.get(key)?.abandonTimer);
      this.#shared.delete(key);
    }
  }

  async #attempt(image: string, auths: readonly PullAuth[], controller: AbortController): Promise<Result<string, RuntimeFault>> {
    const deadline = goDuration(this.#deps.progressDeadlineMs);
    const unwatch = this.#watch.watch(() => controller.abort(`the pull has made no progress for ${deadline}`));
    try {
      return await this.#tryAll(image, auths, controller.signal);
    } finally {
      unwatch();
      const [next] = this.#waiting;
      // The place goes straight to the next in line, so that nobody slips in between.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** @returns false when it was given up before its turn came */
  #turn(signal: AbortSignal): Promise<boolean> {
    if (this.#running < this.#deps.pullsMax) {
      this.#running += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const go = (): void => {
        this.#waiting.delete(go);
        resolve(true);
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', () => resolve(!this.#waiting.delete(go)), { once: true });
    });
  }

  async #tryAll(image: string, [first, ...others]: readonly PullAuth[], signal: AbortSignal): Promise<Result<string, RuntimeFault>> {
    let pulled = await this.#deps.images.pull(image, first, undefined, { signal });
    const messages: string[] = [];
    for (const auth of others) {
      if (pulled.ok || signal.aborted) break;
      messages.push(pulled.fault.message);
      pulled = await this.#deps.images.pull(image, auth, undefined, { signal });
    }
    if (pulled.ok) return pulled;
    if (signal.aborted) return fail(ended(signal));
    return messages.length === 0 ? pulled : fail({ ...pulled.fault, message: `[${[...messages, pulled.fault.message].join(', ')}]` });
  }
}

function keyOf(image: string, { origin }: Pick<PullRights, 'origin'>): string {
  return `${image} ${origin}`;
}

/** Nothing is known against the image: it was not to be had. */
function ended({ reason }: AbortSignal): RuntimeFault {
  return { kind: 'unavailable', message: String(reason) };
}
