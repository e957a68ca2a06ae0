// The TCP segment in a frame, whatever it came over. Bounded looks only; what is no TCP over IP is nothing here.
import type { Frame } from './frames.ts';

export interface Segment {
  /** `10.0.0.7:51000`; IPv6 in hexadecimal. */
  readonly from: string;
  readonly to: string;
  readonly sequence: number;
  readonly opens: boolean;
  readonly ends: boolean;
  readonly bytes: Buffer;
}

const tcp = 6;
const ipv4 = 0x0800;
const ipv6 = 0x86dd;
/** Tags of virtual networks, which stand before the type. */
const tagged: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);

export function segmentOf({ linkType, bytes }: Frame): Segment | undefined {
  const packet = packetOf(linkType, bytes);
  if (packet === undefined || packet.length < 20) return undefined;
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4) return fromIpv4(packet);
  return version === 6 ? fromIpv6(packet) : undefined;
}

/** Beyond the header of the link: Ethernet, loopback, Linux' two cooked ones, or none at all. */
function packetOf(linkType: number, bytes: Buffer): Buffer | undefined {
  switch (linkType) {
    case 1: {
      let at = 12;
      while (bytes.length >= at + 2 && tagged.has(bytes.readUInt16BE(at))) at += 4;
      return isIp(bytes, at) ? bytes.subarray(at + 2) : undefined;
    }
    case 0:
    case 108: return bytes.subarray(4);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229: return bytes;
    case 113: return isIp(bytes, 14) ? bytes.subarray(16) : undefined;
    case 276: return isIp(bytes, 0) ? bytes.subarray(20) : undefined;
    default: return undefined;
  }
}

function isIp(bytes: Buffer, at: number): boolean {
  const type = bytes.length >= at + 2 ? bytes.readUInt16BE(at) : 0;
  return type === ipv4 || type === ipv6;
}

function fromIpv4(packet: Buffer): Segment | undefined {
  const headerLength = ((packet[0] ?? 0) & 0x0f) * 4;
  const whole = packet.readUInt16BE(2);
  // Fragments but the first have no ports; with offloading the length is 0.
  if (packet[9] !== tcp || headerLength < 20 || (packet.readUInt16BE(6) & 0x1fff) !== 0) return undefined;
  return fromTcp(packet.subarray(headerLength, whole >= headerLength ? whole : packet.length), packet.subarray(12, 16).join('.'), packet.subarray(16, 20).join('.'));
}

/** Headers in between that say how long they are. */
const skipped: ReadonlySet<number> = new Set([0, 43, 60]);

function fromIpv6(packet: Buffer): Segment | undefined {
  if (packet.length < 40) return undefined;
  let next = packet[6] ?? 0;
  let at = 40;
  while (skipped.has(next) && packet.length >= at + 8) {
    next = packet[at] ?? 0;
    at += ((packet[at + 1] ?? 0) + 1) * 8;
  }
  const whole = packet.readUInt16BE(4);
  return next === tcp ? fromTcp(packet.subarray(at, whole > 0 ? 40 + whole : packet.length), packet.toString('hex', 8, 24), packet.toString('hex', 24, 40)) : undefined;
}

function fromTcp(bytes: Buffer, source: string, target: string): Segment | undefined {
  if (bytes.length < 20) return undefined;
  const flags = bytes[13] ?? 0;
  return {
    from: `${source}:${bytes.readUInt16BE(0)}`, to: `${target}:${bytes.readUInt16BE(2)}`, sequence: bytes.readUInt32BE(4),
    opens: (flags & 0x02) !== 0, ends: (flags & 0x05) !== 0, bytes: bytes.subarray(((bytes[12] ?? 0) >> 4) * 4),
  };
}
