// What a pod's containers find in /etc/hosts.
import type { Container, DesiredPod } from '../../ports/pod-types.ts';
import { podHostname } from './hostname.ts';
import type { NodeSettings } from './node-settings.ts';
import { podDirectory } from './volumes.ts';

export interface HostsSources {
  readonly podIps: readonly string[];
  /** The node's own file; for pods on the host's network. */
  readonly nodeHosts: string;
  readonly settings: Pick<NodeSettings, 'clusterDomain'>;
}

const localEntries = [
  '127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback', 'fe00::0\tip6-localnet', 'fe00::0\tip6-mcastprefix', 'fe00::1\tip6-allnodes', 'fe00::2\tip6-allrouters',
];

export function hostsFilePath(uid: string, settings: Pick<NodeSettings, 'rootDirectory'>): string {
  return `${podDirectory(uid, settings)}/etc-hosts`;
}

/** Whether a container gets the pod's hosts file: not where it mounts something of its own there. */
export function takesHostsFile({ volumeMounts = [] }: Container): boolean {
  return !volumeMounts.some(({ mountPath }) => mountPath === '/etc/hosts');
}

/** @see kubelet behaviour, "Host name and hosts file" */
export function hostsFileText(desired: DesiredPod, { podIps, nodeHosts, settings }: HostsSources): string {
  const { spec } = desired.pod;
  const own = spec.hostNetwork === true
    ? `# Kubernetes-managed hosts file (host network).\n${nodeHosts}`
    : `${['# Kubernetes-managed hosts file.', ...localEntries, ...podIps.map((ip) => `${ip}\t${namesOf(desired, settings).join('\t')}`)].join('\n')}\n`;
  const aliases = spec.hostAliases ?? [];
  if (aliases.length === 0) return own;
  return `${own}\n# Entries added by HostAliases.\n${aliases.map(({ ip, hostnames = [] }) => `${[ip, ...hostnames].join('\t')}\n`).join('')}`;
}

function namesOf(desired: DesiredPod, settings: HostsSources['settings']): readonly string[] {
  const { spec } = desired.pod;
  const hostname = podHostname({ ...desired, pod: { ...desired.pod, spec: { ...spec, setHostnameAsFQDN: false } } }, settings);
  return spec.subdomain ? [`${hostname}.${spec.subdomain}.${desired.namespace}.svc.${settings.clusterDomain}`, hostname] : [hostname];
}
