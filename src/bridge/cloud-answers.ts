// What an agent's message does to the store, and the answer it gets (spec A8, A15.6). It publishes nothing.
import type { ApiAnswer } from '../bus/api-write.ts';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import type { Status } from '../ports/pod-types.ts';
import type { Result } from '../ports/result.ts';
import { badRequest } from './api-status.ts';
import { objectsBeside } from './cloud-objects.ts';
import { type Kind, type MemoryStore, metadataOf, type ObjectKey, specOf, type StoredObject } from './memory-store.ts';

/** A write as any dialect may carry it. */
export interface NodeWrite {
  /** `pod`, `node`, `lease`, `event`. */
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

const kinds: Readonly<Record<string, Kind>> = { pod: 'Pod', node: 'Node', lease: 'Lease', event: 'Event' };

/** The answer to any message but a start. Messages without need_ack take effect all the same. */
export function answerTo(store: MemoryStore, message: NodeWrite): ApiAnswer {
  const kind = kinds[message.objectType];
  if (kind === undefined) return refused(badRequest(`unknown object_type ${JSON.stringify(message.objectType)}`));
  if (message.objectName === '') return refused(badRequest('object_name is missing'));
  const key: ObjectKey = { kind, name: message.objectName, namespace: kind === 'Node' ? '' : message.objectNamespace };
  const done = apply(store, key, message);
  return done.ok ? { kind: 'accepted', object: done.value } : refused(done.fault);
}

/** The complete list for one node, and the node where it is known. */
export function startAnswer(store: MemoryStore, nodeName: string): ApiAnswer {
  const node = store.get({ kind: 'Node', namespace: '', name: nodeName });
  const pods_list = store.list('Pod').filter((pod) => specOf(pod).nodeName === nodeName);
  const { secrets, configMaps } = objectsBeside(store, pods_list);
  const lists = { pods_list, secret_list: secrets, ...(configMaps.length === 0 ? {} : { config_map_list: configMaps }) };
  return { kind: 'accepted', object: { ...lists, ...(node.ok ? { node: node.value } : {}) } };
}

function apply(store: MemoryStore, key: ObjectKey, message: NodeWrite): Result<StoredObject, Status> {
  const object = message.object ?? {};
  switch (message.operateType) {
    case 'get': return store.get(key);
    case 'create': return store.create(key, bound(key, object, message.nodeName));
    case 'update': return store.update(key, object);
    case 'patch': return patch(store, key, message);
    case 'delete': return store.delete(key, deleteOptions(message.options));
    default: return { ok: false, fault: badRequest(`unknown operate_type ${JSON.stringify(message.operateType)}`) };
  }
}

function patch(store: MemoryStore, key: ObjectKey, message: NodeWrite): Result<StoredObject, Status> {
  if (message.patch === undefined) return { ok: false, fault: badRequest('patch_data is missing') };
  const status = message.patchSubResources.includes('status');
  const patched = store.patch(key, message.patch, status ? { subResource: 'status' } : {});
  // The object beside the patch of an event is the event after it, for the case that its create was lost.
  if (!patched.ok && key.kind === 'Event' && patched.fault.reason === 'NotFound') return store.create(key, message.object ?? {});
  return patched;
}

/** The API gives a created pod its status if it has none. */
function bound(key: ObjectKey, object: JsonObject, nodeName: string): JsonObject {
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
