// What must hold for any value and any bytes: what is written is read back, nothing throws, and nothing grows without bound.
import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noDictionary, packBody, readBody } from '../../../src/bus/dialects/mqlet/body.ts';
import { compactEvent, expandEvent } from '../../../src/bus/dialects/mqlet/compact-event.ts';
import { correlationOf, identityOf } from '../../../src/bus/dialects/mqlet/correlation.ts';
import { dictionaryId } from '../../../src/bus/dialects/mqlet/dictionary.ts';
import { decodeFrame, encodeFragment, encodeFrame, type Frame, type MessageType, readFragment, typeCodes } from '../../../src/bus/dialects/mqlet/header.ts';
import { Holdings } from '../../../src/bus/dialects/mqlet/holdings.ts';
import { mqletDialect } from '../../../src/bus/dialects/mqlet/mqlet-dialect.ts';
import { takeObjectsBody } from '../../../src/bus/dialects/mqlet/objects-body.ts';
import { assembliesMax, assembliesPerTopicMax, assemblyMsMax, messageBytesMax, Reassembly } from '../../../src/bus/dialects/mqlet/reassembly.ts';
import { readWrite } from '../../../src/bus/dialects/mqlet/write-body.ts';
import { applyMergePatch, mergePatchBetween } from '../../../src/bus/dialects/merge-patch.ts';
import { sameJson } from '../../../src/bus/ingress/canonical-json.ts';
import { downMessages } from './wire-messages.ts';

const topic = 'fleet/v1/down/edge-07/api';
const types = Object.keys(typeCodes).filter((type) => type !== 'fragment') as MessageType[]; // its own keys
const frames: fc.Arbitrary<Frame> = fc.record({
  type: fc.constantFrom(...types), body: fc.uint8Array({ maxLength: 200 }),
}).chain((frame) => fc.record({
  correlation: fc.option(fc.uint8Array({ minLength: 1, maxLength: 64 })), lifetimeSeconds: fc.option(fc.nat()), dictionary: fc.option(fc.nat()),
}).map(({ correlation, lifetimeSeconds, dictionary }) => ({
  ...frame, ...(correlation === null ? {} : { correlation }), ...(lifetimeSeconds === null ? {} : { lifetimeSeconds }), ...(dictionary === null ? {} : { dictionary }),
})));
const plain = (frame: Frame): unknown => ({ ...frame, body: [...frame.body], ...(frame.correlation === undefined ? {} : { correlation: [...frame.correlation] }) });
const jsonObjects = fc.dictionary(fc.string(), fc.jsonValue()).map((object) => JSON.parse(JSON.stringify(object)) as Record<string, unknown>); // as JSON gives it

describe('the codec of the mqlet dialect', () => {
  it('given any frame, when it is written and read, then it is the same', () => {
    fc.assert(fc.property(frames, (frame) => {
      const read = decodeFrame(encodeFrame(frame));
      expect(read.ok && read.value !== 'ignorable' && plain(read.value)).toEqual(plain(frame));
    }));
  });

  it('given any mapping and either dictionary, when it is packed and read, then it is the same', () => {
    fc.assert(fc.property(jsonObjects, fc.constantFrom(noDictionary, dictionaryId), (value, dictionary) => {
      expect(readBody({ type: 'write', ...packBody(value, { dictionary }) })).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) });
    }));
  });

  it('given any UUID, when it becomes a correlation, then it takes sixteen bytes and comes back', () => {
    fc.assert(fc.property(fc.uuid(), (identity) => {
      expect(correlationOf(identity)).toHaveLength(16);
      expect(identityOf(correlationOf(identity))).toBe(identity);
    }));
  });

  it('given any two mappings, when their merge patch is applied, then the second comes out of the first', () => {
    const withoutNull = (value: unknown): unknown => (typeof value !== 'object' || value === null || Array.isArray(value) ? value
      : Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null).map(([field, each]) => [field, withoutNull(each)])));
    fc.assert(fc.property(jsonObjects, jsonObjects, (a, b) => {
      const [before, after] = [withoutNull(a) as Record<string, unknown>, withoutNull(b) as Record<string, unknown>]; // mappings stay mappings
      expect(sameJson(applyMergePatch(before, mergePatchBetween(before, after)), after)).toBe(true);
    }));
  });

  it('given any event that is compacted, when it is expanded, then nothing is lost', () => {
    const texts = fc.string({ maxLength: 20 });
    fc.assert(fc.property(texts, texts, fc.option(texts), fc.nat(2_000_000_000), fc.nat(1_000), fc.boolean(), (name, reason, path, at, count, warning) => {
      const time = new Date(at * 1_000).toISOString().replace('.000Z', 'Z');
      const object = {
        metadata: { name: `${name}.1`, namespace: 'shop' }, involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name, ...(path === null ? {} : { fieldPath: path }) },
        reason, message: reason, type: warning ? 'Warning' : 'Normal', source: { component: 'kubelet', host: 'edge-07' }, reportingComponent: 'kubelet', reportingInstance: 'edge-07',
        firstTimestamp: time, lastTimestamp: time, count,
      };
      const compact = compactEvent({ id: '', writer: 'events', lane: '', kind: 'Event', verb: 'create', namespace: 'shop', name: `${name}.1`, object }, 'edge-07');
      expect(compact === undefined ? undefined : expandEvent(compact, 'edge-07')).toMatchObject({ ok: true, value: { object, patch: undefined } });
    }));
  });

  it('given any bytes, also behind a true header, when a node reads them, then it answers', () => {
    const dialect = mqletDialect({ rootTopic: 'fleet', nodeName: 'edge-07', software: 'x' });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom('', '0141', '014200', '014208aea82f81', '01410110'), (bytes, header) => {
      expect(typeof dialect.decodeDown(topic, Buffer.concat([Buffer.from(header, 'hex'), bytes])).ok).toBe('boolean');
    }), { numRuns: 500 });
  });

  it('given a true message with any byte changed or its end cut off, when a node reads it, then it answers', () => {
    const dialect = mqletDialect({ rootTopic: 'fleet', nodeName: 'edge-07', software: 'x' });
    fc.assert(fc.property(fc.constantFrom(...Object.values(downMessages)), fc.nat(), fc.nat(255), fc.boolean(), (message, at, byte, cut) => {
      const changed = Uint8Array.from(message);
      changed[at % changed.length] = byte;
      expect(typeof dialect.decodeDown(topic, cut ? message.subarray(0, at % message.length) : changed).ok).toBe('boolean');
    }), { numRuns: 500 });
  });

  it('given any JSON, when objects, writes and events are read from it, then they answer, and a refusal changes nothing', () => {
    const entries = fc.array(fc.oneof(fc.jsonValue(), fc.record({ kind: fc.constantFrom('Pod', 'Node', 'Secret'), token: fc.string(), status: fc.string(), object: fc.jsonValue() })));
    fc.assert(fc.property(fc.record({ put: fc.oneof(entries, fc.jsonValue()), gone: fc.oneof(entries, fc.jsonValue()) }), (body) => {
      const holdings = new Holdings();
      const taken = takeObjectsBody(body, holdings);
      if (!taken.ok) expect(holdings.entries()).toEqual([]);
      expect([typeof readWrite(body).ok, typeof expandEvent(body, 'edge-07').ok]).toEqual(['boolean', 'boolean']);
    }), { numRuns: 300 });
  });

  it('given a bomb and a pit, when they are read, then one line says so', () => {
    const bomb = deflateRawSync(Buffer.alloc(50 * 1024 * 1024, 0x20));
    expect(readBody({ type: 'write', body: bomb, dictionary: noDictionary })).toMatchObject({ ok: false, fault: { message: expect.stringContaining('unpacks to more than') } });
    expect(readBody({ type: 'write', body: Buffer.from('['.repeat(100_000)) })).toMatchObject({ ok: false, fault: { message: expect.stringContaining('nests deeper') } });
  });
});

