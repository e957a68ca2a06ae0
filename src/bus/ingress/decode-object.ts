// Secrets and config maps from the wire or the cache, judged: names that are safe as file names, bounded sizes, well-formed values.
// Faults name the field and never a value.
import { fail, ok, type Result } from '../../ports/result.ts';
import { ObjectData, type StoredObject, type StoredObjectKind } from '../../ports/stored-object.ts';
import { describeJsonType, isJsonObject, type JsonObject } from '../dialects/json-value.ts';
import { notConfigKey, notLabel, notSubdomain } from './field-formats.ts';

/** Keys and values of one object together; an API server's limit. */
export const objectBytesMax = 1024 * 1024;

export interface ObjectFault {
  readonly field: string;
  readonly message: string;
}

type Values = Map<string, Uint8Array>;

const utf8 = new TextEncoder();
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** @param kind what the list it stood in says it is; a `kind` field of its own must agree */
export function decodeObject(kind: StoredObjectKind, object: JsonObject): Result<StoredObject, ObjectFault> {
  const { metadata } = object;
  if (!isJsonObject(metadata)) return wrong('metadata', `must be a mapping, not ${describeJsonType(metadata)}`);
  const { name, namespace, uid, resourceVersion } = metadata;
  if (typeof name !== 'string') return wrong('metadata.name', 'is missing');
  const badName = notSubdomain(name);
  if (badName !== undefined) return wrong('metadata.name', badName);
  if (typeof namespace !== 'string') return wrong('metadata.namespace', 'is missing');
  const badNamespace = notLabel(namespace);
  if (badNamespace !== undefined) return wrong('metadata.namespace', badNamespace);
  if (object.kind !== undefined && object.kind !== null && object.kind !== kind) return wrong('kind', `must be ${kind}`);
  const values = kind === 'Secret' ? secretValues(object) : configMapValues(object);
  if (!values.ok) return values;
  const data = new ObjectData(values.value);
  if (data.sizeBytes() > objectBytesMax) return wrong('data', `must have at most ${objectBytesMax} bytes of keys and values together`);
  return ok({
    kind, namespace, name, data,
    uid: typeof uid === 'string' ? uid : '',
    version: typeof resourceVersion === 'string' ? resourceVersion : '',
    type: kind === 'Secret' && typeof object.type === 'string' ? object.type : '',
  });
}

/** `stringData` is plain text over `data`, as an API server merges it. */
function secretValues(object: JsonObject): Result<Values, ObjectFault> {
  const values: Values = new Map();
  return inOrder(() => takeValues(values, object, 'data', fromBase64), () => takeValues(values, object, 'stringData', fromText), values);
}

function configMapValues(object: JsonObject): Result<Values, ObjectFault> {
  const values: Values = new Map();
  const binary: Values = new Map();
  const taken = inOrder(() => takeValues(values, object, 'data', fromText), () => takeValues(binary, object, 'binaryData', fromBase64), values);
  if (!taken.ok) return taken;
  for (const [key, value] of binary) {
    if (values.has(key)) return wrong(`binaryData.${key}`, 'duplicate of key present in data');
    values.set(key, value);
  }
  return ok(values);
}

function inOrder(first: () => ObjectFault | undefined, second: () => ObjectFault | undefined, values: Values): Result<Values, ObjectFault> {
  const fault = first() ?? second();
  return fault === undefined ? ok(values) : fail(fault);
}

function takeValues(values: Values, object: JsonObject, field: string, read: (text: string) => Uint8Array | undefined): ObjectFault | undefined {
  const given = object[field] ?? {};
  if (!isJsonObject(given)) return { field, message: `must be a mapping, not ${describeJsonType(given)}` };
  for (const [key, text] of Object.entries(given)) {
    const badKey = notConfigKey(key);
    if (badKey !== undefined) return { field: `${field}.${key.slice(0, 100)}`, message: `the key ${badKey}` };
    if (typeof text !== 'string' && text !== null) return { field: `${field}.${key}`, message: `must be a string, not ${describeJsonType(text)}` };
    const value = read(text ?? '');
    if (value === undefined) return { field: `${field}.${key}`, message: 'must be base64 of the standard alphabet, padded' };
    values.set(key, value);
  }
  return undefined;
}

function fromText(text: string): Uint8Array {
  return utf8.encode(text);
}

function fromBase64(text: string): Uint8Array | undefined {
  return base64.test(text) ? new Uint8Array(Buffer.from(text, 'base64')) : undefined;
}

function wrong(field: string, message: string): Result<never, ObjectFault> {
  return fail({ field, message });
}

/** What `decodeObject` reads back, as one JSON line. For the cache file alone: it holds the values. */
export function objectText({ kind, namespace, name, uid, version, type, data }: StoredObject): string {
  const values = Object.fromEntries(data.keys().map((key) => [key, Buffer.from(data.get(key) ?? []).toString('base64')]));
  return `${JSON.stringify({
    apiVersion: 'v1', kind, metadata: { name, namespace, uid, resourceVersion: version },
    ...(type === '' ? {} : { type }),
    [kind === 'Secret' ? 'data' : 'binaryData']: values,
  })}\n`;
}

/** Name of its cache file. Names of both parts are DNS names: an underscore is in neither. */
export function objectRecordName({ namespace, name }: StoredObject): string {
  return `${namespace}_${name}`;
}
