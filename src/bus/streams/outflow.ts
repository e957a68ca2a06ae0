// What one side of a stream sends: queued, sent as far as the other side has room, kept until it has come. Pure: no time, no I/O.
import { costOf, type SequencedFrame, type SequencedKind } from './stream-frames.ts';

/** Bytes queued and not yet received by the other side; writers wait beyond. */
export const outflowBytesMax = 64 * 1024;
/** Small writes are put together up to here while they wait. */
const mergedBytesMax = 16 * 1024;

type Piece = Omit<SequencedFrame, 'stream' | 'prompt'>;

export class Outflow {
  /** Not yet received, in order, without gaps. */
  #pieces: Piece[] = [];
  #acknowledged = 0;
  /** Where the next byte to send stands. */
  #cursor = 0;
  /** Where the next byte to queue stands. */
  #queued = 0;
  #limit = 0;
  /** What was sent came to nothing: one piece at a time until the other side is heard. */
  #probing = false;

  get bytesKept(): number {
    return this.#queued - this.#acknowledged;
  }

  get bytesInFlight(): number {
    return this.#cursor - this.#acknowledged;
  }

  get isFull(): boolean {
    return this.bytesKept >= outflowBytesMax;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  get sentTo(): number {
    return this.#cursor;
  }

  push(kind: SequencedKind, lane: number, body: Uint8Array): void {
    if (kind === 'data' && body.length === 0) return;
    const last = this.#pieces.at(-1);
    if (kind === 'data' && last?.kind === 'data' && last.lane === lane && last.offset >= this.#cursor && last.body.length + body.length <= mergedBytesMax) {
      this.#pieces[this.#pieces.length - 1] = { ...last, body: Buffer.concat([last.body, body]) };
    } else {
      this.#pieces.push({ kind, lane, body, offset: this.#queued });
    }
    this.#queued += costOf({ kind, body });
  }

  /** @returns what may be sent now, at most `bytesMax` of data; undefined: nothing may. It is counted as sent. */
  next(bytesMax: number): Piece | undefined {
    if (this.#probing && this.#cursor > this.#acknowledged) return undefined;
    const piece = this.#pieces.find(({ offset, kind, body }) => offset + costOf({ kind, body }) > this.#cursor);
    if (piece === undefined) return undefined;
    if (piece.kind !== 'data') {
      this.#cursor += 1;
      return piece;
    }
    const from = this.#cursor - piece.offset;
    const bytes = Math.min(piece.body.length - from, bytesMax, this.#limit - this.#cursor);
    if (bytes <= 0) return undefined;
    const offset = this.#cursor;
    this.#cursor += bytes;
    return { ...piece, offset, body: piece.body.subarray(from, from + bytes) };
  }

  /** Whether `next` would give something. */
  get hasNext(): boolean {
    if (this.#cursor >= this.#queued || (this.#probing && this.#cursor > this.#acknowledged)) return false;
    return this.#cursor < this.#limit || this.#pieces.some(({ offset, kind }) => kind !== 'data' && offset === this.#cursor);
  }

  /** @returns `false` where the other side claims what was never sent */
  credited({ received, limit }: { readonly received: number; readonly limit: number }): boolean {
    if (received > this.#queued) return false;
    this.#limit = Math.max(this.#limit, limit);
    if (received <= this.#acknowledged) return true;
    this.#acknowledged = received;
    this.#cursor = Math.max(this.#cursor, received);
    this.#probing = false;
    const whole = this.#pieces.findIndex(({ offset, kind, body }) => offset + costOf({ kind, body }) > received);
    this.#pieces = whole < 0 ? [] : this.#pieces.slice(whole);
    const [first, ...rest] = this.#pieces;
    if (first?.kind === 'data' && first.offset < received) {
      this.#pieces = [{ ...first, offset: received, body: first.body.subarray(received - first.offset) }, ...rest];
    }
    return true;
  }

  /** Everything that was not received is sent again. */
  rewind(): void {
    this.#cursor = this.#acknowledged;
  }

  /** The same, with one piece until the other side is heard. */
  probe(): void {
    this.rewind();
    this.#probing = true;
  }
}
