// An MQTT broker in this process, on the clock and randomness it is given: the twin of a real one, with faults on demand.
// QoS 0 and 1, both protocols, sessions, retained packets, wills, take-over of a client id. It never reads the real time.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { MqttFault } from '../../ports/faults.ts';
import type { MqttHandlers, MqttOpening, MqttPacket, MqttPort, MqttProtocol, MqttSession, Qos } from '../../ports/mqtt-port.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { SimMqttPort, withoutProperties } from './sim-mqtt-port.ts';
import { SimSession, sessionExpiryMs } from './sim-session.ts';
import { topicMatches } from './topic-filter.ts';

/** What goes wrong, each as a chance from 0 to 1 drawn per packet, and how long things take. */
export interface SimBrokerFaults {
  /** A publish never reaches the broker; its caller waits for the PUBACK in vain. */
  readonly loseUp: number;
  /** A publish is delivered, its PUBACK is not. */
  readonly loseAnswer: number;
  /** A delivery is lost on the way to one subscriber. */
  readonly loseDown: number;
  /** A delivery comes twice. */
  readonly duplicate: number;
  /** The connection breaks instead of a delivery. */
  readonly cut: number;
  /** CONNECT is refused (0x88, server unavailable). */
  readonly refuseConnect: number;
  /** One way, in milliseconds. */
  readonly latencyMs: readonly [min: number, max: number];
  /** Deliveries overtake each other where their latencies differ; otherwise their order is kept. */
  readonly reorder: boolean;
}

export const noBrokerFaults: SimBrokerFaults = {
  loseUp: 0, loseAnswer: 0, loseDown: 0, duplicate: 0, cut: 0, refuseConnect: 0, latencyMs: [0.2, 0.4], reorder: false,
};

export interface SimBrokerOptions {
  readonly clock: ClockPort;
  readonly random: RandomPort;
  /** How long a client waits for SUBACK and PUBACK. */
  readonly answerTimeoutMs?: number;
  /** What the broker speaks; both when absent. */
  readonly protocols?: readonly MqttProtocol[];
  /** Larger packets are refused; told to clients of MQTT 5 only. */
  readonly packetBytesMax?: number;
}

export interface SimClientOptions {
  readonly clientId: string;
  /** In order of preference; MQTT 5 when absent. */
  readonly protocols?: readonly MqttProtocol[];
  readonly keepAliveMs?: number;
}

const answerTimeoutMsDefault = 10_000;
const keepAliveMsDefault = 30_000;
const receiveMaximum = 65_535;
/** After how many keepalives either side gives up the other (MQTT 5.0, 3.1.2.10). */
const keepAlivesMax = 1.5;

export class SimBroker {
  faults: SimBrokerFaults = noBrokerFaults;
  /** Topic filters that are refused with 0x87 (not authorized). */
  readonly refusedFilters = new Set<string>();
  readonly #options: SimBrokerOptions;
  readonly #connections = new Map<string, SimConnection>();
  /** By client id: of those who are connected, and of those who may come back. */
  readonly #sessions = new Map<string, SimSession>();
  readonly #retained = new Map<string, MqttPacket>();
  #down = false;

  constructor(options: SimBrokerOptions) {
    this.#options = options;
  }

  /** A client of this broker; each call is another client. */
  port(options: SimClientOptions): MqttPort {
    return new SimMqttPort(this, options);
  }

  connected(clientId: string): boolean {
    return this.#connections.has(clientId);
  }

  /** Breaks one connection as a lost network does when both ends notice; its will is published. */
  cut(clientId: string): void {
    this.#end(clientId, { kind: 'unreachable', message: 'the broker closed the connection' });
  }

