// What the API says of itself: groups, resources, version; plain and aggregated. Pure; a fixed text for each path.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { apiVersionOf, groups, type Resource, resources, type Subresource } from './resources.ts';

/** The API whose shape this is. */
export const servedVersion = { major: '1', minor: '30' } as const;

export function versionInfo(build: { readonly version: string; readonly platform: string; readonly nodeVersion: string }): JsonObject {
  return {
    ...servedVersion, gitVersion: `v${servedVersion.major}.${servedVersion.minor}.0+mqlet.${build.version}`, gitCommit: '', gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z', goVersion: `node ${build.nodeVersion}`, compiler: 'v8', platform: build.platform,
  };
}

/** The answer under a path of discovery; undefined for any other path. */
export function discovery(path: string, accept: string | undefined): { readonly body: JsonObject; readonly contentType: string } | undefined {
  const plain = path.replace(/\/+$/, '') || '/';
  const aggregated = aggregatedVersion(accept);
  if (aggregated !== undefined && (plain === '/api' || plain === '/apis')) {
    return { body: aggregatedGroups(plain === '/api', aggregated), contentType: `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList` };
  }
  const body = plainDiscovery(plain);
  return body === undefined ? undefined : { body, contentType: 'application/json' };
}

function plainDiscovery(path: string): JsonObject | undefined {
  if (path === '/') return { paths: ['/api', '/api/v1', '/apis', ...groups.flatMap((group) => [`/apis/${group}`, `/apis/${group}/v1`]), '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'] };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/api/v1') return resourceList('');
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) };
  for (const group of groups) {
    if (path === `/apis/${group}`) return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) };
    if (path === `/apis/${group}/v1`) return resourceList(group);
  }
  return undefined;
}

function groupOf(group: string): JsonObject {
  const version = { groupVersion: `${group}/v1`, version: 'v1' };
  return { name: group, versions: [version], preferredVersion: version };
}

function resourceList(group: string): JsonObject {
  const entries = resources.filter((one) => one.group === group).flatMap((one) => [entryOf(one), ...one.subresources.map((sub) => subEntryOf(one, sub))]);
  return { kind: 'APIResourceList', ...(group === '' ? {} : { apiVersion: 'v1' }), groupVersion: group === '' ? 'v1' : `${group}/v1`, resources: entries };
}

function entryOf(one: Resource): JsonObject {
  const { resource, singular, namespaced, kind, verbs, shortNames, categories } = one;
  return { name: resource, singularName: singular, namespaced, kind, verbs, ...(shortNames === undefined ? {} : { shortNames }), ...(categories === undefined ? {} : { categories }) };
}

function subEntryOf({ resource, namespaced }: Resource, { name, kind, apiVersion, verbs }: Subresource): JsonObject {
  const [group, version] = apiVersion === undefined ? [] : apiVersion.split('/');
  return { name: `${resource}/${name}`, singularName: '', namespaced, ...(group === undefined ? {} : { group, version }), kind, verbs };
}

function aggregatedVersion(accept = ''): string | undefined {
  for (const range of accept.split(',')) {
    if (!range.includes('g=apidiscovery.k8s.io') || !range.includes('as=APIGroupDiscoveryList')) continue;
    const version = /;\s*v=(v2|v2beta1)(?:;|$)/.exec(range)?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}

function aggregatedGroups(core: boolean, version: string): JsonObject {
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items: (core ? [''] : groups).map(aggregatedGroup) };
}

function aggregatedGroup(group: string): JsonObject {
  return {
    metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
    versions: [{ version: 'v1', freshness: 'Current', resources: resources.filter((one) => one.group === group).map(aggregatedEntry) }],
  };
}

function aggregatedEntry(one: Resource): JsonObject {
  const { resource, singular, namespaced, kind, verbs, shortNames, categories, group, version, subresources } = one;
  return {
    resource, responseKind: { group, version, kind }, scope: namespaced ? 'Namespaced' : 'Cluster', singularResource: singular, verbs,
    ...(shortNames === undefined ? {} : { shortNames }), ...(categories === undefined ? {} : { categories }),
    subresources: subresources.map(({ name, kind: responseKind, apiVersion = apiVersionOf(one), verbs: subVerbs }) => ({
      subresource: name, responseKind: { ...groupVersion(apiVersion), kind: responseKind }, verbs: subVerbs,
    })),
  };
}

function groupVersion(apiVersion: string): JsonObject {
  const [first = '', second] = apiVersion.split('/');
  return second === undefined ? { group: '', version: first } : { group: first, version: second };
}
