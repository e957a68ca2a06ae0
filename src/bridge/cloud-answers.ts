// What an agent's message does to the store, and the answer it gets (spec A8, A15.6). It publishes nothing.
import type { ApiAnswer } from '../bus/api-write.ts';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import type { Status } from '../ports/pod-types.ts';
import { fail, type Result } from '../ports/result.ts';
import { badRequest, conflict, forbidden, notFound } from './api-status.ts';
import { objectsBeside } from './cloud-objects.ts';
import type { ApiCalls, ObjectsView } from './cloud-store.ts';
import type { Denials } from './denials.ts';
import { type Kind, metadataOf, type ObjectKey, specOf, type StoredObject } from './memory-store.ts';
import { allowedPatch, type Asked, denialOf, withOwnMetadata } from './node-rights.ts';

/** What answers are made of, and where refusals of ours are counted. */
export interface Answering {
  readonly store: ObjectsView;
  readonly calls: ApiCalls;
  readonly denials: Denials;
}

/** A write as any dialect may carry it. */
export interface NodeWrite {
  /** `pod`, `node`, `lease`, `event`; others are refused. */
  readonly objectType: string;
  /** `get`, `create`, `update`, `patch`, `delete`. */
  readonly operateType: string;
  readonly nodeName: string;
  readonly objectName: string;
  readonly objectNamespace: string;
  readonly object: JsonObject | undefined;
  readonly options: JsonObject;
  readonly patch: JsonObject | undefined;
  readonly patchSubResources: readonly string[];
}

/** A node may not ask for the last two; that it does is worth an alarm. */
const kinds: ReadonlyMap<string, Kind> = new Map([['pod', 'Pod'], ['node', 'Node'], ['lease', 'Lease'], ['event', 'Event'], ['secret', 'Secret'], ['configmap', 'ConfigMap']]);

const resources: Readonly<Record<Kind, string>> = { Pod: 'pods', Node: 'nodes', Lease: 'leases', Event: 'events', Secret: 'secrets', ConfigMap: 'configmaps' };

/** Of an object that is not what its kind asks for. */
export const malformed = badRequest('the object is malformed');

/** The answer to any message but a start. Messages without need_ack take effect all the same. */
export async function answerTo(answering: Answering, message: NodeWrite): Promise<ApiAnswer> {
  const kind = kinds.get(message.objectType);
  if (kind === undefined) return refused(badRequest(`unknown object_type ${JSON.stringify(message.objectType)}`));
  if (message.objectName === '') return refused(badRequest('object_name is missing'));
  let done: Result<StoredObject, Status>;
  try {
    done = await judged(answering, kind, message);
  } catch (error) {
    answering.denials.malformed({ nodeName: message.nodeName, verb: message.operateType, kind, name: message.objectName }, error);
    done = fail(malformed);
  }
  return done.ok ? { kind: 'accepted', object: done.value } : refused(done.fault);
}

/** The complete list for one node, and the node where it is known; undefined when the list cannot be had now. */
export async function startAnswer(answering: Answering, nodeName: string): Promise<ApiAnswer | undefined> {
  if (!(await isKnown(answering, nodeName))) return undefined;
  const { store } = answering;
  const node = store.get({ kind: 'Node', namespace: '', name: nodeName });
  const pods_list = store.podsOf(nodeName);
  const { secrets, configMaps } = objectsBeside(store, pods_list);
  const lists = { pods_list, secret_list: secrets, ...(configMaps.length === 0 ? {} : { config_map_list: configMaps }) };
  return { kind: 'accepted', object: { ...lists, ...(node.ok ? { node: node.value } : {}) } };
}

/** Whether it may be told what it shall hold. */
export async function isKnown({ calls, denials }: Pick<Answering, 'calls' | 'denials'>, nodeName: string): Promise<boolean> {
  const known = await calls.known(nodeName);
  if (!known.ok && known.fault.reason === 'Forbidden') denials.note({ nodeName, verb: 'start', kind: 'Node', namespace: '', name: nodeName, why: known.fault.message ?? 'forbidden' });
  return known.ok;
}

