// Bad payloads on the control topic: each gives exactly one clear line that names the topic and, where there is one, the field;
// no other pod is touched, nothing is published besides, and memory stays bounded.
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packJson, unpackedBytesMax } from '../../src/bus/dialects/lite/payload.ts';
import { linesPerPeriodMax } from '../../src/bus/ingress/refusal-teller.ts';
import { controlTopic, wirePod, WireWorld } from '../support/wire-world.ts';

const gzip = (text: string | Uint8Array): Uint8Array => gzipSync(text);
const json = (value: unknown): Uint8Array => gzip(JSON.stringify(value));
const good = wirePod('bad-0');
const push = (pod: unknown, more: object = {}): Uint8Array => json({ data_type: 'pod', pod_data: pod, ...more });
const meta = (metadata: object): Uint8Array => push({ ...good, metadata: { ...(good.metadata as object), ...metadata } });
const spec = (more: object): Uint8Array => push({ ...good, spec: { ...(good.spec as object), ...more } });
const ack = (data: unknown): Uint8Array => json({ data_type: 'ack', ack_data: data });
const container = { name: 'web', image: 'i' };

/** Name, payload, and what the line must say beside the topic. */
const corpus: readonly (readonly [name: string, payload: () => Uint8Array, says: RegExp])[] = [
  // ---- not even text
  ['an empty payload', () => new Uint8Array(0), /empty/],
  ['plain text', () => Buffer.from('hello'), /not gzip: it begins with 68 65 6c 6c/],
  ['JSON without gzip', () => Buffer.from('{"data_type":"pod"}'), /not gzip/],
  ['random bytes behind a gzip header', () => Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), /gzip data/],
  ['a header only', () => Buffer.from([0x1f, 0x8b]), /gzip data ends early/],
  ['gzip cut short', () => push(good).subarray(0, -6), /gzip data ends early/],
  ['gzip with a wrong checksum', () => { const bytes = Buffer.from(push(good)); bytes.writeUInt32LE(1, bytes.length - 8); return bytes; }, /gzip data is damaged/],
  ['bytes after the gzip data', () => Buffer.concat([push(good), Buffer.from('tail')]), /other bytes follow/],
  ['a gzip bomb', () => gzip(Buffer.alloc(200 * 1024 * 1024, 0x61)), /unpacks to more than 10485760 bytes/],
  ['a gzip bomb that says it is small', () => { const bytes = Buffer.from(gzip(Buffer.alloc(20 * 1024 * 1024, 0x61))); bytes.writeUInt32LE(1_000, bytes.length - 4); return bytes; }, /unpacks to more than 10485760 bytes/],
  ['a bomb of many members', () => Buffer.concat(Array.from({ length: 30 }, () => gzip(Buffer.alloc(1024 * 1024, 0x61)))), /unpacks to more than/],
  ['more bytes than are taken', () => Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(2 * 1024 * 1024)]), /2097154 bytes; at most 1048576/],
  ['gzip of nothing', () => gzip(''), /unpacks to nothing/],
  ['bytes that are not UTF-8', () => gzip(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), /not UTF-8/],
  // ---- not a message
  ['YAML that does not parse', () => gzip('data_type: pod\npod_data: [1,\n'), /control_line:[23]: not YAML/],
  ['YAML with a tab for indentation', () => gzip('data_type: pod\npod_data:\n\tmetadata: x\n'), /:3: not YAML/],
  ['broken JSON', () => gzip('{"data_type": "pod", "pod_data": {'), /not YAML/],
  ['a scalar', () => gzip('just words'), /not a mapping/],
  ['a list', () => gzip('- data_type: pod\n'), /not a mapping/],
  ['two documents', () => gzip('data_type: pod\n---\ndata_type: pod\n'), /several YAML documents/],
  ['a duplicate key in JSON', () => gzip('{"data_type":"pod","data_type":"node","node_data":{}}'), /key stands twice/],
  ['a duplicate key deep in YAML', () => gzip('data_type: pod\npod_data:\n  metadata:\n    name: a\n    name: b\n'), /:5: the key "name" stands twice/],
  ['deep nesting in JSON', () => gzip(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), /nests deeper than 64/],
  ['deep nesting in flow YAML', () => gzip(`a: ${'['.repeat(5_000)}\n`), /nests deeper than 64/],
  ['deep nesting in block YAML', () => gzip(`a:\n${Array.from({ length: 3_000 }, (_each, index) => `${' '.repeat(index % 3_000 + 1)}b:\n`).join('')}`), /nests deeper than 64/],
  ['deep nesting of dashes', () => gzip(`a: 1\nb:\n${'- '.repeat(20_000)}x\n`), /nests deeper than 64/],
  ['an alias bomb', () => gzip('a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ndata_type: pod\n'), /:2: the YAML alias \*a is not taken/],
  ['a YAML tag', () => gzip('data_type: !!js/function "x"\n'), /Unresolved tag/],
  ['a number that is none', () => gzip('data_type: pod\npod_data:\n  a: .nan\n'), /:3: \.nan is not a number/],
  ['a prototype key', () => gzip('{"data_type":"pod","pod_data":{"__proto__":{"polluted":true}}}'), /__proto__/],
  ['millions of values', () => gzip(`{"a":[${'0,'.repeat(4_000_000)}0]}`), /more than 1000000 values/],
  ['millions of YAML lines', () => gzip('- a\n'.repeat(2_500_000)), /more than 1000000 values/],
  ['millions of pieces of flow YAML', () => gzip(`a: [${'b, '.repeat(3_000_000)}]`), /more than 200000 pieces/],
  // ---- a message of no kind
  ['no data_type', () => json({ pod_data: good }), /data_type: must be "ack", "pod" or "node", not nothing/],
  ['an unknown data_type', () => json({ data_type: 'configmap' }), /data_type: .*not "configmap"/],
  ['a data_type that is a number', () => json({ data_type: 7 }), /data_type: .*not a number/],
  // ---- answers
  ['an ack without body', () => json({ data_type: 'ack' }), /ack_data: must be a mapping, not nothing/],
  ['an ack whose body is a list', () => ack([]), /ack_data: must be a mapping, not a list/],
  ['an ack without identity', () => ack({ error_type: 2 }), /ack_data\.identity: .*not nothing/],
  ['an ack with a huge identity', () => ack({ identity: 'x'.repeat(100_000), error_type: 2 }), /ack_data\.identity: .*100000 characters/],
  ['an ack with error_type as text', () => ack({ identity: 'x', error_type: '2' }), /ack_data\.error_type: .*not a string/],
  ['an ack with neither type nor error', () => ack({ identity: 'x' }), /ack_data\.error_type: is missing/],
  ['an ack with an unknown type', () => ack({ identity: 'x', error_type: 9 }), /ack_data\.error_type: .*not 9/],
  ['an ack with a bare status', () => ack({ identity: 'x', error: { reason: 'NotFound' } }), /ack_data\.error\.ErrStatus: must be a mapping/],
  ['an ack whose reason is a list', () => ack({ identity: 'x', error: { ErrStatus: { reason: [] } } }), /ErrStatus\.reason: must be a string/],
  ['an ack whose object is text', () => ack({ identity: 'x', error_type: 2, object: 'pod' }), /ack_data\.object: must be a mapping, not a string/],
  // ---- nodes
  ['a node message without body', () => json({ data_type: 'node', node_data: null }), /node_data: must be a mapping, not null/],
  ['another node', () => json({ data_type: 'node', node_data: { metadata: { name: 'edge-08' } } }), /node_data\.metadata\.name: must be this node/],
  ['a node with a wrong type', () => json({ data_type: 'node', node_data: { metadata: { name: 'edge-07', labels: [] } } }), /node_data\.metadata\.labels: must be a mapping of strings/],
  // ---- pods
  ['a pod message without body', () => json({ data_type: 'pod' }), /pod_data: must be a mapping, not nothing/],
  ['a pod that is a list', () => push([]), /pod_data: must be a mapping, not a list/],
  ['secrets that are no list', () => push(good, { secrets_data: {} }), /secrets_data: must be a list/],
  ['secrets with a text among them', () => push(good, { secrets_data: ['x'] }), /secrets_data\[0\]: must be a mapping/],
  ['another kind', () => push({ ...good, kind: 'Deployment' }), /kind: /],
  ['a pod without metadata', () => push({ spec: good.spec }), /metadata\.name: /],
  ['a pod without a name', () => meta({ name: '' }), /metadata\.name: /],
  ['a pod without a UID', () => meta({ uid: undefined }), /metadata\.uid: /],
  ['a pod without a namespace', () => meta({ namespace: undefined }), /metadata\.namespace: /],
  ['a path as name', () => meta({ name: '../../x' }), /metadata\.name: /],
  ['a path as namespace', () => meta({ namespace: '..' }), /metadata\.namespace: /],
  ['a path as UID', () => meta({ uid: '../../../etc' }), /metadata\.uid: /],
  ['a name with a line break', () => meta({ name: 'a\nb' }), /metadata\.name: /],
  ['a name with a zero byte', () => meta({ name: 'a\u0000b' }), /metadata\.name: /],
  ['an endless name', () => meta({ name: 'a'.repeat(300) }), /metadata\.name: /],
  ['labels of a wrong type', () => meta({ labels: { a: 1 } }), /metadata\.labels/],
  ['another node name', () => spec({ nodeName: 'edge-08' }), /spec\.nodeName: .*"edge-07"/],
  ['no node name', () => spec({ nodeName: undefined }), /spec\.nodeName: /],
  ['a pod without spec', () => push({ metadata: good.metadata }), /spec: /],
  ['no containers', () => spec({ containers: [] }), /spec\.containers: /],
  ['containers that are a mapping', () => spec({ containers: {} }), /spec\.containers: /],
  ['a null container', () => spec({ containers: [null] }), /spec\.containers\[0\]/],
  ['a container without image', () => spec({ containers: [{ name: 'web' }] }), /spec\.containers\[0\]\.image: /],
  ['a container name with a slash', () => spec({ containers: [{ name: '../x', image: 'i' }] }), /spec\.containers\[0\]\.name: /],
  ['two containers of one name', () => spec({ containers: [container, container] }), /spec\.containers\[1\]\.name: /],
  ['a command of numbers', () => spec({ containers: [{ ...container, command: [1] }] }), /spec\.containers\[0\]\.command\[0\]: /],
  ['a port out of range', () => spec({ containers: [{ ...container, ports: [{ containerPort: 70_000 }] }] }), /spec\.containers\[0\]\.ports\[0\]\.containerPort: /],
  ['an unknown restart policy', () => spec({ restartPolicy: 'Sometimes' }), /spec\.restartPolicy: /],
  ['a quantity that is none', () => spec({ containers: [{ ...container, resources: { limits: { memory: 'much' } } }] }), /resources\.limits/],
  ['a hostPath with dots', () => spec({ volumes: [{ name: 'v', hostPath: { path: '/a/../../etc' } }] }), /spec\.volumes\[0\]\.hostPath\.path: /],
  ['a mirror pod without a name', () => push({ metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } }, spec: { nodeName: 'edge-07' } }), /pod_data\.metadata\.name: /],
  ['a mirror pod of another node', () => push({ metadata: { ...(good.metadata as object), annotations: { 'kubernetes.io/config.mirror': 'x' } }, spec: { nodeName: 'edge-08' } }), /pod_data\.spec\.nodeName: /],
];

