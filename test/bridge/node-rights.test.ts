// Node isolation: what a node may ask for, whatever its message claims.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedPatch, type Asked, bridgeLabel, denialOf, tokenDenial } from '../../src/bridge/node-rights.ts';

const asked: Asked = { nodeName: 'edge-07', kind: 'Pod', verb: 'get', namespace: 'shop', name: 'web-0', object: undefined, patch: undefined, status: false };
const own = { metadata: { name: 'web-0', namespace: 'shop', uid: 'u1' }, spec: { nodeName: 'edge-07', serviceAccountName: 'default' } };
const foreign = { ...own, spec: { nodeName: 'edge-08' } };
const mirror = { metadata: { name: 'web-0', annotations: { 'kubernetes.io/config.mirror': 'hash' } }, spec: { nodeName: 'edge-07', containers: [] } };
const secretVolume = { volumes: [{ name: 'v', secret: { secretName: 'database' } }] };

describe('what a node may ask for', () => {
  const allowed: readonly (readonly [string, Partial<Asked>, object | undefined])[] = [
    ['to read its pod', {}, own],
    ['to read a pod that is not there', {}, undefined],
    ['to say its pod’s status', { verb: 'patch', status: true, patch: { status: {} } }, own],
    ['to remove its pod', { verb: 'delete' }, own],
    ['to make a mirror pod', { verb: 'create', object: mirror }, undefined],
    ['to register', { kind: 'Node', verb: 'create', namespace: '', name: 'edge-07', object: { metadata: { name: 'edge-07', labels: { shop: 'north' } } } }, undefined],
    ['to say its status', { kind: 'Node', verb: 'patch', namespace: '', name: 'edge-07', status: true, patch: { status: {} } }, undefined],
    ['to renew its lease', { kind: 'Lease', verb: 'update', namespace: 'kube-node-lease', name: 'edge-07', object: {} }, undefined],
    ['to tell of its pod', { kind: 'Event', verb: 'create', name: 'web-0.1', object: { source: { host: 'edge-07' }, involvedObject: { kind: 'Pod', name: 'web-0' } } }, undefined],
  ];
  it.each(allowed)('given it wants %s, when it is judged, then nothing stands against it', (_what, change, current) => {
    expect(denialOf({ ...asked, ...change }, current as typeof own)).toBeUndefined();
  });

  const denied: readonly (readonly [string, Partial<Asked>, object | undefined, string])[] = [
    ['to read another’s pod', {}, foreign, 'bound to another node'],
    ['to remove another’s pod', { verb: 'delete' }, foreign, 'bound to another node'],
    ['to change a pod beside its status', { verb: 'patch', patch: { spec: {} } }, own, 'patches the status'],
    ['to make a pod that is no mirror', { verb: 'create', object: { ...mirror, metadata: { name: 'web-0' } } }, undefined, 'mirror pods only'],
    ['to make a mirror pod elsewhere', { verb: 'create', object: { ...mirror, spec: { nodeName: 'edge-08' } } }, undefined, 'another node'],
    ['to have a secret by a mirror pod', { verb: 'create', object: { ...mirror, spec: { ...mirror.spec, ...secretVolume } } }, undefined, 'must not use Secret database'],
    ['to have a token by a mirror pod', { verb: 'create', object: { ...mirror, spec: { ...mirror.spec, serviceAccountName: 'teller' } } }, undefined, 'service account'],
    ['to have a token by a mirror pod, in the older name', { verb: 'create', object: { ...mirror, spec: { ...mirror.spec, serviceAccount: 'teller' } } }, undefined, 'service account'],
    ['to make a mirror pod that is bound nowhere', { verb: 'create', object: { ...mirror, spec: { ...mirror.spec, nodeName: '' } } }, undefined, 'another node'],
    ['to make a mirror pod that a controller would take for its own', { verb: 'create', object: { ...mirror, metadata: { ...mirror.metadata, ownerReferences: [{ kind: 'ReplicaSet', name: 'shop' }] } } }, undefined, 'belongs to its node'],
    ['to make a mirror pod of another node', { verb: 'create', object: { ...mirror, metadata: { ...mirror.metadata, ownerReferences: [{ kind: 'Node', name: 'edge-08' }] } } }, undefined, 'belongs to its node'],
    ['to register another', { kind: 'Node', verb: 'create', namespace: '', name: 'edge-08' }, undefined, 'its own node object'],
    ['to register as another in the body', { kind: 'Node', verb: 'create', namespace: '', name: 'edge-07', object: { metadata: { name: 'edge-08' } } }, undefined, 'another name'],
    ['to leave the bridge or join another', { kind: 'Node', verb: 'patch', namespace: '', name: 'edge-07', status: true, patch: { metadata: { labels: { [bridgeLabel]: 'mine' } } } }, undefined, bridgeLabel],
    ...[{ metadata: { labels: null } }, { metadata: { labels: { $patch: 'replace' } } }, { metadata: { $patch: 'replace' } }, { metadata: null }, { $patch: 'replace' }].map((patch): readonly [string, Partial<Asked>, undefined, string] =>
      [`to lose its labels by ${JSON.stringify(patch)}`, { kind: 'Node', verb: 'patch', namespace: '', name: 'edge-07', status: true, patch }, undefined, 'one by one']),
    ...['a.node-restriction.kubernetes.io/zone', 'node-role.kubernetes.io/control-plane', 'k8s.io/x'].map((label): readonly [string, Partial<Asked>, undefined, string] =>
      [`the label ${label}`, { kind: 'Node', verb: 'patch', namespace: '', name: 'edge-07', status: true, patch: { metadata: { labels: { [label]: null } } } }, undefined, label]),
    ['to change its spec', { kind: 'Node', verb: 'patch', namespace: '', name: 'edge-07', patch: { spec: {} } }, undefined, 'status only'],
    ['to remove its node', { kind: 'Node', verb: 'delete', namespace: '', name: 'edge-07' }, undefined, 'does not delete'],
    ['to renew another’s lease', { kind: 'Lease', verb: 'update', namespace: 'kube-node-lease', name: 'edge-08' }, undefined, 'its own lease'],
    ['to use another lease', { kind: 'Lease', verb: 'create', namespace: 'kube-system', name: 'edge-07' }, undefined, 'its own lease'],
    ['to tell of another node', { kind: 'Event', verb: 'create', name: 'x.1', object: { source: { host: 'edge-07' }, involvedObject: { kind: 'Node', name: 'edge-08' } } }, undefined, 'another node'],
    ['to tell in nobody’s name', { kind: 'Event', verb: 'create', name: 'x.1', object: { involvedObject: { kind: 'Pod', name: 'web-0' } } }, undefined, 'not of this node'],
    ['to change another’s event', { kind: 'Event', verb: 'patch', name: 'x.1', patch: { count: 2 } }, { source: { host: 'edge-08' } }, 'not of this node'],
    ['to give its event to another', { kind: 'Event', verb: 'patch', name: 'x.1', patch: { source: { host: 'edge-08' } } }, { source: { host: 'edge-07' } }, 'of another node'],
    ['to change an event of the scheduler', { kind: 'Event', verb: 'patch', name: 'x.1', patch: { count: 2 } }, { source: { component: 'default-scheduler' } }, 'not of this node'],
    ['a secret', { kind: 'Secret', name: 'database' }, undefined, 'asks for no Secret'],
    ['a name that is a path', { name: '../../secrets/database' }, undefined, 'name is none'],
    ['a namespace that is a path', { namespace: 'shop/secrets' }, undefined, 'namespace is none'],
    ['a verb that is none', { verb: 'deletecollection' }, undefined, 'does not'],
  ];
  it.each(denied)('given it wants %s, when it is judged, then it may not', (_what, change, current, why) => {
    expect(denialOf({ ...asked, ...change }, current as typeof own)).toContain(why);
  });

  it('given any message about a pod of another node, when it is judged, then nothing but a new mirror pod of its own passes', () => {
    const names = fc.constantFrom('edge-07', 'edge-08', 'web-0', '', '..');
    fc.assert(fc.property(fc.constantFrom('get', 'update', 'patch', 'delete'), names, fc.boolean(), fc.dictionary(fc.string(), fc.jsonValue()), (verb, name, status, body) => {
      expect(denialOf({ ...asked, verb, name, status, object: body, patch: body }, foreign)).toBeDefined();
    }));
  });
});

