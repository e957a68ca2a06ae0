// Every message of the kole dialect in both directions: letter by letter what goes up, value by value what comes down.
import { describe, expect, it } from 'vitest';
import { decodeControl, decodeData } from '../../../src/bus/dialects/kole/down-messages.ts';
import { koleDialect } from '../../../src/bus/dialects/kole/kole-dialect.ts';
import { readSpec, specHash } from '../../../src/bus/dialects/kole/pod-spec.ts';
import { decodePodObject } from '../../../src/bus/ingress/decode-pod.ts';
import type { DesiredPod, Node } from '../../../src/ports/pod-types.ts';

const dialect = koleDialect({ nodeName: 'gw-0-0', reportPeriodMs: 120_000 });
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const textOf = (payload: Uint8Array): string => new TextDecoder().decode(payload);

/** The spelling of the protocol's own examples. */
const node = {
  metadata: { name: 'gw-0-0' },
  status: {
    addresses: [{ address: '10.1.0.7', type: 'InternalIP' }, { address: 'gw-0-0', type: 'Hostname' }],
    allocatable: { cpu: '6', memory: '6144000Ki', pods: '8' },
    capacity: { cpu: '8000m', memory: '8192000Ki', pods: '10' },
    nodeInfo: { architecture: 'amd64', kubeletVersion: 'v0.1.0', kernelVersion: '4.19.91' },
  },
} as unknown as Node; // A node object has more fields; the dialect reads these.
const report = { identity: '0b5cfa3e-0000-4000-8000-000000000001', sequence: 3, atSeconds: 1_715_000_000, registered: false, node, pods: [] };
const statusText = '"status":{"addresses":[{"Address":"10.1.0.7","Type":"InternalIP"},{"Address":"gw-0-0","Type":"HostName"}],"allocatable":{"cpu":6000,"memory":6144000,"pods":8},"capacity":{"cpu":8000,"memory":8192000,"pods":10},"nodeInfo":{"Architecture":"amd64","LiteKubeletVersion":"v0.1.0","KernelVersion":"4.19.91"}}';
const probeHash = 'b75e2cc583a4a2b9cbf78e5d6b68a2ca';
const probe = { Hash: probeHash, Name: 'koledaemonset-probe', NameSpace: 'kole', Spec: { image: 'registry.example/probe:1.0' }, DeleteTimeStamp: null };

function probePod(): DesiredPod {
  const decoded = decodeData(bytes(probe), 'gw-0-0');
  if (!decoded.ok || decoded.value.kind !== 'assigned') throw new Error('the example is a pod');
  const { pod } = decodePodObject(decoded.value.pod, { origin: 'kole/lite/DATA/gw-0-0', source: 'mqtt', nodeName: 'gw-0-0' });
  if (pod !== undefined) return pod;
  const made = decodePodObject({ ...decoded.value.pod, metadata: { ...(decoded.value.pod.metadata as object), uid: 'u-1' } }, { origin: 'x', source: 'mqtt', nodeName: 'gw-0-0' });
  if (made.pod === undefined) throw new Error(made.faults.map(({ message }) => message).join());
  return made.pod;
}

describe('the connection of kole', () => {
  it('given a node, when it connects, then both protocols, its two topics, a clean start and an hour of session', () => {
    expect(dialect.connection()).toEqual({
      clientId: 'gw-0-0-sub', username: undefined, password: undefined, protocols: ['MQTT 5', 'MQTT 3.1.1'], cleanStart: true, sessionExpirySeconds: 3_600,
      subscriptions: ['kole/lite/CTL/gw-0-0', 'kole/lite/DATA/gw-0-0'],
    });
  });

  it('given the Signature scheme, when it connects, then the password signs the client id with its suffix', () => {
    const fleet = { group: 'GID_fleet', accessKey: 'AK-demo', secretKey: 'made-up-secret-key', instance: 'mqtt-inst-01' };
    expect(koleDialect({ nodeName: 'gw-0-0', fleet, reportPeriodMs: 1 }).connection()).toMatchObject({
      clientId: 'GID_fleet@@@gw-0-0-sub', username: 'Signature|AK-demo|mqtt-inst-01', password: 'BT5LXW5vauDtx8oEZglaogaW+x4=',
    });
  });
});

describe('heartbeats of kole', () => {
  it('given a node that is not registered, when it reports, then the text is that of the protocol, letter by letter', () => {
    const { topic, payload, needAck, identity } = dialect.encodeReport(report);
    expect({ topic, needAck, identity }).toEqual({ topic: 'kole/lite/HEARTBEAT', needAck: true, identity: report.identity });
    expect(textOf(payload)).toBe(`{"name":"gw-0-0","labels":{"HostName":"gw-0-0"},"timestamp":1715000000,"identifier":"0b5cfa3e-0000-4000-8000-000000000001","seqnum":3,"state":"Registering",${statusText}}`);
  });

  it('given a registered node with a pod, when it reports, then state and pods follow', () => {
    const { payload, needAck } = dialect.encodeReport({ ...report, registered: true, pods: [{ desired: probePod(), phase: 'Running' }] });
    expect(needAck).toBe(false);
    expect(textOf(payload)).toBe(`{"name":"gw-0-0","labels":{"HostName":"gw-0-0"},"timestamp":1715000000,"identifier":"0b5cfa3e-0000-4000-8000-000000000001","seqnum":3,"state":"Registerd",${statusText},"pods":[{"hash":"${probeHash}","name":"koledaemonset-probe","namespace":"kole","status":{"phase":"Running"}}]}`);
  });
});

