// The shapes of the API as JSON schemas, made from the tables that requests are checked by. Versions 2 and 3 of OpenAPI differ in where
// references point.
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import type { FieldType, ObjectType, ScalarKind } from '../../bus/ingress/pod-schema.ts';
import { nameOfType, typesBelow } from '../api-schema.ts';
import { mergeKeys, retainingLists, setLists } from '../patch/list-keys.ts';
import { type Resource, resources } from '../resources.ts';
import { wordsFor } from './field-words.ts';

const core = 'io.k8s.api.core.v1';
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const packages: Readonly<Record<string, string>> = {
  'coordination.k8s.io': 'io.k8s.api.coordination.v1', 'authentication.k8s.io': 'io.k8s.api.authentication.v1', 'authorization.k8s.io': 'io.k8s.api.authorization.v1',
};
const metaTypes: ReadonlySet<string> = new Set(['ObjectMeta', 'OwnerReference', 'LabelSelector', 'Requirement', 'DeleteOptions', 'Preconditions']);
/** Rows whose types have other names in the API. */
const apiNames: Readonly<Record<string, string>> = {
  Requirement: 'LabelSelectorRequirement', IP: 'PodIP', StateWaiting: 'ContainerStateWaiting', StateRunning: 'ContainerStateRunning', StateTerminated: 'ContainerStateTerminated',
};

/** `io.k8s.api.core.v1.Pod` */
export function definitionName(row: string, group: string): string {
  return `${metaTypes.has(row) ? meta : (packages[group] ?? core)}.${apiNames[row] ?? row}`;
}

/** Kinds with a path of their own, each once. */
export function servedKinds(): readonly Resource[] {
  return resources.filter(({ kind }) => kind !== 'LocalSubjectAccessReview');
}

/** @param pointer in front of a definition's name, in a reference */
export function definitionsOf(group: string, pointer: string): Readonly<Record<string, JsonObject>> {
  const found: Record<string, JsonObject> = {};
  for (const resource of servedKinds().filter((one) => one.group === group)) {
    for (const [row, type] of typesBelow(resource.kind)) found[definitionName(row, group)] ??= schemaOf(row, type, { group, pointer });
    const name = definitionName(resource.kind, group);
    found[name] = { ...found[name], ...kindMark({ ...resource }) };
    if (resource.stored) found[`${name}List`] = listSchema(resource, { group, pointer });
  }
  return found;
}

export function kindMark({ group, kind, version }: Pick<Resource, 'group' | 'kind' | 'version'>): JsonObject {
  return { 'x-kubernetes-group-version-kind': [{ group, kind, version }] };
}

interface Context {
  readonly group: string;
  readonly pointer: string;
}

const requiredFields: Readonly<Record<string, readonly string[]>> = { Container: ['name'], EphemeralContainer: ['name'], Volume: ['name'], PodSpec: ['containers'], EnvVar: ['name'], ContainerPort: ['containerPort'], VolumeMount: ['name', 'mountPath'] };

function schemaOf(row: string, type: ObjectType, context: Context): JsonObject {
  const properties = [...type].map(([name, field]) => [name, { ...described(row, name), ...fieldSchema(name, field, context) }]);
  const required = requiredFields[row];
  return { ...described(row), type: 'object', properties: Object.fromEntries(properties), ...(required === undefined ? {} : { required }) };
}

function described(row: string, name?: string): JsonObject {
  const description = wordsFor(row, name);
  return description === undefined ? {} : { description };
}

function fieldSchema(name: string, { list, value }: FieldType, context: Context): JsonObject {
  const one = typeof value === 'string' ? scalarSchema(value) : { $ref: context.pointer + definitionName(nameOfType(value), context.group) };
  return list ? { type: 'array', items: one, ...merging(name) } : one;
}

function merging(list: string): JsonObject {
  const key = mergeKeys[list];
  if (setLists.has(list)) return { 'x-kubernetes-patch-strategy': 'merge' };
  if (key === undefined) return {};
  return { 'x-kubernetes-patch-merge-key': key, 'x-kubernetes-patch-strategy': retainingLists.has(list) ? 'merge,retainKeys' : 'merge' };
}

function scalarSchema(kind: ScalarKind): JsonObject {
  switch (kind) {
    case 'string': return { type: 'string' };
    case 'bool': return { type: 'boolean' };
    case 'int': return { type: 'integer', format: 'int32' };
    case 'long': return { type: 'integer', format: 'int64' };
    case 'port': return { type: 'string', format: 'int-or-string' };
    case 'quantity': return { type: 'string', format: 'quantity' };
    case 'time': return { type: 'string', format: 'date-time' };
    case 'map': return { type: 'object', additionalProperties: { type: 'string' } };
    case 'quantities': return { type: 'object', additionalProperties: { type: 'string', format: 'quantity' } };
    case 'unread': return { type: 'array', items: { type: 'object' } };
    default: return kind satisfies never;
  }
}

function listSchema(resource: Resource, { group, pointer }: Context): JsonObject {
  return {
    description: `A list of ${resource.resource}.`, type: 'object', required: ['items'],
    properties: {
      apiVersion: { type: 'string' }, kind: { type: 'string' },
      items: { type: 'array', items: { $ref: pointer + definitionName(resource.kind, group) } },
      metadata: { type: 'object', properties: { continue: { type: 'string' }, remainingItemCount: { type: 'integer', format: 'int64' }, resourceVersion: { type: 'string' } } },
    },
    ...kindMark({ ...resource, kind: `${resource.kind}List` }),
  };
}
