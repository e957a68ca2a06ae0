// `mqlet replay FILE --publish URL` and `--export`: the packets of a recording, to a broker at their own rhythm, or as mosquitto_sub prints them.
import { setTimeout as delay } from 'node:timers/promises';
import { topicMatches } from '../adapters/sim/topic-filter.ts';
import { linesOf } from '../replay/recording-reader.ts';
import { mosquittoLine, readPacketLine, type RecordedPacket } from '../replay/packets.ts';
import { brokerOf, portTo } from './record.ts';
import { Refusal } from './refusal.ts';
import type { Terminal } from './terminal.ts';

export interface PacketWords {
  readonly file: string;
  /** 1 is the original rhythm; undefined is as fast as possible. */
  readonly speed: number | undefined;
  readonly topic: string | undefined;
  readonly direction: 'up' | 'down' | undefined;
}

/** @returns the exit code */
export async function publishPackets(words: PacketWords, url: string, terminal: Terminal): Promise<number> {
  const port = portTo(brokerOf(['--mqtt-url', url], terminal));
  let lost = '';
  const connected = await port.connect({ message: () => undefined, closed: ({ message }) => (lost = message) });
  if (!connected.ok) throw new Refusal(`${url}: ${connected.fault.message}`);
  let count = 0;
  let lastMs: number | undefined;
  for (const { atMs, packet } of packetsOf(words)) {
    if (words.speed !== undefined && lastMs !== undefined && atMs > lastMs) await delay((atMs - lastMs) / words.speed);
    lastMs = atMs;
    const published = await port.publish(packet);
    if (!published.ok) throw new Refusal(`${url}: packet ${count + 1} to ${packet.topic}: ${lost === '' ? published.fault.message : lost}`);
    count += 1;
  }
  await port.disconnect();
  terminal.print(`${count} packets published\n`);
  return 0;
}

/** @returns the exit code */
export function exportPackets(words: PacketWords, terminal: Terminal): number {
  for (const packet of packetsOf(words)) terminal.print(`${mosquittoLine(packet)}\n`);
  return 0;
}

function* packetsOf({ file, topic, direction }: PacketWords): Generator<RecordedPacket> {
  let number = 0;
  for (const line of readLines(file)) {
    number += 1;
    if (line === '') continue;
    const read = readPacketLine(line, number);
    if (!read.ok) throw new Refusal(`${file}:${read.fault.line}: ${read.fault.message}`);
    const recorded = read.value;
    if (recorded === undefined || (direction !== undefined && recorded.direction !== direction)) continue;
    if (topic === undefined || topicMatches(topic, recorded.packet.topic)) yield recorded;
  }
}

function* readLines(file: string): Generator<string> {
  try {
    yield* linesOf(file);
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error));
  }
}
