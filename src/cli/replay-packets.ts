// `mqlet replay FILE --publish URL` and `--export`: the packets of a recording, to a broker at their own rhythm, or as mosquitto_sub prints them.
import { setTimeout as delay } from 'node:timers/promises';
import { topicMatches } from '../adapters/sim/topic-filter.ts';
import { mosquittoLine, type RecordedPacket } from '../replay/packets.ts';
import { TrafficReader } from '../replay/traffic.ts';
import { brokerOf, portTo } from './record.ts';
import { Refusal } from './refusal.ts';
import { refusal } from './replay-fault.ts';
import type { PacketWords } from './replay-words.ts';
import type { Terminal } from './terminal.ts';

/** @returns the exit code */
export async function publishPackets(words: PacketWords, url: string, terminal: Terminal): Promise<number> {
  const port = portTo(brokerOf(['--mqtt-url', url], terminal));
  let lost = '';
  const connected = await port.connect({ message: () => undefined, closed: ({ message }) => (lost = message) });
  if (!connected.ok) throw new Refusal(`${url}: ${connected.fault.message}`);
  let count = 0;
  let lastMs: number | undefined;
  for await (const { atMs, packet } of packetsOf(words)) {
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
export async function exportPackets(words: PacketWords, terminal: Terminal): Promise<number> {
  for await (const packet of packetsOf(words)) terminal.print(`${mosquittoLine(packet)}\n`);
  return 0;
}

/** @throws Refusal at the first line that is none */
async function* packetsOf({ file, topic, direction }: PacketWords): AsyncGenerator<RecordedPacket> {
  const opened = await TrafficReader.open(file);
  if (!opened.ok) throw refusal(file, opened.fault);
  for (const entry of opened.value.entries()) {
    if (entry.kind !== 'packet' || (direction !== undefined && entry.direction !== direction)) continue;
    if (topic === undefined || topicMatches(topic, entry.packet.topic)) yield entry;
  }
  if (opened.value.fault !== undefined) throw refusal(file, opened.value.fault);
}
