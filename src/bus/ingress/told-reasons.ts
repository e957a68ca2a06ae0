// Which refusals have been told already, so that unchanged input is reported once. Pure bookkeeping.

/** Reasons remembered of one round. Beyond it a reason may be told again: better than growing. */
const reasonsMax = 2_000;

/** Reasons by key. A round covers all there is to refuse at one time; what a round does not repeat is forgotten at its end. */
export class ToldReasons {
  #told = new Map<string, string>();
  #round = this.#told;

  beginRound(): void {
    this.#round = new Map();
  }

  endRound(): void {
    this.#told = this.#round;
  }

  /** @returns true when this reason has not been told for this key */
  isNew(key: string, reason: string): boolean {
    const fresh = this.#told.get(key) !== reason;
    if (this.#round.size < reasonsMax) this.#round.set(key, reason);
    return fresh;
  }
}