describe('hashes of kole', () => {
  it.each([
    [undefined, '37a6259cc0c1dae299a7866489dff0bd'],
    [{}, '99914b932bd37a50b983c5e7c90ae93b'],
    [{ image: 'registry.example/probe:1.0' }, probeHash],
    [{ image: 'registry.example/probe:1.0', command: ['/bin/probe', '--interval=5s'], nodeSelector: { site: 'b', area: 'a' } }, '3135d0d4ed6914390e050b9280485311'],
    [{ image: 'i', command: ['a<b>&c'] }, '93282b4ce79f8375941b54a42b8ad5b0'],
  ])('given the spec %j, when it is hashed, then Go hashes the same', (spec, hash) => {
    expect(specHash(spec)).toBe(hash);
  });

  it('given empty fields, when the spec is read, then they are left out as Go leaves them out', () => {
    expect(readSpec({ Image: '', command: [], nodeselector: null })).toEqual({ ok: true, value: {} });
  });
});

describe('messages down of kole', () => {
  it('given the answer to a registration, when it is read, then it names it, whatever the case of its fields', () => {
    const answer = { ok: true, value: { kind: 'registered', identity: report.identity } };
    expect(decodeControl(bytes({ identifier: report.identity, registerd: true }))).toEqual(answer);
    expect(dialect.decodeDown('kole/lite/CTL/gw-0-0', bytes({ Identifier: report.identity, Registerd: true, extra: 1 }))).toEqual(answer);
  });

  it('given a pod, when it is read, then it is the pod of the API that stands for it', () => {
    expect(dialect.decodeDown('kole/lite/DATA/gw-0-0', bytes(probe))).toEqual({ ok: true, value: {
      kind: 'assigned', namespace: 'kole', name: 'koledaemonset-probe', version: probeHash,
      pod: {
        metadata: { namespace: 'kole', name: 'koledaemonset-probe', annotations: { 'lite.openyurt.io/hash': probeHash } },
        spec: { nodeName: 'gw-0-0', restartPolicy: 'Always', tolerations: [{ operator: 'Exists' }], containers: [{ name: 'main', image: 'registry.example/probe:1.0' }] },
      },
    } });
  });

  it('given a deletion, when it is read, then the pod is withdrawn', () => {
    expect(decodeData(bytes({ ...probe, Spec: null, DeleteTimeStamp: '2024-05-06T07:08:09Z' }), 'gw-0-0')).toEqual({ ok: true, value: { kind: 'withdrawn', namespace: 'kole', name: 'koledaemonset-probe' } });
  });

  it.each([
    ['no JSON', '{', { message: 'is not JSON in UTF-8' }],
    ['a list', '[]', { message: 'must be a mapping, not a list' }],
    ['null', 'null', { message: 'must be a mapping, not null' }],
    ['a path for a name', JSON.stringify({ ...probe, Name: '../../x' }), { field: 'Name' }],
    ['no namespace', JSON.stringify({ ...probe, NameSpace: '' }), { field: 'NameSpace' }],
    ['no spec', JSON.stringify({ ...probe, Spec: null }), { field: 'Spec' }],
    ['a number for an image', JSON.stringify({ ...probe, Spec: { image: 1 } }), { field: 'Spec.image' }],
    ['a command that is no list', JSON.stringify({ ...probe, Spec: { image: 'i', command: 'sh' } }), { field: 'Spec.command' }],
    ['another hash', JSON.stringify({ ...probe, Hash: '99914b932bd37a50b983c5e7c90ae93b' }), { field: 'Hash' }],
    ['no hash', JSON.stringify({ ...probe, Hash: '' }), { field: 'Hash' }],
    ['deep nesting', `${'{"a":'.repeat(50)}1${'}'.repeat(50)}`, { message: 'is nested more than 8 deep' }],
    ['too many bytes', 'x'.repeat(300_000), { message: '300000 bytes; at most 262144 are taken' }],
  ])('given %s on DATA, when it is read, then it is one fault and nothing throws', (_name, text, fault) => {
    expect(dialect.decodeDown('kole/lite/DATA/gw-0-0', bytes(text))).toMatchObject({ ok: false, fault: { origin: 'kole/lite/DATA/gw-0-0', severity: 'error', ...fault } });
  });

  it.each([['{}'], ['{"identifier":"x"}'], ['{"identifier":1,"registerd":true}'], ['{"identifier":"x","registerd":"yes"}']])('given %s on CTL, when it is read, then it is a fault', (text) => {
    expect(decodeControl(bytes(text)).ok).toBe(false);
  });
});
