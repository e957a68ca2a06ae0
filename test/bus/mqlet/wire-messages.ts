// One message of each kind of the mqlet dialect, both ways: what golden.test.ts compares with golden.json.
import type { ApiWrite } from '../../../src/bus/api-write.ts';
import { packBody } from '../../../src/bus/dialects/mqlet/body.ts';
import { dictionaryId } from '../../../src/bus/dialects/mqlet/dictionary.ts';
import { decodeFrame, encodeFragment, encodeFrame, type Frame, readFragment } from '../../../src/bus/dialects/mqlet/header.ts';
import { readBody } from '../../../src/bus/dialects/mqlet/body.ts';
import type { PodUid } from '../../../src/ports/pod-types.ts';

export const id = '3753d226-86dd-4412-b873-135e229127f2';
export const uid = '7b0d2f6e-1111-4222-8333-944444444444' as PodUid; // A literal of the right form.
const correlation = Buffer.from(id.replaceAll('-', ''), 'hex');
const push = Buffer.from('000000000001', 'hex');

const common = { id, writer: 'status-reporter', lane: 'lane' } as const;
const pod = { ...common, kind: 'Pod', namespace: 'shop', name: 'web-0' } as const;
const condition = (type: string) => ({ lastHeartbeatTime: '2026-01-01T07:08:09Z', type });
const event = {
  metadata: { name: 'web-0.17cb1234abcd5678', namespace: 'shop' },
  involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-0', uid, fieldPath: 'spec.containers{web}' },
  type: 'Normal', reason: 'Started', message: 'Started container web', source: { component: 'kubelet', host: 'edge-07' },
  reportingComponent: 'kubelet', reportingInstance: 'edge-07', firstTimestamp: '2026-01-01T07:08:09Z', lastTimestamp: '2026-01-01T07:08:09Z', count: 1,
};
const nodeEvent = { ...event, metadata: { name: 'edge-07.17cb1234abcd5679', namespace: 'default' }, involvedObject: { kind: 'Node', name: 'edge-07', uid: 'edge-07' }, type: 'Warning', reason: 'Rebooted', message: 'Node edge-07 has been rebooted' };

