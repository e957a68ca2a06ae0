// MqttPort over mqtt.js: one connection at a time, no retries, no memory of packets. Every connect makes a fresh client of the
// library, so nothing of an old connection (queued packets, resubscriptions) can leak into a new one.
import { fail, ok, type Result } from '../ports/result.ts';
import type { CredentialsFault } from '../ports/credentials-port.ts';
import type { MqttFault } from '../ports/faults.ts';
import type { MqttHandlers, MqttOpening, MqttPacket, MqttPort, MqttProtocol, MqttSession } from '../ports/mqtt-port.ts';
import type { MqttMaterial } from './mqtt-credentials.ts';
import { MqttConnection } from './mqtt/mqtt-connection.ts';
import { openSocket, type MqttTls } from './mqtt/mqtt-socket.ts';
import { SizeLimit } from './mqtt/size-limit.ts';

export interface MqttClientOptions {
  readonly host: string;
  /** Undefined: 8883 with TLS, 1883 without. */
  readonly port?: number;
  /** Undefined: plain TCP. */
  readonly tls?: MqttTls;
  /** Asked before each connect: what it answers goes before `tls` and `password`. */
  readonly material?: () => Promise<Result<MqttMaterial, CredentialsFault>>;
  readonly clientId: string;
  readonly username?: string;
  /** A secret: never logged, never part of a fault. */
  readonly password?: string;
  /** In order of preference; the next one is tried when the broker does not speak the one before, and remembered for a while. */
  readonly protocols: readonly MqttProtocol[];
  /** So long after a fallback the preferred protocol is tried again, at the next connect: brokers get replaced. */
  readonly preferAgainAfterMs?: number;
  /** Whole seconds on the wire. A ping unanswered for half as long again closes the connection. */
  readonly keepAliveMs: number;
  /** TCP, TLS and CONNACK together. */
  readonly connectTimeoutMs?: number;
  /** SUBACK and PUBACK. */
  readonly answerTimeoutMs?: number;
  /** Larger packets from the broker end the connection before they are read. */
  readonly packetBytesMax?: number;
}

const connectTimeoutMsDefault = 30_000;
const answerTimeoutMsDefault = 10_000;
const preferAgainAfterMsDefault = 3_600_000;
/** The largest payload any dialect takes is 1 MiB; beyond, we do not even hold the packet. */
const packetBytesMaxDefault = 2 * 1024 * 1024;

/** Reason codes by which a broker says that it does not speak the protocol: MQTT 3.1.1, 3.2.2.3 and MQTT 5.0, 3.2.2.2. */
const unsupportedProtocolCodes: readonly number[] = [0x01, 0x84];
/** The broker keeps no retained packets: MQTT 5.0, 3.2.2.2. */
const retainUnsupported = 0x9a;
const packetTooLarge = 0x95;

export function mqttClient(options: MqttClientOptions): MqttPort {
  return new MqttClientPort(options);
}

interface Opened {
  readonly opened: Result<MqttConnection, MqttFault>;
  /** The broker ended the connection without a word. */
  readonly unanswered: boolean;
}

interface Attempt {
  readonly protocol: MqttProtocol;
  readonly handlers: MqttHandlers;
  readonly opening: MqttOpening;
  readonly material: MqttMaterial | undefined;
}

class MqttClientPort implements MqttPort {
  readonly #options: MqttClientOptions;
  readonly #sizeLimit = new SizeLimit();
  /** The first protocol not yet found to be unknown to the broker, and when that was. */
  #protocolIndex = 0;
  #fellBackAtMs = 0;
  #connection: MqttConnection | undefined;
  #connecting: Promise<Result<MqttSession, MqttFault>> | undefined;
  /** Counts `disconnect` calls: a connect that was under way during one is given up. */
  #generation = 0;

  constructor(options: MqttClientOptions) {
    this.#options = options;
  }

