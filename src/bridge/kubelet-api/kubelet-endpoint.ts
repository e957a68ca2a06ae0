// How a node that accepts no connection is shown to an API server: its kubelet is where the cloud side serves it. Pure.
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';

export interface KubeletEndpoint {
  /** An IP address by which API servers reach this cloud side. */
  readonly address: string;
  readonly port: number;
}

/**
 * @param status of a Node, as the node says it; unchanged
 * @returns the same with the endpoint in place of its own: the only InternalIP, and the port. Its host name stays; so do its other addresses
 */
export function withKubeletEndpoint(status: JsonObject, { address, port }: KubeletEndpoint): JsonObject {
  const own: readonly unknown[] = Array.isArray(status.addresses) ? status.addresses : [];
  const others = own.filter((entry) => !isJsonObject(entry) || entry.type !== 'InternalIP');
  const endpoints = isJsonObject(status.daemonEndpoints) ? status.daemonEndpoints : {};
  return { ...status, addresses: [{ type: 'InternalIP', address }, ...others], daemonEndpoints: { ...endpoints, kubeletEndpoint: { Port: port } } };
}

/** Whether the status of a Node is as `withKubeletEndpoint` makes it. */
export function namesEndpoint(status: JsonObject, { address, port }: KubeletEndpoint): boolean {
  const own: readonly unknown[] = Array.isArray(status.addresses) ? status.addresses : [];
  const internal = own.filter((entry) => isJsonObject(entry) && entry.type === 'InternalIP').map((entry) => (isJsonObject(entry) ? entry.address : undefined));
  const { kubeletEndpoint } = isJsonObject(status.daemonEndpoints) ? status.daemonEndpoints : {};
  return internal.length === 1 && internal[0] === address && isJsonObject(kubeletEndpoint) && kubeletEndpoint.Port === port;
}
