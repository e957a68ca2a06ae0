// All that is remembered, in order and numbered, within a limit of bytes; and the picture of any moment in it.
// Knows nothing of pages.
import { chunkLength } from '../bus/kept-chunks.ts';
import type { Kept, KeptMessage } from './kept.ts';
import { Picture } from './picture.ts';
import type { Range } from './protocol.ts';
import type { EntryNumber } from './shown.ts';

/** Entries in a part of the past: what leaves at once at the limit. */
const partLength = chunkLength;
/** A picture is kept of the beginning of every so many parts, where pictures are kept. */
const partsPerPicture = 32;

interface Part {
  readonly first: EntryNumber;
  readonly items: Kept[];
  /** `seq` of its first message; where it has none, what that will be. */
  firstSeq: number;
  bytes: number;
  /** Nothing of it stays when it leaves. */
  plain: boolean;
  /** As it was before its first entry. */
  before: Picture | undefined;
}

export interface HistoryOptions {
  /** Estimated bytes of all that is remembered; the oldest part leaves beyond it. */
  readonly bytesMax: number;
  /** And their number; the more of them live, the more the collector copies. */
  readonly entriesMax: number;
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
  /** Where an entry was found last. */
  #near = -1;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param items now its own @param options.plain none of them leaves anything in the picture */
  add(items: Kept[], { bytes, plain }: { readonly bytes: number; readonly plain: boolean }): void {
    const newest = this.#parts.at(-1);
    this.#bytes += bytes;
    if (newest !== undefined && newest.items.length + items.length <= partLength) {
      const hadNone = !newest.items.some((one) => !isStep(one));
      for (const one of items) newest.items.push(one);
      newest.bytes += bytes;
      newest.plain &&= plain;
      if (hadNone) newest.firstSeq = firstSeqOf(items) ?? newest.firstSeq;
    } else {
      this.#pictureOf(newest);
      this.#parts.push({ first: this.#last + 1, items, firstSeq: firstSeqOf(items) ?? this.#lastSeq + 1, bytes, plain, before: undefined });
    }
    this.#last += items.length;
    this.#lastSeq = lastSeqOf(items) ?? this.#lastSeq;
    const { bytesMax, entriesMax } = this.#options;
    while ((this.#bytes > bytesMax || this.#last - (this.#parts[0]?.first ?? 0) >= entriesMax) && this.#parts.length > 1) this.#dropOldest();
  }

  /** Made when the next part begins: a step that was being taken while its part was added is complete by then. */
  #pictureOf(part: Part | undefined): void {
    if (part === undefined || !this.#options.keepsPictures || this.#parts.length % partsPerPicture !== 1) return;
    part.before = new Picture(this.#headAt(part.first - 1));
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
      picture.applyAll(part.items, picture.n + 1 - part.first, Math.min(part.items.length, to + 1 - part.first));
    }
  }

  #dropOldest(): void {
    const part = this.#parts.shift();
    if (part === undefined) return;
    this.#bytes -= part.bytes;
    if (part.plain) this.#base.pass(part.items.length, part.items.at(-1)?.at ?? 0);
    else this.#base.applyAll(part.items, 0, part.items.length);
  }

  /** @returns -1 where the entry is not remembered */
  #indexOf(n: EntryNumber): number {
    if (n < 1 || n > this.#last) return -1;
    // Whoever goes through the past is mostly still in the same part.
    const near = this.#parts[this.#near];
    if (near !== undefined && n >= near.first && n < near.first + near.items.length) return this.#near;
    this.#near = lastIndexWhere(this.#parts.length, (index) => (this.#parts[index]?.first ?? 0) <= n);
    return this.#near;
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

function firstSeqOf(items: readonly Kept[]): number | undefined {
  for (const one of items) if (!isStep(one)) return one.seq;
  return undefined;
}

function lastSeqOf(items: readonly Kept[]): number | undefined {
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const one = items[index];
    if (one !== undefined && !isStep(one)) return one.seq;
  }
  return undefined;
}

export function isStep(kept: Kept): kept is Exclude<Kept, KeptMessage> {
  return 'k' in kept;
}