  connect(handlers: MqttHandlers, opening: MqttOpening = {}): Promise<Result<MqttSession, MqttFault>> {
    if (this.#connection !== undefined) return Promise.resolve(ok(this.#connection.session));
    this.#connecting ??= this.#connect(handlers, opening).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(handlers: MqttHandlers, opening: MqttOpening): Promise<Result<MqttSession, MqttFault>> {
    const generation = this.#generation;
    const material = await this.#options.material?.();
    if (material?.ok === false) return fail({ kind: 'untrusted', message: material.fault.message });
    const opened = await this.#openBest({ handlers, opening, material: material?.value });
    if (generation !== this.#generation) {
      if (opened.ok) await opened.value.close();
      return fail({ kind: 'not-connected', message: 'disconnected while connecting' });
    }
    if (!opened.ok) return opened;
    this.#connection = opened.value;
    return ok(opened.value.session);
  }

  /** By the first protocol that the broker speaks. */
  async #openBest(wanted: Omit<Attempt, 'protocol'>): Promise<Result<MqttConnection, MqttFault>> {
    const { protocols, preferAgainAfterMs = preferAgainAfterMsDefault } = this.#options;
    if (this.#protocolIndex > 0 && performance.now() - this.#fellBackAtMs >= preferAgainAfterMs) this.#protocolIndex = 0;
    /** What to say when no protocol works: the first fault, which later ones cannot explain better. */
    let first: Result<MqttConnection, MqttFault> | undefined;
    for (let index = this.#protocolIndex; index < protocols.length; index += 1) {
      const protocol = protocols[index];
      if (protocol === undefined) break;
      const { opened, unanswered } = await this.#openWithWill({ ...wanted, protocol });
      if (opened.ok) {
        if (index > this.#protocolIndex) this.#fellBackAtMs = performance.now();
        this.#protocolIndex = index;
        return opened;
      }
      first ??= opened;
      // Old brokers end the connection at a CONNECT they cannot read.
      if (!unanswered && !(opened.fault.kind === 'refused' && unsupportedProtocolCodes.includes(opened.fault.reasonCode))) return opened;
    }
    return first ?? fail({ kind: 'refused', message: 'no MQTT protocol is configured', reasonCode: 0x84 });
  }

  /** A broker without retained packets gets a will that is not retained: better a will for those who listen than no connection. */
  async #openWithWill(attempt: Attempt): Promise<Opened> {
    const { opening } = attempt;
    const first = await this.#open(attempt);
    if (first.opened.ok || first.opened.fault.kind !== 'refused' || first.opened.fault.reasonCode !== retainUnsupported || opening.will?.retain !== true) return first;
    return this.#open({ ...attempt, opening: { ...opening, will: { ...opening.will, retain: false } } });
  }

  async #open({ protocol, handlers, opening, material }: Attempt): Promise<Opened> {
    const { host, clientId, username, keepAliveMs } = this.#options;
    const tls = this.#options.tls === undefined ? undefined : { ...this.#options.tls, ...material?.tls };
    const password = material?.password ?? this.#options.password;
    const port = this.#options.port ?? (tls === undefined ? 1883 : 8883);
    const connection = new MqttConnection({
      protocol,
      broker: { host, port, secure: tls !== undefined },
      clientId,
      username,
      password,
      keepAliveMs,
      opening,
      connectTimeoutMs: this.#options.connectTimeoutMs ?? connectTimeoutMsDefault,
      answerTimeoutMs: this.#options.answerTimeoutMs ?? answerTimeoutMsDefault,
      packetBytesMax: this.#options.packetBytesMax ?? packetBytesMaxDefault,
      sendBytesMax: this.#sizeLimit.bytesMax(performance.now()),
      certificate: tls?.cert,
      openSocket: (peer) => openSocket({ host, port, tls, peer }),
      message: (packet) => handlers.message(packet),
      acknowledged: (bytes) => this.#sizeLimit.passed(bytes),
      closed: (fault, bytes) => {
        this.#connection = undefined;
        this.#sizeLimit.broke({ bytes, said: fault.kind === 'refused' && fault.reasonCode === packetTooLarge, nowMs: performance.now() });
        handlers.closed(fault);
      },
    });
    const opened = await connection.open();
    return { opened, unanswered: connection.unanswered };
  }

  subscribe(topicFilter: string, qos: 0 | 1): Promise<Result<void, MqttFault>> {
    return this.#connection?.subscribe(topicFilter, qos) ?? notConnected();
  }

  publish(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    return this.#connection?.publish(packet) ?? notConnected();
  }

  async disconnect(): Promise<void> {
    this.#generation += 1;
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }
}

function notConnected(): Promise<Result<never, MqttFault>> {
  return Promise.resolve(fail({ kind: 'not-connected', message: 'there is no connection to the broker' }));
}
