// Captures of a network with plain MQTT in them: made here byte by byte, read as recordings of packets.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { readPacketLine, type RecordedPacket } from '../../src/replay/packets.ts';
import { apply, simPod } from '../sim/offline-world.ts';
import { recordedWorld, replayCommand } from '../support/recorded-traffic.ts';

const node = { address: [10, 0, 0, 7], port: 51_000 };
const broker = { address: [10, 0, 0, 1], port: 1_883 };
type End = typeof node;

interface Sent {
  readonly atMs: number;
  readonly from: End;
  readonly to: End;
  readonly sequence: number;
  readonly bytes: Buffer;
  readonly flags?: number;
}

function ipPacket({ from, to, sequence, bytes, flags = 0x18 }: Sent): Buffer {
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(from.port, 0);
  tcp.writeUInt16BE(to.port, 2);
  tcp.writeUInt32BE(sequence >>> 0, 4);
  tcp[12] = 0x50;
  tcp[13] = flags;
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(40 + bytes.length, 2);
  ip[9] = 6;
  ip.set(from.address, 12);
  ip.set(to.address, 16);
  return Buffer.concat([ip, tcp, bytes]);
}

const links: Readonly<Record<string, { readonly type: number; readonly wrap: (packet: Buffer) => Buffer }>> = {
  ethernet: { type: 1, wrap: (packet) => Buffer.concat([Buffer.alloc(12), Buffer.from([0x08, 0x00]), packet]) },
  'a tagged network': { type: 1, wrap: (packet) => Buffer.concat([Buffer.alloc(12), Buffer.from([0x81, 0, 0, 7, 0x08, 0x00]), packet]) },
  'any interface': { type: 113, wrap: (packet) => Buffer.concat([Buffer.alloc(14), Buffer.from([0x08, 0x00]), packet]) },
  'any interface, newer': { type: 276, wrap: (packet) => Buffer.concat([Buffer.from([0x08, 0x00]), Buffer.alloc(18), packet]) },
  loopback: { type: 0, wrap: (packet) => Buffer.concat([Buffer.from([2, 0, 0, 0]), packet]) },
  'no link': { type: 101, wrap: (packet) => packet },
};

function pcap(sent: readonly Sent[], link = 'ethernet'): Buffer {
  const { type, wrap } = links[link] ?? { type: 1, wrap: (packet: Buffer) => packet };
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt32LE(type, 20);
  return Buffer.concat([header, ...sent.flatMap((one) => {
    const bytes = wrap(ipPacket(one));
    const head = Buffer.alloc(16);
    head.writeUInt32LE(Math.floor(one.atMs / 1_000), 0);
    head.writeUInt32LE((one.atMs % 1_000) * 1_000, 4);
    head.writeUInt32LE(bytes.length, 8);
    head.writeUInt32LE(bytes.length, 12);
    return [head, bytes];
  })]);
}

function pcapng(sent: readonly Sent[]): Buffer {
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const around = Buffer.alloc(8);
    around.writeUInt32LE(type, 0);
    around.writeUInt32LE(padded.length + 12, 4);
    return Buffer.concat([around, padded, around.subarray(4)]);
  };
  const section = Buffer.alloc(16, 0xff);
  section.writeUInt32LE(0x1a2b3c4d, 0);
  const frame = ({ atMs, ...one }: Sent): Buffer => {
    const bytes = links.ethernet?.wrap(ipPacket({ atMs, ...one })) ?? Buffer.alloc(0);
    const head = Buffer.alloc(20);
    const time = BigInt(atMs) * 1_000n;
    head.writeUInt32LE(Number(time >> 32n), 4);
    head.writeUInt32LE(Number(time & 0xffff_ffffn), 8);
    head.writeUInt32LE(bytes.length, 12);
    head.writeUInt32LE(bytes.length, 16);
    return Buffer.concat([head, bytes]);
  };
  return Buffer.concat([block(0x0a0d0d0a, section), block(1, Buffer.from([1, 0, 0, 0, 0, 0, 4, 0])), ...sent.map((one) => block(6, frame(one)))]);
}

/** A connection of a node that says and hears these packets, as segments of so many bytes. */
function connection(packets: readonly RecordedPacket[], { version = 5, segmentBytes = 1_400, client = node }: { readonly version?: 4 | 5; readonly segmentBytes?: number; readonly client?: End } = {}): readonly Sent[] {
  const sequences = { up: 0xffff_ff00, down: 7 };
  const sent: Sent[] = [];
  const send = (direction: 'up' | 'down', atMs: number, bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += segmentBytes) {
      const piece = bytes.subarray(at, at + segmentBytes);
      sent.push({ atMs, from: direction === 'up' ? client : broker, to: direction === 'up' ? broker : client, sequence: sequences[direction], bytes: piece });
      sequences[direction] += piece.length;
    }
  };
  const startMs = packets[0]?.atMs ?? 0;
  sent.push({ atMs: startMs, from: client, to: broker, sequence: sequences.up - 1, bytes: Buffer.alloc(0), flags: 2 }, { atMs: startMs, from: broker, to: client, sequence: sequences.down - 1, bytes: Buffer.alloc(0), flags: 0x12 });
  send('up', startMs, mqttPacket.generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: version, clientId: 'edge-07', clean: true, keepalive: 30 }));
  send('down', startMs, mqttPacket.generate({ cmd: 'connack', sessionPresent: false, returnCode: 0, reasonCode: 0 }, { protocolVersion: version }));
  for (const [index, { direction, atMs, packet: { topic, payload, qos, retain, properties } }] of packets.entries()) {
    const given = version === 5 && properties?.correlationData !== undefined ? { properties: { correlationData: Buffer.from(properties.correlationData) } } : {};
    send(direction, atMs, mqttPacket.generate({ cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false, messageId: (index % 60_000) + 1, ...given }, { protocolVersion: version }));
  }
  return sent;
}

