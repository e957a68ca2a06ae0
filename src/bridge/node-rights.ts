// What a node may ask for, whatever its message claims: its own node, lease, pods and events, as the NodeRestriction admission of an API
// server has it. Pure: it judges a write against the object as it is.
import { notSubdomain } from '../bus/ingress/field-formats.ts';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { isForeignLabel } from '../config/node-checks.ts';
import { type Kind, metadataOf, referencesOf, specOf } from './memory-store.ts';

/** A write, in no dialect. */
export interface Asked {
  readonly nodeName: string;
  readonly kind: Kind;
  /** `get`, `create`, `update`, `patch`, `delete`; a patch of the status is a `patch`. */
  readonly verb: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: JsonObject | undefined;
  readonly patch: JsonObject | undefined;
  /** Only the status may be patched, but for events. */
  readonly status: boolean;
}

/** A node that carries it registered through a bridge; its value is the bridge's name. No node may set it on its own. */
export const bridgeLabel = 'mqlet.bridge/name';
/** The dialect in which the node registered: whom to tell, and how, after a new start, before the node has said a word. */
export const dialectLabel = 'mqlet.bridge/dialect';
const bridgePrefix = 'mqlet.bridge/';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const verbs: ReadonlySet<string> = new Set(['get', 'create', 'update', 'patch', 'delete']);

/**
 * @param current the object as it is; undefined where there is none
 * @returns why the node may not do this; undefined where it may
 */
export function denialOf(asked: Asked, current: JsonObject | undefined): string | undefined {
  const { kind, verb, name, namespace, object } = asked;
  if (!verbs.has(verb)) return `a node does not ${verb}`;
  // Names become paths, and what the body says must not differ from what is judged here.
  if (notSubdomain(name) !== undefined) return 'the name is none';
  if (kind !== 'Node' && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) return 'the namespace is none';
  const metadata = metadataOf(object ?? {});
  if (isOther(metadata.name, name) || (kind !== 'Node' && isOther(metadata.namespace, namespace))) return 'the object has another name than the request';
  switch (kind) {
    case 'Node': return ofNode(asked);
    case 'Lease': return name === asked.nodeName && namespace === 'kube-node-lease' && verb !== 'delete' ? undefined : 'a node writes its own lease only';
    case 'Pod': return ofPod(asked, current);
    case 'Event': return ofEvent(asked, current);
    case 'Secret': case 'ConfigMap': return `a node is given what its pods use, and asks for no ${kind}`;
    default: return kind satisfies never;
  }
}

function ofNode({ nodeName, name, verb, status, object, patch }: Asked): string | undefined {
  if (name !== nodeName) return 'a node writes its own node object only';
  if (verb === 'delete' || verb === 'update') return `a node does not ${verb} its node object`;
  if (verb === 'patch' && !status) return 'a node patches its status only';
  if ([object, patch].some((said) => said !== undefined && !isPlain(said))) return 'a node says its labels and annotations one by one';
  const labels = { ...labelsOf(object), ...labelsOf(patch) };
  const restricted = Object.keys(labels).find((label) => label.startsWith(bridgePrefix) || isForeignLabel(label));
  return restricted === undefined ? undefined : `a node must not set the label ${restricted}`;
}

/** Nothing in it would take away, as a whole, what the node did not name. */
function isPlain(said: JsonObject): boolean {
  const { metadata = {} } = said;
  if (!isJsonObject(metadata)) return false;
  const { labels = {}, annotations = {} } = metadata;
  return isJsonObject(labels) && isJsonObject(annotations) && ![said, metadata, labels, annotations].some((part) => Object.keys(part).some((key) => key.startsWith('$')));
}

function ofPod({ nodeName, verb, status, object, namespace }: Asked, current: JsonObject | undefined): string | undefined {
  if (verb === 'update') return 'a node does not update pods';
  if (verb === 'patch' && !status) return 'a node patches the status of pods only';
  if (verb === 'create') {
    const pod = object ?? {};
    if (typeof mirrorOf(pod) !== 'string') return 'a node creates mirror pods only';
    const { nodeName: boundTo = nodeName, serviceAccountName, serviceAccount } = specOf(pod);
    if (boundTo !== nodeName) return 'the pod is bound to another node';
    // The second is the older name of the first.
    if ([serviceAccountName, serviceAccount].some((account) => account !== undefined && account !== '')) return 'a mirror pod must not use a service account';
    if (!ownersAre(metadataOf(pod).ownerReferences, nodeName)) return 'a mirror pod belongs to its node only';
    const used = referencesOf({ ...pod, metadata: { ...metadataOf(pod), namespace } })[0];
    return used === undefined ? undefined : `a mirror pod must not use ${used.kind} ${used.name}: what it uses would be sent to the node`;
  }
  if (current === undefined) return undefined;
  return specOf(current).nodeName === nodeName ? undefined : 'the pod is bound to another node';
}

