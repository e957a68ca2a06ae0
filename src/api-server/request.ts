// What a request asks for, read from its method, path and query. Pure; nothing is looked up.
import type { ApiRequest } from '../ports/api-listener-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { badRequest, methodNotAllowed, noSuchPath, type Refusal } from './refusals.ts';
import { findResource, type Resource, type Subresource, type Verb } from './resources.ts';

/** Sub-resources of pods that are served by the pod's node. */
export const nodeServed = ['log', 'exec', 'attach', 'portforward'] as const;
export type NodeServed = (typeof nodeServed)[number];

export interface ResourceCall {
  readonly kind: 'resource';
  readonly verb: Verb;
  readonly resource: Resource;
  readonly subresource: Subresource | undefined;
  /** Empty: the cluster, or all namespaces. */
  readonly namespace: string;
  /** Empty: the collection. */
  readonly name: string;
}

/** To the node of a pod. */
export interface NodeCall {
  readonly kind: 'node';
  readonly verb: 'get' | 'create';
  readonly what: NodeServed;
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

export interface PathCall {
  readonly kind: 'path';
  readonly verb: string;
  readonly path: string;
}

export type ApiCall = ResourceCall | NodeCall | PathCall;

const namespaceParts = ['finalize', 'status'];

export function callOf({ method, path, query }: Pick<ApiRequest, 'method' | 'path' | 'query'>): Result<ApiCall, Refusal> {
  const segments = path.split('/').filter((segment) => segment !== '');
  const located = locate(segments);
  if (located === undefined) return ok({ kind: 'path', verb: method.toLowerCase(), path });
  const [namespace, [resourceName = '', name = '', part, ...more]] = located.scope;
  const resource = findResource(located.group, resourceName);
  if (resource === undefined || more.length > 0 || located.version !== resource.version) return fail(noSuchPath());
  if (namespace !== '' && !resource.namespaced) return fail(noSuchPath());
  if (resource.kind === 'Pod' && part !== undefined && name !== '') {
    const what = nodeServed.find((one) => one === part);
    if (what !== undefined) return ok({ kind: 'node', verb: method === 'GET' && what === 'log' ? 'get' : 'create', what, resource, namespace, name });
  }
  const subresource = part === undefined ? undefined : resource.subresources.find((one) => one.name === part);
  if (part !== undefined && subresource === undefined) return fail(noSuchPath());
  const verb = verbOf(method, { named: name !== '', watch: query.get('watch') });
  const allowed = subresource === undefined ? resource.verbs : subresource.verbs;
  if (verb === undefined || !allowed.includes(verb)) return fail(methodNotAllowed());
  // Only lists reach over all namespaces.
  const everywhere = resource.namespaced && namespace === '' && verb !== 'list' && verb !== 'watch' && resource.stored;
  return everywhere ? fail(methodNotAllowed()) : ok({ kind: 'resource', verb, resource, subresource, namespace, name });
}

interface Located {
  readonly group: string;
  readonly version: string;
  readonly scope: readonly [namespace: string, rest: readonly string[]];
}

/** Undefined for paths that name no resource, as discovery has them. */
function locate([root, ...rest]: readonly string[]): Located | undefined {
  if (root === 'api') {
    const [version, ...below] = rest;
    return version === undefined || below.length === 0 ? undefined : { group: '', version, scope: scopeOf(below) };
  }
  const [group, version, ...below] = rest;
  if (root !== 'apis' || group === undefined || version === undefined || below.length === 0) return undefined;
  return { group, version, scope: scopeOf(below) };
}

function scopeOf(segments: readonly string[]): Located['scope'] {
  const [first, namespace, third] = segments;
  const isScope = first === 'namespaces' && namespace !== undefined && third !== undefined && !namespaceParts.includes(third);
  return isScope ? [namespace, segments.slice(2)] : ['', segments];
}

function verbOf(method: string, { named, watch }: { readonly named: boolean; readonly watch: string | undefined }): Verb | undefined {
  switch (method) {
    case 'GET': case 'HEAD':
      if (named) return 'get';
      return isTrue(watch) ? 'watch' : 'list';
    case 'POST': return 'create';
    case 'PUT': return named ? 'update' : undefined;
    case 'PATCH': return named ? 'patch' : undefined;
    case 'DELETE': return named ? 'delete' : 'deletecollection';
    default: return undefined;
  }
}

/** As the API reads switches: anything but no. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && text !== '0' && text.toLowerCase() !== 'false';
}

/** A parameter that is a whole number; absent or empty is undefined. */
export function numberParameter(query: ReadonlyMap<string, string>, name: string): Result<number | undefined, Refusal> {
  const text = query.get(name) ?? '';
  if (text === '') return ok(undefined);
  return /^-?\d{1,15}$/.test(text) ? ok(Number(text)) : fail(badRequest(`invalid value for parameter ${name}: ${JSON.stringify(text.slice(0, 80))} is no whole number`));
}

/** Whether nothing is to be stored. */
export function dryRun(query: ReadonlyMap<string, string>): Result<boolean, Refusal> {
  const text = query.get('dryRun');
  if (text === undefined || text === '') return ok(false);
  return text === 'All' ? ok(true) : fail(badRequest(`Invalid value: ${JSON.stringify(text.slice(0, 80))}: dryRun: Unsupported value; supported values: "All"`));
}
