// One WebSocket connection from the server's side (RFC 6455), for messages of bytes. No extensions; bounded; what is not read stops the
// connection.
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';

/** The name that RFC 6455 (section 1.3) adds to a client's key. */
const acceptName = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const messageBytesMax = 1024 * 1024;
/** Messages that wait for their reader before the connection is read no further. */
const waitingMax = 16;
const opcodes = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export const closeCodes = { normal: 1000, unsupported: 1003, tooLarge: 1009, failed: 1011 } as const;

export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}${acceptName}`).digest('base64');
}

export class WebSocketConnection {
  readonly #socket: Duplex;
  readonly #messages: Buffer[] = [];
  #rest: Buffer;
  #fragments: Buffer[] = [];
  #reader: ((message: Buffer | undefined) => void) | undefined;
  #closed = false;
  #drained: (() => void)[] = [];

  constructor(socket: Duplex, head: Uint8Array) {
    this.#socket = socket;
    this.#rest = Buffer.from(head);
    socket.on('data', (bytes: Buffer) => this.#came(bytes));
    socket.on('drain', () => this.#drain());
    for (const event of ['end', 'error', 'close']) socket.on(event, () => this.#over());
    if (head.length > 0) this.#came(Buffer.alloc(0));
  }

  /** The next message; undefined when the connection is over. One caller at a time. */
  read(): Promise<Buffer | undefined> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      if (this.#messages.length === 0) this.#socket.resume();
      return Promise.resolve(message);
    }
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  /** Resolves when there is room for more; false where the connection is over. */
  write(...parts: readonly Uint8Array[]): Promise<boolean> {
    return this.#send(opcodes.binary, parts);
  }

  #send(opcode: number, parts: readonly Uint8Array[]): Promise<boolean> {
    if (this.#closed || !this.#socket.writable) return Promise.resolve(false);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#socket.cork();
    let room = this.#socket.write(header(opcode, length));
    for (const part of parts) room = this.#socket.write(part);
    this.#socket.uncork();
    return room ? Promise.resolve(true) : new Promise((resolve) => this.#drained.push(() => resolve(!this.#closed)));
  }

  close(code: number, reason = ''): void {
    if (this.#closed) return;
    const body = Buffer.alloc(2);
    body.writeUInt16BE(code);
    void this.#send(opcodes.close, [body, Buffer.from(reason.slice(0, 100), 'utf8')]);
    this.#socket.end();
    this.#over();
  }

  #came(bytes: Buffer): void {
    if (this.#closed) return;
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const frame = frameIn(this.#rest);
      if (frame === undefined) break;
      if (frame === 'bad' || frame.length > messageBytesMax) {
        this.close(frame === 'bad' ? closeCodes.unsupported : closeCodes.tooLarge);
        return;
      }
      if (frame.payload === undefined) break;
      this.#rest = this.#rest.subarray(frame.bytes);
      this.#take(frame.opcode, frame.last, frame.payload);
      if (this.#closed) return;
    }
    if (this.#messages.length >= waitingMax) this.#socket.pause();
  }

  #take(opcode: number, last: boolean, payload: Buffer): void {
    if (opcode === opcodes.ping) void this.#send(opcodes.pong, [payload]);
    else if (opcode === opcodes.close) this.close(closeCodes.normal);
    else if (opcode === opcodes.text || opcode === opcodes.binary || opcode === opcodes.more) {
      this.#fragments.push(payload);
      if (this.#fragments.reduce((sum, part) => sum + part.length, 0) > messageBytesMax) this.close(closeCodes.tooLarge);
      else if (last) this.#give(Buffer.concat(this.#fragments.splice(0)));
    }
  }

  #give(message: Buffer): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#messages.push(message);
    else reader(message);
  }

  #drain(): void {
    for (const resume of this.#drained.splice(0)) resume();
  }

  #over(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drain();
    this.#reader?.(undefined);
    this.#reader = undefined;
    this.#socket.resume();
  }
}

function header(opcode: number, length: number): Buffer {
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return head;
}

interface Frame {
  readonly opcode: number;
  readonly last: boolean;
  readonly length: number;
  /** With its header. */
  readonly bytes: number;
  /** Absent while it has not all come. */
  readonly payload: Buffer | undefined;
}

/** @returns undefined while its header has not come; `bad` for what a client must not send */
function frameIn(bytes: Buffer): Frame | 'bad' | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  // Clients mask what they send, and no extension was agreed on.
  if ((second & 0x80) === 0 || (first & 0x70) !== 0) return 'bad';
  const short = second & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (bytes.length < 2 + lengthBytes + 4) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  const start = 2 + lengthBytes + 4;
  const common = { opcode: first & 0x0f, last: (first & 0x80) !== 0, length, bytes: start + length };
  if (length > messageBytesMax || bytes.length < start + length) return { ...common, payload: undefined };
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (let at = 0; at < payload.length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return { ...common, payload };
}
