// How a message up differs from what the released agent would send: for tests that hold our agent to the dialect. It refuses nothing.
import { gunzipSync } from 'node:zlib';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { emitYaml } from '../bus/dialects/lite/emit-yaml.ts';
import { strategicMerge, type UpMessage } from '../bus/dialects/lite/envelope-up.ts';

const knownFields: ReadonlySet<string> = new Set([
  'object_type', 'operate_type', 'identity', 'node_name', 'need_ack', 'object_name', 'object_ns', 'object', 'options', 'patch_type', 'patch_data', 'patch_sub_resources',
]);
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const operations: Readonly<Record<string, readonly string[]>> = {
  start: ['start'],
  node: ['create', 'patch'],
  pod: ['get', 'create', 'patch', 'delete'],
  event: ['create', 'patch', 'update'],
  lease: ['get', 'create', 'update'],
};

/** Operations that carry only a name and a namespace in `object`. */
const stubOperations: ReadonlySet<string> = new Set(['pod get', 'pod patch', 'pod delete', 'node patch', 'lease get']);

/** @returns one line for each difference, none when there is none */
export function deviationsOf(message: UpMessage, payload: Uint8Array): readonly string[] {
  const { fields, objectType, operateType } = message;
  const found: string[] = [];
  const expect = (holds: boolean, line: string): void => {
    if (!holds) found.push(`${objectType} ${operateType}: ${line}`);
  };
  for (const field of Object.keys(fields)) expect(knownFields.has(field), `unknown field ${field}`);
  expect(operations[objectType]?.includes(operateType) === true, 'an operation the released agent does not send');
  expect(uuidPattern.test(message.identity), `identity is no lower case UUID v4: ${message.identity}`);
  expect(message.nodeName !== '', 'node_name is missing');
  if (objectType === 'event') expect(!Object.hasOwn(fields, 'need_ack'), 'need_ack on an event');
  else expect(fields.need_ack === true, 'need_ack is not true');
  expect(gunzipSync(payload).toString('utf8') === emitYaml(fields), 'the text is not the YAML the released agent writes');
  if (objectType === 'start') expect(Object.keys(fields).length === 5, 'a start has five fields');
  else checkBody(message, expect);
  return found;
}

type Expect = (holds: boolean, line: string) => void;

function checkBody(message: UpMessage, expect: Expect): void {
  const { fields, objectType, operateType, object } = message;
  expect(message.objectName !== '', 'object_name is missing');
  if (objectType === 'node') expect(!Object.hasOwn(fields, 'object_ns'), 'object_ns on a node');
  else expect(message.objectNamespace !== '', 'object_ns is missing');
  expect(isJsonObject(fields.options), 'options is missing');
  checkOptions(message, expect);
  checkPatch(message, expect);
  if (object === undefined) {
    expect(false, 'object is missing');
    return;
  }
  expect(!Object.hasOwn(object, 'apiVersion') && !Object.hasOwn(object, 'kind'), 'apiVersion or kind in object');
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  expect(Object.hasOwn(metadata, 'creationTimestamp'), 'object.metadata.creationTimestamp is missing');
  expect(metadata.name === message.objectName, 'object.metadata.name is not object_name');
  if (objectType !== 'node') expect(metadata.namespace === message.objectNamespace, 'object.metadata.namespace is not object_ns');
  if (stubOperations.has(`${objectType} ${operateType}`)) {
    const allowed = objectType === 'node' ? 2 : 3;
    expect(Object.keys(metadata).length === allowed, 'the object is more than a stub');
  }
  checkObject(objectType, object, expect);
}

function checkObject(objectType: string, object: JsonObject, expect: Expect): void {
  if (objectType === 'event') {
    for (const field of ['eventTime', 'reportingComponent', 'reportingInstance', 'involvedObject', 'source', 'firstTimestamp', 'lastTimestamp']) {
      expect(Object.hasOwn(object, field), `object.${field} is missing`);
    }
    return;
  }
  expect(isJsonObject(object.spec), 'object.spec is missing');
  if (objectType === 'pod') expect(isJsonObject(object.spec) && Object.hasOwn(object.spec, 'containers'), 'object.spec.containers is missing');
  if (objectType !== 'lease') expect(isJsonObject(object.status), 'object.status is missing');
}

function checkOptions({ objectType, operateType, options }: UpMessage, expect: Expect): void {
  if (operateType !== 'delete') {
    expect(Object.keys(options).length === 0, 'options is not empty');
    return;
  }
  expect(objectType !== 'pod' || options.gracePeriodSeconds === 0, 'options.gracePeriodSeconds is not 0');
  expect(isJsonObject(options.preconditions), 'options.preconditions is missing');
}

function checkPatch({ objectType, operateType, patch, patchType, fields }: UpMessage, expect: Expect): void {
  const patchFields = ['patch_type', 'patch_data', 'patch_sub_resources'].filter((field) => Object.hasOwn(fields, field));
  if (operateType !== 'patch') {
    expect(patchFields.length === 0, `${patchFields.join(', ')} without a patch`);
    return;
  }
  expect(patch !== undefined, 'patch_data is missing');
  expect(patchType === strategicMerge, 'patch_type is not a strategic merge');
  const subResources = JSON.stringify(fields.patch_sub_resources);
  expect(objectType === 'event' ? subResources === undefined : subResources === '["status"]', 'patch_sub_resources is not [status]');
}
