// What one side of a stream receives: in order, once, no more than there is room for; acknowledged when it came, credited when it is
// taken. Pure: no time, no I/O.
import { costOf, type SequencedFrame, type SequencedKind } from './stream-frames.ts';

/** Bytes that may wait for who reads. */
export const inflowBytesMax = 64 * 1024;
/** So much more came than was acknowledged: it is said at once. */
export const acknowledgedAfterBytes = 4 * 1024;
/** So much more room than the other side knows of: it is said at once. */
const creditedAfterBytes = inflowBytesMax / 4;
/** Frames that may wait, whatever their size: empty ones cost memory too. */
const framesMax = 4_096;
const mergedBytesMax = 1_024;

export interface Taken {
  readonly kind: SequencedKind;
  readonly lane: number;
  readonly body: Uint8Array;
}

/** `gap`: something before it is missing. `excess`: more than was allowed. */
export type Receipt = 'taken' | 'known' | 'gap' | 'excess';

export class Inflow {
  readonly #waiting: Taken[] = [];
  #received = 0;
  #consumed = 0;
  #toldReceived = 0;
  #toldLimit = 0;

  get received(): number {
    return this.#received;
  }

  get limit(): number {
    return this.#consumed + inflowBytesMax;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  take(frame: SequencedFrame): Receipt {
    const end = frame.offset + costOf(frame);
    if (end <= this.#received) return 'known';
    if (frame.offset > this.#received) return 'gap';
    if ((frame.kind === 'data' && end > this.limit) || this.#waiting.length >= framesMax) return 'excess';
    // Of a piece cut anew by its sender the beginning may be here already.
    const body = frame.kind === 'data' ? frame.body.subarray(this.#received - frame.offset) : frame.body;
    this.#keep({ kind: frame.kind, lane: frame.lane, body });
    this.#received = end;
    return 'taken';
  }

  /** Small pieces that nobody reads are put together: each would cost more than its bytes. */
  #keep(taken: Taken): void {
    const last = this.#waiting.at(-1);
    if (last?.kind === 'data' && taken.kind === 'data' && last.lane === taken.lane && last.body.length + taken.body.length <= mergedBytesMax) {
      this.#waiting[this.#waiting.length - 1] = { ...last, body: Buffer.concat([last.body, taken.body]) };
    } else {
      this.#waiting.push(taken);
    }
  }

  /** For who reads. */
  shift(): Taken | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#consumed += costOf(next);
    return next;
  }

  /** `now`: the other side waits for it. `soon`: something is to be said, but it can wait for more. */
  creditDue(): 'now' | 'soon' | 'no' {
    if (this.#received - this.#toldReceived >= acknowledgedAfterBytes || this.limit - this.#toldLimit >= creditedAfterBytes) return 'now';
    return this.#received > this.#toldReceived ? 'soon' : 'no';
  }

  /** What to say; it counts as said. */
  credit(): { readonly received: number; readonly limit: number } {
    this.#toldReceived = this.#received;
    this.#toldLimit = this.limit;
    return { received: this.#received, limit: this.limit };
  }
}
