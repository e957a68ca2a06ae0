// Broken manifests and broken MQTT payloads as they turn up in the field, each with what its one line must say.
import { gzipSync } from 'node:zlib';

/** Name, content, and the line's end behind the file's name. */
export type BadManifest = readonly [name: string, content: string | Uint8Array, says: RegExp];
/** Name, payload, and the line's end behind the topic. */
export type BadPayload = readonly [name: string, payload: Uint8Array, says: RegExp];

const pod = (rest: string): string => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: bad\n${rest}`;
const container = (rest: string): string => pod(`spec:\n  containers:\n  - name: app\n    image: a:1\n${rest}`);

export const badManifests: readonly BadManifest[] = [
  ['bytes.yaml', new Uint8Array([0x6b, 0x69, 0xff, 0xfe, 0x00]), /^: not UTF-8 text$/],
  ['bracket.yaml', pod('spec:\n  containers: [\n'), /^:7: spec\.containers: not valid YAML: /],
  ['tab.yaml', pod('spec:\n\tcontainers: []\n'), /^:6: spec: not valid YAML: /],
  ['bomb.yaml', aliasBomb(), /^:\d+: .*: more than 100000 values, those repeated by aliases included$/],
  ['deep.json', '['.repeat(100_000), /^:1: nested deeper than 64 levels$/],
  ['huge.yaml', 'a'.repeat(10 * 1024 * 1024 + 1), /^: cannot be read: larger than 10485760 bytes/],
  ['twice.json', '{"kind": "Pod",\n "metadata": {"name": "a",\n "name": "b"}}', /^:3: metadata\.name: Duplicate value: "name"/],
  ['kind.yaml', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\n', /^:2: kind: Unsupported value: "Deployment"/],
  ['nameless.yaml', 'kind: Pod\nspec: {containers: [{name: a, image: b}]}\n', /^:1: metadata\.name: Required value$/],
  ['path.yaml', container('').replace('name: bad', 'name: ../../etc/cron.d/x'), /^:4: metadata\.name: Invalid value: "\.\.\/\.\.\/etc\/cron\.d\/x"/],
  ['imageless.yaml', pod('spec:\n  containers:\n  - name: app\n'), /^:7: spec\.containers\[0\]\.image: Required value$/],
  ['type.yaml', container('    ports:\n    - containerPort: "80"\n'), /^:10: spec\.containers\[0\]\.ports\[0\]\.containerPort: Invalid value: "80": must be a whole number/],
  ['alien.yaml', pod('spec:\n  nodeName: other\n  containers: [{name: a, image: b}]\n'), /^:6: spec\.nodeName: Invalid value: "other"/],
];

function lie(bomb: Uint8Array): Uint8Array {
  const lying = Buffer.from(bomb);
  lying.writeUInt32LE(1_000, lying.length - 4);
  return lying;
}

function aliasBomb(): string {
  const rows = Array.from('bcdefghij', (name, index) => `${name}: &${name} [${Array<string>(9).fill(`*${'abcdefghij'[index] ?? ''}`).join(', ')}]`);
  return `a: &a [x, x, x, x, x, x, x, x, x]\n${rows.join('\n')}\n${container('')}`;
}

const gzip = (content: string | Uint8Array): Uint8Array => gzipSync(content);
const push = (podData: unknown): Uint8Array => gzip(JSON.stringify({ data_type: 'pod', pod_data: podData }));
const metadata = { name: 'bad', namespace: 'default', uid: 'bad-1' };
const spec = { nodeName: 'edge-07', containers: [{ name: 'app', image: 'a:1' }] };

/** Unpacks to 200 MiB. */
export const gzipBomb: Uint8Array = gzip(Buffer.alloc(200 * 1024 * 1024, 0x61));
/** The same, with a trailer that says 1,000 bytes. */
export const lyingBomb: Uint8Array = lie(gzipBomb);

export const badPayloads: readonly BadPayload[] = [
  ['nothing', new Uint8Array(0), /^: the payload is empty/],
  ['text', Buffer.from('hello'), /^: the payload is not gzip: it begins with 68 65 6c 6c/],
  ['half a payload', push({ metadata, spec }).subarray(0, -6), /^: the gzip data ends early$/],
  ['a gzip bomb', gzipBomb, /^: the payload unpacks to more than 10485760 bytes$/],
  ['broken YAML', gzip('data_type: pod\npod_data: [1,\n'), /^:[23]: not YAML/],
  ['an alias bomb', gzip(`data_type: pod\n${aliasBomb()}`), /^:\d+: the YAML alias \*a is not taken/],
  ['deep nesting', gzip(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), /nests deeper than 64/],
  ['a key twice', gzip('{"data_type":"pod","data_type":"node","node_data":{}}'), /key stands twice/],
  ['an unknown kind of message', gzip('{"data_type":"configmap"}'), /^: data_type: /],
  ['a pod without a UID', push({ metadata: { ...metadata, uid: undefined }, spec }), /^: metadata\.uid: .*\(pod default\/bad\)$/],
  ['a path for a UID', push({ metadata: { ...metadata, uid: '../../../etc', name: 'bad-path' }, spec }), /^: metadata\.uid: /],
  ['another node\'s pod', push({ metadata: { ...metadata, name: 'bad-node' }, spec: { ...spec, nodeName: 'edge-08' } }), /^: spec\.nodeName: /],
  ['a container without an image', push({ metadata: { ...metadata, name: 'bad-image' }, spec: { ...spec, containers: [{ name: 'app' }] } }), /^: spec\.containers\[0\]\.image: /],
];
