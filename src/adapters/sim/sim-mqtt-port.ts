// The client's side of the simulated broker: an MqttPort whose calls cross a simulated network.
import type { MqttFault } from '../../ports/faults.ts';
import type { MqttHandlers, MqttOpening, MqttPacket, MqttPort, MqttSession, Qos } from '../../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { SimBroker, SimClientOptions, SimConnection } from './sim-broker.ts';

export class SimMqttPort implements MqttPort {
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

  connect(handlers: MqttHandlers, opening: MqttOpening = {}): Promise<Result<MqttSession, MqttFault>> {
    if (this.#connection?.usable === true) return Promise.resolve(ok(this.#connection.session));
    this.#connecting ??= this.#connect(handlers, opening).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(handlers: MqttHandlers, opening: MqttOpening): Promise<Result<MqttSession, MqttFault>> {
    const generation = this.#generation;
    const opened = await this.#broker.open(this.#options, handlers, opening);
    if (!opened.ok) return opened;
    if (generation !== this.#generation) {
      this.#broker.close(opened.value);
      return fail({ kind: 'not-connected', message: 'disconnected while connecting' });
    }
    this.#connection = opened.value;
    opened.value.broken = (fault) => this.#failAll({ kind: 'unreachable', message: `the connection ended before the broker answered: ${fault.message}` });
    return ok(opened.value.session);
  }

  subscribe(topicFilter: string, qos: Qos): Promise<Result<void, MqttFault>> {
    return this.#call(async (connection) => {
      await this.#broker.pause(connection.up);
      if (connection.silent) return fail(await this.#broker.answerTimeout());
      const accepted: Result<void, MqttFault> = connection.open ? this.#broker.accept(connection, topicFilter, qos) : ok();
      await this.#broker.pause(connection.down);
      return accepted;
    });
  }

  publish(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    return this.#call(async (connection) => {
      const refused = this.#broker.refusal(packet);
      if (refused !== undefined) return fail(refused);
      if (packet.qos === 1 && this.#broker.draws('loseUp')) return fail(await this.#broker.answerTimeout());
      await this.#broker.pause(connection.up);
      if (connection.silent) return packet.qos === 0 ? ok() : fail(await this.#broker.answerTimeout());
      if (connection.open) this.#broker.route(connection.session.protocol === 'MQTT 5' ? packet : withoutProperties(packet));
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
    if (connection?.usable !== true) return Promise.resolve(fail({ kind: 'not-connected', message: 'there is no connection to the broker' }));
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

/** What a packet loses on MQTT 3.1.1. */
export function withoutProperties(packet: MqttPacket): MqttPacket {
  if (packet.properties === undefined) return packet;
  const { topic, payload, qos, retain } = packet;
  return { topic, payload, qos, retain };
}
