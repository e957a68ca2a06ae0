// mqlet's own dialect as a node speaks it (docs/wire.md): topics of its own in both directions, differences, tokens in place of lists.
// It remembers what it was told to hold and what it has asked; everything else is in its messages.
import type { ApiAnswer, ApiWrite } from '../../api-write.ts';
import type { ClockPort } from '../../../ports/clock-port.ts';
import type { InputFault } from '../../../ports/faults.ts';
import { fail, ok, type Result } from '../../../ports/result.ts';
import type { Dialect, DialectConnection, DownMessage, StartAnswer, UpPacket } from '../dialect.ts';
import { heartbeatOf } from '../heartbeat.ts';
import { isJsonObject, type JsonObject } from '../json-value.ts';
import { type Asked, acceptedAnswer, AskedWrites } from './asked-writes.ts';
import { commonDictionary, dictionaryNames, noDictionary, packBody, readBody } from './body.ts';
import { compactEvent } from './compact-event.ts';
import { correlationOf, identityOf } from './correlation.ts';
import { decodeFrame, encodeFrame, type Frame } from './header.ts';
import { Holdings } from './holdings.ts';
import { takeObjectsBody } from './objects-body.ts';
import { nodeTopics, parseTopic } from './topics.ts';
import { mqletTransport } from './transport.ts';
import { bad, type WireFault } from './wire-fault.ts';
import { writeBody } from './write-body.ts';

export interface MqletOptions {
  readonly rootTopic: string;
  readonly nodeName: string;
  /** What the node says it is: `mqlet 0.1.0`. */
  readonly software: string;
  /** Absent: the node's name, and nobody. */
  readonly credentials?: Pick<DialectConnection, 'clientId' | 'username' | 'password'>;
}

/** How long each kind of message is of use (docs/wire.md, section 6). */
export const lifetimes = { request: 60, event: 3_600, beat: 300 } as const;
/** One line holds so many characters of what came from outside. */
const messageLengthMax = 1_000;

export function mqletDialect(options: MqletOptions): Dialect {
  const node = new MqletNodeSide(options);
  const { down } = nodeTopics(options.rootTopic, options.nodeName);
  return {
    name: 'mqlet',
    containerStatuses: 'by-name',
    streams: options,
    presence: { announce: () => node.announce(), farewell: () => node.farewell() },
    transport: (port, clock) => {
      node.clock = clock;
      return mqletTransport(port, { clock, responseTopic: down, covers: (topic) => parseTopic(options.rootTopic, topic)?.channel === 'api' });
    },
    connection: () => node.connection(),
    carries: () => true,
    encode: (write) => node.encode(write),
    encodeStart: (identity) => node.encodeStart(identity),
    decodeDown: (topic, payload) => node.decodeDown(topic, payload),
    decodeStartAnswer: (topic, object) => node.decodeStartAnswer(topic, object),
  };
}

class MqletNodeSide {
  /** The one of whoever uses the dialect; until then connections are only counted. */
  clock: ClockPort | undefined;
  readonly #options: MqletOptions;
  readonly #topics: ReturnType<typeof nodeTopics>;
  readonly #holdings = new Holdings();
  readonly #asked = new AskedWrites();
  /** What the cloud side has named since the last connect. */
  #dictionary = noDictionary;
  /** Tells one connection from another, so that the will of an old one does not speak for a new one. */
  #since = 0;
  /** The start that was answered with a wish for holdings. */
  #toldStart: string | undefined;

  constructor(options: MqletOptions) {
    this.#options = options;
    this.#topics = nodeTopics(options.rootTopic, options.nodeName);
  }

