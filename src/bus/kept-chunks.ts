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
  #ended = false;

  constructor(taker: ChunkTaker<Note>) {
    this.#taker = taker;
  }

  add(one: AnyEnvelope | Note): void {
    this.#chunk.push(one);
    if (this.#chunk.length >= chunkLength) this.handOver();
  }

  /** What is there now, although the chunk is not full. */
  handOver(): void {
    const chunk = this.#chunk;
    if (chunk.length === 0) return;
    this.#chunk = [];
    if (this.#ended) return;
    try {
      this.#taker.take(chunk);
    } catch (error) {
      this.#ended = true;
      this.#taker.failed(error);
    }
  }
}
