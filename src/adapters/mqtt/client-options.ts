// Our words for a connection and its packets in those of mqtt.js, and back. Nothing here talks to anyone.
import type mqtt from 'mqtt';
import type { MqttOpening, MqttPacket, MqttProperties, MqttProtocol } from '../../ports/mqtt-port.ts';

export interface ConnectWords {
  readonly protocol: MqttProtocol;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly keepAliveMs: number;
  readonly opening: MqttOpening;
  readonly connectTimeoutMs: number;
  readonly packetBytesMax: number;
}

/** One connection, made by hand: no reconnects, no resubscriptions, nothing queued by the library. */
export function clientOptions(words: ConnectWords): mqtt.IClientOptions {
  const { username, password, opening } = words;
  const version5 = words.protocol === 'MQTT 5';
  const { cleanStart = true, sessionExpirySeconds = 0 } = opening;
  return {
    protocolId: 'MQTT',
    protocolVersion: version5 ? 5 : 4,
    clientId: words.clientId,
    // In MQTT 3.1.1 the flag also says whether the session outlives the connection.
    clean: cleanStart || (!version5 && sessionExpirySeconds === 0),
    keepalive: Math.max(1, Math.round(words.keepAliveMs / 1000)),
    connectTimeout: words.connectTimeoutMs,
    manualConnect: true,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    timerVariant: 'native',
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(opening.will === undefined ? {} : { will: willWords(opening.will, { version5 }) }),
    ...(version5
      ? { properties: { maximumPacketSize: words.packetBytesMax, ...(sessionExpirySeconds === 0 ? {} : { sessionExpiryInterval: sessionExpirySeconds }) } }
      : {}),
  };
}

function willWords(will: NonNullable<MqttOpening['will']>, { version5 }: { readonly version5: boolean }): NonNullable<mqtt.IClientOptions['will']> {
  const { topic, qos, retain, payload, properties, delaySeconds = 0 } = will;
  const said = { ...publishProperties(properties), ...(delaySeconds === 0 ? {} : { willDelayInterval: delaySeconds }) };
  return { topic, qos, retain, payload: bufferOf(payload), ...(version5 && Object.keys(said).length > 0 ? { properties: said } : {}) };
}

type PublishProperties = NonNullable<mqtt.IClientPublishOptions['properties']>;

/** @returns undefined where there is nothing to say */
export function publishProperties(properties: MqttProperties | undefined): PublishProperties | undefined {
  if (properties === undefined) return undefined;
  const { responseTopic, correlationData, messageExpirySeconds, contentType, userProperties } = properties;
  return {
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: bufferOf(correlationData) }),
    ...(messageExpirySeconds === undefined ? {} : { messageExpiryInterval: messageExpirySeconds }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(userProperties === undefined || userProperties.length === 0 ? {} : { userProperties: groupedByName(userProperties) }),
  };
}

/** A map without a prototype: the names are the other side's. */
function groupedByName(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const grouped: Record<string, string[]> = { __proto__: null } as never; // A literal's own null prototype has no type of its own.
  for (const [name, value] of pairs) (grouped[name] ??= []).push(value);
  return grouped;
}

/** A packet of the library's as ours; unknown properties are dropped. */
export function receivedPacket(topic: string, payload: Uint8Array, packet: mqtt.IPublishPacket): MqttPacket {
  const properties = packet.properties === undefined ? undefined : receivedProperties(packet.properties);
  return { topic, payload, qos: packet.qos === 0 ? 0 : 1, retain: packet.retain, ...(properties === undefined ? {} : { properties }) };
}

function receivedProperties(properties: NonNullable<mqtt.IPublishPacket['properties']>): MqttProperties | undefined {
  const { responseTopic, correlationData, messageExpiryInterval, contentType, userProperties } = properties;
  const read: MqttProperties = {
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(messageExpiryInterval === undefined ? {} : { messageExpirySeconds: messageExpiryInterval }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(userProperties === undefined
      ? {}
      : { userProperties: Object.entries(userProperties).flatMap(([name, values]) => [values].flat().map((value) => [name, value] as const)) }),
  };
  return Object.keys(read).length === 0 ? undefined : read;
}

/** Fixed header, lengths and packet id of a PUBLISH. */
const headerBytesMax = 16;

/** Upper bound of the bytes of the PUBLISH on the wire. */
export function publishBytes({ topic, payload, properties }: MqttPacket): number {
  const bytes = headerBytesMax + Buffer.byteLength(topic) + payload.byteLength;
  if (properties === undefined) return bytes;
  const { responseTopic = '', correlationData, contentType = '', userProperties = [] } = properties;
  const texts = userProperties.reduce((sum, [name, value]) => sum + 5 + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  // Each property: its identifier, its length and its bytes; the expiry has four.
  return bytes + 14 + Buffer.byteLength(responseTopic) + Buffer.byteLength(contentType) + (correlationData?.byteLength ?? 0) + texts;
}

/** The same bytes, as the library wants them. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