  connection(): DialectConnection {
    const { credentials, nodeName } = this.#options;
    this.#since = Math.max(this.#since + 1, Math.floor(this.clock?.nowMs() ?? 0));
    const { topic, payload } = this.#presencePacket({ online: false, since: this.#since });
    return {
      ...(credentials ?? { clientId: nodeName, username: undefined, password: undefined }),
      subscriptions: [this.#topics.down],
      protocols: ['MQTT 5', 'MQTT 3.1.1'],
      will: { topic, payload, qos: 1, retain: true },
    };
  }

  farewell(): UpPacket {
    return this.#presencePacket({ online: false, since: this.#since, reason: 'stopped' });
  }

  announce(): UpPacket {
    this.#dictionary = noDictionary;
    return this.#presencePacket({ online: true, since: this.#since, dictionaries: dictionaryNames, software: this.#options.software });
  }

  #presencePacket(body: JsonObject): UpPacket {
    const payload = encodeFrame({ type: 'presence', body: Buffer.from(JSON.stringify(body), 'utf8') });
    return { topic: this.#topics.presence, payload, identity: '', needAck: false, retain: true };
  }

  encode(write: ApiWrite): UpPacket {
    const heartbeatSeconds = heartbeatOf(write);
    if (heartbeatSeconds !== undefined) {
      const time = Buffer.alloc(4);
      time.writeUInt32BE(heartbeatSeconds >>> 0);
      return this.#packet(write.id, { type: 'heartbeat', lifetimeSeconds: lifetimes.beat, body: Buffer.concat([time, this.#holdings.root()]) });
    }
    if (write.kind === 'Lease' && write.verb === 'update') {
      const renewedAtMs = Date.parse(String(write.object.spec?.renewTime));
      if (Number.isFinite(renewedAtMs)) {
        const time = Buffer.alloc(8);
        time.writeBigUInt64BE(BigInt(renewedAtMs));
        return this.#packet(write.id, { type: 'renewal', lifetimeSeconds: lifetimes.beat, body: time });
      }
    }
    return write.kind === 'Event' ? this.#eventPacket(write) : this.#writePacket(write);
  }

  #eventPacket(write: Extract<ApiWrite, { kind: 'Event' }>): UpPacket {
    const compact = compactEvent(write, this.#options.nodeName);
    const correlation = correlationOf(write.id);
    const frame: Omit<Frame, 'body'> = { type: compact === undefined ? 'write' : 'event', correlation, lifetimeSeconds: lifetimes.event };
    return this.#packet(write.id, { ...frame, ...packBody(compact ?? writeBody(write, undefined), { dictionary: this.#dictionary }) });
  }

  #writePacket(write: ApiWrite): UpPacket {
    const asked = this.#asked.add(write);
    const base = asked.key === undefined ? undefined : this.#holdings.tokens(asked.key)?.status;
    const body = packBody(writeBody(write, base), { dictionary: this.#dictionary });
    return { ...this.#packet(write.id, { type: 'write', correlation: correlationOf(write.id), lifetimeSeconds: lifetimes.request, ...body }), needAck: true };
  }

  /** A digest; where the cloud side has answered one with a wish for them, the holdings. */
  encodeStart(identity: string): UpPacket {
    const common = { correlation: correlationOf(identity), lifetimeSeconds: lifetimes.request };
    const packet = this.#toldStart === identity
      ? this.#packet(identity, { ...common, type: 'holdings', ...packBody({ held: this.#holdings.entries() }, { dictionary: this.#dictionary }) })
      : this.#packet(identity, { ...common, type: 'digest', body: this.#holdings.root() });
    return { ...packet, needAck: true };
  }

  #packet(identity: string, frame: Frame): UpPacket {
    return { topic: this.#topics.up, payload: encodeFrame(frame), identity, needAck: false };
  }

  decodeDown(topic: string, payload: Uint8Array): Result<DownMessage, InputFault> {
    const decoded = this.#decode(payload);
    return decoded.ok ? decoded : fail(inputFault(topic, decoded.fault));
  }

  #decode(payload: Uint8Array): Result<DownMessage, WireFault> {
    const frame = decodeFrame(payload);
    if (!frame.ok) return frame;
    if (frame.value === 'ignorable') return ok({ kind: 'nothing' });
    switch (frame.value.type) {
      case 'look': return ok({ kind: 'look' });
      // Taken before it comes here, where streams are served.
      case 'open': return ok({ kind: 'nothing' });
      case 'answer': return this.#decodeAnswer(frame.value);
      case 'objects': return this.#decodeObjects(frame.value);
      default: return fail({ reason: 'UnknownMessage', message: `a message of type "${frame.value.type}" is not for nodes` });
    }
  }

  #decodeAnswer(frame: Frame): Result<DownMessage, WireFault> {
    if (frame.correlation === undefined) return fail(bad('an answer has no correlation'));
    const identity = identityOf(frame.correlation);
    const body = readBody(frame);
    if (!body.ok) return body;
    if (body.value.tell === true) this.#toldStart = identity;
    const answer = this.#answerIn(body.value, this.#asked.take(identity));
    return answer.ok ? ok({ kind: 'ack', identity, answer: answer.value }) : answer;
  }

  #answerIn(body: JsonObject, asked: Asked | undefined): Result<ApiAnswer, WireFault> {
    const { refused, accepted } = body;
    if (isJsonObject(refused)) {
      if (refused.reason === 'UnknownDictionary') this.#dictionary = noDictionary;
      if (refused.reason === 'NotFound' && asked?.kind === 'Pod' && asked.key !== undefined) this.#holdings.remove(asked.key, undefined);
      return statusFault(refused) ?? ok({ kind: 'refused', status: refused });
    }
    if (isJsonObject(accepted)) return ok({ kind: 'accepted', object: acceptedAnswer(accepted, asked, this.#holdings) });
    // What answers a start has no frame of its own: it is read by decodeStartAnswer.
    if (isStartAnswer(body)) return ok({ kind: 'accepted', object: body });
    return fail(bad('an answer says neither what was accepted nor what was refused'));
  }

  #decodeObjects(frame: Frame): Result<DownMessage, WireFault> {
    const body = readBody(frame);
    if (!body.ok) return body;
    const taken = takeObjectsBody(body.value, this.#holdings);
    if (!taken.ok) return taken;
    const { correlation } = frame;
    const received = correlation === undefined ? {} : { received: this.#packet('', { type: 'received', correlation, body: new Uint8Array() }) };
    return ok({ kind: 'objects', ...taken.value, ...received });
  }

  decodeStartAnswer(topic: string, body: JsonObject): Result<StartAnswer, InputFault> {
    this.#dictionary = body.dictionaries === undefined ? this.#dictionary : commonDictionary(body.dictionaries);
    const nothing = { pods: [], secrets: [], configMaps: [], node: undefined };
    const noDifference = { unchanged: [], changes: [], gone: [] };
    if (body.tell === true) return ok({ ...nothing, difference: { ...noDifference, again: true } });
    const held = this.#holdings.pods();
    if (body.same === true) return ok({ ...nothing, difference: { ...noDifference, unchanged: held, again: false } });
    const taken = takeObjectsBody(body, this.#holdings);
    if (!taken.ok) return fail(inputFault(topic, taken.fault));
    const { pods, changes, secrets, configMaps, node, gone, doubtful } = taken.value;
    const goneUids = new Set(gone.map(({ uid }) => uid));
    const unchanged = held.filter(({ uid }) => !goneUids.has(uid));
    return ok({ pods, secrets, configMaps, node, difference: { unchanged, changes, gone, again: body.more === true || doubtful } });
  }
}

function isStartAnswer(body: JsonObject): boolean {
  return body.same === true || body.tell === true || Array.isArray(body.put) || Array.isArray(body.gone);
}

function statusFault(status: JsonObject): Result<never, WireFault> | undefined {
  const wrong = ['status', 'reason', 'message'].find((field) => status[field] !== undefined && typeof status[field] !== 'string');
  return wrong === undefined ? undefined : fail(bad('must be a string', `refused.${wrong}`));
}

function inputFault(origin: string, { reason, field, message }: WireFault): InputFault {
  const text = reason === 'BadRequest' ? message : `${reason}: ${message}`;
  return { origin, message: text.slice(0, messageLengthMax), severity: 'error', ...(field === undefined ? {} : { field }) };
}
