// One MQTT connection from CONNECT to its end, over one client object of mqtt.js. Translates the library's callbacks into results
// and its errors into faults; keeps within the broker's limits, which the library does not.
import mqtt from 'mqtt';
import mqttPacket from 'mqtt-packet';
import type net from 'node:net';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { CertificateFacts } from '../../ports/credentials-port.ts';
import type { MqttFault } from '../../ports/faults.ts';
import type { MqttPacket, MqttSession, Qos } from '../../ports/mqtt-port.ts';
import { bufferOf, clientOptions, type ConnectWords, publishBytes, publishProperties, receivedPacket } from './client-options.ts';
import { connectionFault, publishFault, refusal, suback } from './connection-faults.ts';
import { type BrokerPlace, closedEarly, guardPacketSize, socketFault } from './mqtt-socket.ts';

// The cache would hold 65,536 buffers for the life of the process. It is filled with the first packet written.
mqttPacket.writeToStream.cacheNumbers = false;

export interface MqttConnectionOptions extends ConnectWords {
  /** For messages. */
  readonly broker: BrokerPlace;
  readonly answerTimeoutMs: number;
  /** Larger packets are known not to pass, whatever the broker says. */
  readonly sendBytesMax: number;
  /** Our certificate, PEM. */
  readonly certificate: string | undefined;
  openSocket(peer: (chain: readonly CertificateFacts[]) => void): net.Socket;
  message(packet: MqttPacket): void;
  /** A PUBLISH of so many bytes has its PUBACK. */
  acknowledged(bytes: number): void;
  /** @param bytes of the largest PUBLISH that waited for its PUBACK */
  closed(fault: MqttFault, bytes: number): void;
}

/** Publishes with QoS 1 that may wait for their PUBACK at once, whatever the broker allows. */
const inFlightMax = 64;
/** Publishes that may wait behind those; further ones are refused as the broker would (0x97, quota exceeded). */
const waitingMax = 1_000;
/** A DISCONNECT that cannot be written within this time is left out. */
const closeTimeoutMs = 1_000;

/** What a broker of MQTT 5 may lack. */
interface BrokerLimits {
  readonly qosMax: Qos;
  readonly retains: boolean;
}

interface Flight {
  readonly bytes: number;
}

type Settle = (result: Result<void, MqttFault>) => void;

export class MqttConnection {
  readonly #options: MqttConnectionOptions;
  readonly #client: mqtt.MqttClient;
  #socket: net.Socket | undefined;
  #session: MqttSession | undefined;
  /** What the broker showed, for messages about it; dropped when it was found good. */
  #peer: readonly CertificateFacts[] = [];
  #state: 'opening' | 'open' | 'closed' = 'opening';
  /** The most telling reason seen so far; what `closed` reports. */
  #reason: MqttFault | undefined;
  #settleOpen: ((result: Result<MqttConnection, MqttFault>) => void) | undefined;
  /** Calls that wait for an answer of the broker. */
  readonly #unanswered = new Set<Settle>();
  /** Publishes without PUBACK, those given up by their callers included. */
  readonly #inFlight = new Set<Flight>();
  #broker: BrokerLimits = { qosMax: 1, retains: true };
  readonly #waiting: { readonly packet: MqttPacket; readonly settle: Settle }[] = [];

