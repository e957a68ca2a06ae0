// The documents of OpenAPI: version 2 as one, version 3 as one for each group. They describe kinds, and of the paths what clients look up:
// which parameters a patch takes. Pure.
import type { JsonObject } from '../../bus/dialects/json-value.ts';
import { groups, type Resource, resources } from '../resources.ts';
import { servedVersion } from '../discovery.ts';
import { definitionName, definitionsOf, kindMark, servedKinds } from './definitions.ts';

const info = { title: 'mqlet', version: `v${servedVersion.major}.${servedVersion.minor}.0` };
/** Of each write, so that clients know that they may ask for a rehearsal and for strict checks. */
const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force'];

export function openApi2(): JsonObject {
  const definitions = Object.assign({}, ...['', ...groups].map((group) => definitionsOf(group, '#/definitions/'))) as JsonObject; // schemas by name
  const paths = Object.fromEntries(servedKinds().map((resource) => [pathOf(resource), { [methodOf(resource)]: operation(resource, (name) => ({ in: 'query', name, type: 'string' })) }]));
  return { swagger: '2.0', info, paths, definitions };
}

/** By path behind `/openapi/v3/`: `api/v1`, `apis/GROUP/v1`. */
export function openApi3Paths(): readonly string[] {
  return ['', ...groups].map(pathOfGroup);
}

export function openApi3(path: string): JsonObject | undefined {
  const group = ['', ...groups].find((one) => pathOfGroup(one) === path);
  if (group === undefined) return undefined;
  const own = servedKinds().filter((resource) => resource.group === group);
  const paths = Object.fromEntries(own.map((resource) => [pathOf(resource), { [methodOf(resource)]: operation(resource, (name) => ({ in: 'query', name, schema: { type: 'string' } })) }]));
  return { openapi: '3.0.0', info, paths, components: { schemas: definitionsOf(group, '#/components/schemas/') } };
}

function pathOfGroup(group: string): string {
  return group === '' ? 'api/v1' : `apis/${group}/v1`;
}

function pathOf({ group, resource, namespaced, stored }: Resource): string {
  return `/${pathOfGroup(group)}${namespaced ? '/namespaces/{namespace}' : ''}/${resource}${stored ? '/{name}' : ''}`;
}

function methodOf({ stored }: Resource): string {
  return stored ? 'patch' : 'post';
}

function operation(resource: Resource, parameter: (name: string) => JsonObject): JsonObject {
  const { 'x-kubernetes-group-version-kind': [kind] = [] } = kindMark(resource) as { readonly 'x-kubernetes-group-version-kind'?: readonly unknown[] }; // as it is made
  return {
    operationId: `${resource.stored ? 'patch' : 'create'}${resource.kind}`, 'x-kubernetes-action': resource.stored ? 'patch' : 'post', 'x-kubernetes-group-version-kind': kind,
    parameters: writeParameters.map(parameter), responses: { 200: { description: 'OK' } },
  };
}

/** Whether every kind has its definition: for tests. */
export function undescribedKinds(): readonly string[] {
  return resources.filter(({ stored }) => stored).map(({ kind, group }) => definitionName(kind, group)).filter((name) => !Object.hasOwn(openApi2()['definitions'] as object, name)); // made above
}
