// Messages as they pass, handed over by the chunk to the one who remembers them: per message it costs a place in a list.
// It neither weighs nor drops anything; who takes a chunk owns it.
import type { AnyEnvelope } from './messages.ts';

/** Messages and notes in one chunk. */
export const chunkLength = 128;

/** @param Note what the keeper puts between the messages, in the order in which things happened */
export type Chunk<Note> = (AnyEnvelope | Note)[];

export interface ChunkTaker<Note> {
  /** Called inside the delivery of a message: it must be quick and publish nothing. */
  take(chunk: Chunk<Note>): void;
  /** `take` threw, which is our mistake: nothing is kept any more. */
  failed(error: unknown): void;
}

export class KeptChunks<Note> {
  readonly #taker: ChunkTaker<Note>;
  #chunk: Chunk<Note> = [];
  #length = 0;
  #ended = false;

  constructor(taker: ChunkTaker<Note>) {
    this.#taker = taker;
  }

  /** A full chunk is handed over when the next one comes: by then the listeners of its last message have had it. */
  add(one: AnyEnvelope | Note): void {
    if (this.#length === chunkLength) this.handOver();
    this.#chunk[this.#length] = one;
    this.#length += 1;
  }

  /** What is there now, although the chunk is not full. */
  handOver(): void {
    if (this.#length === 0) return;
    const chunk = this.#chunk;
    this.#chunk = [];
    this.#length = 0;
    if (this.#ended) return;
    try {
      this.#taker.take(chunk);
    } catch (error) {
      this.#ended = true;
      this.#taker.failed(error);
    }
  }
}
