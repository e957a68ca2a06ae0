// One MQTT connection as our link actor and egress need it. No retries inside: the link actor decides when.
import type { MqttFault } from './faults.ts';
import type { Result } from './result.ts';

export type Qos = 0 | 1;

/** An MQTT PUBLISH in either direction. */
export interface MqttPacket {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** What the broker granted with CONNACK. */
export interface MqttSession {
  readonly protocol: 'MQTT 3.1.1' | 'MQTT 5';
  readonly sessionPresent: boolean;
  /** Packets with QoS 1 that may be unacknowledged at once. */
  readonly receiveMaximum: number;
  /** Largest packet the broker takes, in bytes; Infinity when it names none. */
  readonly packetBytesMax: number;
}

export interface MqttHandlers {
  /** Called in order of arrival; the PUBACK is sent when it returns. */
  message(packet: MqttPacket): void;
  /** Called once per connection that had been established and ended without `disconnect`. */
  closed(fault: MqttFault): void;
}

export interface MqttPort {
  /** One attempt, bounded in time by the adapter. While connected, resolves to the session again. */
  connect(handlers: MqttHandlers): Promise<Result<MqttSession, MqttFault>>;
  /** A refusal by the broker (0x80 and above) is a `refused` fault, never success. */
  subscribe(topicFilter: string, qos: Qos): Promise<Result<void, MqttFault>>;
  /** Resolves with QoS 1 at PUBACK, with QoS 0 when written. */
  publish(packet: MqttPacket): Promise<Result<void, MqttFault>>;
  /** Sends DISCONNECT where possible; idempotent; `closed` is not called. */
  disconnect(): Promise<void>;
}
