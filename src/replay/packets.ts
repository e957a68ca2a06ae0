// The lines of a recording of MQTT traffic, ours and those of `mosquitto_sub -F %j`: written and read, one packet a line.
import type { MqttPacket, MqttProperties } from '../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { rfc3339Micros } from '../ports/rfc3339.ts';
import type { RecordingFault } from './entries.ts';

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

/** @returns undefined for a line that is no packet: a header, a change of the link */
export function readPacketLine(text: string, line: number): Result<RecordedPacket | undefined, RecordingFault> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return fail({ line, message: `the line is not JSON (${error instanceof Error ? error.message : String(error)})` });
  }
  if (!isJsonObject(parsed)) return fail({ line, message: 'the line is no JSON object' });
  if (typeof parsed.tst === 'string') return readMosquitto(parsed, line);
  if (parsed.k === 'link' || typeof parsed.recording === 'number') return ok(undefined);
  return parsed.k === 'packet' ? readOurs(parsed, line) : fail({ line, message: 'the line is neither a packet of ours nor one of mosquitto_sub -F %j' });
}

function readOurs(fields: JsonObject, line: number): Result<RecordedPacket, RecordingFault> {
  const { now, dir, properties } = fields;
  if (typeof now !== 'number') return fail({ line, message: 'the field now must be a number of milliseconds' });
  if (dir !== 'up' && dir !== 'down') return fail({ line, message: 'the field dir must be up or down' });
  const packet = readPacket(fields, fields.retain === true, line);
  if (!packet.ok) return packet;
  return ok({ atMs: now, direction: dir, packet: { ...packet.value, ...(isJsonObject(properties) ? { properties: readProperties(properties) } : {}) } });
}

function readMosquitto(fields: JsonObject, line: number): Result<RecordedPacket, RecordingFault> {
  // mosquitto writes the zone without a colon, and some versions a number of seconds.
  const atMs = Date.parse(String(fields.tst).replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  if (Number.isNaN(atMs)) return fail({ line, message: 'the field tst is no time' });
  const packet = readPacket({ ...fields, text: fields.payload }, fields.retain === 1 || fields.retain === true, line);
  return packet.ok ? ok({ atMs, direction: 'down', packet: packet.value }) : packet;
}

function readPacket(fields: JsonObject, retain: boolean, line: number): Result<MqttPacket, RecordingFault> {
  const { topic, qos, text, base64 } = fields;
  if (typeof topic !== 'string' || topic === '' || /[+#\0]/.test(topic)) return fail({ line, message: 'the field topic must be a topic without wildcards' });
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
