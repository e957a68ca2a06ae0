// How many bytes of all streams of one node may be under way at once: so many that the link is used, so few that a control message
// written behind them is hardly later for it. It follows the time between sending and acknowledgement. Pure: times are given.

export const budgetBytesMin = 4 * 1024;
export const budgetBytesFirst = 16 * 1024;
export const budgetBytesMax = 256 * 1024;
/** By so much an acknowledgement may be later than the quickest one before streams are slowed down. */
export const queueDelayMsMax = 150;
const growthBytesMin = 1024;
/** A slower way to the other side is believed after so long without a quick answer. */
const quickestBelievedMs = 60_000;
/** A quarter of the budget at a time, so that several streams share a small one; chunks of at most 16 KiB fit every broker. */
export const chunkBytesMax = 16 * 1024;
const chunkBytesMin = 1024;

export class SendBudget {
  #bytes = budgetBytesFirst;
  #quickestMs = Number.POSITIVE_INFINITY;
  #quickestAtMs = 0;
  #latestMs = 0;
  #steppedDownAtMs = Number.NEGATIVE_INFINITY;

  get bytes(): number {
    return this.#bytes;
  }

  /** Of one frame. */
  get chunkBytes(): number {
    return Math.max(chunkBytesMin, Math.min(chunkBytesMax, Math.floor(this.#bytes / 4)));
  }

  /** The time of the last acknowledgement, from sending; 0 before the first. */
  get latestMs(): number {
    return this.#latestMs;
  }

  /** What was sent when there was room for no more has come. */
  acknowledged({ sentAtMs, nowMs }: { readonly sentAtMs: number; readonly nowMs: number }): void {
    const tookMs = nowMs - sentAtMs;
    this.#latestMs = tookMs;
    if (tookMs <= this.#quickestMs || nowMs - this.#quickestAtMs > quickestBelievedMs) {
      this.#quickestMs = tookMs;
      this.#quickestAtMs = nowMs;
    }
    const delayMs = tookMs - this.#quickestMs;
    if (delayMs > queueDelayMsMax) {
      // What was sent before the last step down does not know of it.
      if (sentAtMs < this.#steppedDownAtMs) return;
      this.#steppedDownAtMs = nowMs;
      this.#bytes = Math.max(budgetBytesMin, Math.floor(this.#bytes / 2));
    } else if (delayMs < queueDelayMsMax / 2) {
      this.#bytes = Math.min(budgetBytesMax, this.#bytes + Math.max(growthBytesMin, Math.floor(this.#bytes / 4)));
    }
  }

  /** Nothing was acknowledged for a while. */
  lost(): void {
    this.#bytes = Math.max(budgetBytesMin, Math.floor(this.#bytes / 2));
  }

  /** Another connection: what was learnt of the old one is forgotten. */
  reset(): void {
    this.#bytes = budgetBytesFirst;
    this.#quickestMs = Number.POSITIVE_INFINITY;
  }
}