describe('tokens of service accounts', () => {
  const request = { spec: { boundObjectRef: { kind: 'Pod', name: 'web-0', uid: 'u1' } } };
  const wish = { nodeName: 'edge-07', namespace: 'shop', account: 'default', request };
  it('given its own pod with that account, when it asks, then it may', () => {
    expect(tokenDenial(wish, own)).toBeUndefined();
  });
  it.each([
    ['another node’s pod', wish, foreign],
    ['no pod', { ...wish, request: { spec: {} } }, own],
    ['another pod’s UID', { ...wish, request: { spec: { boundObjectRef: { kind: 'Pod', name: 'web-0', uid: 'u2' } } } }, own],
    ['another account', { ...wish, account: 'teller' }, own],
    ['a pod without an account, as mirror pods are', wish, { ...own, spec: { nodeName: 'edge-07' } }],
    ['a mirror pod, whatever account the API gave it', wish, { ...own, metadata: { ...own.metadata, annotations: mirror.metadata.annotations } }],
    ['a path', { ...wish, account: '../x' }, own],
  ])('given %s, when it asks, then it may not', (_what, given, pod) => {
    expect(tokenDenial(given, pod)).toBeDefined();
  });
});

describe('what of a patch goes through', () => {
  it('given metadata beside a pod’s status, when it is cut, then only the precondition stays', () => {
    expect(allowedPatch('Pod', { metadata: { uid: 'u1', labels: { role: 'admin' }, finalizers: [] }, spec: {}, status: { phase: 'Running' } }))
      .toEqual({ metadata: { uid: 'u1' }, status: { phase: 'Running' } });
  });

  it('given owners and finalizers beside a node’s status, when it is cut, then labels and annotations stay', () => {
    expect(allowedPatch('Node', { metadata: { ownerReferences: [], finalizers: [], labels: { shop: 'north' } }, spec: {}, status: {} })).toEqual({ metadata: { labels: { shop: 'north' } }, status: {} });
  });
});