/** As the NodeRestriction admission has it: otherwise a controller would take the pod for one of its own. */
function ownersAre(owners: unknown, nodeName: string): boolean {
  if (owners === undefined || owners === null) return true;
  return Array.isArray(owners) && owners.every((owner: unknown) => isJsonObject(owner) && owner.kind === 'Node' && owner.name === nodeName);
}

function ofEvent({ nodeName, verb, object, patch }: Asked, current: JsonObject | undefined): string | undefined {
  if (verb === 'delete' || verb === 'get') return `a node does not ${verb} events`;
  if (verb === 'create' && object === undefined) return 'there is no event';
  // Those of the scheduler and of controllers name no host.
  if ([object, current].some((event) => event !== undefined && hostOf(event) !== nodeName)) return 'the event is not of this node';
  if (isOther(hostOf(patch ?? {}), nodeName)) return 'the event is of another node';
  const involved = (object ?? current ?? {}).involvedObject;
  if (!isJsonObject(involved)) return undefined;
  return involved.kind === 'Node' && isOther(involved.name, nodeName) ? 'the event is about another node' : undefined;
}

function hostOf({ source }: JsonObject): unknown {
  return isJsonObject(source) ? source.host : undefined;
}

/**
 * A node asks for tokens of the accounts of its pods, bound to one of them.
 * @param pod the one it names, as it is
 */
export function tokenDenial({ nodeName, namespace, account, request }: {
  readonly nodeName: string;
  readonly namespace: string;
  readonly account: string;
  readonly request: JsonObject;
}, pod: JsonObject | undefined): string | undefined {
  if (notSubdomain(account) !== undefined || notSubdomain(namespace) !== undefined) return 'the name is none';
  const bound = specOf(request).boundObjectRef;
  if (!isJsonObject(bound) || bound.kind !== 'Pod') return 'a token must be bound to a pod';
  if (pod === undefined || specOf(pod).nodeName !== nodeName) return 'the pod is bound to another node';
  const { name, uid } = metadataOf(pod);
  if (bound.name !== name || bound.uid !== uid) return 'the token is bound to another pod';
  // A node must not get itself an account by making such a pod, whatever the API has made of it.
  if (mirrorOf(pod) !== undefined) return 'a mirror pod has no service account';
  return specOf(pod).serviceAccountName === account ? undefined : 'the pod has another service account, or none';
}

/** What of the metadata a node says with a status goes through: of a pod nothing but the precondition, of a Node labels and annotations. */
export function allowedPatch(kind: Kind, patch: JsonObject): JsonObject {
  if (kind !== 'Pod') return kind === 'Node' ? withOwnMetadata(withoutSpec(patch)) : patch;
  const { uid } = metadataOf(patch);
  return { ...(isJsonObject(patch.status) ? { status: patch.status } : {}), ...(typeof uid === 'string' ? { metadata: { uid } } : {}) };
}

/** Of a Node, labels and annotations: its owners and finalizers are not the node's to say. */
export function withOwnMetadata(node: JsonObject): JsonObject {
  if (node.metadata === undefined) return node;
  const { labels, annotations } = metadataOf(node);
  return { ...node, metadata: { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) } };
}

function withoutSpec({ spec: _spec, ...patch }: JsonObject): JsonObject {
  return patch;
}

function mirrorOf(pod: JsonObject): unknown {
  const { annotations } = metadataOf(pod);
  return isJsonObject(annotations) ? annotations[mirrorAnnotation] : undefined;
}

function labelsOf(object: JsonObject | undefined): JsonObject {
  const { labels } = metadataOf(object ?? {});
  return isJsonObject(labels) ? labels : {};
}

function isOther(value: unknown, expected: string): boolean {
  return value !== undefined && value !== '' && value !== expected;
}