/** Nothing is done, and nothing told, that is not the node's own. */
async function judged(answering: Answering, kind: Kind, message: NodeWrite): Promise<Result<StoredObject, Status>> {
  const { store, calls, denials } = answering;
  const { nodeName, objectName: name, operateType: verb } = message;
  const key: ObjectKey = { kind, name, namespace: kind === 'Node' ? '' : message.objectNamespace };
  const asked: Asked = { nodeName, kind, verb, namespace: key.namespace, name, object: message.object, patch: message.patch, status: message.patchSubResources.includes('status') };
  const deny = (why: string): Result<never, Status> => {
    denials.note({ ...asked, why });
    return fail(forbidden({ resource: resources[kind], name }, why));
  };
  /** Whoever is no node of this API is refused by its calls. */
  const counted = (done: Result<StoredObject, Status>): Result<StoredObject, Status> => {
    if (!done.ok && done.fault.reason === 'Forbidden') denials.note({ ...asked, why: done.fault.message ?? 'forbidden' });
    return done;
  };
  const early = denialOf(asked, undefined);
  if (early !== undefined) return deny(early);
  const needsCurrent = (kind === 'Pod' && verb !== 'create') || (kind === 'Event' && verb !== 'create');
  if (!needsCurrent) return counted(await apply(calls, key, message));
  const seen = store.get(key);
  // A get is answered from memory where the object is there; that it is nowhere only the API can say.
  const named = kind === 'Pod' ? namedUid(message) : undefined;
  const isAnother = (object: StoredObject): boolean => named !== undefined && named !== '' && object.metadata.uid !== named;
  // A pod that took the name of another may be known to the one side before the other.
  const current = seen.ok && !isAnother(seen.value) ? seen : await calls.get(key, { by: nodeName });
  if (!current.ok) return kind === 'Event' && current.fault.reason === 'NotFound' ? counted(await apply(calls, key, message)) : counted(current);
  const late = denialOf(asked, current.value);
  // The pod it means is gone, and the name is another's: no wrong of the node.
  if (isAnother(current.value)) return fail(late === undefined ? conflict({ resource: resources[kind], name }, `it is another pod than that of UID ${String(named)}`) : notFound({ resource: resources[kind], name }));
  if (late !== undefined) return deny(late);
  return verb === 'get' ? current : counted(await apply(calls, key, kind === 'Pod' ? meaning(message, current.value.metadata.uid) : message));
}

/** The UID of the pod that the node means, where it says one. */
function namedUid({ operateType, options, patch }: NodeWrite): unknown {
  if (operateType === 'patch') return metadataOf(patch ?? {}).uid;
  return operateType === 'delete' && isJsonObject(options.preconditions) ? options.preconditions.uid : undefined;
}

/** The pod that was judged, and none that takes its name meanwhile. */
function meaning(message: NodeWrite, uid: string): NodeWrite {
  const { options, patch } = message;
  const preconditions = isJsonObject(options.preconditions) ? options.preconditions : {};
  return {
    ...message, options: { ...options, preconditions: { ...preconditions, uid } },
    patch: patch === undefined ? undefined : { ...patch, metadata: { ...metadataOf(patch), uid } },
  };
}

async function apply(calls: ApiCalls, key: ObjectKey, message: NodeWrite): Promise<Result<StoredObject, Status>> {
  const object = message.object ?? {};
  const by = { by: message.nodeName };
  switch (message.operateType) {
    case 'get': return calls.get(key, by);
    case 'create': return calls.create(key, bound(key, object, message.nodeName), by);
    case 'update': return calls.update(key, object, by);
    case 'patch': return patch(calls, key, message);
    case 'delete': return calls.delete(key, deleteOptions(message.options), by);
    default: return fail(badRequest(`unknown operate_type ${JSON.stringify(message.operateType)}`));
  }
}

async function patch(calls: ApiCalls, key: ObjectKey, message: NodeWrite): Promise<Result<StoredObject, Status>> {
  if (message.patch === undefined) return fail(badRequest('patch_data is missing'));
  const status = message.patchSubResources.includes('status');
  const by = message.nodeName;
  const patched = await calls.patch(key, allowedPatch(key.kind, message.patch), { by, ...(status ? { subResource: 'status' as const } : {}) });
  // The object beside the patch of an event is the event after it, for the case that its create was lost.
  if (!patched.ok && key.kind === 'Event' && patched.fault.reason === 'NotFound' && message.object !== undefined) return calls.create(key, message.object, { by });
  return patched;
}

/** What of a created object goes through. The API gives a created pod its status if it has none. */
function bound(key: ObjectKey, object: JsonObject, nodeName: string): JsonObject {
  if (key.kind === 'Node') return withOwnMetadata(object);
  if (key.kind !== 'Pod') return object;
  return {
    ...object,
    metadata: metadataOf(object),
    spec: { ...specOf(object), nodeName: specOf(object).nodeName ?? nodeName },
    status: { phase: 'Pending', ...(isJsonObject(object.status) ? object.status : {}) },
  };
}

function deleteOptions(options: JsonObject): { graceSeconds?: number; uid?: string } {
  const preconditions = isJsonObject(options.preconditions) ? options.preconditions : {};
  return {
    ...(typeof options.gracePeriodSeconds === 'number' ? { graceSeconds: options.gracePeriodSeconds } : {}),
    ...(typeof preconditions.uid === 'string' ? { uid: preconditions.uid } : {}),
  };
}

function refused(status: Status): ApiAnswer {
  return { kind: 'refused', status };
}
