// Which dialect a recording's packets speak, and for which node: read from the topics, or said by the user. It guesses nothing: what
// could be several is a question back.
import { heartbeatTopic } from '../bus/dialects/kole/kole-dialect.ts';
import { isJsonObject } from '../bus/dialects/json-value.ts';
import { decodeUp } from '../bus/dialects/lite/envelope-up.ts';
import type { MqttPacket } from '../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { RecordingHeader } from './entries.ts';
import { koleWire } from './wire/kole-wire.ts';
import { liteWire } from './wire/lite-wire.ts';
import { mqletWire } from './wire/mqlet-wire.ts';
import type { Wire, WireName } from './wire/wire.ts';

/** What the user says; the rest is read from the packets. */
export interface SpokenHints {
  readonly dialect?: WireName | undefined;
  readonly rootTopic?: string | undefined;
  readonly nodeName?: string | undefined;
}

interface Found {
  readonly dialect: WireName;
  readonly rootTopic: string;
  readonly nodeName: string;
}

/** Nodes that are told of by name; more are counted. */
const toldMax = 5;
/** The agent's own default; a recording does not hold it. */
const koleReportPeriodMs = 120_000;

/** @returns a line for the user where it cannot be told */
export function spokenWire(packets: Iterable<MqttPacket>, header: RecordingHeader | undefined, hints: SpokenHints): Result<Wire, string> {
  const found = new Map<string, Found>();
  for (const packet of packets) {
    const one = foundIn(packet);
    if (one !== undefined && fits(one, hints)) found.set(`${one.dialect} ${one.rootTopic} ${one.nodeName}`, one);
  }
  const told = toldBy(header, found, hints);
  if (told !== undefined) return ok(wireOf(told));
  const all = [...found.values()];
  const [first, ...more] = all;
  if (first === undefined) return fail(`no packet of a node${hints.nodeName === undefined ? '' : ` ${hints.nodeName}`} in a dialect of ours is in it; --dialect, --root-topic and --node say what to look for`);
  if (more.length === 0) return ok(wireOf(first));
  const named = all.slice(0, toldMax).map(({ dialect, rootTopic, nodeName }) => `${nodeName} (${dialect}${dialect === 'kole' ? '' : `, ${rootTopic}`})`).join(', ');
  return fail(`it holds the traffic of ${all.length} nodes: ${named}${all.length > toldMax ? ', …' : ''}; choose with --node${new Set(all.map(({ dialect }) => dialect)).size > 1 ? ' or --dialect' : ''}`);
}

/** The one who recorded himself says who he is; a user may say all there is to say. */
function toldBy(header: RecordingHeader | undefined, found: ReadonlyMap<string, Found>, { dialect, rootTopic, nodeName }: SpokenHints): Found | undefined {
  if (dialect !== undefined && nodeName !== undefined && (rootTopic !== undefined || dialect === 'kole')) return { dialect, rootTopic: rootTopic ?? '', nodeName };
  const own = header?.agent?.dialect;
  const settings = header?.agent?.settings;
  const node = isJsonObject(settings) && isJsonObject(settings.node) ? settings.node.nodeName : undefined;
  return [...found.values()].find((one) => one.dialect === own?.name && one.nodeName === node);
}

function fits(one: Found, { dialect, rootTopic, nodeName }: SpokenHints): boolean {
  return (dialect ?? one.dialect) === one.dialect && (rootTopic ?? one.rootTopic) === one.rootTopic && (nodeName ?? one.nodeName) === one.nodeName;
}

const koleTopic = /^kole\/lite\/(?:CTL|DATA)\/([^/]+)$/;
const mqletTopic = /^(.+)\/v1\/(?:up|down)\/([^/]+)\/(?:api|presence)$/;
const liteDown = /^(.+)\/ctl\/([^/]+)$/;
const liteUp = /^(.+)\/data$/;

function foundIn({ topic, payload }: MqttPacket): Found | undefined {
  const kole = koleTopic.exec(topic)?.[1] ?? (topic === heartbeatTopic ? koleName(payload) : undefined);
  if (kole !== undefined) return { dialect: 'kole', rootTopic: 'kole/lite', nodeName: kole };
  const [, mqletRoot, mqletNode] = mqletTopic.exec(topic) ?? [];
  if (mqletRoot !== undefined && mqletNode !== undefined) return { dialect: 'mqlet', rootTopic: mqletRoot, nodeName: mqletNode };
  if (payload[0] !== 0x1f || payload[1] !== 0x8b) return undefined;
  const [, liteRoot, liteNode] = liteDown.exec(topic) ?? [];
  if (liteRoot !== undefined && liteNode !== undefined) return { dialect: 'lite', rootTopic: liteRoot, nodeName: liteNode };
  const upRoot = liteUp.exec(topic)?.[1];
  const up = upRoot === undefined ? undefined : decodeUp(payload);
  return upRoot !== undefined && up?.ok === true && up.value.nodeName !== '' ? { dialect: 'lite', rootTopic: upRoot, nodeName: up.value.nodeName } : undefined;
}

function koleName(payload: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload));
    return isJsonObject(value) && typeof value.name === 'string' && value.name !== '' ? value.name : undefined;
  } catch {
    return undefined;
  }
}

function wireOf({ dialect, rootTopic, nodeName }: Found): Wire {
  switch (dialect) {
    case 'lite': return liteWire({ rootTopic, nodeName });
    case 'mqlet': return mqletWire({ rootTopic, nodeName });
    case 'kole': return koleWire({ nodeName, reportPeriodMs: koleReportPeriodMs });
    default: return dialect satisfies never;
  }
}
