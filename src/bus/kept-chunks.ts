// Messages as they pass, handed over by the chunk to the one who remembers them. The bus's own queue is the chunk: per message it costs one
// comparison. It neither weighs nor drops anything; who takes a chunk owns it.
import type { AnyEnvelope } from './messages.ts';

/** Messages and notes in one chunk, at most. */
export const chunkLength = 128;

/** @param Note what the keeper puts between the messages, in the order in which things happened */
export type Chunk<Note> = (AnyEnvelope | Note)[];

export interface ChunkTaker<Note> {
  /** Called where no message is being delivered, or in a delivery by whoever hands over: it must be quick and publish nothing. */
  take(chunk: Chunk<Note>): void;
  /** `take` threw, which is our mistake: nothing is kept any more. */
  failed(error: unknown): void;
}

/** The messages that were delivered and not yet handed over, the one in delivery among them. */
export interface DeliveredMessages {
  count(): number;
  /** From then on they are the caller's. */
  take(): AnyEnvelope[];
}

export class KeptChunks<Note> {
  readonly #taker: ChunkTaker<Note>;
  readonly #messages: DeliveredMessages;
  #notes: { readonly note: Note; readonly after: number }[] = [];
  #ended = false;
  /** Messages that the chunk has room for: with so many it is full. */
  room = chunkLength;

  constructor(messages: DeliveredMessages, taker: ChunkTaker<Note>) {
    this.#messages = messages;
    this.#taker = taker;
  }

  /** Behind the message in delivery, and before those that it leads to. */
  add(note: Note): void {
    if (this.#messages.count() >= this.room) this.handOver();
    this.#notes.push({ note, after: this.#messages.count() });
    this.room -= 1;
  }

  /** What is there now, although the chunk may not be full. */
  handOver(): void {
    const messages = this.#messages.take();
    const notes = this.#notes;
    const chunk: Chunk<Note> = notes.length === 0 ? messages : inOrder(messages, notes);
    if (notes.length > 0) {
      this.#notes = [];
      this.room = chunkLength;
    }
    if (chunk.length === 0 || this.#ended) return;
    try {
      // A message may lead to any number of others before the queue is empty again.
      if (chunk.length <= chunkLength) this.#taker.take(chunk);
      else for (let start = 0; start < chunk.length; start += chunkLength) this.#taker.take(chunk.slice(start, start + chunkLength));
    } catch (error) {
      this.#ended = true;
      this.#taker.failed(error);
    }
  }
}

function inOrder<Note>(messages: readonly AnyEnvelope[], notes: readonly { readonly note: Note; readonly after: number }[]): Chunk<Note> {
  const chunk: Chunk<Note> = [];
  let from = 0;
  for (const { note, after } of notes) {
    for (; from < after; from += 1) {
      const message = messages[from];
      if (message !== undefined) chunk.push(message);
    }
    chunk.push(note);
  }
  for (const message of messages.slice(from)) chunk.push(message);
  return chunk;
}
