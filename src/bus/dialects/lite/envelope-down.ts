// The control message, cloud to agent (spec A5 to A7), both ways: the cloud side writes it, the agent reads it.
// A bad message is one fault; it never throws and never half-applies.
import type { ApiAnswer } from '../../api-write.ts';
import type { Status } from '../../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../../ports/result.ts';
import { checkObject } from '../check-object.ts';
import type { DownMessage, StartAnswer } from '../dialect.ts';
import { describeJsonType, fieldOf, isJsonObject, type JsonObject } from '../json-value.ts';
import { unpack } from './payload.ts';
import type { TextFault } from './read-text.ts';

export interface DownFault extends TextFault {
  readonly field?: string;
}

/** Values of `error_type`. Success is 2; an absent type means 0. */
const statusError = 0;
const textError = 1;
const noError = 2;

/** Longest identity taken; those we make have 36 characters. */
const identityLengthMax = 256;

export function ackFields(identity: string, answer: ApiAnswer): JsonObject {
  if (answer.kind === 'accepted') return { data_type: 'ack', ack_data: { identity, error_type: noError, object: answer.object } };
  return { data_type: 'ack', ack_data: { identity, error: { ErrStatus: answer.status } } };
}

export function podFields(pod: object, secrets: readonly object[], configMaps: readonly object[] = []): JsonObject {
  return {
    data_type: 'pod', pod_data: pod,
    secrets_data: secrets.length > 0 ? secrets : undefined,
    configmaps_data: configMaps.length > 0 ? configMaps : undefined,
  };
}

export function nodeFields(node: object): JsonObject {
  return { data_type: 'node', node_data: node };
}

/** Never throws, whatever the bytes. */
export function decodeDown(payload: Uint8Array): Result<DownMessage, DownFault> {
  const unpacked = unpack(payload);
  if (!unpacked.ok) return unpacked;
  const dataType = fieldOf(unpacked.value, 'data_type');
  switch (dataType) {
    case 'ack': return decodeAck(unpacked.value);
    case 'pod': return decodePodMessage(unpacked.value);
    case 'node': return decodeNodeMessage(unpacked.value);
    default: {
      const found = typeof dataType === 'string' ? JSON.stringify(dataType.slice(0, 100)) : describeJsonType(dataType);
      return fail({ field: 'data_type', message: `must be "ack", "pod" or "node", not ${found}` });
    }
  }
}

function body(message: JsonObject, field: string): Result<JsonObject, DownFault> {
  const value = fieldOf(message, field);
  if (isJsonObject(value)) return ok(value);
  return fail({ field, message: `must be a mapping, not ${describeJsonType(value)}` });
}

function decodeAck(message: JsonObject): Result<DownMessage, DownFault> {
  const ack = body(message, 'ack_data');
  if (!ack.ok) return ack;
  const identity = fieldOf(ack.value, 'identity');
  if (typeof identity !== 'string' || identity === '' || identity.length > identityLengthMax) {
    const found = typeof identity === 'string' ? `${identity.length} characters` : describeJsonType(identity);
    return fail({ field: 'ack_data.identity', message: `must be the identity of a request, not ${found}` });
  }
  const answer = decodeAnswer(ack.value);
  return answer.ok ? ok({ kind: 'ack', identity, answer: answer.value }) : answer;
}

function decodeAnswer(ack: JsonObject): Result<ApiAnswer, DownFault> {
  const errorType = fieldOf(ack, 'error_type') ?? statusError;
  const error = fieldOf(ack, 'error');
  const object = fieldOf(ack, 'object') ?? undefined;
  if (object !== undefined && !isJsonObject(object)) {
    return fail({ field: 'ack_data.object', message: `must be a mapping, not ${describeJsonType(object)}` });
  }
  if (errorType === noError) return ok({ kind: 'accepted', object });
  if (errorType === textError) {
    if (typeof error !== 'string') return fail({ field: 'ack_data.error', message: `must be a string with error_type 1, not ${describeJsonType(error)}` });
    return ok({ kind: 'refused', status: { status: 'Failure', message: error } });
  }
  if (errorType !== statusError) {
    const found = typeof errorType === 'number' ? String(errorType) : describeJsonType(errorType);
    return fail({ field: 'ack_data.error_type', message: `must be 0, 1 or 2, not ${found}` });
  }
  if (error === undefined || error === null) {
    return fail({ field: 'ack_data.error_type', message: 'is missing and there is no error: success is error_type 2' });
  }
  return decodeStatus(error);
}

