// The MQTT packets in a capture of a network: connections are put together, their packets read, each message once. TLS cannot be read.
import { createHash } from 'node:crypto';
import mqttPacket from 'mqtt-packet';
import type { MqttPacket, MqttProperties } from '../../ports/mqtt-port.ts';
import type { RecordingFault } from '../entries.ts';
import type { TrafficEntry } from '../traffic.ts';
import { readFrames } from './frames.ts';
import { type Segment, segmentOf } from './segments.ts';
import { Stream } from './stream.ts';

/** Connections that are followed at once; the oldest is forgotten. */
const connectionsMax = 10_000;
/** A message passes a broker in this time: seen again on another connection it is the same. */
const sameMsMax = 5_000;
const sameMax = 10_000;
const mqttPort = ':1883';
/** Of a packet's fixed header; a connection that says CONNECT is MQTT on any port. */
const connectCode = 0x10;

export function* captureTraffic(descriptor: number, kind: 'pcap' | 'pcapng'): Generator<TrafficEntry, RecordingFault | undefined> {
  const reader = new CaptureReader();
  const frames = readFrames(descriptor, kind);
  for (let next = frames.next(); ; next = frames.next()) {
    if (next.done === true) return next.value ?? reader.fault();
    const { number, atMs } = next.value;
    const segment = segmentOf(next.value);
    if (segment !== undefined) yield* reader.read(segment, { line: number, atMs });
  }
}

type Place = Pick<TrafficEntry, 'line' | 'atMs'>;

class CaptureReader {
  /** By both ends in the order of their names. */
  readonly #connections = new Map<string, Connection>();
  /** When a message was seen, and on which connection. */
  readonly #seen = new Map<string, { readonly atMs: number; readonly connection: string }>();
  #lastLine = 0;
  #messages = 0;
  #broken = 0;

  *read(segment: Segment, place: Place): Generator<TrafficEntry> {
    this.#lastLine = place.line;
    const name = [segment.from, segment.to].sort().join(' ');
    const connection = this.#connectionOf(name, segment);
    const wasBroken = connection.broken;
    for (const { direction, packet } of connection.read(segment)) {
      if (this.#isRepeated(packet, { ...place, connection: name })) continue;
      this.#messages += 1;
      yield { kind: 'packet', ...place, direction, packet };
    }
    if (connection.broken && !wasBroken) this.#broken += 1;
  }

  /** What is to be said at the end of a capture that is whole. */
  fault(): RecordingFault | undefined {
    if (this.#broken > 0) return { line: this.#lastLine, message: `${this.#broken} connection${this.#broken === 1 ? ' misses' : 's miss'} bytes in the capture and ${this.#broken === 1 ? 'is' : 'are'} read up to there` };
    return this.#messages > 0 ? undefined : { line: this.#lastLine, message: 'the capture has no plain MQTT messages in it; what is inside TLS cannot be read' };
  }

  #connectionOf(name: string, { opens }: Segment): Connection {
    const known = this.#connections.get(name);
    // Ports are used again.
    if (known !== undefined && !(opens && known.ended)) return known;
    const made = new Connection();
    this.#connections.delete(name);
    this.#connections.set(name, made);
    const [oldest] = this.#connections.size > connectionsMax ? this.#connections.keys() : [];
    if (oldest !== undefined) this.#connections.delete(oldest);
    return made;
  }

  #isRepeated({ topic, payload }: MqttPacket, { atMs, connection }: Place & { readonly connection: string }): boolean {
    const key = createHash('sha1').update(topic).update('\0').update(payload).digest('base64');
    const before = this.#seen.get(key);
    if (before !== undefined && before.connection !== connection && atMs - before.atMs <= sameMsMax) return true;
    this.#seen.delete(key);
    this.#seen.set(key, { atMs, connection });
    const [oldest] = this.#seen.size > sameMax ? this.#seen.keys() : [];
    if (oldest !== undefined) this.#seen.delete(oldest);
    return false;
  }
}

interface Published {
  readonly direction: 'up' | 'down';
  readonly packet: MqttPacket;
}

class Connection {
  readonly #streams = new Map<string, Stream>();
  /** Shared by both directions: who connects says which version is spoken. 3.1.1 where that was before the capture. */
  readonly #settings: { protocolVersion?: 3 | 4 | 5 } = { protocolVersion: 4 };
  readonly #parsers = new Map<string, mqttPacket.Parser>();
  /** The end that connected. */
  #client: string | undefined;
  #isMqtt: boolean | undefined;
  #found: mqttPacket.IPublishPacket[] = [];
  #broken = false;
  ended = false;

  get broken(): boolean {
    return this.#broken;
  }

  read({ from, to, sequence, opens, ends, bytes }: Segment): readonly Published[] {
    const stream = this.#streamOf(from);
    if (opens) stream.open(sequence + 1);
    this.ended ||= ends;
    if (this.#broken || this.#isMqtt === false) return [];
    const ready = stream.add(opens ? sequence + 1 : sequence, bytes);
    for (const piece of ready) this.#parse(piece, { from, to });
    this.#broken ||= stream.broken && this.#isMqtt === true;
    const found = this.#found;
    this.#found = [];
    return found.map((packet) => ({ direction: from === this.#client ? 'up' : 'down', packet: packetOf(packet) }));
  }

  #streamOf(from: string): Stream {
    const stream = this.#streams.get(from) ?? new Stream();
    this.#streams.set(from, stream);
    return stream;
  }

  #parse(piece: Buffer, ends: { readonly from: string; readonly to: string }): void {
    if (this.#isMqtt === undefined) this.#recognise(piece, ends);
    if (this.#isMqtt !== true || this.#broken) return;
    const parser = this.#parsers.get(ends.from) ?? this.#parserOf(ends.from);
    try {
      parser.parse(piece);
    } catch {
      this.#broken = true;
    }
  }

  #recognise(piece: Buffer, { from, to }: { readonly from: string; readonly to: string }): void {
    if (piece[0] === connectCode && /^.{1,4}\0[\x04\x06]MQ(?:TT|Isdp)/s.test(piece.toString('latin1', 1, 16))) {
      this.#client = from;
      this.#isMqtt = true;
    } else {
      this.#isMqtt = from.endsWith(mqttPort) || to.endsWith(mqttPort);
      this.#client = to.endsWith(mqttPort) ? from : to;
    }
  }

  #parserOf(from: string): mqttPacket.Parser {
    // The library looks at its options with each packet.
    const parser = mqttPacket.parser(this.#settings);
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect' && packet.protocolVersion !== undefined) this.#settings.protocolVersion = packet.protocolVersion;
      // One that names its topic by a number alone tells too little.
      if (packet.cmd === 'publish' && packet.topic !== '') this.#found.push(packet);
    });
    parser.on('error', () => { this.#broken = true; });
    this.#parsers.set(from, parser);
    return parser;
  }
}

function packetOf({ topic, payload, qos, retain, properties }: mqttPacket.IPublishPacket): MqttPacket {
  const given: MqttProperties = {
    ...(properties?.responseTopic === undefined ? {} : { responseTopic: properties.responseTopic }),
    ...(properties?.correlationData === undefined ? {} : { correlationData: new Uint8Array(properties.correlationData) }),
    ...(properties?.messageExpiryInterval === undefined ? {} : { messageExpirySeconds: properties.messageExpiryInterval }),
    ...(properties?.contentType === undefined ? {} : { contentType: properties.contentType }),
  };
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  return { topic, payload: new Uint8Array(bytes), qos: qos === 0 ? 0 : 1, retain, ...(Object.keys(given).length === 0 ? {} : { properties: given }) };
}
