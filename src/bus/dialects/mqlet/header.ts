// The header of each message of the mqlet dialect, and the fragment header (docs/wire.md, sections 3 and 4). Bytes only: no body is
// looked into. Everything read here is hostile: no input may throw.
import { fail, ok, type Result } from '../../../ports/result.ts';
import type { WireFault } from './wire-fault.ts';
import { bad } from './wire-fault.ts';

export const wireVersion = 1;

export const typeCodes = {
  presence: 0x01, digest: 0x02, holdings: 0x03, write: 0x04, event: 0x05, heartbeat: 0x06, renewal: 0x07, received: 0x08, open: 0x20,
  answer: 0x41, objects: 0x42, look: 0x43, fragment: 0x7f,
} as const;
export type MessageType = keyof typeof typeCodes;

const typeNames = new Map<number, MessageType>(Object.entries(typeCodes).map(([name, code]) => [code, name as MessageType])); // its own keys
/** Types from here on may be ignored by who does not know them. */
const ignorableFrom = 0x80;

const flagCorrelation = 0x01;
const flagLifetime = 0x02;
const flagDeflated = 0x08;
/** Change the layout: whoever does not know them cannot read on. */
const flagsUnknown = 0x04 | 0x10 | 0x20;

export const correlationBytesMax = 64;
const lifetimeMax = 0xffff_ffff;

export interface Header {
  readonly type: MessageType;
  readonly correlation?: Uint8Array;
  /** Whole seconds for which the message is of use. */
  readonly lifetimeSeconds?: number;
  /** Names the preset dictionary of a compressed body, 0 for none; absent: the body is as it is. */
  readonly dictionary?: number;
}

export interface Frame extends Header {
  readonly body: Uint8Array;
}

export function encodeFrame({ type, correlation, lifetimeSeconds, dictionary, body }: Frame): Buffer {
  const correlationLength = correlation === undefined ? 0 : 1 + correlation.length;
  const headerLength = 3 + correlationLength + (lifetimeSeconds === undefined ? 0 : 4) + (dictionary === undefined ? 0 : 4);
  const bytes = Buffer.alloc(headerLength + body.length);
  bytes[0] = wireVersion;
  bytes[1] = typeCodes[type];
  let flags = 0;
  let at = 3;
  if (correlation !== undefined) {
    flags |= flagCorrelation;
    bytes[at] = correlation.length;
    bytes.set(correlation, at + 1);
    at += correlationLength;
  }
  if (lifetimeSeconds !== undefined) {
    flags |= flagLifetime;
    at = bytes.writeUInt32BE(Math.min(lifetimeSeconds, lifetimeMax), at);
  }
  if (dictionary !== undefined) {
    flags |= flagDeflated;
    at = bytes.writeUInt32BE(dictionary, at);
  }
  bytes[2] = flags;
  bytes.set(body, at);
  return bytes;
}

/** `ignorable`: of a type nobody need know. The body shares its bytes with `payload`. */
export function decodeFrame(payload: Uint8Array): Result<Frame | 'ignorable', WireFault> {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const [version, code, flags] = bytes;
  if (version === undefined || code === undefined || flags === undefined) return fail(bad(`the message has ${bytes.length} bytes; a header has at least 3`));
  if (version !== wireVersion) return fail({ reason: 'UnsupportedVersion', message: `version ${version} of the wire is not spoken here; ${wireVersion} is` });
  if ((flags & flagsUnknown) !== 0) return fail({ reason: 'UnknownMessage', message: `the flags 0x${flags.toString(16).padStart(2, '0')} change the layout in a way unknown here` });
  let at = 3;
  let correlation: Buffer | undefined;
  if ((flags & flagCorrelation) !== 0) {
    const length = bytes[at] ?? 0;
    if (length === 0 || length > correlationBytesMax || at + 1 + length > bytes.length) return fail(bad('the correlation in the header is damaged'));
    correlation = bytes.subarray(at + 1, at + 1 + length);
    at += 1 + length;
  }
  const words = ((flags & flagLifetime) === 0 ? 0 : 4) + ((flags & flagDeflated) === 0 ? 0 : 4);
  if (at + words > bytes.length) return fail(withCorrelation(bad('the header ends early'), correlation));
  const lifetimeSeconds = (flags & flagLifetime) === 0 ? undefined : bytes.readUInt32BE(at);
  if (lifetimeSeconds !== undefined) at += 4;
  const dictionary = (flags & flagDeflated) === 0 ? undefined : bytes.readUInt32BE(at);
  if (dictionary !== undefined) at += 4;
  const type = typeNames.get(code);
  if (type === undefined && code >= ignorableFrom) return ok('ignorable');
  if (type === undefined) return fail(withCorrelation({ reason: 'UnknownMessage', message: `messages of type 0x${code.toString(16).padStart(2, '0')} are unknown here` }, correlation));
  return ok({
    type,
    ...(correlation === undefined ? {} : { correlation }),
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    ...(dictionary === undefined ? {} : { dictionary }),
    body: bytes.subarray(at),
  });
}

function withCorrelation(fault: WireFault, correlation: Uint8Array | undefined): WireFault {
  return correlation === undefined ? fault : { ...fault, correlation };
}

export interface Fragment {
  readonly message: number;
  readonly index: number;
  readonly count: number;
  readonly piece: Uint8Array;
}

export const fragmentsMax = 1_024;
export const fragmentHeaderBytes = 11;

export function encodeFragment({ message, index, count, piece }: Fragment): Buffer {
  const bytes = Buffer.alloc(fragmentHeaderBytes + piece.length);
  bytes[0] = wireVersion;
  bytes[1] = typeCodes.fragment;
  bytes.writeUInt32BE(message, 3);
  bytes.writeUInt16BE(index, 7);
  bytes.writeUInt16BE(count, 9);
  bytes.set(piece, fragmentHeaderBytes);
  return bytes;
}

/** @returns undefined for a message that came whole, and for one that is none: its own decoding says why */
export function readFragment(payload: Uint8Array): Result<Fragment, WireFault> | undefined {
  if (payload[0] !== wireVersion || payload[1] !== typeCodes.fragment) return undefined;
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (bytes.length <= fragmentHeaderBytes || bytes[2] !== 0) return fail(bad('a fragment is damaged: it has no piece, or unknown flags'));
  const [message, index, count] = [bytes.readUInt32BE(3), bytes.readUInt16BE(7), bytes.readUInt16BE(9)];
  if (count < 2 || count > fragmentsMax || index >= count) return fail(bad(`a fragment says it is number ${index} of ${count}; at most ${fragmentsMax} are taken`));
  return ok({ message, index, count, piece: bytes.subarray(fragmentHeaderBytes) });
}
