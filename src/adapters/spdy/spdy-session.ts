// One SPDY/3.1 connection over a byte stream, from either side: numbered streams with headers, bytes both ways and a reset. The other sides
// (spdystream in container runtimes, API servers and kubectl) keep no windows, so none are: what is not read stops the connection.
import type { Duplex } from 'node:stream';
import { type Headers, dataHeader, FrameReader, goAway, HeaderReader, HeaderWriter, ping, rstStream, type SpdyFrame } from './spdy-frames.ts';

/** Bytes that wait for readers, of all streams together, before the connection is read no further. */
const waitingBytesMax = 256 * 1024;
const streamsMax = 1_000;
const writtenBytesMax = 32 * 1024;
/** The other side may read so long what was written last. */
const lingerMs = 2_000;
const statusCancel = 5;
const statusRefused = 3;

export class SpdyStream {
  readonly id: number;
  readonly headers: Headers;
  /** Resolves when the other side has answered the stream's beginning; false where it never will. */
  readonly replied: Promise<boolean>;
  readonly #session: SpdySession;
  readonly #waiting: Buffer[] = [];
  #settleReplied: (answered: boolean) => void = () => undefined;
  #reader: ((bytes: Buffer | undefined) => void) | undefined;
  #ended = false;
  #finished = false;
  #isReset = false;

  constructor(session: SpdySession, id: number, headers: Headers) {
    this.#session = session;
    this.id = id;
    this.headers = headers;
    this.replied = new Promise((resolve) => {
      this.#settleReplied = resolve;
    });
  }

