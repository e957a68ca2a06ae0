// The host name a pod's containers see.
import type { DesiredPod } from '../../ports/pod-types.ts';
import type { NodeSettings } from './node-settings.ts';

/** Of a DNS label. */
const hostnameLengthMax = 63;

/**
 * The name for the sandbox; empty for pods on the host's network, which keep the node's.
 * A name with the domain may be longer than the 64 characters a kernel takes: then the runtime refuses the sandbox.
 * @see kubelet behaviour, "Host name and hosts file"
 */
export function podHostname({ namespace, name, pod: { spec } }: DesiredPod, { clusterDomain }: Pick<NodeSettings, 'clusterDomain'>): string {
  if (spec.hostNetwork === true) return '';
  const hostname = (spec.hostname || name).slice(0, hostnameLengthMax).replace(/[-.]+$/, '');
  if (spec.setHostnameAsFQDN !== true || !spec.subdomain) return hostname;
  return `${hostname}.${spec.subdomain}.${namespace}.svc.${clusterDomain}`;
}
