// What the simulated broker keeps of one client id beyond a connection: filters, undelivered packets, a will that waits.
// It delivers nothing: the broker does.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { MqttOpening, MqttPacket, MqttProtocol, Qos } from '../../ports/mqtt-port.ts';

/** As mosquitto's max_queued_messages; beyond, the newest is dropped. */
const queuedMax = 1_000;

interface Queued {
  readonly packet: MqttPacket;
  /** Monotonic; Infinity where the packet names no expiry. */
  readonly expiresAtMs: number;
}

export class SimSession {
  readonly filters = new Map<string, Qos>();
  readonly #clock: ClockPort;
  #queue: Queued[] = [];
  #will: { readonly timer: unknown; publish(): void } | undefined;
  #expiry: unknown;

  constructor(clock: ClockPort) {
    this.#clock = clock;
  }

  /** For a client that is away. QoS 0 is not kept. */
  keep(packet: MqttPacket): void {
    if (packet.qos === 0 || this.#queue.length >= queuedMax) return;
    const expiryMs = packet.properties?.messageExpirySeconds;
    this.#queue.push({ packet, expiresAtMs: expiryMs === undefined ? Number.POSITIVE_INFINITY : this.#clock.monotonicMs() + expiryMs * 1000 });
  }

  /** What was kept and has not expired, with the time that is left of it. */
  takeKept(): readonly MqttPacket[] {
    const nowMs = this.#clock.monotonicMs();
    const live = this.#queue.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
    this.#queue = [];
    return live.map(({ packet, expiresAtMs }) =>
      Number.isFinite(expiresAtMs) ? { ...packet, properties: { ...packet.properties, messageExpirySeconds: Math.ceil((expiresAtMs - nowMs) / 1000) } } : packet,
    );
  }

  /** Runs `action` so long after the end of the connection, unless `resume` or `end` comes first. */
  later(delayMs: number, action: () => void): void {
    this.#expiry = this.#clock.setTimeout(action, delayMs);
  }

  /** The will of a connection that ended: published after `delayMs` or at the end of the session, whichever is first. */
  leaveWill(delayMs: number, publish: () => void): void {
    const once = (): void => {
      this.#will = undefined;
      publish();
    };
    this.#will = { timer: this.#clock.setTimeout(once, delayMs), publish: once };
  }

  /** The client is back: its will is dropped. */
  resume(): void {
    if (this.#will !== undefined) this.#clock.clearTimeout(this.#will.timer);
    this.#will = undefined;
    this.#clock.clearTimeout(this.#expiry);
  }

  end(): void {
    const will = this.#will;
    this.resume();
    will?.publish();
  }
}

/** How long a session outlives its connection, in milliseconds. */
export function sessionExpiryMs(opening: MqttOpening, protocol: MqttProtocol): number {
  const { cleanStart = true, sessionExpirySeconds = 0 } = opening;
  if (protocol === 'MQTT 5') return sessionExpirySeconds * 1000;
  return cleanStart || sessionExpirySeconds === 0 ? 0 : Number.POSITIVE_INFINITY;
}
