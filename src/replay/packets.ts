// The lines of a recording of MQTT traffic, ours and those of `mosquitto_sub -F %j`: written and read, one packet a line.
import type { MqttPacket, MqttProperties } from '../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { rfc3339Micros } from '../ports/rfc3339.ts';
import { headerOf, readJson, type RecordingFault, type RecordingHeader, wallMsMax } from './entries.ts';

/** One packet as it passed. `up` left the recorder's side, `down` came to it. */
export interface RecordedPacket {
  /** Wall milliseconds. */
  readonly atMs: number;
  readonly direction: 'up' | 'down';
  readonly packet: MqttPacket;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function packetLine({ atMs, direction, packet }: RecordedPacket): string {
  const { topic, payload, qos, retain, properties } = packet;
  return JSON.stringify({
    k: 'packet', now: atMs, dir: direction, topic, qos, retain,
    ...(properties === undefined ? {} : { properties: writtenProperties(properties) }),
    ...payloadFields(payload),
  });
}

/** Whether the connection was up, and why it is not. */
export function linkLine(atMs: number, state: 'up' | 'down', reason: string): string {
  return JSON.stringify({ k: 'link', now: atMs, state, ...(reason === '' ? {} : { reason }) });
}

/** As `mosquitto_sub -F %j` prints it; a payload that is no text is base64, which mosquitto's own form has no word for. */
export function mosquittoLine({ atMs, packet: { topic, payload, qos, retain } }: RecordedPacket): string {
  const text = textOf(payload);
  return JSON.stringify({
    tst: rfc3339Micros(atMs).replace(/Z$/, '+0000'), topic, qos, retain: retain ? 1 : 0, payloadlen: payload.byteLength,
    ...(text === undefined ? { base64: Buffer.from(payload).toString('base64') } : { payload: text }),
  });
}

/** A change of the recorder's connection. */
export interface RecordedLink {
  /** Wall milliseconds. */
  readonly atMs: number;
  readonly state: 'up' | 'down';
  /** Empty when it is up, and when we left of ourselves. */
  readonly reason: string;
}

export type TrafficLine =
  | { readonly kind: 'header'; readonly header: RecordingHeader }
  | ({ readonly kind: 'packet' } & RecordedPacket)
  | ({ readonly kind: 'link' } & RecordedLink);

const topicBytesMax = 65_535;

/** One line of a recording of packets, ours or of `mosquitto_sub -F %j`. */
export function readTrafficLine(text: string, line: number): Result<TrafficLine, RecordingFault> {
  const parsed = readJson(text, line);
  if (!parsed.ok) return parsed;
  const fields = parsed.value;
  if (typeof fields.tst === 'string') return packetOf(readMosquitto(fields, line, (payload) => Buffer.from(payload, 'utf8')));
  if (fields.recording !== undefined) {
    const header = headerOf(fields, line);
    return header.ok ? ok({ kind: 'header', header: header.value }) : header;
  }
  if (fields.k === 'link') return readLink(fields, line);
  return fields.k === 'packet' ? packetOf(readOurs(fields, line)) : fail({ line, message: 'the line is neither a packet of ours nor one of mosquitto_sub -F %j' });
}

/**
 * mosquitto_sub prints a payload that is no text as it is, so that the line is no text either. Read byte by byte it is there all the same.
 * @param text of the line, a character for each byte
 */
export function readBinaryMosquittoLine(text: string, line: number): Result<TrafficLine, RecordingFault> {
  const parsed = readJson(text, line);
  if (!parsed.ok || typeof parsed.value.tst !== 'string' || typeof parsed.value.topic !== 'string') return fail({ line, message: 'the line is not UTF-8' });
  const topic = Buffer.from(parsed.value.topic, 'latin1').toString('utf8');
  return packetOf(readMosquitto({ ...parsed.value, topic }, line, (payload) => Buffer.from(payload, 'latin1')));
}

/** @returns undefined for a line that is no packet: a header, a change of the link */
export function readPacketLine(text: string, line: number): Result<RecordedPacket | undefined, RecordingFault> {
  const read = readTrafficLine(text, line);
  if (!read.ok) return read;
  if (read.value.kind !== 'packet') return ok(undefined);
  const { kind: _kind, ...packet } = read.value;
  return ok(packet);
}

function packetOf(read: Result<RecordedPacket, RecordingFault>): Result<TrafficLine, RecordingFault> {
  return read.ok ? ok({ kind: 'packet', ...read.value }) : read;
}

function readLink({ now, state, reason }: JsonObject, line: number): Result<TrafficLine, RecordingFault> {
  if (!isWallMs(now)) return fail({ line, message: 'the field now must be a number of milliseconds' });
  if (state !== 'up' && state !== 'down') return fail({ line, message: 'the field state must be up or down' });
  return ok({ kind: 'link', atMs: now, state, reason: typeof reason === 'string' ? reason : '' });
}

function isWallMs(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= wallMsMax;
}

function readOurs(fields: JsonObject, line: number): Result<RecordedPacket, RecordingFault> {
  const { now, dir, properties } = fields;
  if (!isWallMs(now)) return fail({ line, message: 'the field now must be a number of milliseconds' });
  if (dir !== 'up' && dir !== 'down') return fail({ line, message: 'the field dir must be up or down' });
  const packet = readPacket(fields, fields.retain === true, line);
  if (!packet.ok) return packet;
  return ok({ atMs: now, direction: dir, packet: { ...packet.value, ...(isJsonObject(properties) ? { properties: readProperties(properties) } : {}) } });
}

function readMosquitto(fields: JsonObject, line: number, bytesOf: (payload: string) => Uint8Array): Result<RecordedPacket, RecordingFault> {
  // mosquitto writes the zone without a colon, some versions with a Z before it, and some a number of seconds.
  const atMs = Date.parse(String(fields.tst).replace(/Z?([+-]\d{2})(\d{2})$/, '$1:$2'));
  if (Number.isNaN(atMs)) return fail({ line, message: 'the field tst is no time' });
  const { payload, payloadlen } = fields;
  const base64 = typeof payload === 'string' ? { base64: Buffer.from(bytesOf(payload)).toString('base64') } : {};
  const packet = readPacket({ text: payload, ...fields, ...base64 }, fields.retain === 1 || fields.retain === true, line);
  if (!packet.ok) return packet;
  if (typeof payload === 'string' && typeof payloadlen === 'number' && payloadlen !== packet.value.payload.byteLength) {
    return fail({ line, message: `the payload has ${packet.value.payload.byteLength} of its ${payloadlen} bytes: mosquitto_sub ends a payload at its first zero byte; mqlet record keeps it whole` });
  }
  return ok({ atMs, direction: 'down', packet: packet.value });
}

function readPacket(fields: JsonObject, retain: boolean, line: number): Result<MqttPacket, RecordingFault> {
  const { topic, qos, text, base64 } = fields;
  if (typeof topic !== 'string' || topic === '' || /[+#\0]/.test(topic)) return fail({ line, message: 'the field topic must be a topic without wildcards' });
  if (Buffer.byteLength(topic) > topicBytesMax) return fail({ line, message: `the field topic is longer than ${topicBytesMax} bytes` });
  if (typeof base64 === 'string' && !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return fail({ line, message: 'the field base64 is no base64' });
  const payload = typeof base64 === 'string' ? Buffer.from(base64, 'base64')
    : typeof text === 'string' ? Buffer.from(text, 'utf8')
    : isJsonObject(text) || Array.isArray(text) ? Buffer.from(JSON.stringify(text), 'utf8') : Buffer.alloc(0);
  return ok({ topic, payload: new Uint8Array(payload), qos: qos === 0 ? 0 : 1, retain });
}

function payloadFields(payload: Uint8Array): { readonly text: string } | { readonly base64: string } {
  const text = textOf(payload);
  return text === undefined ? { base64: Buffer.from(payload).toString('base64') } : { text };
}

function textOf(payload: Uint8Array): string | undefined {
  try {
    return utf8.decode(payload);
  } catch {
    return undefined;
  }
}

function writtenProperties({ correlationData, ...rest }: MqttProperties): object {
  return { ...rest, ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData).toString('base64') }) };
}

function readProperties({ responseTopic, correlationData, messageExpirySeconds, contentType, userProperties }: JsonObject): MqttProperties {
  const pairs = Array.isArray(userProperties) ? userProperties.filter((pair): pair is [string, string] => Array.isArray(pair) && pair.length === 2 && pair.every((each) => typeof each === 'string')) : [];
  return {
    ...(typeof responseTopic === 'string' ? { responseTopic } : {}),
    ...(typeof correlationData === 'string' ? { correlationData: new Uint8Array(Buffer.from(correlationData, 'base64')) } : {}),
    ...(typeof messageExpirySeconds === 'number' ? { messageExpirySeconds } : {}),
    ...(typeof contentType === 'string' ? { contentType } : {}),
    ...(pairs.length > 0 ? { userProperties: pairs } : {}),
  };
}
