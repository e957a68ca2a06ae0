// A connection whose bytes are counted, and which can be broken from outside. It changes no packet.
import type { MqttFault } from '../ports/faults.ts';
import type { MqttHandlers, MqttOpening, MqttPacket, MqttPort, MqttSession, Qos } from '../ports/mqtt-port.ts';
import type { Result } from '../ports/result.ts';

/** Of topics and payloads, both ways; without headers of the protocol. */
export interface Traffic {
  upBytes: number;
  downBytes: number;
  upPackets: number;
  downPackets: number;
}

export class CountedMqtt implements MqttPort {
  readonly #port: MqttPort;
  readonly #traffic: Traffic;
  #handlers: MqttHandlers | undefined;

  constructor(port: MqttPort, traffic: Traffic) {
    this.#port = port;
    this.#traffic = traffic;
  }

  async connect(handlers: MqttHandlers, opening?: MqttOpening): Promise<Result<MqttSession, MqttFault>> {
    this.#handlers = handlers;
    return this.#port.connect({
      message: (packet) => {
        this.#traffic.downBytes += packet.payload.length + packet.topic.length;
        this.#traffic.downPackets += 1;
        handlers.message(packet);
      },
      closed: (fault) => {
        this.#handlers = undefined;
        handlers.closed(fault);
      },
    }, opening);
  }

  subscribe(topicFilter: string, qos: Qos): Promise<Result<void, MqttFault>> {
    return this.#port.subscribe(topicFilter, qos);
  }

  publish(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    this.#traffic.upBytes += packet.payload.length + packet.topic.length;
    this.#traffic.upPackets += 1;
    return this.#port.publish(packet);
  }

  disconnect(): Promise<void> {
    this.#handlers = undefined;
    return this.#port.disconnect();
  }

  /** As if the network had ended it. */
  cut(): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    this.#handlers = undefined;
    void this.#port.disconnect().then(() => handlers.closed({ kind: 'unreachable', message: 'cut by the simulation' }));
  }
}
