// Frames of a capture file, pcap or pcapng, one after the other. Sizes are somebody else's word: each is bounded before it is believed.
import { readSync } from 'node:fs';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { RecordingFault } from '../entries.ts';

/** A larger frame than networks have, even where the sender's card cuts it. */
const frameBytesMax = 1024 * 1024;
const pieceBytes = 256 * 1024;

export interface Frame {
  /** From 1. */
  readonly number: number;
  /** Wall milliseconds. */
  readonly atMs: number;
  /** As libpcap numbers them. */
  readonly linkType: number;
  readonly bytes: Buffer;
}

type Magic = 'pcap' | 'pcapng';

/** @param start the first bytes of a file */
export function captureKind(start: Uint8Array): Magic | undefined {
  const bytes = Buffer.from(start);
  if (bytes.length < 4) return undefined;
  if (bytes.readUInt32BE(0) === 0x0a0d0d0a) return 'pcapng';
  return pcapForms.has(bytes.readUInt32BE(0)) ? 'pcap' : undefined;
}

/** By magic number as it stands in the file: order of bytes, and fractions of a second. */
const pcapForms: ReadonlyMap<number, { readonly little: boolean; readonly fractions: number }> = new Map([
  [0xd4c3b2a1, { little: true, fractions: 1e6 }], [0xa1b2c3d4, { little: false, fractions: 1e6 }],
  [0x4d3cb2a1, { little: true, fractions: 1e9 }], [0xa1b23c4d, { little: false, fractions: 1e9 }],
]);

export function readFrames(descriptor: number, kind: Magic): Generator<Frame, RecordingFault | undefined> {
  return kind === 'pcap' ? pcapFrames(new Bytes(descriptor)) : pcapngFrames(new Bytes(descriptor));
}

const endsEarly = (line: number): RecordingFault => ({ line, message: 'the capture ends within a frame' });
const tooLarge = (line: number, bytes: number): RecordingFault => ({ line, message: `the frame says it has ${bytes} bytes; no frame has more than ${frameBytesMax}` });

function* pcapFrames(file: Bytes): Generator<Frame, RecordingFault | undefined> {
  const header = file.take(24);
  const form = header === undefined ? undefined : pcapForms.get(header.readUInt32BE(0));
  if (header === undefined || form === undefined) return { line: 0, message: 'the capture ends within its header' };
  const { little, fractions } = form;
  const linkType = word(header, 20, little) & 0x0fff_ffff;
  for (let number = 1; ; number += 1) {
    const head = file.take(16);
    // A capture that was ended in the middle of a frame is whole up to there.
    if (head === undefined) return file.left === 0 ? undefined : endsEarly(number);
    const length = word(head, 8, little);
    if (length > frameBytesMax) return tooLarge(number, length);
    const bytes = file.take(length);
    if (bytes === undefined) return endsEarly(number);
    yield { number, atMs: word(head, 0, little) * 1_000 + word(head, 4, little) / (fractions / 1_000), linkType, bytes };
  }
}

interface Interface {
  readonly linkType: number;
  /** Units of its times in a millisecond. */
  readonly perMs: number;
}

const sectionBlock = 0x0a0d0d0a;
const interfaceBlock = 1;
const packetBlock = 6;

function* pcapngFrames(file: Bytes): Generator<Frame, RecordingFault | undefined> {
  let little = true;
  let interfaces: Interface[] = [];
  for (let number = 1; ;) {
    const head = file.take(8);
    if (head === undefined) return file.left === 0 ? undefined : endsEarly(number);
    const isSection = head.readUInt32BE(0) === sectionBlock;
    const order = isSection ? file.peek(4) : undefined;
    if (isSection && order === undefined) return { line: 0, message: 'the capture ends within its header' };
    if (order !== undefined) [little, interfaces] = [order.readUInt32BE(0) === 0x4d3c2b1a, []];
    const length = word(head, 4, little);
    if (length < 12 || length > frameBytesMax) return tooLarge(number, length);
    const block = file.take(length - 8);
    if (block === undefined) return endsEarly(number);
    const type = isSection ? sectionBlock : word(head, 0, little);
    if (type === interfaceBlock && block.length >= 12) interfaces.push(interfaceOf(block, little));
    if (type !== packetBlock) continue;
    const frame = packetFrame(block, { little, interfaces, number });
    if (!frame.ok) return frame.fault;
    yield frame.value;
    number += 1;
  }
}

function packetFrame(block: Buffer, { little, interfaces, number }: { readonly little: boolean; readonly interfaces: readonly Interface[]; readonly number: number }): Result<Frame, RecordingFault> {
  if (block.length < 24) return fail(endsEarly(number));
  const on = interfaces[word(block, 0, little)];
  const length = word(block, 12, little);
  if (on === undefined || length > block.length - 24) return fail({ line: number, message: 'the frame names an interface or a length that the capture does not have' });
  const time = word(block, 4, little) * 2 ** 32 + word(block, 8, little);
  return ok({ number, atMs: time / on.perMs, linkType: on.linkType, bytes: block.subarray(20, 20 + length) });
}

/** Option 9 of an interface: the resolution of its times, as a power of ten or, with the highest bit, of two. */
function interfaceOf(block: Buffer, little: boolean): Interface {
  const half = (at: number): number => (little ? block.readUInt16LE(at) : block.readUInt16BE(at));
  let perMs = 1_000;
  for (let at = 8; at + 4 <= block.length - 4;) {
    const [code, length] = [half(at), half(at + 2)];
    if (code === 0) break;
    const value = block[at + 4] ?? 6;
    if (code === 9) perMs = (value & 0x80) === 0 ? 10 ** (value - 3) : 2 ** (value & 0x7f) / 1_000;
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { linkType: half(0), perMs };
}

function word(bytes: Buffer, at: number, little: boolean): number {
  return little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}

/** The file from its beginning, piece by piece. */
class Bytes {
  readonly #descriptor: number;
  #waiting = Buffer.alloc(0);
  #position = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Bytes that are there but were too few for what was asked last. */
  get left(): number {
    return this.#waiting.length;
  }

  /** undefined: there are not so many; nothing is taken then. */
  take(length: number): Buffer | undefined {
    const bytes = this.peek(length);
    if (bytes !== undefined) this.#waiting = this.#waiting.subarray(length);
    return bytes;
  }

  peek(length: number): Buffer | undefined {
    while (this.#waiting.length < length) {
      const piece = Buffer.allocUnsafe(pieceBytes);
      const count = readSync(this.#descriptor, piece, 0, pieceBytes, this.#position);
      if (count === 0) return undefined;
      this.#position += count;
      this.#waiting = Buffer.concat([this.#waiting, piece.subarray(0, count)]);
    }
    return this.#waiting.subarray(0, length);
  }
}
