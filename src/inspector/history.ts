// All that is remembered, in order and numbered, within a limit of bytes; and the picture of any moment in it.
// Knows nothing of pages.
import type { Kept, KeptMessage } from './kept.ts';
import { Picture } from './picture.ts';
import type { Range } from './protocol.ts';
import type { EntryNumber } from './shown.ts';

/** Entries in a part of the past: what leaves at once at the limit. */
const partLength = 128;
/** A picture is kept of the beginning of every so many parts, where pictures are kept. */
const partsPerPicture = 32;

interface Part {
  readonly first: EntryNumber;
  readonly items: Kept[];
  /** `seq` of its first message; while it has none, what that will be. */
  firstSeq: number;
  bytes: number;
  /** As it was before its first entry. */
  before: Picture | undefined;
}

export interface HistoryOptions {
  /** Estimated bytes of all that is remembered; the oldest part leaves beyond it. */
  readonly bytesMax: number;
  /** Keep pictures along the way, so that any moment of a long past is near one. For recordings. */
  readonly keepsPictures: boolean;
}

export class History {
  readonly #options: HistoryOptions;
  readonly #parts: Part[] = [];
  /** As it was before the first entry that is remembered. */
  #base = new Picture();
  #head: Picture | undefined;
  #bytes = 0;
  #last: EntryNumber = 0;
  #lastSeq = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  add(kept: Kept, bytes: number): void {
    this.#last += 1;
    const newest = this.#parts.at(-1);
    const part = newest !== undefined && newest.items.length < partLength ? newest : this.#newPart();
    part.items.push(kept);
    part.bytes += bytes;
    this.#bytes += bytes;
    if (isStep(kept)) return this.#keepWithin();
    // Where it follows none, as in a window, its number is not the next one.
    if (kept.seq !== this.#lastSeq + 1 && part.items.every((each) => each === kept || isStep(each))) part.firstSeq = kept.seq;
    this.#lastSeq = kept.seq;
    this.#keepWithin();
  }

  /** A picture is made one part later: a step that is being taken while it is added is complete by then. */
  #newPart(): Part {
    const former = this.#parts.at(-1);
    if (former !== undefined && this.#options.keepsPictures && this.#parts.length % partsPerPicture === 1) former.before = new Picture(this.#headAt(former.first - 1));
    const part: Part = { first: this.#last, items: [], firstSeq: this.#lastSeq + 1, bytes: 0, before: undefined };
    this.#parts.push(part);
    return part;
  }

  range(): Range {
    const first = this.#parts[0];
    const oldest = first?.items[0];
    return { first: first?.first ?? this.#last + 1, last: this.#last, firstAtMs: oldest?.at ?? 0, lastAtMs: this.at(this.#last)?.at ?? 0 };
  }

  at(n: EntryNumber): Kept | undefined {
    const part = this.#partOf(n);
    return part?.items[n - part.first];
  }

  /** Only those that are remembered; `to` too. */
  *between(from: EntryNumber, to: EntryNumber): Generator<readonly [EntryNumber, Kept]> {
    const { first, last } = this.range();
    for (let n = Math.max(from, first); n <= Math.min(to, last); n += 1) {
      const kept = this.at(n);
      if (kept !== undefined) yield [n, kept];
    }
  }

  /** Newest first. */
  *backwards(from: EntryNumber): Generator<readonly [EntryNumber, Kept]> {
    const { first, last } = this.range();
    for (let n = Math.min(from, last); n >= first; n -= 1) {
      const kept = this.at(n);
      if (kept !== undefined) yield [n, kept];
    }
  }

  /** Where the message with this `seq` stands; 0 where it is not remembered. Every message is kept, so those behind another lie at least as far on. */
  placeOf(seq: number): EntryNumber {
    const part = this.#parts[lastIndexWhere(this.#parts.length, (index) => (this.#parts[index]?.firstSeq ?? 0) <= seq)];
    if (part === undefined) return 0;
    for (let index = seq - part.firstSeq; index < part.items.length; index += 1) {
      const kept = part.items[index];
      if (kept !== undefined && !isStep(kept) && kept.seq === seq) return part.first + index;
    }
    return 0;
  }

  /** As it is now. It grows on: copy what is to stay. Not to be called in the middle of a message's delivery. */
  head(): Picture {
    return this.#headAt(this.#last);
  }

  /** Nobody looks: the picture of now is made anew when somebody does. */
  forgetHead(): void {
    this.#head = undefined;
  }

  /** As it was before entry `n`, which is remembered. */
  pictureBefore(n: EntryNumber): Picture {
    return this.pictureAt(n - 1) ?? new Picture(this.#base);
  }

  /** Before anything is added: what has been before it. Entries are numbered on from there. */
  beginWith(picture: Picture): void {
    this.#base = new Picture(picture);
    this.#last = picture.n;
  }

  /** @returns undefined where entry `n` is not remembered */
  pictureAt(n: EntryNumber): Picture | undefined {
    const index = this.#indexOf(n);
    if (index < 0) return undefined;
    const picture = new Picture(this.#parts.findLast(({ before }, at) => before !== undefined && at <= index)?.before ?? this.#base);
    this.#fold(picture, n);
    return picture;
  }

  #headAt(n: EntryNumber): Picture {
    // What it had not taken in may have left meanwhile.
    if (this.#head === undefined || this.#head.n < this.#base.n || this.#head.n > n) this.#head = new Picture(this.#base);
    this.#fold(this.#head, n);
    return this.#head;
  }

  #fold(picture: Picture, to: EntryNumber): void {
    for (let part = this.#partOf(picture.n + 1); part !== undefined && picture.n < to; part = this.#partOf(picture.n + 1)) {
      for (let index = picture.n + 1 - part.first; index < part.items.length && picture.n < to; index += 1) {
        const kept = part.items[index];
        if (kept !== undefined) picture.apply(kept);
      }
    }
  }

  #keepWithin(): void {
    while (this.#bytes > this.#options.bytesMax && this.#parts.length > 1) this.#dropOldest();
  }

  #dropOldest(): void {
    const part = this.#parts.shift();
    if (part === undefined) return;
    this.#bytes -= part.bytes;
    for (const kept of part.items) this.#base.apply(kept);
  }

  /** All parts but the last are full. @returns -1 where the entry is not remembered */
  #indexOf(n: EntryNumber): number {
    const first = this.#parts[0]?.first;
    return first === undefined || n < first || n > this.#last ? -1 : Math.floor((n - first) / partLength);
  }

  #partOf(n: EntryNumber): Part | undefined {
    return this.#parts[this.#indexOf(n)];
  }
}

/** Of indexes for which it holds up to one of them and then no more, that one; -1 where it holds for none. */
function lastIndexWhere(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function isStep(kept: Kept): kept is Exclude<Kept, KeptMessage> {
  return 'k' in kept;
}
