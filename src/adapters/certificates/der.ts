// The few forms of DER that a certificate is made of. Writing only.
// @see ITU-T X.690
import { isIPv4 } from 'node:net';

const tags = { boolean: 1, integer: 2, bitString: 3, octetString: 4, objectId: 6, utf8String: 12, sequence: 0x30, set: 0x31, utcTime: 23, generalizedTime: 24 } as const;

function tagged(tag: number, content: Uint8Array): Buffer {
  const { byteLength } = content;
  if (byteLength < 128) return Buffer.concat([Buffer.from([tag, byteLength]), content]);
  const digits: number[] = [];
  for (let rest = byteLength; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length, ...digits]), content]);
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(tags.sequence, Buffer.concat(parts));
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return tagged(tags.set, Buffer.concat(parts));
}

/** @param bytes big-endian; the highest bit is no sign */
export function int(bytes: Uint8Array): Buffer {
  return tagged(tags.integer, (bytes[0] ?? 0) >= 128 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export function bool(value: boolean): Buffer {
  return tagged(tags.boolean, Buffer.from([value ? 255 : 0]));
}

export function octets(bytes: Uint8Array): Buffer {
  return tagged(tags.octetString, bytes);
}

/** @param unused bits at the end of the last octet */
export function bits(bytes: Uint8Array, unused: number): Buffer {
  return tagged(tags.bitString, Buffer.concat([Buffer.from([unused]), bytes]));
}

export function utf8(text: string): Buffer {
  return tagged(tags.utf8String, Buffer.from(text));
}

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return tagged(tags.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) + 128);
  return digits;
}

/** Years of two digits until 2049. */
export function time(wallMs: number): Buffer {
  const digits = `${new Date(wallMs).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
  return digits < '2050' ? tagged(tags.utcTime, Buffer.from(digits.slice(2))) : tagged(tags.generalizedTime, Buffer.from(digits));
}

export function explicit(number: number, content: Uint8Array): Buffer {
  return tagged(0xa0 | number, content);
}

export function implicit(number: number, content: Uint8Array): Buffer {
  return tagged(0x80 | number, content);
}

/** An IP address as octets. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const all = tail === undefined ? before : [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  return Buffer.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));
}
