// The codec port: how one published protocol says what the node wants said. Everything beyond this file deals in
// typed messages; nobody else sees YAML, gzip or a topic name.
import type { ApiAnswer, ApiWrite } from '../api-write.ts';
import type { InputFault } from '../../ports/faults.ts';
import type { MqttOpening, MqttProperties, MqttProtocol } from '../../ports/mqtt-port.ts';
import type { Node } from '../../ports/pod-types.ts';
import type { Result } from '../../ports/result.ts';
import type { JsonObject } from './json-value.ts';

/** What a node needs to connect; asked for before every attempt. The password is a secret: never log this record. */
export interface DialectConnection extends MqttOpening {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Topic filters to subscribe to, QoS 1, after every CONNACK. */
  readonly subscriptions: readonly string[];
  /** In order of preference. */
  readonly protocols: readonly MqttProtocol[];
}

/** One message up, ready for PUBLISH with QoS 1 and without retain. */
export interface UpPacket {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Sent only where the link speaks MQTT 5. */
  readonly properties?: MqttProperties;
  /** What the answer will carry. */
  readonly identity: string;
  /** When false, nothing will ever answer; the PUBACK is all there is. */
  readonly needAck: boolean;
}

/** One message down, its envelope checked; the bodies of pods are not (see decode-pod.ts). */
export type DownMessage =
  /** Answers a write or a start by its identity. */
  | { readonly kind: 'ack'; readonly identity: string; readonly answer: ApiAnswer }
  | { readonly kind: 'pod'; readonly pod: JsonObject; readonly secrets: readonly JsonObject[]; readonly configMaps: readonly JsonObject[] }
  | { readonly kind: 'node'; readonly node: Node };

/** The whole truth of the cloud about this node, as the answer to a start. */
export interface StartAnswer {
  /** Unchecked entries in the order of the answer, null ones and wrong types included: the reader reports each. */
  readonly pods: readonly unknown[];
  readonly secrets: readonly JsonObject[];
  readonly configMaps: readonly JsonObject[];
  readonly node: Node | undefined;
}

export interface Dialect {
  readonly name: 'lite' | 'mqlet' | 'kole';
  connection(): DialectConnection;
  /** Whether the protocol has words for writes of this kind. Those it has none for are refused before they are encoded. */
  carries(kind: ApiWrite['kind']): boolean;
  /** The identity of the packet is the id of the write: one identity per intent, however often it is sent. */
  encode(write: ApiWrite): UpPacket;
  /** Asks for the complete list of pods. */
  encodeStart(identity: string): UpPacket;
  /**
   * Never throws, whatever the bytes; a fault has severity `error` and names the topic as its origin.
   * @param properties as they came over MQTT 5, unchecked; absent over 3.1.1
   */
  decodeDown(topic: string, payload: Uint8Array, properties?: MqttProperties): Result<DownMessage, InputFault>;
  /** Reads the object of an accepted answer to a start. */
  decodeStartAnswer(topic: string, object: JsonObject): Result<StartAnswer, InputFault>;
}