  /** The network swallows everything from now on, both ways, and nobody is told: each end finds out by its keepalive. */
  silence(clientId: string): void {
    const connection = this.#connections.get(clientId);
    if (connection === undefined || connection.silent) return;
    connection.silent = true;
    const { clock } = this.#options;
    const patienceMs = (connection.options.keepAliveMs ?? keepAliveMsDefault) * keepAlivesMax;
    clock.setTimeout(() => {
      if (this.#connections.get(clientId) === connection) this.#end(clientId, { kind: 'unreachable', message: 'no ping in time' });
    }, patienceMs);
    clock.setTimeout(() => this.#tellClient(connection, { kind: 'unreachable', message: 'the broker no longer answers pings' }), patienceMs);
  }

  /** Breaks all connections and refuses new ones until `comeUp`. Retained packets stay. */
  goDown(): void {
    this.#down = true;
    for (const clientId of [...this.#connections.keys()]) this.cut(clientId);
  }

  comeUp(): void {
    this.#down = false;
  }

  /** For SimMqttPort: one CONNECT. */
  async open(options: SimClientOptions, handlers: MqttHandlers, opening: MqttOpening): Promise<Result<SimConnection, MqttFault>> {
    await this.pause();
    if (this.#down) return fail({ kind: 'unreachable', message: 'connection to the broker: connect ECONNREFUSED' });
    if (this.draws('refuseConnect')) return fail({ kind: 'refused', message: 'the broker refuses: Server unavailable (0x88)', reasonCode: 0x88 });
    const protocol = (options.protocols ?? ['MQTT 5']).find((each) => this.#options.protocols?.includes(each) ?? true);
    if (protocol === undefined) return fail({ kind: 'refused', message: 'the broker refuses: Unsupported Protocol Version (0x84)', reasonCode: 0x84 });
    const { clientId } = options;
    this.#end(clientId, { kind: 'refused', message: 'the broker ended the connection with reason code 0x8e', reasonCode: 0x8e });
    const kept = this.#sessions.get(clientId);
    const resumed = opening.cleanStart === false && kept !== undefined;
    const memory = resumed ? kept : new SimSession(this.#options.clock);
    if (resumed) memory.resume();
    else this.#forget(clientId);
    this.#sessions.set(clientId, memory);
    const packetBytesMax = protocol === 'MQTT 5' ? (this.#options.packetBytesMax ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    const connection: SimConnection = {
      options, handlers, opening, memory,
      session: { protocol, sessionPresent: resumed, receiveMaximum, packetBytesMax },
      up: { lastDueMs: 0 }, down: { lastDueMs: 0 }, open: true, usable: true, silent: false,
    };
    this.#connections.set(clientId, connection);
    for (const packet of memory.takeKept()) this.#deliver(connection, packet);
    return ok(connection);
  }

  /** For SimMqttPort: DISCONNECT, without a will. Who is silenced cannot even say goodbye. */
  close(connection: SimConnection): void {
    connection.usable = false;
    if (!connection.silent) this.#leave(connection);
  }

  #leave(connection: SimConnection): void {
    const { options: { clientId }, opening, session, memory } = connection;
    connection.open = false;
    if (this.#connections.get(clientId) !== connection) return;
    this.#connections.delete(clientId);
    const expiryMs = sessionExpiryMs(opening, session.protocol);
    if (expiryMs === 0) this.#forget(clientId);
    else if (Number.isFinite(expiryMs)) memory.later(expiryMs, () => this.#forget(clientId));
  }

  #forget(clientId: string): void {
    this.#sessions.get(clientId)?.end();
    this.#sessions.delete(clientId);
  }

  /** For SimMqttPort: one SUBSCRIBE at the broker. */
  accept({ memory, options: { clientId } }: SimConnection, filter: string, qos: Qos): Result<void, MqttFault> {
    if (this.refusedFilters.has(filter)) return fail({ kind: 'refused', message: `${filter}: the broker refuses the subscription (0x87)`, reasonCode: 0x87 });
    memory.filters.set(filter, qos);
    for (const packet of this.#retained.values()) {
      if (topicMatches(filter, packet.topic)) this.#give(clientId, memory, { ...packet, qos: lower(packet.qos, qos), retain: true });
    }
    return ok();
  }

  /** For SimMqttPort: why a packet is not taken. */
  refusal(packet: MqttPacket): MqttFault | undefined {
    const { packetBytesMax = Number.POSITIVE_INFINITY } = this.#options;
    const bytes = packet.payload.byteLength + packet.topic.length;
    if (bytes <= packetBytesMax) return undefined;
    return { kind: 'refused', message: `a packet of ${bytes} bytes is larger than the broker takes (${packetBytesMax}) (0x95)`, reasonCode: 0x95 };
  }

  /** For SimMqttPort and for wills: one PUBLISH at the broker. */
  route(packet: MqttPacket): void {
    if (packet.retain && packet.payload.length === 0) this.#retained.delete(packet.topic);
    else if (packet.retain) this.#retained.set(packet.topic, packet);
    for (const [clientId, memory] of [...this.#sessions]) {
      const granted = [...memory.filters].filter(([filter]) => topicMatches(filter, packet.topic)).map(([, qos]) => qos);
      const qos = granted.reduce<Qos | undefined>((best, each) => (best === 1 ? 1 : each), undefined);
      if (qos !== undefined) this.#give(clientId, memory, { ...packet, qos: lower(packet.qos, qos), retain: false });
    }
  }

  /** To the client if it is there, else into its session. */
  #give(clientId: string, memory: SimSession, packet: MqttPacket): void {
    const connection = this.#connections.get(clientId);
    if (connection?.memory === memory) this.#deliver(connection, packet);
    else if (this.#sessions.get(clientId) === memory) memory.keep(packet);
  }

  draws(fault: 'loseUp' | 'loseAnswer' | 'loseDown' | 'duplicate' | 'cut' | 'refuseConnect'): boolean {
    const chance = this.faults[fault];
    return chance > 0 && this.#options.random.fraction() < chance;
  }

  /** One way through the network; packets of one way keep their order. */
  pause(way: Way = { lastDueMs: 0 }): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.setTimeout(resolve, this.#delayMs(way));
    });
  }

  #delayMs(way: Way): number {
    const nowMs = this.#options.clock.monotonicMs();
    const drawnMs = nowMs + this.#latencyMs();
    const dueMs = this.faults.reorder ? drawnMs : Math.max(drawnMs, way.lastDueMs);
    way.lastDueMs = dueMs;
    return dueMs - nowMs;
  }

  answerTimeout(): Promise<MqttFault> {
    const afterMs = this.#options.answerTimeoutMs ?? answerTimeoutMsDefault;
    return new Promise((resolve) => {
      this.#options.clock.setTimeout(() => resolve({ kind: 'timeout', message: `no answer from the broker in ${afterMs / 1000} s`, afterMs }), afterMs);
    });
  }

  #latencyMs(): number {
    const [min, max] = this.faults.latencyMs;
    return min + this.#options.random.fraction() * (max - min);
  }

  #deliver(connection: SimConnection, packet: MqttPacket): void {
    if (this.draws('loseDown')) return;
    if (this.draws('cut')) {
      this.cut(connection.options.clientId);
      return;
    }
    const copies = packet.qos === 1 && this.draws('duplicate') ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.#deliverCopy(connection, packet);
  }

  #deliverCopy(connection: SimConnection, packet: MqttPacket): void {
    const { options: { clientId }, memory, session, handlers } = connection;
    this.#options.clock.setTimeout(() => {
      if (connection.open && !connection.silent) handlers.message(session.protocol === 'MQTT 5' ? packet : withoutProperties(packet));
      else if (packet.qos === 1) this.#give(clientId, memory, packet);
    }, this.#delayMs(connection.down));
  }

  /** The broker gives a connection up. */
  #end(clientId: string, fault: MqttFault): void {
    const connection = this.#connections.get(clientId);
    if (connection === undefined) return;
    const { memory, opening: { will }, session: { protocol } } = connection;
    if (!connection.silent) connection.usable = false;
    this.#leave(connection);
    if (!connection.silent) this.#tellClient(connection, fault);
    if (will === undefined) return;
    const publish = (): void => this.route(protocol === 'MQTT 5' ? withoutDelay(will) : withoutProperties(will));
    const delayMs = protocol === 'MQTT 5' ? (will.delaySeconds ?? 0) * 1000 : 0;
    // A session that ends takes its will along at once.
    if (delayMs === 0 || this.#sessions.get(clientId) !== memory) publish();
    else memory.leaveWill(delayMs, publish);
  }

  #tellClient(connection: SimConnection, fault: MqttFault): void {
    if (connection.silent && !connection.usable) return;
    connection.usable = false;
    connection.broken?.(fault);
    connection.handlers.closed(fault);
  }
}

/** One direction of a connection. */
interface Way {
  /** When the latest packet is due: later ones keep behind it. */
  lastDueMs: number;
}

/** The broker's record of one connection. */
export interface SimConnection {
  readonly options: SimClientOptions;
  readonly handlers: MqttHandlers;
  readonly opening: MqttOpening;
  readonly session: MqttSession;
  readonly memory: SimSession;
  readonly up: Way;
  readonly down: Way;
  /** As the broker sees it. */
  open: boolean;
  /** As the client sees it. */
  usable: boolean;
  /** Nothing passes any more. */
  silent: boolean;
  /** Ends the calls that wait for an answer. */
  broken?: (fault: MqttFault) => void;
}

function withoutDelay({ topic, payload, qos, retain, properties }: MqttPacket): MqttPacket {
  return { topic, payload, qos, retain, ...(properties === undefined ? {} : { properties }) };
}

function lower(a: Qos, b: Qos): Qos {
  return a === 0 || b === 0 ? 0 : 1;
}
