// Where an API server has what we ask for. Pure.
import type { Kind, ObjectKey } from '../memory-store.ts';

const places: Readonly<Record<Kind, { readonly root: string; readonly resource: string; readonly apiVersion: string }>> = {
  Pod: { root: '/api/v1', resource: 'pods', apiVersion: 'v1' },
  Node: { root: '/api/v1', resource: 'nodes', apiVersion: 'v1' },
  Secret: { root: '/api/v1', resource: 'secrets', apiVersion: 'v1' },
  ConfigMap: { root: '/api/v1', resource: 'configmaps', apiVersion: 'v1' },
  Event: { root: '/api/v1', resource: 'events', apiVersion: 'v1' },
  Lease: { root: '/apis/coordination.k8s.io/v1', resource: 'leases', apiVersion: 'coordination.k8s.io/v1' },
};

export function apiVersionOf(kind: Kind): string {
  return places[kind].apiVersion;
}

/** Of all namespaces. */
export function collectionPath(kind: Kind): string {
  const { root, resource } = places[kind];
  return `${root}/${resource}`;
}

/** Where objects of one namespace are created. */
export function namespacedPath({ kind, namespace }: Pick<ObjectKey, 'kind' | 'namespace'>): string {
  const { root, resource } = places[kind];
  return kind === 'Node' ? `${root}/${resource}` : `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
}

export function objectPath(key: ObjectKey, subResource?: 'status'): string {
  return `${namespacedPath(key)}/${encodeURIComponent(key.name)}${subResource === undefined ? '' : `/${subResource}`}`;
}

export function tokenPath({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`;
}

/**
 * Versions are decimal numbers of any length, and may be compared.
 * @returns above 0 when `a` is the newer
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