describe('hostile payloads over MQTT', () => {
  let world: WireWorld;
  beforeEach(async () => {
    world = new WireWorld();
    world.link('up');
    await world.clock.settle();
    world.answerStart([wirePod('calm-0')]);
    world.log.length = 0;
  });
  afterEach(async () => {
    await world.stop();
  });

  it.each(corpus.map(([name, payload, says]) => ({ name, payload, says })))('given $name, when it is received, then one line says so and nothing else happens', ({ payload, says }) => {
    world.receive(payload());
    const published = world.log.map(({ topic }) => topic).filter((topic) => topic !== 'mqtt.received');
    // Where it names a pod of this node that nobody here knows, the API is told too.
    expect(published.filter((topic) => topic !== 'pod.refused')).toEqual(['input.refused']);
    for (const { pod } of world.payloads('pod.refused')) expect([pod.uid, pod.namespace, pod.name].join(' ')).toMatch(/^[A-Za-z0-9-]+ [a-z0-9-]+ [a-z0-9.-]+$/);
    const [line = ''] = world.refusals();
    expect(line.startsWith(controlTopic)).toBe(true);
    expect(line.replace(`${controlTopic}:`, 'control_line:')).toMatch(says);
    expect(line).not.toContain('\n');
    expect(line.length).toBeLessThan(1_200);
    expect({}).not.toHaveProperty('polluted');
    // The next good message is taken as ever.
    world.down({ data_type: 'pod', pod_data: wirePod('next-0') });
    expect(world.payloads('source.updated')).toMatchObject([{ kind: 'upsert', pod: { name: 'next-0' } }]);
  });

  it('given a start answer with bad entries, when it is taken, then each has a line, the good ones run, and nothing is deleted', async () => {
    world.link('backingOff');
    world.link('up');
    await world.clock.settle();
    world.answerStart([null, 'text', [], wirePod('good-0'), wirePod('bad-1', { spec: { nodeName: 'edge-08' } }), { metadata: { name: '../x' } }]);
    expect(world.payloads('source.updated')).toMatchObject([{ kind: 'set', pods: [{ name: 'calm-0' }, { name: 'good-0' }] }]);
    const lines = world.refusals();
    expect(lines).toHaveLength(5);
    for (const [index, place] of [[0, 'pods_list[0]'], [1, 'pods_list[1]'], [2, 'pods_list[2]'], [3, 'shop/bad-1'], [4, 'pods_list[5]']] as const) expect(lines[index]).toContain(place);
  });

  it.each([
    ['a list that is none', { pods_list: 'all' }, /pods_list: must be a list/],
    ['secrets that are none', { pods_list: [], secret_list: 7 }, /secret_list: must be a list/],
    ['a node that is none', { pods_list: [], node: 'edge-07' }, /object\.node: must be a mapping/],
  ])('given a start answer with %s, when it is taken, then one line says so, nothing changes, and the start is sent again', async (_name, object, says) => {
    world.link('backingOff');
    world.link('up');
    await world.clock.settle();
    world.answer(world.starts().at(-1)?.identity ?? '', { kind: 'accepted', object });
    expect(world.refusals()).toHaveLength(1);
    expect(world.refusals()[0]).toMatch(says);
    expect(world.payloads('source.updated')).toEqual([]);
    const before = world.starts().length;
    await world.clock.advance(70_000);
    expect(world.starts().length).toBeGreaterThan(before);
  });

  it('given the same bad payload again and again, when it is received, then it is told once', () => {
    const bad = spec({ nodeName: 'edge-08' });
    for (let times = 0; times < 1_000; times += 1) world.receive(bad);
    expect(world.refusals()).toHaveLength(1);
  });

  it('given a bad pod that is mended and breaks again, when it is received, then it is told again', () => {
    world.receive(spec({ nodeName: 'edge-08' }));
    world.receive(push(good));
    world.receive(spec({ nodeName: 'edge-08' }));
    expect(world.refusals()).toHaveLength(2);
  });

  it('given a flood of different bad payloads, when it is received, then the lines are limited and begin anew later', async () => {
    for (let index = 0; index < 5_000; index += 1) world.receive(packJson({ data_type: `kind-${index}` }));
    expect(world.refusals()).toHaveLength(linesPerPeriodMax);
    await world.clock.advance(60_000);
    world.receive(packJson({ data_type: 'late' }));
    expect(world.refusals()).toHaveLength(linesPerPeriodMax + 1);
  });

  it('given more pods than a node may have, when they are pushed, then the further ones are refused and memory is bounded', () => {
    for (let index = 0; index < 1_100; index += 1) world.down({ data_type: 'pod', pod_data: wirePod(`many-${index}`) });
    const taken = world.payloads('source.updated').filter(({ kind }) => kind === 'upsert');
    expect(taken).toHaveLength(999);
    expect(world.refusals()[0]).toMatch(/more than 1000 pods/);
  });

  it('given hundreds of bombs, when they are received, then memory returns to what it was', () => {
    const bomb = gzip(Buffer.alloc(unpackedBytesMax + 1, 0x20));
    const before = process.memoryUsage().rss;
    for (let times = 0; times < 100; times += 1) world.receive(bomb);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
    expect(world.refusals()).toHaveLength(1);
  });
});
