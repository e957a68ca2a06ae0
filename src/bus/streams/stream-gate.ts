// The MQTT port with streams beside everything else: their packets leave and come here, all others pass. It knows when control messages
// wait, so that streams can let them go first, and whether there is a link. Before the first stream it costs one comparison a packet.
import type { MqttFault } from '../../ports/faults.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { MqttHandlers, MqttOpening, MqttPacket, MqttPort, MqttSession, Qos } from '../../ports/mqtt-port.ts';
import type { Result } from '../../ports/result.ts';

export interface StreamGateListener {
  /** @returns whether the packet is a stream's and goes no further */
  received(packet: MqttPacket): boolean;
  connected(session: MqttSession): void;
  disconnected(): void;
  /** No control message waits any more. */
  controlWritten(): void;
}

/** Control messages that wait for the broker hold streams up for so long at most: a broker that does not answer must not end them. */
export const controlHoldMsMax = 1_000;

export class StreamGate implements MqttPort {
  readonly #port: MqttPort;
  readonly #clock: ClockPort;
  #listener: StreamGateListener | undefined;
  #session: MqttSession | undefined;
  #waiting = 0;
  #waitsSinceMs = 0;

  constructor(port: MqttPort, clock: ClockPort) {
    this.#port = port;
    this.#clock = clock;
  }

  /** One part listens; where there is a link already, it is told at once. */
  listen(listener: StreamGateListener): void {
    this.#listener = listener;
    if (this.#session !== undefined) listener.connected(this.#session);
  }

  controlWaits(): boolean {
    return this.#waiting > 0 && this.#clock.monotonicMs() - this.#waitsSinceMs < controlHoldMsMax;
  }

  /** For streams: behind everything else. */
  send(topic: string, payload: Uint8Array): Promise<Result<void, MqttFault>> {
    return this.#port.publish({ topic, payload, qos: 0, retain: false });
  }

  async connect(handlers: MqttHandlers, opening?: MqttOpening): Promise<Result<MqttSession, MqttFault>> {
    const connected = await this.#port.connect({
      message: (packet) => {
        if (this.#listener?.received(packet) !== true) handlers.message(packet);
      },
      closed: (fault) => {
        this.#lost();
        handlers.closed(fault);
      },
    }, opening);
    if (connected.ok) {
      this.#session = connected.value;
      this.#listener?.connected(connected.value);
    }
    return connected;
  }

  subscribe(topicFilter: string, qos: Qos): Promise<Result<void, MqttFault>> {
    return this.#port.subscribe(topicFilter, qos);
  }

  publish(packet: MqttPacket): Promise<Result<void, MqttFault>> {
    const published = this.#port.publish(packet);
    // Nobody waits for them yet: nothing need be counted, and the promise is the port's own.
    if (this.#listener === undefined) return published;
    if (this.#waiting === 0) this.#waitsSinceMs = this.#clock.monotonicMs();
    this.#waiting += 1;
    void published.then(() => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#listener?.controlWritten();
    });
    return published;
  }

  disconnect(): Promise<void> {
    this.#lost();
    return this.#port.disconnect();
  }

  #lost(): void {
    if (this.#session === undefined) return;
    this.#session = undefined;
    this.#listener?.disconnected();
  }
}
