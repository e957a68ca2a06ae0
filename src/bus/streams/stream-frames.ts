// The frames of streams, as bytes (docs/streams.md, section 3). Everything read here is hostile: no input may throw.
import { fail, ok, type Result } from '../../ports/result.ts';

export const streamVersion = 1;

/** `opened`, `data`, `finish` and `end` follow each other in one count of bytes for each direction; the others stand beside it. */
export const streamTypes = { open: 0x20, opened: 0x21, data: 0x22, finish: 0x23, end: 0x24, credit: 0x25, reset: 0x26 } as const;

export type SequencedKind = 'opened' | 'data' | 'finish' | 'end';

/** Data takes as many of the count as it has bytes; each of the others takes one. */
export interface SequencedFrame {
  readonly kind: SequencedKind;
  readonly stream: number;
  readonly offset: number;
  /** Of `data` and `finish`; 0 otherwise. */
  readonly lane: number;
  readonly body: Uint8Array;
  /** The sender waits for its acknowledgement: it is said at once. */
  readonly prompt: boolean;
}

export interface CreditFrame {
  readonly kind: 'credit';
  readonly stream: number;
  /** Everything before has come. */
  readonly received: number;
  /** Data may go up to here. */
  readonly limit: number;
  /** What comes after `received` is wanted again, and an answer with it. */
  readonly again: boolean;
}

export interface ResetFrame {
  readonly kind: 'reset';
  readonly stream: number;
  readonly message: string;
}

export type StreamFrame = SequencedFrame | CreditFrame | ResetFrame;

const commonBytes = 7;
export const sequencedHeaderBytes = commonBytes + 7;
const creditBytes = commonBytes + 13;
/** Six bytes count 256 TiB: no stream gets there. */
const offsetBytes = 6;
const resetMessageCharsMax = 500;
/** One that may be ignored. */
const flagPrompt = 0x40;

const kinds = new Map<number, StreamFrame['kind']>([
  [streamTypes.opened, 'opened'], [streamTypes.data, 'data'], [streamTypes.finish, 'finish'], [streamTypes.end, 'end'],
  [streamTypes.credit, 'credit'], [streamTypes.reset, 'reset'],
]);

/** How much of the count a frame takes. */
export function costOf({ kind, body }: Pick<SequencedFrame, 'kind' | 'body'>): number {
  return kind === 'data' ? body.length : 1;
}

export function encodeStreamFrame(frame: StreamFrame): Buffer {
  if (frame.kind === 'credit') {
    const bytes = Buffer.alloc(creditBytes);
    begin(bytes, frame);
    bytes.writeUIntBE(frame.received, commonBytes, offsetBytes);
    bytes.writeUIntBE(frame.limit, commonBytes + offsetBytes, offsetBytes);
    bytes[creditBytes - 1] = frame.again ? 1 : 0;
    return bytes;
  }
  if (frame.kind === 'reset') {
    const text = Buffer.from(frame.message.slice(0, resetMessageCharsMax), 'utf8');
    const bytes = Buffer.alloc(commonBytes + text.length);
    begin(bytes, frame);
    bytes.set(text, commonBytes);
    return bytes;
  }
  const bytes = Buffer.allocUnsafe(sequencedHeaderBytes + frame.body.length);
  begin(bytes, frame);
  bytes.writeUIntBE(frame.offset, commonBytes, offsetBytes);
  bytes[sequencedHeaderBytes - 1] = frame.lane;
  bytes.set(frame.body, sequencedHeaderBytes);
  return bytes;
}

function begin(bytes: Buffer, frame: StreamFrame): void {
  bytes[0] = streamVersion;
  bytes[1] = streamTypes[frame.kind];
  bytes[2] = 'prompt' in frame && frame.prompt ? flagPrompt : 0;
  bytes.writeUInt32BE(frame.stream, 3);
}

/** The body shares its bytes with `payload`. @returns why it is none, in one line */
export function decodeStreamFrame(payload: Uint8Array): Result<StreamFrame, string> {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const kind = kinds.get(bytes[1] ?? 0);
  if (bytes.length < commonBytes || bytes[0] !== streamVersion || kind === undefined) return fail(`${bytes.length} bytes that are no frame of a stream`);
  const stream = bytes.readUInt32BE(3);
  if (kind === 'reset') return ok({ kind, stream, message: bytes.toString('utf8', commonBytes, commonBytes + 4 * resetMessageCharsMax) });
  if (kind === 'credit') {
    if (bytes.length < creditBytes) return fail('a credit ends early');
    const received = bytes.readUIntBE(commonBytes, offsetBytes);
    const limit = bytes.readUIntBE(commonBytes + offsetBytes, offsetBytes);
    return ok({ kind, stream, received, limit, again: bytes[creditBytes - 1] === 1 });
  }
  if (bytes.length < sequencedHeaderBytes) return fail(`a frame "${kind}" ends early`);
  const body = bytes.subarray(sequencedHeaderBytes);
  if (kind === 'data' && body.length === 0) return fail('a frame "data" has none');
  const prompt = ((bytes[2] ?? 0) & flagPrompt) !== 0;
  return ok({ kind, stream, offset: bytes.readUIntBE(commonBytes, offsetBytes), lane: bytes[sequencedHeaderBytes - 1] ?? 0, body, prompt });
}
