// An MQTT broker in this process, on the clock and randomness it is given: the twin of a real one, with faults on demand.
// Clean sessions only, QoS 0 and 1, retained packets, wills, take-over of a client id. It never reads the real time.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { MqttFault } from '../../ports/faults.ts';
import type { MqttHandlers, MqttPacket, MqttPort, MqttSession, Qos } from '../../ports/mqtt-port.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

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
}

export interface SimClientOptions {
  readonly clientId: string;
  readonly will?: MqttPacket;
}

const session: MqttSession = { protocol: 'MQTT 5', sessionPresent: false, receiveMaximum: 65_535, packetBytesMax: Number.POSITIVE_INFINITY };
const answerTimeoutMsDefault = 10_000;

export class SimBroker {
  faults: SimBrokerFaults = noBrokerFaults;
  /** Topic filters that are refused with 0x87 (not authorized). */
  readonly refusedFilters = new Set<string>();
  readonly #options: SimBrokerOptions;
  readonly #connections = new Map<string, SimConnection>();
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

  /** Breaks one connection as a lost network does; its will is published. */
  cut(clientId: string): void {
    this.#end(clientId, { kind: 'unreachable', message: 'the broker closed the connection' });
  }

  /** Breaks all connections and refuses new ones until `comeUp`. Retained packets stay. */
  goDown(): void {
    this.#down = true;
    for (const clientId of [...this.#connections.keys()]) this.cut(clientId);
  }

  comeUp(): void {
    this.#down = false;
  }

  /** For the ports of this file: one CONNECT. */
  async open(options: SimClientOptions, handlers: MqttHandlers): Promise<Result<SimConnection, MqttFault>> {
    await this.pause();
    if (this.#down) return fail({ kind: 'unreachable', message: 'connection to the broker: connect ECONNREFUSED' });
    if (this.draws('refuseConnect')) return fail({ kind: 'refused', message: 'the broker refuses: Server unavailable (0x88)', reasonCode: 0x88 });
    this.#end(options.clientId, { kind: 'refused', message: 'the broker ended the connection with reason code 0x8e', reasonCode: 0x8e });
    const connection: SimConnection = { options, handlers, filters: new Map(), up: { lastDueMs: 0 }, down: { lastDueMs: 0 }, open: true };
    this.#connections.set(options.clientId, connection);
    return ok(connection);
  }

  /** For the ports of this file: DISCONNECT, without a will. */
  close(connection: SimConnection): void {
    connection.open = false;
    if (this.#connections.get(connection.options.clientId) === connection) this.#connections.delete(connection.options.clientId);
  }

  /** For the ports of this file: one SUBSCRIBE at the broker. */
  accept(connection: SimConnection, filter: string, qos: Qos): Result<void, MqttFault> {
    if (this.refusedFilters.has(filter)) return fail({ kind: 'refused', message: `${filter}: the broker refuses the subscription (0x87)`, reasonCode: 0x87 });
    connection.filters.set(filter, qos);
    for (const packet of this.#retained.values()) {
      if (topicMatches(filter, packet.topic)) this.#deliver(connection, { ...packet, qos: lower(packet.qos, qos), retain: true });
    }
    return ok();
  }

  /** For the ports of this file and for wills: one PUBLISH at the broker. */
  route(packet: MqttPacket): void {
    if (packet.retain && packet.payload.length === 0) this.#retained.delete(packet.topic);
    else if (packet.retain) this.#retained.set(packet.topic, packet);
    for (const connection of [...this.#connections.values()]) {
      const granted = [...connection.filters].filter(([filter]) => topicMatches(filter, packet.topic)).map(([, qos]) => qos);
      const qos = granted.reduce<Qos | undefined>((best, each) => (best === 1 ? 1 : each), undefined);
      if (qos !== undefined) this.#deliver(connection, { ...packet, qos: lower(packet.qos, qos), retain: false });
    }
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
    this.#options.clock.setTimeout(() => {
      if (connection.open) connection.handlers.message(packet);
    }, this.#delayMs(connection.down));
  }

  #end(clientId: string, fault: MqttFault): void {
    const connection = this.#connections.get(clientId);
    if (connection === undefined) return;
    this.close(connection);
    connection.broken?.(fault);
    connection.handlers.closed(fault);
    if (connection.options.will !== undefined) this.route(connection.options.will);
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
  readonly filters: Map<string, Qos>;
  readonly up: Way;
  readonly down: Way;
  open: boolean;
  /** Ends the calls that wait for an answer. */
  broken?: (fault: MqttFault) => void;
}

class SimMqttPort implements MqttPort {
  readonly #broker: SimBroker;
  readonly #options: SimClientOptions;
  #connection: SimConnection | undefined;
  #connecting: Promise<Result<MqttSession, MqttFault>> | undefined;
  #generation = 0;
  readonly #unanswered = new Set<(fault: MqttFault) => void>();

  constructor(broker: SimBroker, options: SimClientOptions) {
    this.#broker = broker;
    this.#options = options;
  }

  connect(handlers: MqttHandlers): Promise<Result<MqttSession, MqttFault>> {
    if (this.#connection?.open === true) return Promise.resolve(ok(session));
    this.#connecting ??= this.#connect(handlers).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(handlers: MqttHandlers): Promise<Result<MqttSession, MqttFault>> {
    const generation = this.#generation;
    const opened = await this.#broker.open(this.#options, handlers);
    if (!opened.ok) return opened;
    if (generation !== this.#generation) {
      this.#broker.close(opened.value);
      return fail({ kind: 'not-connected', message: 'disconnected while connecting' });
    }
    this.#connection = opened.value;
    opened.value.broken = (fault) => this.#failAll({ kind: 'unreachable', message: `the connection ended before the broker answered: ${fault.message}` });
    return ok(session);
  }

  subscribe(topicFilter: string, qos: Qos): Promise<Result<void, MqttFault>> {
    return this.#call(async (connection) => {
      await this.#broker.pause(connection.up);
      const accepted: Result<void, MqttFault> = connection.open ? this.#broker.accept(connection, topicFilter, qos) : ok();
      await this.#broker.pause(connection.down);
      return accepted;
    });
  }

  publish(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    return this.#call(async (connection) => {
      if (packet.qos === 1 && this.#broker.draws('loseUp')) return fail(await this.#broker.answerTimeout());
      await this.#broker.pause(connection.up);
      if (connection.open) this.#broker.route(packet);
      if (packet.qos === 0) return ok();
      if (this.#broker.draws('loseAnswer')) return fail(await this.#broker.answerTimeout());
      await this.#broker.pause(connection.down);
      return ok();
    });
  }

  disconnect(): Promise<void> {
    this.#generation += 1;
    if (this.#connection !== undefined) this.#broker.close(this.#connection);
    this.#connection = undefined;
    this.#failAll({ kind: 'not-connected', message: 'disconnected' });
    return Promise.resolve();
  }

  #failAll(fault: MqttFault): void {
    for (const settle of [...this.#unanswered]) settle(fault);
  }

  /** Settled by the broker's answer or by the end of the connection, whichever is first. */
  #call(exchange: (connection: SimConnection) => Promise<Result<void, MqttFault>>): Promise<Result<void, MqttFault>> {
    const connection = this.#connection;
    if (connection?.open !== true) return Promise.resolve(fail({ kind: 'not-connected', message: 'there is no connection to the broker' }));
    return new Promise((resolve) => {
      const broken = (fault: MqttFault): void => {
        this.#unanswered.delete(broken);
        resolve(fail(fault));
      };
      this.#unanswered.add(broken);
      void exchange(connection).then((result) => {
        this.#unanswered.delete(broken);
        resolve(result);
      });
    });
  }
}

function lower(a: Qos, b: Qos): Qos {
  return a === 0 || b === 0 ? 0 : 1;
}

/** MQTT 5.0, 4.7: `+` stands for one level, a last `#` for any number; neither matches a first level that begins with `$`. */
export function topicMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && !filter.startsWith('$')) return false;
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false;
  }
  return wanted.length === levels.length;
}
