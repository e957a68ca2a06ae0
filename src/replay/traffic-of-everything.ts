// The MQTT traffic in a recording of everything: what was published, what came, and what became of the connection.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import type { MqttPacket } from '../ports/mqtt-port.ts';
import type { Entry, RecordingFault } from './entries.ts';
import type { NumberedEntry, RecordingReader } from './recording-reader.ts';
import type { TrafficEntry } from './traffic.ts';
import { decodeValue } from './values.ts';

/** What has to be remembered of the calls to tell what an event or an answer means. */
interface Seen {
  readonly connects: Set<number>;
  readonly messages: Set<number>;
  readonly closings: Set<number>;
  now: number;
}

/** @returns why it ends before the file does */
export function* trafficOf(reader: RecordingReader): Generator<TrafficEntry, RecordingFault | undefined> {
  const seen: Seen = { connects: new Set(), messages: new Set(), closings: new Set(), now: 0 };
  for (const numbered of reader.entries()) {
    const found = entryOf(numbered, seen);
    if (found !== undefined) yield found;
  }
  return reader.fault;
}

function entryOf({ line, entry }: NumberedEntry, seen: Seen): TrafficEntry | undefined {
  if ('now' in entry) seen.now = entry.now;
  switch (entry.k) {
    case 'call': return entry.port === 'mqtt' ? called(entry, seen, line) : undefined;
    case 'answer': {
      if (!seen.connects.delete(entry.n)) return undefined;
      return isJsonObject(entry.value) && entry.value.ok === true ? { kind: 'link', line, atMs: seen.now, state: 'up', reason: '' } : undefined;
    }
    case 'event': {
      const [argument] = listOf(decoded(entry.args));
      if (seen.messages.has(entry.callback)) return packetEntry(argument, { line, atMs: seen.now, direction: 'down' });
      if (!seen.closings.has(entry.callback)) return undefined;
      return { kind: 'link', line, atMs: seen.now, state: 'down', reason: isJsonObject(argument) ? String(argument.message) : '' };
    }
    default: return undefined;
  }
}

function called({ n, method, args }: Extract<Entry, { readonly k: 'call' }>, seen: Seen, line: number): TrafficEntry | undefined {
  const given: unknown = listOf(args)[0];
  if (method === 'publish') return packetEntry(decoded(given), { line, atMs: seen.now, direction: 'up' });
  if (method === 'disconnect') return { kind: 'link', line, atMs: seen.now, state: 'down', reason: '' };
  if (method !== 'connect' || !isJsonObject(given)) return undefined;
  seen.connects.add(n);
  noteFunction(given.message, seen.messages);
  noteFunction(given.closed, seen.closings);
  return undefined;
}

function noteFunction(value: unknown, numbers: Set<number>): void {
  if (isJsonObject(value) && typeof value.$function === 'number') numbers.add(value.$function);
}

function packetEntry(value: unknown, facts: { readonly line: number; readonly atMs: number; readonly direction: 'up' | 'down' }): TrafficEntry | undefined {
  if (!isJsonObject(value)) return undefined;
  const { topic, payload, qos, retain, properties } = value;
  if (typeof topic !== 'string' || !(payload instanceof Uint8Array)) return undefined;
  const packet: MqttPacket = { topic, payload, qos: qos === 0 ? 0 : 1, retain: retain === true, ...(isJsonObject(properties) ? { properties: propertiesOf(properties) } : {}) };
  return { kind: 'packet', ...facts, packet };
}

/** Only what is needed to match answers: the rest is the broker's. */
function propertiesOf({ correlationData, messageExpirySeconds, responseTopic }: JsonObject): NonNullable<MqttPacket['properties']> {
  return {
    ...(correlationData instanceof Uint8Array ? { correlationData } : {}),
    ...(typeof messageExpirySeconds === 'number' ? { messageExpirySeconds } : {}),
    ...(typeof responseTopic === 'string' ? { responseTopic } : {}),
  };
}

function decoded(value: unknown): unknown {
  return decodeValue(value, () => () => undefined);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
