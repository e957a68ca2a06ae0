// What nodes ask for, asked of an API server: with its own answers, and only for nodes that registered through this bridge.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import { notSubdomain } from '../../bus/ingress/field-formats.ts';
import type { KubeApiPort, KubeFault, KubeRequest } from '../../ports/kube-api-port.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { Status } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { forbidden, notFound, unreachable } from '../api-status.ts';
import type { ApiCalls, DeleteWish } from '../cloud-store.ts';
import { type KubeletEndpoint, withKubeletEndpoint } from '../kubelet-api/kubelet-endpoint.ts';
import { type Kind, metadataOf, type ObjectKey, type StoredObject } from '../memory-store.ts';
import { bridgeLabel, dialectLabel } from '../node-rights.ts';
import { apiVersionOf, collectionPath, namespacedPath, objectPath, tokenPath } from './kube-paths.ts';
import type { KubeStore } from './kube-store.ts';
import { type KubeView, storedOf } from './kube-view.ts';

export interface KubeCallsDeps {
  readonly api: KubeApiPort;
  readonly view: KubeView;
  readonly store: KubeStore;
  readonly clock: ClockPort;
  readonly bridge: string;
  /** In which the node spoke last. */
  dialectOf(nodeName: string): string | undefined;
  /** Shown in the Node in place of the node's own; absent: the node's own stays. */
  readonly endpoint?: KubeletEndpoint;
}

const strategicMerge = 'application/strategic-merge-patch+json';
/** How long a node that comes waits for the first lists of ours. */
const knownMsMax = 30_000;
/** Names that are looked up at once; whoever claims further ones asks again. */
const lookupsMax = 32;

export function kubeCalls(deps: KubeCallsDeps): ApiCalls {
  const { view, store, endpoint } = deps;
  const { ask, lookUp, write } = callers(deps);
  /** Whoever claims to be a node: only one that registered here has a word. Who did is not known before the first lists. */
  const stranger = async ({ kind, name }: ObjectKey, by: string): Promise<Status | undefined> => {
    if (!(await whenSynced(deps))) return notListed;
    // A node that starts tells and renews before it has registered: that is no alarm.
    if (kind === 'Event' || kind === 'Lease') return view.get({ kind: 'Node', namespace: '', name: by }).ok ? undefined : notFound({ resource: 'nodes', name: by });
    if (view.isOurs(by)) return undefined;
    return forbidden({ resource: kind.toLowerCase(), name }, `the node ${by} did not register through this bridge (label ${bridgeLabel}=${deps.bridge})`);
  };

  return {
    known: (nodeName) => whenKnown(deps, nodeName, lookUp),
    async get(key, { by }) {
      const refusal = await stranger(key, by);
      if (refusal !== undefined) return fail(refusal);
      // What is no name would be another path.
      if (notSubdomain(key.name) !== undefined || (key.kind !== 'Node' && notSubdomain(key.namespace) !== undefined)) return fail(notFound({ resource: key.kind.toLowerCase(), name: key.name }));
      const found = await ask({ method: 'GET', path: objectPath(key) });
      if (!found.ok) return found;
      const object = storedOf(found.value);
      return object === undefined ? fail(notFound({ resource: key.kind.toLowerCase(), name: key.name })) : ok(object);
    },
    async create(key, object, { by }) {
      const refusal = key.kind === 'Node' ? undefined : await stranger(key, by);
      if (refusal !== undefined) return fail(refusal);
      const marked = key.kind === 'Node' ? markedNode(deps, by, object) : key.kind === 'Lease' ? ownedLease(view, key, object) : object;
      return write(key.kind, by, { method: 'POST', path: namespacedPath(key), body: whole(key, marked) });
    },
    async update(key, object, { by }) {
      const refusal = await stranger(key, by);
      return refusal === undefined ? write(key.kind, by, { method: 'PUT', path: objectPath(key), body: whole(key, object) }) : fail(refusal);
    },
    async patch(key, patch, { by, subResource }) {
      const refusal = await stranger(key, by);
      if (refusal !== undefined) return fail(refusal);
      const body = key.kind === 'Node' && endpoint !== undefined ? throughEndpoint(patch, endpoint) : patch;
      return write(key.kind, by, { method: 'PATCH', path: objectPath(key, subResource), contentType: strategicMerge, body });
    },
    async delete(key, wish, { by }) {
      const refusal = await stranger(key, by);
      if (refusal !== undefined) return fail(refusal);
      const known = view.get(key);
      const answer = await ask({ method: 'DELETE', path: objectPath(key), body: deleteOptions(wish) });
      if (!answer.ok) return answer;
      const object = storedOf(answer.value);
      if (object === undefined) return known;
      const stays = wish.graceSeconds !== 0 || (Array.isArray(object.metadata.finalizers) && object.metadata.finalizers.length > 0);
      if (stays) store.took(key.kind, answer.value, by);
      else view.remove(key.kind, answer.value, by);
      return ok(object);
    },
    requestToken: (account, request) => ask({ method: 'POST', path: tokenPath(account), body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec: request.spec ?? {} } }),
  };
}