const packetsIn = (lines: readonly string[]): readonly RecordedPacket[] => lines.flatMap((line, index) => {
  const read = readPacketLine(line, index + 1);
  return read.ok && read.value !== undefined ? [read.value] : [];
});

const aPacket = (text: string, atMs = 1_767_225_600_000): RecordedPacket => ({ atMs, direction: 'up', packet: { topic: 'a/b', payload: Buffer.from(text), qos: 1, retain: false } });
const exported = async (capture: Buffer): Promise<readonly unknown[]> => (await replayCommand(capture, ['--export'])).stdout.trim().split('\n').filter((line) => line !== '').map((line) => (JSON.parse(line) as { readonly payload: string }).payload); // as mosquitto_sub prints it

describe('a capture of a network', () => {
  it.each(Object.keys(links))('given MQTT over %s, when it is exported, then its messages are there in order', async (link) => {
    expect(await exported(pcap(connection([aPacket('one'), aPacket('two')]), link))).toEqual(['one', 'two']);
  });

  it.each([4, 5] as const)('given version %d of MQTT, in either kind of file, packed or not, when it is exported, then the messages are the same', async (version) => {
    const sent = connection([aPacket('one'), aPacket('x'.repeat(5_000)), aPacket('three')], { version });
    const expected = ['one', 'x'.repeat(5_000), 'three'];
    for (const capture of [pcap(sent), pcapng(sent), gzipSync(pcap(sent))]) expect(await exported(capture)).toEqual(expected);
  });

  it('given segments in any order and number, when they are put together, then the messages are the same', async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 3, max: 200 }), fc.array(fc.nat(1_000), { maxLength: 8 }), async (segmentBytes, swaps) => {
      const sent = [...connection([aPacket('one'), aPacket('two'.repeat(50)), aPacket('three')], { segmentBytes })];
      // Neighbours after the beginning change places, and come again.
      for (const swap of swaps) {
        const at = 5 + (swap % (sent.length - 7));
        const [one, two] = [sent[at], sent[at + 1]];
        if (one !== undefined && two !== undefined) sent.splice(at, 2, two, one, two);
      }
      expect(await exported(pcap(sent))).toEqual(['one', 'two'.repeat(50), 'three']);
    }), { numRuns: 25 });
  });

  it('given a message that passed the broker, when it is exported, then it is there once', async () => {
    const other = { address: [10, 0, 0, 9], port: 52_000 };
    const heard = connection([{ ...aPacket('one'), direction: 'down' }], { client: other });
    expect(await exported(pcap([...connection([aPacket('one')]), ...heard]))).toEqual(['one']);
  });

  it.each(['lite', 'mqlet'] as const)('given a node\'s life in the dialect %s, when its capture is replayed, then it is as its recording', async (dialect) => {
    const { world, own } = await recordedWorld('captured', { dialect });
    world.startDaemon();
    await world.pass(4_000);
    apply(world, simPod('web'));
    await world.pass(10_000);
    const { code, stdout, stderr } = await replayCommand(pcap(connection(packetsIn(own))), ['--diff']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/default\/web: .*→ running/);
    expect(stdout.split('\n').filter((line) => /^(Pod|Event of Pod) /.test(line))).toEqual([]);
    expect([0, 1]).toContain(code);
  });

  const whole = connection([aPacket('one'), aPacket('two')]);
  it.each<[name: string, capture: Buffer, line: RegExp]>([
    ['an end in the header', pcap([]).subarray(0, 10), /^mqlet replay: recording\.jsonl: the capture ends within its header\n$/],
    ['an end in a frame', pcap(whole).subarray(0, -3), /^mqlet replay: recording\.jsonl:6: the capture ends within a frame\n$/],
    ['a frame of a gibibyte', Buffer.concat([pcap([]), Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0x40])]), /^mqlet replay: recording\.jsonl:1: the frame says it has 1073741824 bytes/],
    ['no MQTT', pcap([{ atMs: 0, from: node, to: { ...broker, port: 443 }, sequence: 1, bytes: Buffer.from('GET / HTTP/1.1\r\n') }]), /recording\.jsonl:1: the capture has no plain MQTT messages in it; what is inside TLS cannot be read\n$/],
    ['TLS', pcap([{ atMs: 0, from: node, to: { ...broker, port: 8_883 }, sequence: 1, bytes: Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]) }]), /no plain MQTT messages in it/],
    ['a connection that breaks the protocol', pcap([...whole, { atMs: 0, from: node, to: broker, sequence: (whole.at(-1)?.sequence ?? 0) + (whole.at(-1)?.bytes.length ?? 0), bytes: Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) }]), /1 connection misses bytes in the capture and is read up to there\n$/],
  ])('given %s, when it is exported, then one line says what is wrong', async (_name, capture, line) => {
    const { code, stderr } = await replayCommand(capture, ['--export']);
    expect(stderr).toMatch(line);
    expect(code).toBe(1);
  });

  it('given any bytes in a capture, when it is exported, then the command ends with 0 or 1 and says one line at most', async () => {
    const good = pcap(whole);
    const anyNg = pcapng(whole);
    await fc.assert(fc.asyncProperty(fc.boolean(), fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { minLength: 1, maxLength: 6 }), async (ng, changes) => {
      const capture = Buffer.from(ng ? anyNg : good);
      for (const [at, byte] of changes) capture[24 + (at % (capture.length - 24))] = byte;
      const { code, stderr } = await replayCommand(capture, ['--export']);
      expect([0, 1]).toContain(code);
      expect(stderr.trimEnd().split('\n').length).toBe(1);
    }), { numRuns: 100 });
  });
});
