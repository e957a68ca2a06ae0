// One MQTT connection as our link actor and egress need it. No retries inside: the link actor decides when.
import type { MqttFault } from './faults.ts';
import type { Result } from './result.ts';

export type Qos = 0 | 1;
export type MqttProtocol = 'MQTT 3.1.1' | 'MQTT 5';

/** What MQTT 5 says beside a packet. MQTT 3.1.1 has no room for it: there it is left out, in both directions. */
export interface MqttProperties {
  /** Where the receiver answers to. */
  readonly responseTopic?: string;
  /** Comes back with the answer, byte for byte. */
  readonly correlationData?: Uint8Array;
  /** The broker drops a packet that waited longer; what is left of it arrives with the packet. Whole seconds. */
  readonly messageExpirySeconds?: number;
  readonly contentType?: string;
  /** In order; a name may come more than once. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
}

/** An MQTT PUBLISH in either direction. */
export interface MqttPacket {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  /** Absent when there are none. */
  readonly properties?: MqttProperties;
}

/** What the broker publishes for us when the connection ends without `disconnect`. */
export interface MqttWill extends MqttPacket {
  /** It waits so long, at most until the session ends, and is dropped if we are back before. MQTT 5 only; 0 when absent. */
  readonly delaySeconds?: number;
}

/** What a connection starts with, chosen anew for each `connect`. */
export interface MqttOpening {
  readonly will?: MqttWill;
  /** False: go on with the session the broker kept. True when absent. */
  readonly cleanStart?: boolean;
  /**
   * The broker keeps subscriptions and undelivered packets so long after the end; 0 when absent. MQTT 3.1.1 knows no time: there a
   * session is kept, for ever, only if `cleanStart` is false and this is above 0.
   */
  readonly sessionExpirySeconds?: number;
}

/** What the broker granted with CONNACK. */
export interface MqttSession {
  readonly protocol: MqttProtocol;
  /** The broker had kept our session: packets may arrive before any subscribe. */
  readonly sessionPresent: boolean;
  /** Packets with QoS 1 that may be unacknowledged at once. */
  readonly receiveMaximum: number;
  /** Largest packet the broker takes, in bytes, all headers included; Infinity when it names none. */
  readonly packetBytesMax: number;
}

export interface MqttHandlers {
  /** Called in order of arrival, also before `connect` has resolved; the PUBACK is sent when it returns. */
  message(packet: MqttPacket): void;
  /** Called once per connection that had been established and ended without `disconnect`. */
  closed(fault: MqttFault): void;
}

export interface MqttPort {
  /** One attempt, bounded in time by the adapter. While connected, resolves to the session again. */
  connect(handlers: MqttHandlers, opening?: MqttOpening): Promise<Result<MqttSession, MqttFault>>;
  /** A refusal by the broker (0x80 and above) is a `refused` fault, never success. */
  subscribe(topicFilter: string, qos: Qos): Promise<Result<void, MqttFault>>;
  /** Resolves with QoS 1 at PUBACK, with QoS 0 when written. More than the broker's limits allow is refused, never sent. */
  publish(packet: MqttPacket): Promise<Result<void, MqttFault>>;
  /** Sends DISCONNECT where possible, so that no will is published; idempotent; `closed` is not called. */
  disconnect(): Promise<void>;
}
