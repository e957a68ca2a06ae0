// The codec port: how one published protocol says what the node wants said. Everything beyond this file deals in
// typed messages; nobody else sees YAML, gzip or a topic name.
import type { ApiAnswer, ApiWrite } from '../api-write.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { InputFault } from '../../ports/faults.ts';
import type { MqttOpening, MqttPort, MqttProperties, MqttProtocol } from '../../ports/mqtt-port.ts';
import type { Node, PodUid } from '../../ports/pod-types.ts';
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

/** One message up, ready for PUBLISH with QoS 1. */
export interface UpPacket {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Sent only where the link speaks MQTT 5. */
  readonly properties?: MqttProperties;
  /** What the answer will carry. */
  readonly identity: string;
  /** When false, nothing will ever answer; the PUBACK is all there is. */
  readonly needAck: boolean;
  /** Absent: it is not. */
  readonly retain?: boolean;
}

/** One message down, its envelope checked; the bodies of pods are not (see decode-pod.ts). */
export type DownMessage =
  /** Answers a write or a start by its identity. */
  | { readonly kind: 'ack'; readonly identity: string; readonly answer: ApiAnswer }
  | { readonly kind: 'pod'; readonly pod: JsonObject; readonly secrets: readonly JsonObject[]; readonly configMaps: readonly JsonObject[] }
  | { readonly kind: 'node'; readonly node: Node }
  | ObjectsMessage
  /** The cloud side wants a start. */
  | { readonly kind: 'look' }
  /** Nothing that concerns a node of this version. */
  | { readonly kind: 'nothing' };

/** What changed among the objects a node is to know. Older than what the node has are left out already. */
export interface ObjectsMessage {
  readonly kind: 'objects';
  /** Unchecked, as in a `pod` message. */
  readonly pods: readonly JsonObject[];
  readonly changes: readonly PodDifference[];
  readonly secrets: readonly JsonObject[];
  readonly configMaps: readonly JsonObject[];
  readonly node: Node | undefined;
  readonly gone: readonly HeldPod[];
  /** Something in it does not fit what the node has: a start tells. */
  readonly doubtful: boolean;
  /** To be published when all is taken. */
  readonly received?: UpPacket;
}

/** A pod of which the node has the rest: `change` is a merge patch (RFC 7386) on it. */
export interface PodDifference {
  readonly uid: PodUid;
  readonly change: JsonObject;
}

/** A pod by its names alone; those of one that was never here are empty. */
export interface HeldPod {
  readonly uid: PodUid;
  readonly namespace: string;
  readonly name: string;
}

/** The whole truth of the cloud about this node, as the answer to a start. */
export interface StartAnswer {
  /** Unchecked entries in the order of the answer, null ones and wrong types included: the reader reports each. */
  readonly pods: readonly unknown[];
  readonly secrets: readonly JsonObject[];
  readonly configMaps: readonly JsonObject[];
  readonly node: Node | undefined;
  /** Present where the answer says only what differs. */
  readonly difference?: StartDifference;
}

export interface StartDifference {
  /** As the node has them. A pod that is neither here nor in `pods` is gone. */
  readonly unchanged: readonly HeldPod[];
  readonly changes: readonly PodDifference[];
  readonly gone: readonly HeldPod[];
  /** It is not all yet, and absence means nothing: another start is to be sent at once. */
  readonly again: boolean;
}

/** How a node says that it is there, where the dialect has words for it. */
export interface Presence {
  /** After each connect, before anything else. */
  announce(): UpPacket;
  /** Before the node disconnects of itself. */
  farewell(): UpPacket;
}

export interface Dialect {
  readonly name: 'lite' | 'mqlet';
  /** How lists of container statuses in patches are merged: replaced, as the API does it, or element by element. */
  readonly containerStatuses: 'replaced' | 'by-name';
  readonly presence?: Presence;
  /** Under which names the node's streams travel; absent where the dialect has none. */
  readonly streams?: { readonly rootTopic: string; readonly nodeName: string };
  /** How often the list of pods is asked for although nothing hints at a loss, milliseconds. Absent: the cloud repeats what was not acknowledged. */
  readonly relistMs?: number;
  /** The port as this dialect uses it: fits packets to broker and protocol. Absent: it is used as it is. */
  transport?(port: MqttPort, clock: ClockPort): MqttPort;
  connection(): DialectConnection;
  /** Whether the protocol has words for writes of this kind. Those it has none for are refused before they are encoded. */
  carries(kind: ApiWrite['kind']): boolean;
  /** The identity of the packet is the id of the write: one identity per intent, however often it is sent. */
  encode(write: ApiWrite): UpPacket;
  /** Asks for the complete list of pods, or for what differs from what the node has. */
  encodeStart(identity: string): UpPacket;
  /**
   * Never throws, whatever the bytes; a fault has severity `error` and names the topic as its origin.
   * @param properties as they came over MQTT 5, unchecked; absent over 3.1.1
   */
  decodeDown(topic: string, payload: Uint8Array, properties?: MqttProperties): Result<DownMessage, InputFault>;
  /** Reads the object of an accepted answer to a start. */
  decodeStartAnswer(topic: string, object: JsonObject): Result<StartAnswer, InputFault>;
}