function decodeStatus(error: unknown): Result<ApiAnswer, DownFault> {
  const status = isJsonObject(error) ? fieldOf(error, 'ErrStatus') : undefined;
  if (!isJsonObject(status)) return fail({ field: 'ack_data.error.ErrStatus', message: `must be a mapping, not ${describeJsonType(status)}` });
  for (const field of ['status', 'reason', 'message']) {
    const value = status[field];
    if (value !== undefined && value !== null && typeof value !== 'string') {
      return fail({ field: `ack_data.error.ErrStatus.${field}`, message: `must be a string, not ${describeJsonType(value)}` });
    }
  }
  const code = status.code;
  if (code !== undefined && code !== null && typeof code !== 'number') {
    return fail({ field: 'ack_data.error.ErrStatus.code', message: `must be a number, not ${describeJsonType(code)}` });
  }
  // The fields anyone decides on have just been compared with the type.
  return ok({ kind: 'refused', status: status as Status });
}

function decodePodMessage(message: JsonObject): Result<DownMessage, DownFault> {
  const pod = body(message, 'pod_data');
  if (!pod.ok) return pod;
  const secrets = mappings(message, 'secrets_data', 'secrets_data');
  if (!secrets.ok) return secrets;
  const configMaps = mappings(message, 'configmaps_data', 'configmaps_data');
  return configMaps.ok ? ok({ kind: 'pod', pod: pod.value, secrets: secrets.value, configMaps: configMaps.value }) : configMaps;
}

function decodeNodeMessage(message: JsonObject): Result<DownMessage, DownFault> {
  const node = body(message, 'node_data');
  if (!node.ok) return node;
  const checked = checkObject('Node', node.value);
  if (!checked.ok) return fail({ field: `node_data.${checked.fault.field}`, message: checked.fault.message });
  return ok({ kind: 'node', node: checked.value });
}

/** A list of mappings; null entries are skipped, as the released agent skips them in secrets. */
function mappings(object: JsonObject, field: string, path: string): Result<readonly JsonObject[], DownFault> {
  const value = fieldOf(object, field) ?? [];
  if (!Array.isArray(value)) return fail({ field: path, message: `must be a list, not ${describeJsonType(value)}` });
  const found: JsonObject[] = [];
  for (const [index, entry] of value.entries()) {
    if (entry === null) continue;
    if (!isJsonObject(entry)) return fail({ field: `${path}[${index}]`, message: `must be a mapping, not ${describeJsonType(entry)}` });
    found.push(entry);
  }
  return ok(found);
}

/** The object of an accepted start. A missing or null list is an empty one: Go leaves it out. */
export function decodeStartAnswer(object: JsonObject): Result<StartAnswer, DownFault> {
  const pods: unknown = fieldOf(object, 'pods_list') ?? [];
  if (!Array.isArray(pods)) return fail({ field: 'ack_data.object.pods_list', message: `must be a list, not ${describeJsonType(pods)}` });
  const secrets = mappings(object, 'secret_list', 'ack_data.object.secret_list');
  if (!secrets.ok) return secrets;
  const configMaps = mappings(object, 'config_map_list', 'ack_data.object.config_map_list');
  if (!configMaps.ok) return configMaps;
  const node = fieldOf(object, 'node') ?? undefined;
  if (node === undefined) return ok({ pods, secrets: secrets.value, configMaps: configMaps.value, node: undefined });
  if (!isJsonObject(node)) return fail({ field: 'ack_data.object.node', message: `must be a mapping, not ${describeJsonType(node)}` });
  const checked = checkObject('Node', node);
  if (!checked.ok) return fail({ field: `ack_data.object.node.${checked.fault.field}`, message: checked.fault.message });
  return ok({ pods, secrets: secrets.value, configMaps: configMaps.value, node: checked.value });
}
