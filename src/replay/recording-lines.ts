// The lines of a recording on disk with their numbers, however long the file is, packed or not. What is wrong is a fault with a number.
import { closeSync, createReadStream, createWriteStream, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { fail, ok, type Result } from '../ports/result.ts';
import type { RecordingFault } from './entries.ts';

/** Longer lines are no recording of ours. */
export const lineBytesMax = 64 * 1024 * 1024;
/** A packed recording is unpacked so far; a recording of everything ends at a gibibyte by itself. */
export const unpackedBytesMax = 2 * 1024 * 1024 * 1024;
const pieceBytes = 256 * 1024;
const lineFeed = 0x0a;

export interface NumberedLine {
  /** From 1; empty lines are counted and left out. */
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** A file that can be read from its beginning; whoever opened it closes it. */
export interface OpenedRecording {
  readonly descriptor: number;
  /** Its first bytes, unpacked: they tell what it is. */
  readonly start: Uint8Array;
}

/** @param options.unpackedBytesMax beyond which a packed file is refused; smaller in tests */
export async function openRecording(file: string, options: { readonly unpackedBytesMax?: number } = {}): Promise<Result<OpenedRecording, RecordingFault>> {
  try {
    const descriptor = openSync(file, 'r');
    const start = readStart(descriptor);
    const unpack = unpackerOf(start);
    if (unpack === undefined) return ok({ descriptor, start });
    closeSync(descriptor);
    if (typeof unpack === 'string') return fail({ line: 0, message: unpack });
    const unpacked = await unpackedCopy(file, unpack, options.unpackedBytesMax ?? unpackedBytesMax);
    return ok({ descriptor: unpacked, start: readStart(unpacked) });
  } catch (error) {
    return fail({ line: 0, message: messageOf(error) });
  }
}

/** @throws TooLong, and the file system's errors */
export function* linesIn(descriptor: number): Generator<NumberedLine> {
  let number = 0;
  let position: number | null = 0;
  let pieces: Buffer[] = [];
  let waiting = 0;
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(pieceBytes);
      const count: number = readAt(descriptor, piece, position);
      if (count < 0) {
        // A pipe has no positions; what was looked at is gone, so that it is copied before it comes here.
        position = null;
        continue;
      }
      if (position !== null) position += count;
      let from = 0;
      for (let end = piece.indexOf(lineFeed); end >= 0 && end < count; end = piece.indexOf(lineFeed, from)) {
        number += 1;
        pieces.push(piece.subarray(from, end));
        const bytes = pieces.length === 1 ? (pieces[0] ?? piece) : Buffer.concat(pieces);
        pieces = [];
        waiting = 0;
        from = end + 1;
        if (!isBlank(bytes)) yield { number, bytes };
      }
      if (from < count) pieces.push(piece.subarray(from, count));
      waiting += count - from;
      if (waiting > lineBytesMax) throw new TooLong(number + 1);
      if (count > 0) continue;
      const rest = Buffer.concat(pieces);
      if (!isBlank(rest)) yield { number: number + 1, bytes: rest };
      return;
    }
  } finally {
    closeSync(descriptor);
  }
}

export class TooLong extends Error {
  readonly line: number;

  constructor(line: number) {
    super(`the line is longer than ${lineBytesMax} bytes`);
    this.line = line;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Text of a line; one that is damaged is a fault, not a text with gaps. */
export function textOfLine({ number, bytes }: NumberedLine): Result<string, RecordingFault> {
  try {
    return ok(utf8.decode(bytes));
  } catch {
    return fail({ line: number, message: 'the line is not UTF-8' });
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}

/** @returns -1 where the file has no positions */
function readAt(descriptor: number, piece: Buffer, position: number | null): number {
  try {
    return readSync(descriptor, piece, 0, piece.length, position);
  } catch (error) {
    if (position !== null && error instanceof Error && 'code' in error && error.code === 'ESPIPE') return -1;
    throw error;
  }
}

const startBytes = 64;

function readStart(descriptor: number): Uint8Array {
  const start = Buffer.alloc(startBytes);
  const count = readAt(descriptor, start, 0);
  return start.subarray(0, Math.max(0, count));
}

type Unpacker = () => Transform;

/** @returns undefined for a file that is not packed; a line for the user where this Node.js cannot unpack it */
function unpackerOf([first, second, third, fourth]: Uint8Array): Unpacker | string | undefined {
  if (first === 0x1f && second === 0x8b) return () => zlib.createGunzip();
  if (first !== 0x28 || second !== 0xb5 || third !== 0x2f || fourth !== 0xfd) return undefined;
  // Since 22.15 and 23.8 only; the types are those of Node.js 20.
  const { createZstdDecompress } = zlib as { readonly createZstdDecompress?: Unpacker };
  return createZstdDecompress ?? 'it is packed with zstd, which this Node.js cannot unpack (22.15 and newer can): unpack it with zstd -d';
}

/** An open file without a name: nothing is left of it when it is closed. Readable by its owner alone, as recordings are. */
async function unpackedCopy(file: string, unpack: Unpacker, bytesMax: number): Promise<number> {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-replay-'));
  try {
    const copy = path.join(directory, 'unpacked');
    await pipeline(createReadStream(file), unpack(), atMost(bytesMax), createWriteStream(copy, { mode: 0o600 }));
    return openSync(copy, 'r');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function atMost(bytesMax: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      bytes += chunk.length;
      if (bytes > bytesMax) done(new Error(`it unpacks to more than ${bytesMax} bytes`));
      else done(null, chunk);
    },
  });
}

function messageOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'Z_BUF_ERROR': return 'the packed data ends early';
    case 'Z_DATA_ERROR': return 'the packed data is damaged';
    case 'EISDIR': return 'it is a directory, not a recording';
    default: return error instanceof Error ? error.message : String(error);
  }
}
