// Does an object from the wire have the shape its kind promises, as far as the agent reads it? Bodies of pods to run are judged
// elsewhere (decode-pod.ts); this is for answers and for the node.
import type { ApiWrite } from '../api-write.ts';
import type { Event, Lease, Node, Pod } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { describeJsonType, isJsonObject, type JsonObject } from './json-value.ts';

export interface ShapeFault {
  readonly field: string;
  readonly message: string;
}

type Shape = 'string' | 'mapping' | 'list' | 'strings' | 'mappings';

const metadataShapes: Readonly<Record<string, Shape>> = {
  name: 'string', namespace: 'string', uid: 'string', resourceVersion: 'string', creationTimestamp: 'string',
  deletionTimestamp: 'string', labels: 'strings', annotations: 'strings', ownerReferences: 'mappings', finalizers: 'list',
};

const kindShapes: Readonly<Record<ApiWrite['kind'], Readonly<Record<string, Shape>>>> = {
  Pod: { spec: 'mapping', status: 'mapping' },
  Node: { spec: 'mapping', status: 'mapping' },
  Lease: { spec: 'mapping' },
  Event: { involvedObject: 'mapping' },
};

/** Pods: `containerStatuses` and `conditions`; nodes: `addresses`, `conditions`, `volumesInUse`. */
const statusShapes: Readonly<Record<string, Shape>> = {
  conditions: 'mappings', addresses: 'mappings', containerStatuses: 'mappings', initContainerStatuses: 'mappings', podIPs: 'mappings',
  volumesInUse: 'list', images: 'mappings', capacity: 'mapping', allocatable: 'mapping', phase: 'string',
};

/** Absent and null fields fit. @returns the same object under its type, or the first field that does not fit */
export function checkObject(kind: 'Node', object: JsonObject): Result<Node, ShapeFault>;
export function checkObject(kind: ApiWrite['kind'], object: JsonObject): Result<Pod | Node | Lease | Event, ShapeFault>;
export function checkObject(kind: ApiWrite['kind'], object: JsonObject): Result<Pod | Node | Lease | Event, ShapeFault> {
  const fault =
    firstFault(object, { ...kindShapes[kind], metadata: 'mapping' }, '') ??
    nestedFault(object.metadata, metadataShapes, 'metadata.') ??
    nestedFault(object.status, statusShapes, 'status.');
  // The fields the agent reads have just been compared with the type.
  return fault === undefined ? ok(object as Pod | Node | Lease | Event) : fail(fault);
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
  string: 'a string', mapping: 'a mapping', list: 'a list', strings: 'a mapping of strings', mappings: 'a list of mappings',
};

function fits(value: unknown, shape: Shape): boolean {
  switch (shape) {
    case 'string': return typeof value === 'string';
    case 'mapping': return isJsonObject(value);
    case 'list': return Array.isArray(value);
    case 'strings': return isJsonObject(value) && Object.values(value).every((item) => typeof item === 'string');
    case 'mappings': return Array.isArray(value) && value.every(isJsonObject);
  }
}
