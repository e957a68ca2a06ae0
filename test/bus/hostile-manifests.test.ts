// Bad manifest files of many kinds: each gives one clear line with file, line and field; every other pod in the folder is untouched.
import { describe, expect, it } from 'vitest';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import { decodeManifest } from '../../src/bus/ingress/decode-pod.ts';
import { startStaticPods } from '../../src/bus/ingress/static-pods.ts';
import { inputFaultLine } from '../../src/ports/faults.ts';
import { fileContext, manifest } from '../support/manifests.ts';
import { silentLog } from '../support/silent-log.ts';

const pod = (rest: string): string => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: bad\n${rest}`;
const spec = (rest: string): string => pod(`spec:\n${rest}`);
const container = (rest: string): string => spec(`  containers:\n  - name: app\n    image: a:1\n${rest}`);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const bomb = (): string => {
  const rows = Array.from('bcdefghij', (name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[index] ?? ''}`).join(', ')}]`);
  return `a: &a [x, x, x, x, x, x, x, x, x]\n${rows.join('\n')}\n${manifest('bad')}`;
};

/** Name, content, and the line expected behind `bad.yaml`. */
const corpus: readonly (readonly [string, string | Uint8Array, string | RegExp])[] = [
  // Not text, not YAML.
  ['bytes that are no UTF-8', new Uint8Array([0x6b, 0x69, 0xff, 0xfe, 0x00]), ': not UTF-8 text'],
  ['UTF-16', new Uint8Array([0xff, 0xfe, 0x6b, 0x00, 0x69, 0x00]), ': not UTF-8 text'],
  ['a gzip file', new Uint8Array([0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00]), ': not UTF-8 text'],
  ['zero bytes', new Uint8Array(500), /^:1: Invalid value: "(\\u0000)+.*": must be an object of kind Pod$/],
  ['a file beyond 10 MiB', 'a'.repeat(10 * 1_024 * 1_024 + 1), /cannot be read: larger than 10485760 bytes|: larger than 10485760 bytes/],
  ['an open bracket', spec('  containers: [\n'), /^:7: spec\.containers: not valid YAML: /],
  ['an open quote', container('    command: ["sleep\n'), /^:10: spec\.containers\[0\]\.command\[0\]: not valid YAML: Missing closing "quote/],
  ['a tab for indentation', pod('spec:\n\tcontainers: []\n'), /^:6: spec: not valid YAML: .*[Tt]ab/],
  ['lost indentation', container('   command: [a]\n'), /^:9: spec\.containers(\[0\])?(\.image)?: not valid YAML: /],
  ['a merge conflict', `<<<<<<< HEAD\n${manifest('bad')}=======\n`, /^:2: not valid YAML: |^:1: .*not valid YAML/],
  ['an unknown alias', container('    command: *nowhere\n'), ':9: spec.containers[0].command: no anchor "nowhere" before this alias'],
  ['an alias bomb', bomb(), /^:\d+: .*: more than 100000 values, those repeated by aliases included$/],
  ['an alias of itself', pod('spec: &a\n  containers: [*a]\n'), /^:5: spec: nested deeper than 64 levels$|: nested deeper than 64 levels$/],
  ['brackets without end', '['.repeat(100_000), ':1: nested deeper than 64 levels'],
  ['a million keys', `{${Array.from({ length: 300_000 }, (_, index) => `k${index}: 1`).join(', ')}}`, ':1: more than 400000 YAML tokens in one file; split it'],
  ['thousands of documents', '---\na: 1\n'.repeat(2_000), /^:\d+: more than 500 documents in one file; split it$/],
  ['a key twice', container('    image: b:2\n'), ':9: spec.containers[0].image: Duplicate value: "image": the key stands twice in this object'],
  ['a key twice in JSON', '{"kind": "Pod",\n "metadata": {"name": "a",\n "name": "b"}}', ':3: metadata.name: Duplicate value: "name": the key stands twice in this object'],
  ['JSON with a comma too many', '{"kind": "Pod",,\n "metadata": {}}', /^:1: .*not valid YAML: /],
  ['a list for a key', '? [a, b]\n: c\n', ':1: a key must be a plain value'],
  // Not a pod.
  ['text', 'hello\n', ':1: Invalid value: "hello": must be an object of kind Pod'],
  ['a number', '5\n', ':1: Invalid value: 5: must be an object of kind Pod'],
  ['a list', '- a\n- b\n', ':1: Invalid value: […]: must be an object of kind Pod'],
  ['no kind', 'metadata:\n  name: bad\n', ':1: kind: Required value: must be "Pod"'],
  ['another kind', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\n', ':2: kind: Unsupported value: "Deployment": supported values: "Pod" (and 1 more)'],
  ['a list of no list', 'kind: List\nitems: {a: b}\n', ':2: items: Invalid value: {…}: must be a list'],
  ['another kind in a list', 'kind: List\nitems:\n- kind: Service\n', ':3: items[0].kind: Unsupported value: "Service": supported values: "Pod"'],
  // Not a valid pod.
  ['no metadata', 'kind: Pod\nspec: {containers: [{name: a, image: b}]}\n', ':1: metadata.name: Required value'],
  ['no name', 'kind: Pod\nmetadata:\n  labels: {}\nspec: {containers: [{name: a, image: b}]}\n', ':2: metadata.name: Required value'],
  ['a path for a name', manifest('../../etc/cron.d/x'), /^:4: metadata\.name: Invalid value: "\.\.\/\.\.\/etc\/cron\.d\/x": must be lower case/],
  ['a path for a namespace', manifest('bad').replace('  name', '  namespace: ../x\n  name'), /^:4: metadata\.namespace: Invalid value: "\.\.\/x": must be lower case/],
  ['a path for a UID', manifest('bad').replace('  name', '  uid: ../../x\n  name'), /^:4: metadata\.uid: Invalid value: "\.\.\/\.\.\/x": must be 1 to 128/],
  ['no spec', pod(''), ':1: spec: Required value'],
  ['an empty spec', pod('spec:\n'), ':5: spec: Required value'],
  ['text for containers', spec('  containers: app\n'), ':6: spec.containers: Invalid value: "app": must be a list'],
  ['no image', spec('  containers:\n  - name: app\n'), ':7: spec.containers[0].image: Required value'],
  ['text for a port', container('    ports:\n    - containerPort: "80"\n'), ':10: spec.containers[0].ports[0].containerPort: Invalid value: "80": must be a whole number; take the quotes away'],
  ['a bare yes for a variable', container('    env:\n    - name: A\n      value: yes\n'), ':11: spec.containers[0].env[0].value: Invalid value: true: must be a string; put it in quotes'],
  ['text for a switch', container('    tty: "true"\n'), ':9: spec.containers[0].tty: Invalid value: "true": must be true or false'],
  ['a command that is no list', container('    command: /bin/sh -c true\n'), ':9: spec.containers[0].command: Invalid value: "/bin/sh -c true": must be a list'],
  ['an alien node', spec('  nodeName: other\n  containers: [{name: a, image: b}]\n'), ':6: spec.nodeName: Invalid value: "other": must be the name of this node, "edge-07"'],
  ['a mount without a volume', container('    volumeMounts:\n    - {name: data, mountPath: /data}\n'), ':10: spec.containers[0].volumeMounts[0].name: Not found: "data"'],
  ['an object larger than the API takes', container(`    args: [${Array.from({ length: 9 }, () => `"${'x'.repeat(200_000)}"`).join(', ')}]\n`), /^:9: spec\.containers\[0\]\.args\[7\]: Too long: the pod is larger than 1572864 bytes/],
];

describe('a bad manifest', () => {
  it.each(corpus)('given %s, when decoded, then no pod and exactly one line with file, line and field', (_name, content, expected) => {
    const decoded = decodeManifest(typeof content === 'string' ? bytes(content) : content, { ...fileContext, origin: '/etc/pods/bad.yaml' });
    expect(decoded.pods).toEqual([]);
    const lines = decoded.faults.map((fault) => inputFaultLine(fault).replace('/etc/pods/bad.yaml', ''));
    expect(lines).toHaveLength(1);
    if (typeof expected === 'string') expect(lines[0]).toBe(expected);
    else expect(lines[0]).toMatch(expected);
    expect(lines[0]).toMatch(/^[^\n\r\u0000]{3,1100}$/);
  });

  it('given the whole corpus in one folder beside two good files, when it is watched, then the good ones run and each bad one is told once', async () => {
    const clock = new VirtualClock();
    const bus = new Bus(clock);
    const files = new SimFiles({ clock });
    const refused: string[] = [];
    const sets: string[][] = [];
    bus.as('test').on('input.refused', ({ payload }) => refused.push(payload.fault.origin));
    bus.as('test').on('source.updated', ({ payload }) => { if (payload.kind === 'set') sets.push(payload.pods.map(({ name }) => name)); });
    files.put('/etc/pods/aa-good.yaml', manifest('first'));
    files.put('/etc/pods/zz-good.yaml', manifest('last'));
    for (const [index, [, content]] of corpus.entries()) files.put(`/etc/pods/bad-${String(index).padStart(2, '0')}.yaml`, content);
    await clock.advance(60_000);
    const actor = startStaticPods({ bus: bus.as('static-pods'), files, clock, log: silentLog, directory: '/etc/pods', nodeName: 'edge-07', scanMs: 20_000 });
    await clock.advance(120_000);
    expect(sets).toEqual([['first-edge-07', 'last-edge-07']]);
    expect(refused).toEqual(corpus.map((_one, index) => `/etc/pods/bad-${String(index).padStart(2, '0')}.yaml`));
    await actor.stop();
    expect(clock.pendingTimers()).toEqual([]);
  });
});

describe('a manifest with good and bad documents', () => {
  it('given bad ones between good ones, when decoded, then the good ones come and each bad one has its line', () => {
    const text = [manifest('a'), 'kind: Pod\nmetadata:\n  name: b\n  name: c\n', '', '# only a comment\n', manifest('d', '5'), 'kind: Service\n', manifest('e')].join('---\n');
    const { pods, faults } = decodeManifest(bytes(text), fileContext);
    expect(pods.map(({ name }) => name)).toEqual(['a-edge-07', 'e-edge-07']);
    expect(faults.map(({ line, field }) => `${line} ${field}`)).toEqual(['13 metadata.name', '25 spec.containers[0].image', '27 kind']);
  });

  it('given a List with good and bad items, when decoded, then the good ones come', () => {
    const item = (name: string): string => `- {kind: Pod, metadata: {name: ${name}}, spec: {containers: [{name: app, image: a}]}}\n`;
    const { pods, faults } = decodeManifest(bytes(`kind: List\nitems:\n${item('a')}${item('B')}${item('c')}`), fileContext);
    expect(pods.map(({ name }) => name)).toEqual(['a-edge-07', 'c-edge-07']);
    expect(faults.map(({ line, field }) => `${line} ${field}`)).toEqual(['4 items[1].metadata.name']);
  });
});

describe('a manifest as users write them', () => {
  const specOf = (text: string): unknown => {
    const { pods, faults } = decodeManifest(bytes(text), fileContext);
    expect(faults).toEqual([]);
    return pods[0]?.pod.spec;
  };

  it.each([
    ['a byte order mark', `\uFEFF${manifest('a')}`],
    ['Windows line ends', manifest('a').replaceAll('\n', '\r\n')],
    ['JSON', '{"kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"app","image":"registry.example/app:1"}]}}'],
    ['JSON indented by tabs', '{\n\t"kind": "Pod",\n\t"metadata": {"name": "a"},\n\t"spec": {"containers": [\n\t\t{"name": "app", "image": "registry.example/app:1"}]}}'],
    ['a directive and an end mark', `%YAML 1.1\n---\n${manifest('a')}...\n`],
  ])('given %s, when decoded, then the pod comes', (_name, text) => {
    expect(specOf(text)).toMatchObject({ containers: [{ name: 'app', image: 'registry.example/app:1' }] });
  });

  it('given YAML 1.1 as Kubernetes reads it, when decoded, then yes is true, 0644 is octal and quoted ones stay text', () => {
    expect(specOf(`${manifest('a')}    tty: yes\n    stdin: Off\n    env: [{name: A, value: "0644"}, {name: B, value: 1.2.3}, {name: C, value: !!str 5}]
    resources: {limits: {cpu: 0.5, memory: 1e6}}\n  volumes: [{name: v, configMap: {name: c, defaultMode: 0640}}]\n`)).toMatchObject({
      containers: [{
        tty: true, stdin: false, env: [{ name: 'A', value: '0644' }, { name: 'B', value: '1.2.3' }, { name: 'C', value: '5' }],
        resources: { limits: { cpu: '0.5', memory: '1000000' } },
      }],
      volumes: [{ name: 'v', configMap: { defaultMode: 0o640 } }],
    });
  });

  it('given anchors and merge keys, when decoded, then they are filled in, own keys first', () => {
    expect(specOf(`kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - &base\n    name: app\n    image: a:1\n    args: [x]
  - <<: *base\n    name: second\n  - <<: [{args: [z]}, *base]\n    name: third\n`)).toMatchObject({
      containers: [{ name: 'app', args: ['x'] }, { name: 'second', image: 'a:1', args: ['x'] }, { name: 'third', image: 'a:1', args: ['z'] }],
    });
  });

  it('given nothing but comments and empty documents, when decoded, then neither pods nor faults', () => {
    expect(decodeManifest(bytes('# a\n---\n---\nnull\n---\n~\n...\n'), fileContext)).toEqual({ pods: [], faults: [] });
    expect(decodeManifest(bytes(''), fileContext)).toEqual({ pods: [], faults: [] });
  });
});