  /** The next bytes; undefined when nothing more comes. One caller at a time. */
  read(): Promise<Buffer | undefined> {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#session.taken(next.length);
      return Promise.resolve(next);
    }
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  /** Resolves when there is room for more; false where the connection is gone. */
  async write(bytes: Uint8Array): Promise<boolean> {
    if (this.#finished) return false;
    let open = true;
    for (let at = 0; at < bytes.length && open; at += writtenBytesMax) {
      const part = bytes.subarray(at, at + writtenBytesMax);
      open = await this.#session.send(dataHeader(this.id, part.length, { last: false }), part);
    }
    return open;
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    void this.#session.send(dataHeader(this.id, 0, { last: true }));
  }

  reset(): void {
    this.#finished = true;
    void this.#session.send(rstStream(this.id, statusCancel));
    this.ended();
  }

  /** The other side wants nothing more of it, in either direction. */
  get isReset(): boolean {
    return this.#isReset;
  }

  // ---- the session

  wasReset(): void {
    this.#isReset = true;
    this.#finished = true;
    this.ended();
  }

  reply(): void {
    this.#settleReplied(true);
  }

  /** @returns bytes that wait now because of it */
  push(bytes: Buffer): number {
    if (this.#ended || bytes.length === 0) return 0;
    const reader = this.#reader;
    if (reader === undefined) {
      this.#waiting.push(bytes);
      return bytes.length;
    }
    this.#reader = undefined;
    reader(bytes);
    return 0;
  }

  ended(): void {
    this.#ended = true;
    this.#settleReplied(false);
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.(undefined);
  }
}

export interface SpdySessionOptions {
  readonly socket: Duplex;
  /** Bytes that came with the answer to the upgrade. */
  readonly head: Uint8Array;
  readonly role: 'client' | 'server';
  /** A stream that the other side began; it is answered. Absent: refused. */
  accepted?(stream: SpdyStream): void;
  /** Once, when the connection is gone. */
  closed?(): void;
}

export class SpdySession {
  /** Resolves when the connection is over. */
  readonly gone: Promise<void>;
  readonly #options: SpdySessionOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #frames = new FrameReader();
  readonly #reader = new HeaderReader();
  readonly #writer = new HeaderWriter();
  #nextId: number;
  #lastAccepted = 0;
  #waitingBytes = 0;
  #closed = false;
  /** Header blocks are unpacked one after the other, and frames keep their order. */
  #handling: Promise<void> = Promise.resolve();
  #handlingCount = 0;
  #drained: (() => void)[] = [];
  #settleGone: () => void = () => undefined;

  constructor(options: SpdySessionOptions) {
    this.#options = options;
    this.gone = new Promise((resolve) => {
      this.#settleGone = resolve;
    });
    this.#nextId = options.role === 'client' ? 1 : 2;
    const { socket, head } = options;
    socket.on('data', (bytes: Buffer) => this.#came(bytes));
    socket.on('drain', () => this.#drain());
    socket.on('error', () => this.close());
    socket.on('end', () => this.close());
    socket.on('close', () => this.close());
    if (head.length > 0) this.#came(Buffer.from(head));
  }

  /** @returns undefined where the connection is gone */
  open(headers: Headers): SpdyStream | undefined {
    if (this.#closed) return undefined;
    const stream = new SpdyStream(this, this.#nextId, headers);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    void this.send(this.#writer.synStream(stream.id, headers));
    return stream;
  }

  /** Both sides are done with it. */
  forget(stream: SpdyStream): void {
    this.#streams.delete(stream.id);
  }

  send(...parts: readonly Uint8Array[]): Promise<boolean> {
    const { socket } = this.#options;
    if (this.#closed || socket.destroyed || !socket.writable) return Promise.resolve(false);
    let room = true;
    socket.cork();
    for (const part of parts) room = socket.write(part);
    socket.uncork();
    return room ? Promise.resolve(true) : new Promise((resolve) => this.#drained.push(() => resolve(!this.#closed)));
  }

  #drain(): void {
    for (const resume of this.#drained.splice(0)) resume();
  }

  taken(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#flow();
  }

  #flow(): void {
    const { socket } = this.#options;
    if (this.#waitingBytes > waitingBytesMax || this.#handlingCount > 0) socket.pause();
    else if (!this.#closed) socket.resume();
  }

  #came(bytes: Buffer): void {
    const frames = this.#frames.push(bytes);
    if (frames === undefined) {
      this.close();
      return;
    }
    for (const frame of frames) {
      const waits = this.#handlingCount > 0 || 'block' in frame;
      if (!waits) this.#handle(frame);
      else this.#handleLater(frame);
    }
    this.#flow();
  }

  #handleLater(frame: SpdyFrame): void {
    this.#handlingCount += 1;
    this.#handling = this.#handling.then(async () => {
      if ('block' in frame) await this.#begun(frame);
      else this.#handle(frame);
      this.#handlingCount -= 1;
      this.#flow();
    });
  }

  async #begun(frame: Extract<SpdyFrame, { readonly block: Buffer }>): Promise<void> {
    const headers = await this.#reader.read(frame.block);
    if (headers === undefined || this.#closed) {
      this.close();
      return;
    }
    if (frame.kind === 'syn-stream') this.#accept(frame.stream, headers);
    else if (frame.kind === 'syn-reply') this.#streams.get(frame.stream)?.reply();
    if (frame.last) this.#streams.get(frame.stream)?.ended();
  }

  #accept(id: number, headers: Headers): void {
    const { accepted } = this.#options;
    if (accepted === undefined || this.#streams.size >= streamsMax || id <= this.#lastAccepted) {
      void this.send(rstStream(id, statusRefused));
      return;
    }
    this.#lastAccepted = id;
    const stream = new SpdyStream(this, id, headers);
    this.#streams.set(id, stream);
    // Before the reply the other side takes no bytes for it.
    void this.send(this.#writer.synReply(id, new Map()));
    accepted(stream);
  }

  #handle(frame: SpdyFrame): void {
    if (frame.kind === 'data') {
      const stream = this.#streams.get(frame.stream);
      this.#waitingBytes += stream?.push(frame.bytes) ?? 0;
      if (frame.last) stream?.ended();
    } else if (frame.kind === 'rst-stream') {
      this.#streams.get(frame.stream)?.wasReset();
      this.#streams.delete(frame.stream);
    } else if (frame.kind === 'ping' && frame.id % 2 !== this.#nextId % 2) {
      void this.send(ping(frame.id));
    }
  }

  /** What was written goes out first; idempotent. */
  close(): void {
    if (this.#closed) return;
    const { socket, closed } = this.#options;
    if (!socket.destroyed && socket.writable) socket.end(goAway(this.#lastAccepted), () => setTimeout(() => socket.destroy(), lingerMs).unref());
    this.#closed = true;
    for (const stream of this.#streams.values()) stream.ended();
    this.#streams.clear();
    this.#reader.close();
    this.#drain();
    socket.resume();
    this.#settleGone();
    closed?.();
  }
}