describe('fragments', () => {
  it('given any message cut anywhere, when its pieces come in any order and twice, then it is put together once', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 2, maxLength: 2_000 }), fc.integer({ min: 1, max: 100 }), fc.infiniteStream(fc.nat()), (message, pieceBytes, order) => {
      const count = Math.ceil(message.length / pieceBytes);
      fc.pre(count > 1 && count <= 1_024);
      const pieces = Array.from({ length: count }, (_each, index) => encodeFragment({ message: 7, index, count, piece: message.subarray(index * pieceBytes, (index + 1) * pieceBytes) }));
      const mixed = pieces.map((piece) => ({ piece, place: order.next().value })).sort((a, b) => a.place - b.place);
      const reassembly = new Reassembly();
      const whole = [...mixed.slice(0, -1), ...mixed].flatMap(({ piece }) => {
        const fragment = readFragment(piece);
        const made = fragment?.ok === true ? reassembly.add(topic, fragment.value, 0) : undefined;
        return made === undefined ? [] : [Buffer.from(made).toString('hex')];
      });
      expect(whole).toEqual([Buffer.from(message).toString('hex')]);
      expect(reassembly.open).toBe(0);
    }));
  });

  it('given messages that are begun and never ended, when more come, then the oldest go', () => {
    const reassembly = new Reassembly();
    const begin = (of: string, message: number, nowMs = 0) => reassembly.add(of, { message, index: 0, count: 2, piece: Buffer.alloc(10) }, nowMs);
    for (let message = 0; message < 100; message += 1) begin(topic, message);
    expect(reassembly.open).toBe(assembliesPerTopicMax);
    for (let node = 0; node < 2 * assembliesMax; node += 1) begin(`node-${node}`, 1);
    expect(reassembly.open).toBe(assembliesMax);
    begin('later', 1, assemblyMsMax + 1);
    expect(reassembly.open).toBe(1);
  });

  it('given a message that grows beyond the limit, or contradicts itself, when its pieces come, then it is dropped', () => {
    const reassembly = new Reassembly();
    const piece = randomBytes(messageBytesMax / 8);
    for (let index = 0; index < 9; index += 1) expect(reassembly.add(topic, { message: 1, index, count: 1_024, piece }, 0)).toBeUndefined();
    expect(reassembly.open).toBe(0);
    reassembly.add(topic, { message: 2, index: 0, count: 3, piece }, 0);
    reassembly.add(topic, { message: 2, index: 1, count: 2, piece }, 0);
    expect(reassembly.open).toBe(0);
  });

  it('given a header that lies about its place, when it is read, then it is refused', () => {
    for (const [index, count] of [[2, 2], [0, 1], [0, 2_000]] as const) expect(readFragment(encodeFragment({ message: 1, index, count, piece: Buffer.alloc(1) }))?.ok).toBe(false);
    expect(readFragment(Buffer.from('017f00000000010000', 'hex'))?.ok).toBe(false);
  });
});
