// The last changes of the store, so that watches can begin in the past and lists can be read page by page as they were. Bounded.
import type { ApiObject } from '../objects.ts';

export interface StoreChange {
  readonly version: number;
  /** `pods`, `leases`, … */
  readonly resource: string;
  readonly key: string;
  /** Undefined when it was created. */
  readonly before: ApiObject | undefined;
  /** Undefined when it was removed. */
  readonly after: ApiObject | undefined;
  /** Of a removal: the last state, with the version of the removal. */
  readonly removed?: ApiObject;
  /** Length of its line. */
  readonly bytes: number;
}

/** Changes kept; the oldest go. Who asks for older ones is told 410 and lists anew. */
export const changesMax = 10_000;
export const changesBytesMax = 32 * 1_024 * 1_024;

export class History {
  #changes: StoreChange[] = [];
  #first = 0;
  #bytes = 0;
  /** Every change after this version is kept. */
  #since: number;

  constructor(version: number) {
    this.#since = version;
  }

  add(change: StoreChange): void {
    this.#changes.push(change);
    this.#bytes += change.bytes;
    while (this.#changes.length - this.#first > changesMax || this.#bytes > changesBytesMax) {
      const oldest = this.#changes[this.#first];
      if (oldest === undefined) break;
      this.#first += 1;
      this.#bytes -= oldest.bytes;
      this.#since = oldest.version;
    }
    // What is gone is freed now and then, not with every change.
    if (this.#first > changesMax) {
      this.#changes = this.#changes.slice(this.#first);
      this.#first = 0;
    }
  }

  /** In their order; undefined when some of them are forgotten. */
  after(version: number): readonly StoreChange[] | undefined {
    if (version < this.#since) return undefined;
    let low = this.#first;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle]?.version ?? 0) > version) high = middle;
      else low = middle + 1;
    }
    return this.#changes.slice(low);
  }
}
