// Pulls the images that the cloud wants on this node ahead of pods: one at a time, inside the window, again after a failure, and tells how
// far it has come. It makes no room and removes nothing.
import type { BusPort, Listening } from '../bus/bus.ts';
import { type Backoff, type BackoffDecision, decideBackoff } from '../machines/decide/backoff.ts';
import { prefetchAnnotation, prefetchCondition, type PrefetchList, type PrefetchStep, readPrefetchList } from '../machines/decide/prefetch.ts';
import { untilCloseMs, untilOpenMs } from '../machines/decide/time-window.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { ImagesPort } from '../ports/images-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Node } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';
import type { TimeWindow } from '../ports/time-window.ts';
import { PacedPull } from './paced-pull.ts';

/** After the runtime could not be asked. */
const askAgainMs = 30_000;
/** A window is looked at anew at least so often: the clock may be set. */
const windowLookMs = 3_600_000;

export interface ImagePrefetchDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly images: Pick<ImagesPort, 'status' | 'pull' | 'progress'>;
  readonly progressDeadlineMs: number;
  /** Absent: at any time. */
  readonly window: TimeWindow | undefined;
  /** On the average; absent: as fast as it goes. */
  readonly bytesPerSecondMax?: number | undefined;
}

export interface ImagePrefetch extends Stoppable {
  /** The node as the cloud has it. */
  take(node: Node): void;
}

/** Listens to `node.received`; publishes `images.prefetch` when anything about it changed. */
export function startImagePrefetch(deps: ImagePrefetchDeps): ImagePrefetch {
  return new Prefetcher(deps);
}

interface Failed {
  readonly backoff: Backoff;
  readonly failedAtMs: number;
  readonly message: string;
}

class Prefetcher implements ImagePrefetch {
  readonly #deps: ImagePrefetchDeps;
  readonly #pulls: PacedPull;
  readonly #listening: Listening;
  #annotation = '';
  #list: PrefetchList = { images: [], faults: [] };
  readonly #present = new Set<string>();
  readonly #failed = new Map<string, Failed>();
  #pulling: AbortController | undefined;
  #timer: unknown;
  #working = false;
  #stopped = false;
  #told = '';

  constructor(deps: ImagePrefetchDeps) {
    this.#deps = deps;
    this.#pulls = new PacedPull({ ...deps, bytesPerSecondMax: deps.bytesPerSecondMax });
    this.#listening = deps.bus.on('node.received', ({ payload }) => this.take(payload.node));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listening.off();
    this.#deps.clock.clearTimeout(this.#timer);
    this.#pulling?.abort('the node agent stops');
    this.#pulls.stop();
  }

  take({ metadata }: Node): void {
    const annotation = metadata?.annotations?.[prefetchAnnotation] ?? '';
    if (annotation === this.#annotation) return;
    this.#annotation = annotation;
    this.#list = readPrefetchList(annotation);
    for (const image of [...this.#failed.keys()]) if (!this.#list.images.includes(image)) this.#failed.delete(image);
    // What is on the node may have been removed since it was wanted before.
    this.#present.clear();
    this.#deps.log.info('prefetch.list', { images: this.#list.images.length });
    this.#wake();
  }

  #wake(): void {
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#working && !this.#stopped) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let waitMs = await this.#next(); !this.#stopped; waitMs = await this.#next()) {
      if (waitMs === 0) continue;
      if (Number.isFinite(waitMs)) this.#timer = this.#deps.clock.setTimeout(() => this.#wake(), waitMs);
      break;
    }
    this.#working = false;
  }

  /** One step. @returns milliseconds until the next one makes sense; Infinity: when something else happens */
  async #next(): Promise<number> {
    const { clock, images, window } = this.#deps;
    const nowMs = clock.nowMs();
    const missing = this.#list.images.filter((image) => !this.#present.has(image));
    const dueInMs = (image: string): number => {
      const decision = this.#attempt(image, nowMs);
      return decision.kind === 'wait' ? decision.untilMs - nowMs : 0;
    };
    const image = missing.find((one) => dueInMs(one) === 0);
    if (image === undefined) {
      this.#tell({ kind: 'idle' });
      return Math.min(Number.POSITIVE_INFINITY, ...missing.map(dueInMs));
    }
    const status = await images.status(image);
    if (this.#stopped) return Number.POSITIVE_INFINITY;
    if (!status.ok) {
      this.#failed.set(image, { backoff: { delayMs: askAgainMs, attemptedAtMs: nowMs }, failedAtMs: nowMs, message: status.fault.message });
      return 0;
    }
    if (status.value !== undefined) {
      this.#present.add(image);
      this.#failed.delete(image);
      return 0;
    }
    const opensInMs = window === undefined ? 0 : untilOpenMs(window, nowMs);
    if (opensInMs > 0) {
      this.#tell({ kind: 'closed', opensInMs });
      return Math.min(opensInMs, windowLookMs);
    }
    await this.#pull(image);
    return 0;
  }

  #attempt(image: string, nowMs: number): BackoffDecision {
    const failed = this.#failed.get(image);
    return decideBackoff(failed?.backoff, failed?.failedAtMs ?? nowMs, nowMs);
  }

  async #pull(image: string): Promise<void> {
    const { clock, window } = this.#deps;
    const attempt = this.#attempt(image, clock.nowMs());
    const controller = new AbortController();
    this.#pulling = controller;
    const leftMs = window === undefined ? Number.POSITIVE_INFINITY : untilCloseMs(window, clock.nowMs());
    const timer = Number.isFinite(leftMs) ? clock.setTimeout(() => controller.abort('the window has closed'), leftMs) : undefined;
    this.#tell({ kind: 'pulling', image });
    const result = await this.#pulls.pull(image, controller.signal);
    clock.clearTimeout(timer);
    this.#pulling = undefined;
    if (this.#stopped) return;
    if (result.ok) {
      this.#present.add(image);
      this.#failed.delete(image);
      this.#note('Normal', 'ImagePrefetched', `Image "${image}" was pulled ahead of pods`);
    } else if (!controller.signal.aborted) {
      const { message } = result.fault;
      const failedAtMs = clock.nowMs();
      const backoff = attempt.kind === 'attempt' ? attempt.next : { delayMs: attempt.delayMs, attemptedAtMs: failedAtMs };
      this.#failed.set(image, { backoff, failedAtMs, message });
      this.#note('Warning', 'ImagePrefetchFailed', `Image "${image}" could not be pulled ahead of pods: ${message}`);
    }
  }

  #tell(step: PrefetchStep): void {
    const failed = new Map([...this.#failed].map(([image, { message }]) => [image, message]));
    const { status, reason, message } = prefetchCondition({ list: this.#list, present: this.#present, failed, step });
    const told = `${this.#list.images.join(' ')} ${status} ${reason} ${message}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#deps.bus.publish('images.prefetch', { wanted: this.#list.images, status, reason, message });
  }

  #note(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Node' }, type, reason, message });
  }
}
