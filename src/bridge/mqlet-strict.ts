// How a message up differs from what docs/wire.md says a node sends: for tests that hold our node to it. It refuses nothing.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { type Frame, decodeFrame } from '../bus/dialects/mqlet/header.ts';
import type { UpWrite } from '../bus/dialects/mqlet/write-body.ts';
import type { MqttPacket } from '../ports/mqtt-port.ts';

const requestLifetime = 60;
const lifetimeOf: Readonly<Partial<Record<Frame['type'], readonly number[]>>> = {
  digest: [requestLifetime], holdings: [requestLifetime], write: [requestLifetime, 3_600], event: [3_600], heartbeat: [300], renewal: [300],
};
const withUuid: ReadonlySet<Frame['type']> = new Set(['digest', 'holdings', 'write', 'event'] as const);
const requests: ReadonlySet<Frame['type']> = new Set(['digest', 'holdings', 'write'] as const);
const bodyBytes: Readonly<Partial<Record<Frame['type'], number>>> = { digest: 8, heartbeat: 12, renewal: 8, received: 0 };

interface Expected {
  readonly channel: 'api' | 'presence';
  readonly responseTopic: string;
  /** Whether the cloud side has named its dictionary to this node. */
  readonly named: boolean;
}

/** @returns one line for each difference, none when there is none */
export function frameDeviations(frame: Frame, packet: MqttPacket, { channel, responseTopic, named }: Expected): readonly string[] {
  const { type, correlation, lifetimeSeconds, body } = frame;
  const found: string[] = [];
  const expect = (holds: boolean, line: string): void => {
    if (!holds) found.push(line);
  };
  expect((type === 'presence') === (channel === 'presence'), `comes on the topic ${channel}`);
  expect(packet.retain || channel !== 'presence' || body.length > 0, 'presence is empty');
  const lifetimes = lifetimeOf[type];
  // What is left of it arrives where the broker counts.
  if (lifetimes !== undefined) expect(lifetimeSeconds !== undefined && lifetimeSeconds <= Math.max(...lifetimes), `has the lifetime ${lifetimeSeconds ?? 'none'}`);
  if (withUuid.has(type)) expect(correlation?.length === 16, 'has no UUID for a correlation');
  const bytes = bodyBytes[type];
  if (bytes !== undefined) expect(body.length === bytes && frame.dictionary === undefined, `has a body of ${body.length} bytes, not ${bytes}`);
  if (frame.dictionary !== undefined) expect(frame.dictionary === 0 || named, 'uses a dictionary that was not named');
  const { properties } = packet;
  if (properties?.correlationData !== undefined && requests.has(type)) expect(properties.responseTopic === responseTopic, `wants its answer on ${properties.responseTopic ?? 'no topic'}`);
  const again = decodeFrame(packet.payload);
  expect(again.ok, 'does not read twice');
  return found;
}

const verbs: Readonly<Record<string, readonly string[]>> = {
  Pod: ['create', 'get', 'patchStatus', 'delete'],
  Node: ['create', 'patchStatus'],
  Lease: ['create', 'get', 'update'],
  Event: ['create', 'update', 'patch'],
  TokenRequest: ['create'],
};

const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  create: ['object'], update: ['object'], get: [], patch: ['object', 'patch'], patchStatus: ['patch', 'base', 'whole'], delete: ['uid', 'gracePeriodSeconds'],
};

export function writeDeviations(write: UpWrite, body: JsonObject): readonly string[] {
  const found: string[] = [];
  const expect = (holds: boolean, line: string): void => {
    if (!holds) found.push(line);
  };
  expect(verbs[write.kind]?.includes(write.verb) === true, 'a write nodes do not make');
  const known = new Set(['verb', 'kind', 'namespace', 'name', ...(fieldsOf[write.verb] ?? [])]);
  for (const field of Object.keys(body)) expect(known.has(field), `unknown field ${field}`);
  expect((write.kind === 'Node') === (write.namespace === ''), 'a namespace too many or missing');
  if (write.object !== undefined) {
    expect(!Object.hasOwn(write.object, 'apiVersion') && !Object.hasOwn(write.object, 'kind'), 'apiVersion or kind in object');
    const metadata = isJsonObject(write.object.metadata) ? write.object.metadata : {};
    if (write.kind !== 'TokenRequest') expect(metadata.name === write.name, 'object.metadata.name is not name');
  }
  if (write.verb === 'patchStatus') {
    expect(isJsonObject(write.patch), 'patch is missing');
    if (write.kind === 'Pod') expect(isJsonObject(write.patch?.metadata) && typeof write.patch.metadata.uid === 'string', 'patch.metadata.uid is missing');
  }
  if (write.verb === 'delete') expect(write.gracePeriodSeconds === 0, 'gracePeriodSeconds is not 0');
  return found;
}
