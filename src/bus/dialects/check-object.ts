// Does an object from the wire have the shape its kind promises, as far as the agent reads it? Bodies of pods to run are judged
// elsewhere (decode-pod.ts); this is for answers and for the node.
import type { ApiAnswer, ApiWrite, IssuedToken } from '../api-write.ts';
import type { Event, Lease, Node, Pod } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { SecretText } from '../../ports/secret-text.ts';
import { describeJsonType, isJsonObject, type JsonObject } from './json-value.ts';

export interface ShapeFault {
  readonly field: string;
  readonly message: string;
}

type Shape = 'string' | 'secret' | 'mapping' | 'list' | 'strings' | 'mappings';

const metadataShapes: Readonly<Record<string, Shape>> = {
  name: 'string', namespace: 'string', uid: 'string', resourceVersion: 'string', creationTimestamp: 'string',
  deletionTimestamp: 'string', labels: 'strings', annotations: 'strings', ownerReferences: 'mappings', finalizers: 'list',
};

const kindShapes: Readonly<Record<ApiWrite['kind'], Readonly<Record<string, Shape>>>> = {
  Pod: { spec: 'mapping', status: 'mapping' },
  Node: { spec: 'mapping', status: 'mapping' },
  Lease: { spec: 'mapping' },
  Event: { involvedObject: 'mapping' },
  TokenRequest: { spec: 'mapping', status: 'mapping' },
};

/** Pods: `containerStatuses` and `conditions`; nodes: `addresses`, `conditions`, `volumesInUse`. */
const statusShapes: Readonly<Record<string, Shape>> = {
  conditions: 'mappings', addresses: 'mappings', containerStatuses: 'mappings', initContainerStatuses: 'mappings', podIPs: 'mappings',
  volumesInUse: 'list', images: 'mappings', capacity: 'mapping', allocatable: 'mapping', phase: 'string',
  token: 'secret', expirationTimestamp: 'string',
};

type CheckedObject = Pod | Node | Lease | Event | IssuedToken;

/** Absent and null fields fit, but a token must be there. @returns the same object under its type, or the first field that does not fit */
export function checkObject(kind: 'Node', object: JsonObject): Result<Node, ShapeFault>;
export function checkObject(kind: ApiWrite['kind'], object: JsonObject): Result<CheckedObject, ShapeFault>;
export function checkObject(kind: ApiWrite['kind'], object: JsonObject): Result<CheckedObject, ShapeFault> {
  const fault =
    firstFault(object, { ...kindShapes[kind], metadata: 'mapping' }, '') ??
    nestedFault(object.metadata, metadataShapes, 'metadata.') ??
    nestedFault(object.status, statusShapes, 'status.') ??
    (kind === 'TokenRequest' ? tokenFault(object) : undefined);
  // The fields the agent reads have just been compared with the type.
  return fault === undefined ? ok(object as CheckedObject) : fail(fault);
}

/** Without these there is nothing to use. */
function tokenFault({ spec, status }: JsonObject): ShapeFault | undefined {
  const seconds = isJsonObject(spec) ? (spec.expirationSeconds ?? undefined) : undefined;
  if (seconds !== undefined && !(typeof seconds === 'number' && seconds > 0)) return { field: 'spec.expirationSeconds', message: 'must be a number of seconds' };
  const missing = ['token', 'expirationTimestamp'].find((field) => !isJsonObject(status) || status[field] === undefined || status[field] === null);
  return missing === undefined ? undefined : { field: `status.${missing}`, message: 'is missing in the answer to a request for a token' };
}

/** Hides the token in an answer, before anybody who prints messages can see it. */
export function withHiddenToken(answer: ApiAnswer): ApiAnswer {
  if (answer.kind !== 'accepted' || answer.object === undefined) return answer;
  const { status } = answer.object;
  if (!isJsonObject(status) || typeof status.token !== 'string') return answer;
  return { ...answer, object: { ...answer.object, status: { ...status, token: new SecretText(status.token) } } };
}

function nestedFault(value: unknown, shapes: Readonly<Record<string, Shape>>, prefix: string): ShapeFault | undefined {
  return isJsonObject(value) ? firstFault(value, shapes, prefix) : undefined;
}

function firstFault(object: JsonObject, shapes: Readonly<Record<string, Shape>>, prefix: string): ShapeFault | undefined {
  for (const field of Object.keys(shapes)) {
    const value = object[field];
    const shape = shapes[field];
    if (value === undefined || value === null || shape === undefined || fits(value, shape)) continue;
    return { field: prefix + field, message: `must be ${shapeWords[shape]}, not ${describeJsonType(value)}` };
  }
  return undefined;
}

const shapeWords: Readonly<Record<Shape, string>> = {
  string: 'a string', secret: 'a string', mapping: 'a mapping', list: 'a list', strings: 'a mapping of strings', mappings: 'a list of mappings',
};

function fits(value: unknown, shape: Shape): boolean {
  switch (shape) {
    case 'string': return typeof value === 'string';
    case 'secret': return SecretText.isOne(value);
    case 'mapping': return isJsonObject(value);
    case 'list': return Array.isArray(value);
    case 'strings': return isJsonObject(value) && Object.values(value).every((item) => typeof item === 'string');
    case 'mappings': return Array.isArray(value) && value.every(isJsonObject);
  }
}