  constructor(options: MqttConnectionOptions) {
    this.#options = options;
    this.#client = new mqtt.MqttClient(() => this.#openSocket(), clientOptions(options));
    this.#client.on('connect', (connack) => this.#opened(connack));
    this.#client.on('error', (error) => this.#note(error));
    this.#client.on('disconnect', ({ reasonCode = 0 }) => {
      this.#reason ??= refusal('the broker ended the connection', reasonCode);
    });
    this.#client.on('close', () => this.#ended());
    this.#client.on('message', (topic, payload, packet) => options.message(receivedPacket(topic, payload, packet)));
  }

  get session(): MqttSession {
    if (this.#session === undefined) throw new Error('a connection has a session only after it opened');
    return this.#session;
  }

  /** The broker took the connection and ended it without a word: it may not speak the protocol. */
  get unanswered(): boolean {
    return this.#state === 'closed' && this.#reason === undefined;
  }

  /** Resolves once, to this connection or to why there is none. */
  open(): Promise<Result<MqttConnection, MqttFault>> {
    return new Promise((resolve) => {
      this.#settleOpen = resolve;
      try {
        this.#client.connect();
      } catch (error) {
        // Only unusable certificates and keys fail before the socket exists.
        this.#state = 'closed';
        const text = error instanceof Error ? error.message : String(error);
        resolve(fail({ kind: 'untrusted', message: `the certificate or key for the broker cannot be used: ${text}` }));
      }
    });
  }

  #openSocket(): net.Socket {
    const socket = this.#options.openSocket((chain) => {
      this.#peer = chain;
    });
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#reason ??= this.#socketFault(error);
    });
    guardPacketSize(socket, {
      bytesMax: this.#options.packetBytesMax,
      tooLarge: (bytes) => {
        this.#reason ??= refusal(`the broker sends a packet of ${bytes} bytes; at most ${this.#options.packetBytesMax} are taken`, 0x95);
        socket.destroy();
      },
    });
    return socket;
  }

  #opened(connack: mqtt.IConnackPacket): void {
    this.#state = 'open';
    this.#peer = [];
    const { receiveMaximum = 65_535, maximumPacketSize = Number.POSITIVE_INFINITY, maximumQoS, retainAvailable = true } = connack.properties ?? {};
    this.#session = {
      protocol: this.#options.protocol,
      sessionPresent: connack.sessionPresent,
      receiveMaximum,
      packetBytesMax: Math.min(maximumPacketSize, this.#options.sendBytesMax),
    };
    this.#broker = { qosMax: maximumQoS === 0 ? 0 : 1, retains: retainAvailable };
    this.#settleOpen?.(ok(this));
    this.#settleOpen = undefined;
  }

  /** The library's errors: a refusing CONNACK, no CONNACK in time, a ping without answer, bytes that are not MQTT. */
  #note(error: Error | mqtt.ErrorWithReasonCode): void {
    this.#reason ??= connectionFault(error, this.#options) ?? this.#socketFault(error);
    // Bytes that are not MQTT leave the socket open.
    this.#socket?.destroy();
  }

  #socketFault(error: Error): MqttFault {
    const { broker, certificate } = this.#options;
    return socketFault(error, broker, { opening: this.#state === 'opening', nowMs: Date.now(), peer: this.#peer, own: certificate });
  }

  #ended(): void {
    if (this.#state === 'closed') return;
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    const fault = this.#reason ?? (wasOpen ? { kind: 'unreachable', message: 'the broker closed the connection' } : closedEarly(this.#options.broker));
    const largest = Math.max(0, ...[...this.#inFlight].map(({ bytes }) => bytes));
    this.#failAll({ kind: 'unreachable', message: `the connection ended before the broker answered: ${fault.message}` });
    if (wasOpen) this.#options.closed(fault, largest);
    else this.#settleOpen?.(fail(fault));
    this.#settleOpen = undefined;
  }

  #failAll(fault: MqttFault): void {
    for (const { settle } of this.#waiting.splice(0)) settle(fail(fault));
    for (const settle of [...this.#unanswered]) settle(fail(fault));
  }

  subscribe(topicFilter: string, qos: Qos): Promise<Result<void, MqttFault>> {
    return this.#call('SUBACK', (settle) => {
      this.#client.subscribe(topicFilter, { qos }, (error, granted) => {
        if (error === null || error === undefined) {
          // A lower QoS loses messages silently: for us it is a refusal.
          const lower = granted?.find((each) => each.qos < qos);
          settle(lower === undefined ? ok() : fail(refusal(`${topicFilter}: the broker grants QoS ${lower.qos} only`, lower.qos)));
          return;
        }
        const code = 'code' in error && typeof error.code === 'number' ? error.code : suback(error);
        settle(fail(refusal(`${topicFilter}: the broker refuses the subscription`, code)));
      });
    });
  }

  publish(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    if (this.#state !== 'open') return Promise.resolve(fail({ kind: 'not-connected', message: 'the connection is closed' }));
    const refused = this.#beyondLimits(packet);
    if (refused !== undefined) return Promise.resolve(fail(refused));
    if (packet.qos === 1 && this.#windowFull()) return this.#wait(packet);
    return this.#send(packet);
  }

  /** What the broker would end the connection for. */
  #beyondLimits(packet: MqttPacket): MqttFault | undefined {
    const { packetBytesMax } = this.session;
    const bytes = publishBytes(packet);
    if (bytes > packetBytesMax) return refusal(`a packet of ${bytes} bytes is larger than the broker takes (${packetBytesMax})`, 0x95);
    if (packet.qos > this.#broker.qosMax) return refusal('the broker takes QoS 0 only', 0x9b);
    if (packet.retain && !this.#broker.retains) return refusal('the broker keeps no retained packets', 0x9a);
    return undefined;
  }

  #wait(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    if (this.#waiting.length >= waitingMax) {
      return Promise.resolve(fail(refusal(`more than ${waitingMax} packets wait for the broker`, 0x97)));
    }
    return new Promise((resolve) => {
      this.#waiting.push({ packet, settle: resolve });
    });
  }

  async #send(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    const { topic, qos, retain, payload } = packet;
    const properties = this.#options.protocol === 'MQTT 5' ? publishProperties(packet.properties) : undefined;
    const flight = { bytes: publishBytes(packet) };
    if (qos === 1) this.#inFlight.add(flight);
    const result = await this.#call(qos === 1 ? 'PUBACK' : 'write', (settle) => {
      this.#client.publish(topic, bufferOf(payload), { qos, retain, ...(properties === undefined ? {} : { properties }) }, (error) => {
        this.#landed(flight, { acknowledged: !error });
        settle(error ? fail(publishFault(error)) : ok());
      });
    });
    if (!result.ok && result.fault.kind === 'timeout' && this.#windowFull()) this.#giveUp(result.fault);
    return result;
  }

  /** Only the broker's answer makes room for another packet: our patience is no concern of its window. */
  #landed(flight: Flight, { acknowledged }: { readonly acknowledged: boolean }): void {
    if (!this.#inFlight.delete(flight)) return;
    if (acknowledged) this.#options.acknowledged(flight.bytes);
    const next = this.#state === 'open' ? this.#waiting.shift() : undefined;
    if (next !== undefined) void this.#send(next.packet).then(next.settle);
  }

  #windowFull(): boolean {
    return this.#inFlight.size >= Math.min(inFlightMax, this.session.receiveMaximum);
  }

  /** A broker that answers pings and no packet: a new connection is the only way to send anything again (MQTT 5.0, 4.4). */
  #giveUp(fault: MqttFault): void {
    this.#reason ??= fault;
    this.#socket?.destroy();
  }

  /** Runs one exchange with the broker: settled by its answer, by the deadline or by the end of the connection, once. */
  #call(answer: string, start: (settle: Settle) => void): Promise<Result<void, MqttFault>> {
    if (this.#state !== 'open') return Promise.resolve(fail({ kind: 'not-connected', message: 'the connection is closed' }));
    return new Promise((resolve) => {
      const afterMs = this.#options.answerTimeoutMs;
      const timer = setTimeout(() => settle(fail({ kind: 'timeout', message: `no ${answer} from the broker in ${afterMs / 1000} s`, afterMs })), afterMs);
      const settle: Settle = (result) => {
        if (!this.#unanswered.delete(settle)) return;
        clearTimeout(timer);
        resolve(result);
      };
      this.#unanswered.add(settle);
      start(settle);
    });
  }

  /** Sends DISCONNECT where possible; resolves when the socket is gone. `closed` is not called. */
  close(): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    this.#state = 'closed';
    this.#failAll({ kind: 'not-connected', message: 'disconnected' });
    // The library would wait for answers that nobody waits for any more.
    this.#client.outgoing = {};
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket?.destroy(), closeTimeoutMs);
      const gone = (): void => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#socket === undefined || this.#socket.closed) gone();
      else this.#socket.once('close', gone);
      this.#client.end();
    });
  }
}
