// The publish message, agent to cloud (spec A4), both ways: the agent writes it, the cloud side reads it.
import { fail, ok, type Result } from '../../../ports/result.ts';
import { rfc3339Seconds } from '../../../ports/rfc3339.ts';
import { heartbeatOf } from '../heartbeat.ts';
import { describeJsonType, fieldOf, isJsonObject, type JsonObject } from '../json-value.ts';
import { fullObject, type LiteWrite, stubObject } from './api-objects.ts';
import { unpack } from './payload.ts';
import type { TextFault } from './read-text.ts';

export const strategicMerge = 'application/strategic-merge-patch+json';

export type ObjectType = 'pod' | 'node' | 'lease' | 'event' | 'start';
export type OperateType = 'get' | 'create' | 'update' | 'patch' | 'delete' | 'start';

/** A message up as the cloud reads it. */
export interface UpMessage {
  readonly objectType: string;
  readonly operateType: string;
  readonly identity: string;
  readonly nodeName: string;
  readonly needAck: boolean;
  readonly objectName: string;
  readonly objectNamespace: string;
  readonly object: JsonObject | undefined;
  readonly options: JsonObject;
  readonly patchType: string;
  /** Decoded; undefined when there is none. */
  readonly patch: JsonObject | undefined;
  readonly patchSubResources: readonly string[];
  /** All fields as they came, for whoever compares them with the specification. */
  readonly fields: JsonObject;
}

const objectTypes = { Pod: 'pod', Node: 'node', Lease: 'lease', Event: 'event' } as const;

/** The fields of the message that carries `write`; `undefined` fields are absent. */
export function upFields(write: LiteWrite, nodeName: string): JsonObject {
  return {
    identity: write.id,
    need_ack: write.kind === 'Event' ? undefined : true,
    node_name: nodeName,
    object: 'object' in write ? fullObject(write) : stubObject(write),
    object_name: write.name,
    object_ns: 'namespace' in write && write.namespace !== '' ? write.namespace : undefined,
    object_type: objectTypes[write.kind],
    operate_type: write.verb === 'patchStatus' ? 'patch' : write.verb,
    options: optionsOf(write),
    ...patchFields(write),
  };
}

/** The fields of a start message. */
export function startFields(identity: string, nodeName: string): JsonObject {
  return { identity, need_ack: true, node_name: nodeName, object_type: 'start', operate_type: 'start' };
}

function optionsOf(write: LiteWrite): JsonObject {
  if (write.verb !== 'delete') return {};
  return {
    gracePeriodSeconds: write.gracePeriodSeconds,
    preconditions: write.uid === undefined ? {} : { uid: write.uid },
  };
}

/** A heartbeat is that of Ready alone: the released agent has no other condition, and sends no more every five minutes. */
function patchFields(write: LiteWrite): JsonObject {
  if (!('patch' in write)) return {};
  const seconds = heartbeatOf(write);
  const patch = seconds === undefined ? write.patch : { status: { conditions: [{ lastHeartbeatTime: rfc3339Seconds(seconds * 1_000), type: 'Ready' }] } };
  return {
    patch_data: Buffer.from(JSON.stringify(patch), 'utf8').toString('base64'),
    patch_sub_resources: write.verb === 'patchStatus' ? ['status'] : undefined,
    patch_type: strategicMerge,
  };
}

export interface UpFault extends TextFault {
  readonly field?: string;
}

const stringFields = ['object_type', 'operate_type', 'identity', 'node_name', 'object_name', 'object_ns', 'patch_type', 'patch_data'] as const;

/** Never throws. Absent optional fields read as their zero value, as Go reads them. */
export function decodeUp(payload: Uint8Array): Result<UpMessage, UpFault> {
  const unpacked = unpack(payload);
  if (!unpacked.ok) return unpacked;
  const fields = unpacked.value;
  const strings: Record<string, string> = {};
  for (const field of stringFields) {
    const value = fieldOf(fields, field) ?? '';
    if (typeof value !== 'string') return fail({ field, message: `must be a string, not ${describeJsonType(value)}` });
    strings[field] = value;
  }
  const needAck = fieldOf(fields, 'need_ack') ?? false;
  if (typeof needAck !== 'boolean') return fail({ field: 'need_ack', message: `must be a boolean, not ${describeJsonType(needAck)}` });
  for (const field of ['object', 'options']) {
    const value = fieldOf(fields, field);
    if (value !== undefined && value !== null && !isJsonObject(value)) {
      return fail({ field, message: `must be a mapping, not ${describeJsonType(value)}` });
    }
  }
  const patch = decodePatch(strings.patch_data ?? '');
  if (!patch.ok) return patch;
  return ok(upMessage(fields, strings, needAck, patch.value));
}

function upMessage(fields: JsonObject, strings: Readonly<Record<string, string>>, needAck: boolean, patch: JsonObject | undefined): UpMessage {
  const object = fieldOf(fields, 'object');
  const options = fieldOf(fields, 'options');
  const subResources = fieldOf(fields, 'patch_sub_resources');
  return {
    objectType: strings.object_type ?? '',
    operateType: strings.operate_type ?? '',
    identity: strings.identity ?? '',
    nodeName: strings.node_name ?? '',
    needAck,
    objectName: strings.object_name ?? '',
    objectNamespace: strings.object_ns ?? '',
    object: isJsonObject(object) ? object : undefined,
    options: isJsonObject(options) ? options : {},
    patchType: strings.patch_type ?? '',
    patch,
    patchSubResources: Array.isArray(subResources) ? subResources.map(String) : [],
    fields,
  };
}

function decodePatch(base64: string): Result<JsonObject | undefined, UpFault> {
  if (base64 === '') return ok(undefined);
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    if (isJsonObject(value)) return ok(value);
  } catch {
    // Reported below, like a patch that is JSON but not a mapping.
  }
  return fail({ field: 'patch_data', message: 'must be base64 of a JSON mapping' });
}
