// The packet size a broker takes, found out from what happened to larger ones: MQTT 3.1.1 has no way to say it, and some brokers of
// MQTT 5 do not. Such a broker ends the connection, and whoever sends the packet again would never get beyond it.

/** Smaller packets pass everywhere; a connection that ends while one is under way has another reason. */
const innocentBytes = 16 * 1024;
/** A link may break by chance while a large packet is under way, but not so often in a row. */
const strikesMax = 3;
/** The broker may be mended: what was found out counts for so long. */
const believedForMs = 600_000;

export class SizeLimit {
  #suspectBytes = Number.POSITIVE_INFINITY;
  #strikes = 0;
  #bytesMax = Number.POSITIVE_INFINITY;
  #foundAtMs = 0;

  /** @returns Infinity when nothing speaks against any size */
  bytesMax(nowMs: number): number {
    return nowMs - this.#foundAtMs < believedForMs ? this.#bytesMax : Number.POSITIVE_INFINITY;
  }

  /** A packet of this size was acknowledged: smaller ones are innocent. */
  passed(bytes: number): void {
    if (bytes < this.#suspectBytes) return;
    this.#suspectBytes = Number.POSITIVE_INFINITY;
    this.#strikes = 0;
  }

  /**
   * A connection broke.
   * @param bytes the largest packet that was under way, 0 for none
   * @param said the broker named the size as its reason (0x95)
   */
  broke({ bytes, said, nowMs }: { readonly bytes: number; readonly said: boolean; readonly nowMs: number }): void {
    if (bytes < innocentBytes && !said) return;
    if (bytes === 0) return;
    this.#suspectBytes = Math.min(this.#suspectBytes, bytes);
    this.#strikes += 1;
    if (!said && this.#strikes < strikesMax) return;
    this.#bytesMax = Math.min(this.bytesMax(nowMs), this.#suspectBytes - 1);
    this.#foundAtMs = nowMs;
    this.#suspectBytes = Number.POSITIVE_INFINITY;
    this.#strikes = 0;
  }
}
