// One direction of a TCP connection in its order: segments may come late, twice or cut otherwise. Bounded; a gap that is not filled ends it.

/** Bytes that wait for what is before them. */
const aheadBytesMax = 4 * 1024 * 1024;
const wrap = 2 ** 32;

export class Stream {
  #next: number | undefined;
  readonly #ahead = new Map<number, Buffer>();
  #aheadBytes = 0;
  #broken = false;

  /** The capture misses bytes of it. */
  get broken(): boolean {
    return this.#broken;
  }

  /** @param sequence of the first byte that will come */
  open(sequence: number): void {
    this.#next = sequence % wrap;
    this.#ahead.clear();
    this.#aheadBytes = 0;
    this.#broken = false;
  }

  /** @returns what can be read on now, in order */
  add(sequence: number, bytes: Buffer): readonly Buffer[] {
    if (bytes.length === 0 || this.#broken) return [];
    this.#next ??= sequence;
    if (distance(this.#next, sequence) > 0) {
      this.#keep(sequence, bytes);
      return [];
    }
    const ready: Buffer[] = [];
    this.#take(sequence, bytes, ready);
    for (let found = this.#waiting(); found !== undefined; found = this.#waiting()) this.#take(found[0], found[1], ready);
    return ready;
  }

  #keep(sequence: number, bytes: Buffer): void {
    this.#aheadBytes += bytes.length - (this.#ahead.get(sequence)?.length ?? 0);
    this.#ahead.set(sequence, bytes);
    this.#broken = this.#aheadBytes > aheadBytesMax;
  }

  #take(sequence: number, bytes: Buffer, ready: Buffer[]): void {
    const next = this.#next ?? sequence;
    const known = distance(sequence, next);
    if (known >= bytes.length) return;
    ready.push(bytes.subarray(known));
    this.#next = (sequence + bytes.length) % wrap;
  }

  /** One that begins no later than what is next. */
  #waiting(): readonly [number, Buffer] | undefined {
    for (const [sequence, bytes] of this.#ahead) {
      if (distance(this.#next ?? sequence, sequence) > 0) continue;
      this.#ahead.delete(sequence);
      this.#aheadBytes -= bytes.length;
      return [sequence, bytes];
    }
    return undefined;
  }
}

/** How far `to` is ahead of `from`, where numbers begin anew after 2^32. */
function distance(from: number, to: number): number {
  const ahead = (to - from + wrap) % wrap;
  return ahead < wrap / 2 ? ahead : ahead - wrap;
}
