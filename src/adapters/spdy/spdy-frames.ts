// SPDY/3.1 frames as bytes, as far as container runtimes and kubectl use them. Header blocks are written without compression, in a form
// every reader takes; those that come are unpacked with the standard's dictionary. @see the SPDY/3.1 draft, sections 2.2 and 2.6
import zlib from 'node:zlib';
import { spdyDictionary } from './spdy-dictionary.ts';

export type Headers = ReadonlyMap<string, string>;

export type SpdyFrame =
  | { readonly kind: 'data'; readonly stream: number; readonly last: boolean; readonly bytes: Buffer }
  | { readonly kind: 'syn-stream' | 'syn-reply' | 'headers'; readonly stream: number; readonly last: boolean; readonly block: Buffer }
  | { readonly kind: 'rst-stream'; readonly stream: number; readonly status: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'go-away' }
  /** Of no meaning here: settings, windows that the other side does not keep. */
  | { readonly kind: 'other' };

const frameHeaderBytes = 8;
const control = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7, headers: 8 } as const;
const flagLast = 0x01;
/** Larger ones end the connection. */
export const frameBytesMax = 1024 * 1024;
const headerBlockBytesMax = 64 * 1024;

function controlFrame(type: number, flags: number, ...body: readonly Uint8Array[]): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(frameHeaderBytes);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE((flags << 24) | length, 4);
  return Buffer.concat([head, ...body]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
}

export function dataHeader(stream: number, length: number, { last }: { readonly last: boolean }): Buffer {
  return words(stream, (last ? flagLast << 24 : 0) | length);
}

/** Writes header blocks of one direction of a connection: one stream of zlib's format, of stored blocks only. */
export class HeaderWriter {
  #begun = false;

  synStream(stream: number, headers: Headers): Buffer {
    return controlFrame(control.synStream, 0, words(stream, 0), Buffer.alloc(2), this.#block(headers));
  }

  synReply(stream: number, headers: Headers): Buffer {
    return controlFrame(control.synReply, 0, words(stream), this.#block(headers));
  }

  #block(headers: Headers): Buffer {
    const parts: Buffer[] = [words(headers.size)];
    for (const [name, value] of headers) {
      for (const text of [Buffer.from(name.toLowerCase(), 'utf8'), Buffer.from(value, 'utf8')]) parts.push(words(text.length), text);
    }
    const plain = Buffer.concat(parts);
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(plain.length, 1);
    stored.writeUInt16LE(~plain.length & 0xffff, 3);
    // An empty stored block behind it is what lets the reader give out what it has.
    const block = Buffer.concat([this.#begun ? Buffer.alloc(0) : Buffer.from([0x78, 0x01]), stored, plain, Buffer.from([0, 0, 0, 0xff, 0xff])]);
    this.#begun = true;
    return block;
  }
}

export function rstStream(stream: number, status: number): Buffer {
  return controlFrame(control.rstStream, 0, words(stream, status));
}

export function ping(id: number): Buffer {
  return controlFrame(control.ping, 0, words(id));
}

export function goAway(lastStream: number): Buffer {
  return controlFrame(control.goAway, 0, words(lastStream, 0));
}

/** Unpacks header blocks of one direction, in order. */
export class HeaderReader {
  readonly #inflate = zlib.createInflate({ dictionary: spdyDictionary() });
  #plain: Buffer[] = [];
  #bytes = 0;
  #broken = false;

  constructor() {
    this.#inflate.on('data', (bytes: Buffer) => {
      this.#bytes += bytes.length;
      if (this.#bytes <= headerBlockBytesMax) this.#plain.push(bytes);
      else this.#broken = true;
    });
    this.#inflate.on('error', () => {
      this.#broken = true;
    });
  }

  /** @returns undefined where the block cannot be read; then no later one can */
  async read(block: Uint8Array): Promise<Headers | undefined> {
    if (this.#broken) return undefined;
    this.#plain = [];
    this.#bytes = 0;
    await new Promise<void>((resolve) => {
      const broken = (): void => resolve();
      this.#inflate.once('error', broken);
      this.#inflate.write(block, () => {
        this.#inflate.off('error', broken);
        resolve();
      });
    });
    return this.#broken ? undefined : headersIn(Buffer.concat(this.#plain));
  }

  close(): void {
    this.#broken = true;
    this.#inflate.close();
  }
}

function headersIn(plain: Buffer): Headers | undefined {
  const headers = new Map<string, string>();
  let at = 0;
  const text = (): string | undefined => {
    if (at + 4 > plain.length) return undefined;
    const length = plain.readUInt32BE(at);
    if (at + 4 + length > plain.length) return undefined;
    at += 4 + length;
    return plain.toString('utf8', at - length, at);
  };
  if (plain.length < 4) return undefined;
  at = 4;
  for (let count = plain.readUInt32BE(0); count > 0; count -= 1) {
    const [name, value] = [text(), text()];
    if (name === undefined || value === undefined) return undefined;
    headers.set(name.toLowerCase(), value);
  }
  return headers;
}

/** Puts frames together from what a socket gives. */
export class FrameReader {
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** @returns undefined where the bytes are no SPDY, or a frame is too large */
  push(bytes: Buffer): readonly SpdyFrame[] | undefined {
    this.#rest.push(bytes);
    this.#restBytes += bytes.length;
    if (this.#restBytes < frameHeaderBytes) return [];
    let all = this.#rest.length === 1 ? bytes : Buffer.concat(this.#rest);
    const frames: SpdyFrame[] = [];
    while (all.length >= frameHeaderBytes) {
      const length = all.readUInt32BE(4) & 0xff_ffff;
      if (length > frameBytesMax) return undefined;
      if (all.length < frameHeaderBytes + length) break;
      const frame = frameIn(all, length);
      if (frame === undefined) return undefined;
      frames.push(frame);
      all = all.subarray(frameHeaderBytes + length);
    }
    this.#rest = all.length === 0 ? [] : [all];
    this.#restBytes = all.length;
    return frames;
  }
}

function frameIn(bytes: Buffer, length: number): SpdyFrame | undefined {
  const body = bytes.subarray(frameHeaderBytes, frameHeaderBytes + length);
  const last = ((bytes[4] ?? 0) & flagLast) !== 0;
  if (((bytes[0] ?? 0) & 0x80) === 0) return { kind: 'data', stream: bytes.readUInt32BE(0), last, bytes: body };
  if (bytes.readUInt16BE(0) !== 0x8003) return undefined;
  const type = bytes.readUInt16BE(2);
  switch (type) {
    case control.synStream: return body.length < 10 ? undefined : { kind: 'syn-stream', stream: body.readUInt32BE(0), last, block: body.subarray(10) };
    case control.synReply: return body.length < 4 ? undefined : { kind: 'syn-reply', stream: body.readUInt32BE(0), last, block: body.subarray(4) };
    case control.headers: return body.length < 4 ? undefined : { kind: 'headers', stream: body.readUInt32BE(0), last, block: body.subarray(4) };
    case control.rstStream: return body.length < 8 ? undefined : { kind: 'rst-stream', stream: body.readUInt32BE(0), status: body.readUInt32BE(4) };
    case control.ping: return body.length < 4 ? undefined : { kind: 'ping', id: body.readUInt32BE(0) };
    case control.goAway: return { kind: 'go-away' };
    default: return { kind: 'other' };
  }
}
