// The host name a pod's containers see.
import type { DesiredPod } from '../../ports/pod-types.ts';
import type { NodeSettings } from './node-settings.ts';

/** Of a DNS label. */
const hostnameLengthMax = 63;
/** What a kernel takes as a host name. */
const kernelNameLengthMax = 64;

/**
 * The name for the sandbox; empty for pods on the host's network, which keep the node's.
 * A name with the domain may be longer than a kernel takes: see `hostnameFault`.
 * @see kubelet behaviour, "Host name and hosts file"
 */
export function podHostname({ namespace, name, pod: { spec } }: DesiredPod, { clusterDomain }: Pick<NodeSettings, 'clusterDomain'>): string {
  if (spec.hostNetwork === true) return '';
  const hostname = (spec.hostname || name).slice(0, hostnameLengthMax).replace(/[-.]+$/, '');
  if (spec.setHostnameAsFQDN !== true || !spec.subdomain) return hostname;
  return `${hostname}.${spec.subdomain}.${namespace}.svc.${clusterDomain}`;
}

/** Why there can be no sandbox under the pod's host name; undefined when there can. */
export function hostnameFault(desired: DesiredPod, settings: Pick<NodeSettings, 'clusterDomain'>): string | undefined {
  const name = podHostname(desired, settings);
  if (name.length <= kernelNameLengthMax) return undefined;
  return `failed to construct FQDN from pod hostname and cluster domain, FQDN ${name} is too long (${kernelNameLengthMax} characters is the max, ${name.length} characters requested)`;
}
