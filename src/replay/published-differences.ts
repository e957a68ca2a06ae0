// The calls of a replayed agent that are not as they were recorded, told by object and field where they are packets.
import { isJsonObject } from '../bus/dialects/json-value.ts';
import { type Difference, fieldDifferences } from './differences.ts';
import type { RecordedAgentFacts } from './entries.ts';
import type { CallDifference } from './replay-ports.ts';
import { decodeValue } from './values.ts';
import { koleWire } from './wire/kole-wire.ts';
import { liteWire } from './wire/lite-wire.ts';
import { mqletWire } from './wire/mqlet-wire.ts';
import type { UpFacts, Wire } from './wire/wire.ts';

/** Differences that are kept; more are counted by nobody, because the first ones lead to them. */
const keptMax = 1_000;

export class PublishedDifferences {
  readonly #wire: Wire | undefined;
  readonly #found: Difference[] = [];

  constructor(agent: RecordedAgentFacts) {
    this.#wire = wireOf(agent);
  }

  add(difference: CallDifference): void {
    if (this.#found.length < keptMax) this.#found.push(...this.#differences(difference));
  }

  get found(): readonly Difference[] {
    return this.#found;
  }

  #differences({ seq, line, call, recorded, now }: CallDifference): readonly Difference[] {
    const place = `entry ${seq}, line ${line}`;
    const [then, today] = [this.#factsOf(call, recorded), this.#factsOf(call, now)];
    if (then === undefined && today === undefined) return fieldDifferences(recorded, now).map((field) => ({ object: call, place, ...field }));
    const object = then?.said[0]?.object ?? today?.said[0]?.object ?? (then?.request || today?.request || call);
    const said = fieldDifferences(then?.said[0]?.value, today?.said[0]?.value);
    // The same words in another wrapping are another packet all the same.
    return (said.length > 0 ? said : fieldDifferences(recorded, now)).map((field) => ({ object, place, ...field }));
  }

  #factsOf(call: string, args: unknown): UpFacts | undefined {
    const packet: unknown = call === 'mqtt.publish' && Array.isArray(args) ? decodeValue(args[0], () => () => undefined) : undefined;
    if (!isJsonObject(packet) || typeof packet.topic !== 'string' || !(packet.payload instanceof Uint8Array)) return undefined;
    return this.#wire?.readUp({ topic: packet.topic, payload: packet.payload, qos: 1, retain: false });
  }
}

function wireOf({ dialect, settings }: RecordedAgentFacts): Wire | undefined {
  const node = isJsonObject(settings) && isJsonObject(settings.node) ? settings.node.nodeName : undefined;
  if (dialect === undefined || typeof node !== 'string') return undefined;
  const names = { rootTopic: dialect.rootTopic, nodeName: node };
  switch (dialect.name) {
    case 'lite': return liteWire(names);
    case 'mqlet': return mqletWire(names);
    case 'kole': return koleWire({ ...names, reportPeriodMs: 0 });
    default: return undefined;
  }
}
