// The cloud side's end of streams to nodes: opens them over MQTT and gives them to whoever asked. It knows no HTTP.
import { nodeTopics } from '../bus/dialects/mqlet/topics.ts';
import { encodeOpening, openLifetimeSeconds } from '../bus/streams/open-request.ts';
import { decodeStreamFrame } from '../bus/streams/stream-frames.ts';
import type { StreamGate } from '../bus/streams/stream-gate.ts';
import { StreamMux } from '../bus/streams/stream-mux.ts';
import { cloudStreamFilter, downTopic, parseStreamTopic, streamPrefix } from '../bus/streams/stream-topics.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { MqttFault } from '../ports/faults.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPacket, MqttSession } from '../ports/mqtt-port.ts';
import type { NodeStream, NodeStreamsPort, StreamFault, StreamRequest } from '../ports/node-streams-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';

export interface CloudStreamsDeps {
  readonly gate: StreamGate;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly rootTopic: string;
  /** As MqttPort.publish, for the request on the api topic. */
  publish(packet: MqttPacket): Promise<Result<void, MqttFault>>;
  /** Whether it is there and speaks a dialect that has streams. */
  online(nodeName: string): boolean;
}

/** Of all nodes; further ones are refused. */
const streamsMax = 2_000;
const idleMs = 4 * 3_600_000;
const sessionChars = 12;
const packetBytesUnknown = 96 * 1024;
/** Topic and headers of a PUBLISH, beside its payload. */
const publishBytesMax = 400;
const stopped: StreamFault = { code: 503, reason: 'ServiceUnavailable', message: 'the cloud side stops' };

export class CloudStreams implements NodeStreamsPort, Stoppable {
  readonly #deps: CloudStreamsDeps;
  /** Of this life: frames for an earlier one find nobody. */
  readonly #session: string;
  readonly #nodes = new Map<string, StreamMux>();
  #nextNumber = 1;
  #link: MqttSession | undefined;
  #subscribed: Promise<boolean> | undefined;
  #count = 0;

  constructor(deps: CloudStreamsDeps) {
    this.#deps = deps;
    this.#session = deps.random.uuid().replaceAll('-', '').slice(0, sessionChars);
    const prefix = streamPrefix(deps.rootTopic, 'up');
    deps.gate.listen({
      received: ({ topic, payload }) => {
        const place = parseStreamTopic(prefix, topic);
        if (place === undefined) return false;
        if (place.session === this.#session) this.#received(place.nodeName, payload);
        return true;
      },
      connected: (session) => {
        this.#link = session;
        this.#subscribed = undefined;
        if (this.#nodes.size > 0) void this.#listen();
      },
      disconnected: () => {
        this.#link = undefined;
        this.#subscribed = undefined;
        for (const mux of this.#nodes.values()) mux.disconnected();
      },
      controlWritten: () => {
        for (const mux of this.#nodes.values()) mux.changed();
      },
    });
  }

  async open(nodeName: string, request: StreamRequest): Promise<Result<NodeStream, StreamFault>> {
    if (!this.#deps.online(nodeName)) return unavailable(`the node ${nodeName} is not connected, or speaks a dialect that has no streams`);
    if (this.#count >= streamsMax) return fail({ code: 429, reason: 'TooManyRequests', message: `${streamsMax} streams are open, and no more are` });
    this.#count += 1;
    const stream = await this.#open(nodeName, request).catch((error: unknown) => {
      this.#count -= 1;
      throw error;
    });
    if (!stream.ok) this.#count -= 1;
    return stream;
  }

  async #open(nodeName: string, request: StreamRequest): Promise<Result<NodeStream, StreamFault>> {
    if (!(await this.#listen())) return unavailable('the broker is not connected');
    const { clock, rootTopic } = this.#deps;
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const stream = this.#mux(nodeName).add(this.#session, number, request);
    const payload = encodeOpening({ session: this.#session, stream: number, request });
    let timer: unknown;
    const late = new Promise<'late'>((resolve) => {
      timer = clock.setTimeout(() => resolve('late'), openLifetimeSeconds * 1_000);
    });
    const sent = await this.#deps.publish({ topic: nodeTopics(rootTopic, nodeName).down, payload, qos: 1, retain: false });
    const refused = sent.ok ? await Promise.race([stream.opened, late]) : 'unsent';
    clock.clearTimeout(timer);
    if (refused === undefined) {
      void stream.closed.then(() => {
        this.#count -= 1;
      });
      return ok(stream);
    }
    stream.close();
    if (refused === 'unsent') return unavailable('the broker did not take the request');
    if (refused === 'late') return fail({ code: 504, reason: 'GatewayTimeout', message: `the node ${nodeName} did not answer within ${openLifetimeSeconds} s` });
    return fail(refused.fault ?? { code: 502, reason: 'BadGateway', message: 'the node ended the stream before it began' });
  }

  /** @returns whether what nodes say is heard */
  #listen(): Promise<boolean> {
    const { gate, rootTopic, log } = this.#deps;
    if (this.#link === undefined) return Promise.resolve(false);
    const { packetBytesMax } = this.#link;
    this.#subscribed ??= gate.subscribe(cloudStreamFilter(rootTopic, this.#session), 0).then((granted) => {
      if (!granted.ok) {
        log.warn('stream.not-subscribed', { reason: granted.fault.message });
        this.#subscribed = undefined;
        return false;
      }
      for (const mux of this.#nodes.values()) mux.connected(chunkRoom(packetBytesMax));
      return true;
    });
    return this.#subscribed;
  }

  #mux(nodeName: string): StreamMux {
    const known = this.#nodes.get(nodeName);
    if (known !== undefined) return known;
    const { gate, clock, rootTopic } = this.#deps;
    const mux = new StreamMux({
      clock, asks: true, streamIdleMs: idleMs, controlWaits: () => gate.controlWaits(),
      send: (session, frame) => gate.send(downTopic(rootTopic, { nodeName, session }), frame),
      idle: () => this.#nodes.delete(nodeName),
    });
    this.#nodes.set(nodeName, mux);
    if (this.#link !== undefined) mux.connected(chunkRoom(this.#link.packetBytesMax));
    return mux;
  }

  #received(nodeName: string, payload: Uint8Array): void {
    const frame = decodeStreamFrame(payload);
    if (!frame.ok) this.#deps.log.debug('stream.undecodable', { nodeName, reason: frame.fault });
    // A node that speaks of streams it has none of is not heard further.
    else this.#nodes.get(nodeName)?.received(this.#session, frame.value);
  }

  async stop(): Promise<void> {
    for (const mux of [...this.#nodes.values()]) mux.stop(stopped);
    await Promise.resolve();
  }
}

function chunkRoom(packetBytesMax: number): number {
  return Math.min(packetBytesMax, packetBytesUnknown) - publishBytesMax;
}

function unavailable(message: string): Result<never, StreamFault> {
  return fail({ code: 503, reason: 'ServiceUnavailable', message });
}