/** The ways to ask the API that all calls share. */
function callers({ api, store }: KubeCallsDeps) {
  let lookups = 0;
  const ask = async (request: KubeRequest): Promise<Result<JsonObject, Status>> => {
    const answer = await api.call(request);
    return answer.ok ? answer : fail(statusOf(answer.fault));
  };
  const lookUp = async (nodeName: string): Promise<Result<JsonObject, Status>> => {
    if (lookups >= lookupsMax) return fail(unreachable('too many unknown names are looked up'));
    lookups += 1;
    const node = await ask({ method: 'GET', path: objectPath({ kind: 'Node', namespace: '', name: nodeName }) });
    const bound = node.ok || node.fault.reason !== 'NotFound' ? undefined : await ask({ method: 'GET', path: collectionPath('Pod'), query: { fieldSelector: `spec.nodeName=${nodeName}`, limit: '1' } });
    lookups -= 1;
    if (bound?.ok === false) return bound;
    // It is about to register, and its pods are bound already: an empty list would end those that run.
    if (bound !== undefined && Array.isArray(bound.value.items) && bound.value.items.length > 0) store.expect(nodeName);
    return node;
  };
  const write = async (kind: Kind, by: string, request: KubeRequest): Promise<Result<StoredObject, Status>> => {
    const answer = await ask(request);
    if (!answer.ok) return answer;
    const object = storedOf(answer.value);
    if (object === undefined) return fail(unreachable('the answer is no object'));
    store.took(kind, answer.value, by);
    return ok(object);
  };
  return { ask, lookUp, write };
}

/** A node that is not in the API yet has nothing; one that is there and not ours is told nothing, for an empty answer would end its pods. */
async function whenKnown(deps: KubeCallsDeps, nodeName: string, lookUp: (nodeName: string) => Promise<Result<JsonObject, Status>>): Promise<Result<void, Status>> {
  const { view, store, clock, bridge } = deps;
  if (!(await whenSynced(deps))) return fail(notListed);
  if (!view.isOurs(nodeName)) {
    const node = await lookUp(nodeName);
    if (!node.ok && node.fault.reason !== 'NotFound') return node;
    if (node.ok && labelsOf(node.value)[bridgeLabel] !== bridge) return fail(forbidden({ resource: 'nodes', name: nodeName }, 'it did not register through this bridge'));
    if (node.ok) store.took('Node', node.value, nodeName);
  }
  return (await inTime(store.adopted(nodeName), clock)) ? ok() : fail(unreachable('its pods are not listed yet'));
}

const notListed = unreachable('its objects are not listed yet');

async function whenSynced({ store, clock }: KubeCallsDeps): Promise<boolean> {
  return store.isSynced || inTime(store.synced, clock);
}

async function inTime(done: Promise<void>, clock: ClockPort): Promise<boolean> {
  let timer: unknown;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), knownMsMax);
  });
  const inside = await Promise.race([done.then(() => true), late]);
  clock.clearTimeout(timer);
  return inside;
}

/** The body names itself as the path does. */
function whole({ kind, namespace, name }: ObjectKey, object: JsonObject): JsonObject {
  const { uid: _uid, ...metadata } = metadataOf(object);
  return { ...object, apiVersion: apiVersionOf(kind), kind, metadata: { ...metadata, name, ...(kind === 'Node' ? {} : { namespace }) } };
}

function markedNode({ bridge, endpoint, dialectOf }: KubeCallsDeps, nodeName: string, node: JsonObject): JsonObject {
  const status = isJsonObject(node.status) ? node.status : {};
  const dialect = dialectOf(nodeName);
  const marks = { [bridgeLabel]: bridge, ...(dialect === undefined ? {} : { [dialectLabel]: dialect }) };
  return {
    ...node, metadata: { ...metadataOf(node), labels: { ...labelsOf(node), ...marks } },
    status: endpoint === undefined ? status : withKubeletEndpoint(status, endpoint),
  };
}

/** The lease goes with its node. */
function ownedLease(view: KubeView, { name }: ObjectKey, lease: JsonObject): JsonObject {
  const node = view.get({ kind: 'Node', namespace: '', name });
  if (!node.ok) return lease;
  return { ...lease, metadata: { ...metadataOf(lease), ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: node.value.metadata.uid }] } };
}

function throughEndpoint(patch: JsonObject, endpoint: KubeletEndpoint): JsonObject {
  const { status } = patch;
  if (!isJsonObject(status) || (status.addresses === undefined && status.daemonEndpoints === undefined)) return patch;
  const { addresses, daemonEndpoints } = withKubeletEndpoint(status, endpoint);
  return { ...patch, status: { ...status, daemonEndpoints, ...(status.addresses === undefined ? {} : { addresses }) } };
}

function deleteOptions({ graceSeconds, uid }: DeleteWish): JsonObject {
  return {
    apiVersion: 'v1', kind: 'DeleteOptions',
    ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }), ...(uid === undefined ? {} : { preconditions: { uid } }),
  };
}

function labelsOf(object: JsonObject): JsonObject {
  const { labels } = metadataOf(object);
  return isJsonObject(labels) ? labels : {};
}

function statusOf(fault: KubeFault): Status {
  return fault.kind === 'refused' ? fault.status : unreachable(fault.message);
}
