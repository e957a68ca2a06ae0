// Pulls shared between pods: one per image at a time, a limited number of images at once, the others in order.
import type { RuntimeFault } from '../ports/faults.ts';
import { fail, type Result } from '../ports/result.ts';
import type { ImagesPort, PullAuth } from '../ports/runtime-port.ts';

/** Images waiting for their turn. On top of it a pull is refused, which the caller's back-off repeats. */
export const pullsWaitingMax = 200;

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

export class PullQueue {
  readonly #images: ImagesPort;
  readonly #pullsMax: number;
  readonly #nowMs: () => number;
  readonly #shared = new Map<string, Promise<Pulled>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param nowMs any clock that only goes forward */
  constructor(images: ImagesPort, pullsMax: number, nowMs: () => number) {
    this.#images = images;
    this.#pullsMax = pullsMax;
    this.#nowMs = nowMs;
  }

  /** Joins a pull of the same image with the same rights that is under way or waiting. */
  pull(image: string, rights: PullRights): Promise<Pulled> {
    const key = `${image} ${rights.origin}`;
    const shared = this.#shared.get(key);
    if (shared !== undefined) return shared;
    if (this.#waiting.length >= pullsWaitingMax) {
      const fault = { kind: 'rejected' as const, message: `more than ${pullsWaitingMax} images are waiting to be pulled`, grpcCode: 8 };
      return Promise.resolve({ result: fail(fault), tookMs: 0 });
    }
    const pulled = this.#run(image, key, rights.auths);
    this.#shared.set(key, pulled);
    return pulled;
  }

  async #run(image: string, key: string, auths: readonly PullAuth[]): Promise<Pulled> {
    if (this.#running < this.#pullsMax) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const startedMs = this.#nowMs();
    try {
      const result = await this.#tryAll(image, auths);
      return { result, tookMs: this.#nowMs() - startedMs };
    } finally {
      this.#shared.delete(key);
      const next = this.#waiting.shift();
      // The place goes straight to the next in line, so that nobody slips in between.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  async #tryAll(image: string, auths: readonly PullAuth[]): Promise<Result<string, RuntimeFault>> {
    const [first, ...others] = auths;
    let pulled = await this.#images.pull(image, first, undefined);
    const messages: string[] = [];
    for (const auth of others) {
      if (pulled.ok) return pulled;
      messages.push(pulled.fault.message);
      pulled = await this.#images.pull(image, auth, undefined);
    }
    if (pulled.ok || messages.length === 0) return pulled;
    return fail({ ...pulled.fault, message: `[${[...messages, pulled.fault.message].join(', ')}]` });
  }
}