/** By name, in the order of docs/wire.md. */
export const writes: Readonly<Record<string, ApiWrite>> = {
  'pod create': { ...pod, verb: 'create', object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0', namespace: 'shop' }, spec: { nodeName: 'edge-07', containers: [] } } },
  'pod get': { ...pod, verb: 'get' },
  'pod status': { ...pod, verb: 'patchStatus', patch: { metadata: { uid }, status: { containerStatuses: [{ name: 'web', ready: true }] } } },
  'pod status, whole': { ...pod, verb: 'patchStatus', whole: true, patch: { metadata: { uid }, status: { phase: 'Running' } } },
  'pod delete': { ...pod, verb: 'delete', uid, gracePeriodSeconds: 0 },
  'node create': { ...common, kind: 'Node', verb: 'create', name: 'edge-07', object: { metadata: { name: 'edge-07' }, status: { capacity: { cpu: '4' } } } },
  'node status': { ...common, kind: 'Node', verb: 'patchStatus', name: 'edge-07', patch: { status: { capacity: { cpu: '8' } } } },
  heartbeat: { ...common, kind: 'Node', verb: 'patchStatus', name: 'edge-07', patch: { status: { conditions: [condition('MemoryPressure'), condition('Ready')] } } },
  'lease get': { ...common, kind: 'Lease', verb: 'get', namespace: 'kube-node-lease', name: 'edge-07' },
  renewal: { ...common, kind: 'Lease', verb: 'update', namespace: 'kube-node-lease', name: 'edge-07', object: { metadata: { name: 'edge-07' }, spec: { renewTime: '2026-01-01T07:08:09.123000Z' } } },
  'token request': { ...common, kind: 'TokenRequest', verb: 'create', namespace: 'shop', name: 'default', object: { spec: { audiences: ['api'], expirationSeconds: 3600 } } },
  event: { ...common, kind: 'Event', verb: 'create', namespace: 'shop', name: event.metadata.name, object: event },
  'event of the node': { ...common, kind: 'Event', verb: 'create', namespace: 'default', name: nodeEvent.metadata.name, object: nodeEvent },
  'event repeated': { ...common, kind: 'Event', verb: 'patch', namespace: 'shop', name: event.metadata.name, object: { ...event, count: 3, lastTimestamp: '2026-01-01T07:09:09Z' }, patch: { count: 3, lastTimestamp: '2026-01-01T07:09:09Z' } },
  'event of another form': { ...common, kind: 'Event', verb: 'create', namespace: 'shop', name: event.metadata.name, object: { ...event, series: { count: 2, lastObservedTime: '2026-01-01T07:09:09.000000Z' } } },
};

export const podObject = { metadata: { name: 'web-0', namespace: 'shop', uid, resourceVersion: '812' }, spec: { nodeName: 'edge-07', containers: [{ name: 'web', image: 'registry.example/web:1' }] }, status: { phase: 'Pending' } };
export const tokens = { token: 'AAAAAAAA', status: 'BBBBBBBB' } as const;
const secret = { kind: 'Secret', token: 'CCCCCCCC', status: '', object: { metadata: { name: 'pull', namespace: 'shop', resourceVersion: '811' }, type: 'Opaque', data: { key: 'c2VjcmV0' } } };
const put = [secret, { kind: 'Pod', ...tokens, object: podObject }];

function down(frame: Omit<Frame, 'body' | 'dictionary'>, body?: object, dictionary = dictionaryId): Uint8Array {
  return encodeFrame({ ...frame, ...(body === undefined ? { body: new Uint8Array() } : packBody({ ...body }, { dictionary })) });
}

const answer = { type: 'answer', correlation, lifetimeSeconds: 60 } as const;
const objects = { type: 'objects', correlation: push, lifetimeSeconds: 300 } as const;

export const downMessages: Readonly<Record<string, Uint8Array>> = {
  'answer: accepted': down(answer, { accepted: {} }),
  'answer: a status was written': down(answer, { accepted: { version: '813', status: 'DDDDDDDD' } }),
  'answer: created': down(answer, { accepted: { version: '814', ...tokens, metadata: { uid, resourceVersion: '814', creationTimestamp: '2026-01-01T07:08:09Z' } } }),
  'answer: an object': down(answer, { accepted: { version: '812', object: podObject } }),
  'answer: refused': down(answer, { refused: { status: 'Failure', code: 409, reason: 'BaseMismatch', message: 'pods "web-0": the patch was made against another status', details: { kind: 'pods', name: 'web-0' }, metadata: {} } }),
  'answer: same': down(answer, { same: true, dictionaries: ['00000000'] }, 0),
  'answer: tell': down(answer, { tell: true, dictionaries: ['00000000'] }, 0),
  'answer: what differs': down(answer, { put, gone: [{ key: 'ConfigMap/shop/old', version: '815' }] }),
  'answer: part of what differs': down(answer, { put, gone: [], more: true }),
  objects: down(objects, { put, gone: [] }),
  'objects: a difference': down(objects, { put: [{ kind: 'Pod', key: uid, base: 'AAAAAAAA', token: 'EEEEEEEE', status: 'BBBBBBBB', change: { metadata: { deletionTimestamp: '2026-01-01T07:20:00Z', resourceVersion: '820' } } }], gone: [] }),
  'objects: a difference beside another status': down(objects, { put: [{ kind: 'Pod', key: uid, base: 'AAAAAAAA', token: 'EEEEEEEE', status: 'CCCCCCCC', change: { metadata: { deletionTimestamp: '2026-01-01T07:20:00Z', resourceVersion: '820' } } }], gone: [] }),
  'objects: gone': down(objects, { put: [], gone: [{ key: uid, version: '821' }] }),
  look: down({ type: 'look', lifetimeSeconds: 300 }),
  fragment: encodeFragment({ message: 7, index: 1, count: 3, piece: Buffer.from('piece') }),
};

/** A message as golden.json has it: its header, and its body after decompression. Compressed bytes may differ between versions of zlib. */
export function shown(payload: Uint8Array): string {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  if (readFragment(payload) !== undefined) return hex(payload);
  const frame = decodeFrame(payload);
  if (!frame.ok || frame.value === 'ignorable') return 'unreadable';
  const { body } = frame.value;
  const text = readBody(frame.value);
  const header = hex(payload.subarray(0, payload.length - body.length));
  return text.ok ? `${header} ${JSON.stringify(text.value)}` : `${header} ${hex(body)}`;
}
