// The MQTT port as the mqlet dialect uses it, on either side: what is larger than the broker takes goes in fragments, and correlation
// and lifetime travel as properties on MQTT 5, in the header on 3.1.1 (docs/wire.md, sections 3 and 4). Beyond it messages are whole and
// have all in their headers. Topics that are not the dialect's pass untouched.
import type { ClockPort } from '../../../ports/clock-port.ts';
import type { MqttFault } from '../../../ports/faults.ts';
import type { MqttHandlers, MqttOpening, MqttPacket, MqttPort, MqttProperties, MqttSession, Qos } from '../../../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../../../ports/result.ts';
import { decodeFrame, encodeFragment, encodeFrame, type Frame, fragmentHeaderBytes, fragmentsMax, readFragment } from './header.ts';
import { messageBytesMax, Reassembly } from './reassembly.ts';

/** For brokers that name no limit; some stop at 128 KiB without a word. */
export const packetBytesUnknown = 96 * 1024;
/** Of a PUBLISH beside topic and payload: fixed header, lengths, packet id, and the properties' identifiers and lengths. */
const publishBytesMax = 40;
/** Correlation, and what else the properties hold beside the response topic. */
const correlationRoom = 80;

export interface TransportOptions {
  readonly clock: ClockPort;
  /** Where answers to requests on this connection are wanted; absent on the cloud's side, which makes no requests. */
  readonly responseTopic?: string;
  /** Whether a topic is the dialect's. */
  covers(topic: string): boolean;
}

export function mqletTransport(port: MqttPort, options: TransportOptions): MqttPort {
  return new Transport(port, options);
}

class Transport implements MqttPort {
  readonly #port: MqttPort;
  readonly #options: TransportOptions;
  readonly #reassembly = new Reassembly();
  #session: MqttSession | undefined;
  /** Number of the next message in fragments. Begun at the time, so that a life after this one does not go on with its numbers. */
  #nextMessage: number;

  constructor(port: MqttPort, options: TransportOptions) {
    this.#port = port;
    this.#options = options;
    this.#nextMessage = Math.floor(options.clock.nowMs()) >>> 0;
  }

  async connect(handlers: MqttHandlers, opening?: MqttOpening): Promise<Result<MqttSession, MqttFault>> {
    const connected = await this.#port.connect({ message: (packet) => this.#received(packet, handlers), closed: (fault) => handlers.closed(fault) }, opening);
    if (connected.ok) {
      this.#session = connected.value;
      this.#reassembly.clear();
    }
    return connected;
  }

  subscribe(topicFilter: string, qos: Qos): Promise<Result<void, MqttFault>> {
    return this.#port.subscribe(topicFilter, qos);
  }

  publish(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    if (!this.#options.covers(packet.topic)) return this.#port.publish(packet);
    const limit = Math.min(this.#session?.packetBytesMax ?? packetBytesUnknown, this.#session?.packetBytesMax === Number.POSITIVE_INFINITY ? packetBytesUnknown : messageBytesMax);
    const around = publishBytesMax + Buffer.byteLength(packet.topic) + Buffer.byteLength(this.#options.responseTopic ?? '') + correlationRoom;
    const room = limit - around;
    if (packet.payload.length <= room) return this.#port.publish(this.#session?.protocol === 'MQTT 5' ? this.#withProperties(packet) : packet);
    return this.#publishFragments(packet, room - fragmentHeaderBytes);
  }

  /** Facts in the header become properties. */
  #withProperties(packet: MqttPacket): MqttPacket {
    const decoded = decodeFrame(packet.payload);
    if (!decoded.ok || decoded.value === 'ignorable') return packet;
    const { correlation, lifetimeSeconds, ...rest } = decoded.value;
    if (correlation === undefined && lifetimeSeconds === undefined) return packet;
    const { responseTopic } = this.#options;
    const properties: MqttProperties = {
      ...(correlation === undefined ? {} : { correlationData: correlation }),
      ...(correlation !== undefined && responseTopic !== undefined && isRequest(rest) ? { responseTopic } : {}),
      ...(lifetimeSeconds === undefined ? {} : { messageExpirySeconds: lifetimeSeconds }),
    };
    return { ...packet, payload: encodeFrame(rest), properties };
  }

  /** One after the other: a long message leaves room for short ones, and what is under way stays bounded. */
  async #publishFragments(packet: MqttPacket, pieceBytes: number): Promise<Result<void, MqttFault>> {
    const { payload } = packet;
    const count = pieceBytes <= 0 ? Number.POSITIVE_INFINITY : Math.ceil(payload.length / pieceBytes);
    if (payload.length > messageBytesMax || count > fragmentsMax) {
      return fail({ kind: 'refused', message: `a message of ${payload.length} bytes is larger than can be sent here (at most ${messageBytesMax}, in ${fragmentsMax} fragments) (0x95)`, reasonCode: 0x95 });
    }
    const message = this.#nextMessage;
    this.#nextMessage = (message + 1) >>> 0;
    for (let index = 0; index < count; index += 1) {
      const piece = payload.subarray(index * pieceBytes, (index + 1) * pieceBytes);
      const sent = await this.#port.publish({ ...packet, payload: encodeFragment({ message, index, count, piece }) });
      if (!sent.ok) return sent;
    }
    return ok();
  }

  #received(packet: MqttPacket, handlers: MqttHandlers): void {
    if (!this.#options.covers(packet.topic)) {
      handlers.message(packet);
      return;
    }
    const fragment = readFragment(packet.payload);
    if (fragment === undefined) {
      handlers.message(withHeader(packet));
      return;
    }
    // One that is damaged is passed on: who decodes it says so.
    const whole = fragment.ok ? this.#reassembly.add(packet.topic, fragment.value, this.#options.clock.monotonicMs()) : packet.payload;
    if (whole !== undefined) handlers.message({ ...packet, payload: whole });
  }

  disconnect(): Promise<void> {
    return this.#port.disconnect();
  }
}

const requests: ReadonlySet<Frame['type']> = new Set(['digest', 'holdings', 'write'] as const);

function isRequest({ type }: Pick<Frame, 'type'>): boolean {
  return requests.has(type);
}

/** Properties become facts in the header. The properties stay: a response topic is looked at by who answers. */
export function withHeader(packet: MqttPacket): MqttPacket {
  const { correlationData, messageExpirySeconds } = packet.properties ?? {};
  if (correlationData === undefined && messageExpirySeconds === undefined) return packet;
  const decoded = decodeFrame(packet.payload);
  if (!decoded.ok || decoded.value === 'ignorable') return packet;
  const frame = decoded.value;
  const correlation = frame.correlation ?? (correlationData !== undefined && correlationData.length > 0 && correlationData.length <= 64 ? correlationData : undefined);
  const lifetimeSeconds = frame.lifetimeSeconds ?? messageExpirySeconds;
  return { ...packet, payload: encodeFrame({ ...frame, ...(correlation === undefined ? {} : { correlation }), ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }) }) };
}
