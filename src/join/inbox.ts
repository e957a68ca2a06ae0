// Packets of one connection for one who waits for the next of them; and a wait that ends. No memory beyond what nobody has taken yet.
import type { ClockPort } from '../ports/clock-port.ts';
import type { MqttFault } from '../ports/faults.ts';
import type { MqttHandlers, MqttPacket } from '../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';

/** Untaken packets; older ones are dropped. */
const waitingMax = 16;

export class Inbox implements MqttHandlers {
  readonly #clock: ClockPort;
  readonly #waiting: MqttPacket[] = [];
  #wake: () => void = () => undefined;
  #closed: MqttFault | undefined;

  constructor(clock: ClockPort) {
    this.#clock = clock;
  }

  message(packet: MqttPacket): void {
    this.#waiting.push(packet);
    if (this.#waiting.length > waitingMax) this.#waiting.shift();
    this.#wake();
  }

  closed(fault: MqttFault): void {
    this.#closed = fault;
    this.#wake();
  }

  /** @returns undefined when the time is over */
  async next(timeoutMs: number): Promise<Result<MqttPacket | undefined, MqttFault>> {
    let over = false;
    const timer = this.#clock.setTimeout(() => {
      over = true;
      this.#wake();
    }, timeoutMs);
    while (!over && this.#waiting.length === 0 && this.#closed === undefined) {
      await new Promise<void>((resolve) => { this.#wake = resolve; });
    }
    this.#clock.clearTimeout(timer);
    const packet = this.#waiting.shift();
    return packet === undefined && this.#closed !== undefined ? fail(this.#closed) : ok(packet);
  }
}
