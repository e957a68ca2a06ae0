// Every message of the mqlet dialect as it stands on the wire (golden.json), and what each means to who reads it.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../../src/bus/dialects/dialect.ts';
import { dictionaryId, dictionaryText } from '../../../src/bus/dialects/mqlet/dictionary.ts';
import { mqletDialect } from '../../../src/bus/dialects/mqlet/mqlet-dialect.ts';
import { noDictionary, packBody } from '../../../src/bus/dialects/mqlet/body.ts';
import { encodeFrame } from '../../../src/bus/dialects/mqlet/header.ts';
import { downMessages, id, podObject, shown, uid, writes } from './wire-messages.ts';

const downTopic = 'fleet/v1/down/edge-07/api';
const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as Readonly<Record<string, string>>; // Our own file.

function dialect(): Dialect {
  return mqletDialect({ rootTopic: '/fleet/', nodeName: 'edge-07', software: 'mqlet 0.1.0' });
}

/** One that has been told its dictionary, and of the pod. */
function settled(): Dialect {
  const made = dialect();
  const named = packBody({ put: [{ kind: 'Pod', token: 'AAAAAAAA', status: 'BBBBBBBB', object: podObject }] }, { dictionary: noDictionary });
  made.decodeDown(downTopic, encodeFrame({ type: 'objects', correlation: Buffer.from('01', 'hex'), ...named }));
  made.decodeStartAnswer(downTopic, { same: true, dictionaries: [dictionaryId.toString(16).padStart(8, '0')] });
  return made;
}

describe('messages of the mqlet dialect', () => {
  it('given a connection, when its words are read, then they are the golden ones', () => {
    const made = dialect();
    const { will, ...connection } = made.connection();
    expect(connection).toEqual({ clientId: 'edge-07', username: undefined, password: undefined, subscriptions: [`/${downTopic}`], protocols: ['MQTT 5', 'MQTT 3.1.1'] });
    expect(will).toMatchObject({ topic: '/fleet/v1/up/edge-07/presence', qos: 1, retain: true });
    const said = { will: will?.payload, announce: made.presence?.announce().payload, farewell: made.presence?.farewell().payload, digest: made.encodeStart(id).payload };
    expect(Object.fromEntries(Object.entries(said).map(([name, payload]) => [name, shown(payload ?? new Uint8Array())]))).toEqual({
      will: golden.will, announce: golden.announce, farewell: golden.farewell, digest: golden.digest,
    });
  });

  it('given what the node holds, when the cloud side asks for it, then the holdings are the golden ones', () => {
    const made = settled();
    expect(shown(made.encodeStart(id).payload)).toBe(golden['digest of one pod']);
    made.decodeDown(downTopic, downMessages['answer: tell'] ?? new Uint8Array());
    expect(shown(made.encodeStart(id).payload)).toBe(golden.holdings);
  });

  it.each(Object.keys(writes))('given the write "%s", when it is encoded, then it is the golden one', (name) => {
    const write = writes[name];
    if (write === undefined) throw new Error('a name of the table');
    const packet = settled().encode(write);
    expect(packet.topic).toBe('/fleet/v1/up/edge-07/api');
    expect(packet.needAck).toBe(!/^(event|heartbeat|renewal)/.test(name));
    expect(shown(packet.payload)).toBe(golden[name]);
  });

  it.each(Object.keys(downMessages))('given the message "%s" from the cloud side, when it is compared, then it is the golden one', (name) => {
    expect(shown(downMessages[name] ?? new Uint8Array())).toBe(golden[name]);
  });

  it.each([
    ['answer: accepted', { kind: 'ack', identity: id, answer: { kind: 'accepted', object: undefined } }],
    ['answer: an object', { kind: 'ack', answer: { kind: 'accepted', object: podObject } }],
    ['answer: refused', { kind: 'ack', answer: { kind: 'refused', status: { reason: 'BaseMismatch', code: 409 } } }],
    ['objects', { kind: 'objects', pods: [podObject], secrets: [{ metadata: { name: 'pull' } }], gone: [], doubtful: false }],
    ['objects: a difference', { kind: 'objects', pods: [], doubtful: true }],
    ['objects: gone', { kind: 'objects', pods: [], gone: [{ uid }] }],
    ['look', { kind: 'look' }],
  ])('given "%s", when a node reads it, then it means that', (name, meaning) => {
    expect(dialect().decodeDown(downTopic, downMessages[name] ?? new Uint8Array())).toMatchObject({ ok: true, value: meaning });
  });

  it('given a pod that is held, when its difference comes, then it is taken, and once', () => {
    const made = settled();
    const difference = downMessages['objects: a difference'] ?? new Uint8Array();
    expect(made.decodeDown(downTopic, difference)).toMatchObject({ ok: true, value: { kind: 'objects', changes: [{ uid }], doubtful: false } });
    expect(made.decodeDown(downTopic, difference)).toMatchObject({ ok: true, value: { kind: 'objects', changes: [], doubtful: false } });
  });

  it('given a pod that is held with another status, when a difference comes, then it is left, for the answer to a write was lost', () => {
    const other = downMessages['objects: a difference beside another status'] ?? new Uint8Array();
    expect(settled().decodeDown(downTopic, other)).toMatchObject({ ok: true, value: { kind: 'objects', changes: [], doubtful: true } });
  });

  it('given a mirror pod to create, when the answer tells only what is new, then the object is whole', () => {
    const made = dialect();
    const create = writes['pod create'];
    if (create === undefined) throw new Error('a name of the table');
    made.encode(create);
    const answered = made.decodeDown(downTopic, downMessages['answer: created'] ?? new Uint8Array());
    expect(answered).toMatchObject({ ok: true, value: { answer: { object: { metadata: { name: 'web-0', namespace: 'shop', uid }, spec: { nodeName: 'edge-07' } } } } });
  });

  it.each([
    ['another version', Buffer.from('0203', 'hex'), 'header has at least 3'],
    ['another version', Buffer.from('024100', 'hex'), 'UnsupportedVersion: version 2 of the wire is not spoken here; 1 is'],
    ['a layout unknown', Buffer.from('014110', 'hex'), 'UnknownMessage: the flags 0x10'],
    ['a type unknown', Buffer.from('012f00', 'hex'), 'UnknownMessage: messages of type 0x2f'],
    ['a dictionary unknown', Buffer.concat([Buffer.from('014209', 'hex'), Buffer.from([1, 1]), Buffer.from('deadbeef00', 'hex')]), 'UnknownDictionary: the dictionary deadbeef'],
  ])('given %s, when it is read, then it is refused in one line', (_what, payload, message) => {
    expect(dialect().decodeDown(downTopic, payload)).toMatchObject({ ok: false, fault: { origin: downTopic, severity: 'error', message: expect.stringContaining(message) } });
  });

  it('given a type that may be ignored, and hints in the flags, when they are read, then nothing is refused', () => {
    expect(dialect().decodeDown(downTopic, Buffer.from('018000', 'hex'))).toEqual({ ok: true, value: { kind: 'nothing' } });
    expect(dialect().decodeDown(downTopic, Buffer.from('0143c0', 'hex'))).toEqual({ ok: true, value: { kind: 'look' } });
  });

  it('given the dictionary, when it is measured, then it fits the window', () => {
    expect(Buffer.byteLength(dictionaryText)).toBeLessThanOrEqual(8_192 - 262);
  });
});
