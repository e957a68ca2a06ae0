// What a replay has to know of a dialect's packets without being the agent: whose they are, what they ask, what they answer.
import type { Dialect } from '../../bus/dialects/dialect.ts';
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import type { ReportingDialect } from '../../bus/dialects/reporting-dialect.ts';
import type { MqttPacket } from '../../ports/mqtt-port.ts';

export type WireName = 'lite' | 'mqlet' | 'kole';

/** Something the node says of an object. */
export interface Said {
  /** `Pod shop/web`, `Node edge-07`. */
  readonly object: string;
  /** `whole` replaces what was known, `patch` is merged into it, `gone` ends it. */
  readonly verb: 'whole' | 'patch' | 'gone';
  readonly value: JsonObject;
}

/** A packet up as a replay reads it. */
export interface UpFacts {
  /** What an answer will carry; empty where none comes. */
  readonly identity: string;
  /** What is asked for, by verb and object, the same whenever it is asked again: `patch Pod shop/web`, `start`. Empty where nothing is. */
  readonly request: string;
  readonly said: readonly Said[];
}

/** How an answer is given to another request than the recorded one. */
export interface Answering {
  readonly identity: string;
  /** The object's status as the node has told it by now; undefined where it has not. */
  statusOf(object: string): JsonObject | undefined;
}

export interface Wire {
  readonly name: WireName;
  readonly nodeName: string;
  /** The one who speaks on this wire, as the agent needs him. */
  dialect(software: string): Dialect | ReportingDialect;
  /** undefined for topics of others. */
  directionOf(topic: string): 'up' | 'down' | undefined;
  /** undefined for what is not this node's, or cannot be read. */
  readUp(packet: MqttPacket): UpFacts | undefined;
  /** The identity that a packet down answers; undefined for one that nobody asked for. */
  answeredBy(packet: MqttPacket): string | undefined;
  answerTo(packet: MqttPacket, answering: Answering): MqttPacket;
  /**
   * A packet as it is handed down at last, after all that was handed down before: what it builds upon may be another state than then.
   * Absent: packets build upon nothing.
   * @param request what it answers; empty for a push
   */
  handDown?(packet: MqttPacket, request: string): MqttPacket;
}

/** Asks for the cloud's whole list; in the mqlet dialect once more with what the node holds, under the same identity. */
export const startRequest = 'start';
export const holdingsRequest = 'start with holdings';

export function isStart(request: string): boolean {
  return request === startRequest || request === holdingsRequest;
}

export function objectName(kind: string, { namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

/** Events are compared by what they tell of, not by their names, which are made up. */
export function eventObject(event: JsonObject): string {
  const { involvedObject, reason } = event;
  const of = typeof involvedObject === 'object' && involvedObject !== null ? (involvedObject as JsonObject) : {}; // An object has fields.
  return `Event of ${objectName(textOf(of.kind), { namespace: textOf(of.namespace), name: textOf(of.name) })}: ${textOf(reason)}`;
}

/** The UID in a patch is a precondition, not a change. */
export function withoutPrecondition({ metadata: _metadata, ...patch }: JsonObject): JsonObject {
  return patch;
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
