// Pulls shared between pods: one per image at a time, a limited number of images at once, the others in order.
import type { RuntimeFault } from '../ports/faults.ts';
import { fail, type Result } from '../ports/result.ts';
import type { ImagesPort } from '../ports/runtime-port.ts';

/** Images waiting for their turn. On top of it a pull is refused, which the caller's back-off repeats. */
export const pullsWaitingMax = 200;

type Pulled = Promise<Result<string, RuntimeFault>>;

export class PullQueue {
  readonly #images: ImagesPort;
  readonly #pullsMax: number;
  readonly #shared = new Map<string, Pulled>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(images: ImagesPort, pullsMax: number) {
    this.#images = images;
    this.#pullsMax = pullsMax;
  }

  /** Joins a pull of the same image that is under way or waiting. */
  pull(image: string): Pulled {
    const shared = this.#shared.get(image);
    if (shared !== undefined) return shared;
    if (this.#waiting.length >= pullsWaitingMax) {
      return Promise.resolve(fail({ kind: 'rejected', message: `more than ${pullsWaitingMax} images are waiting to be pulled`, grpcCode: 8 }));
    }
    const pulled = this.#run(image);
    this.#shared.set(image, pulled);
    return pulled;
  }

  async #run(image: string): Pulled {
    if (this.#running < this.#pullsMax) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await this.#images.pull(image, undefined, undefined);
    } finally {
      this.#shared.delete(image);
      const next = this.#waiting.shift();
      // The place goes straight to the next in line, so that nobody slips in between.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
