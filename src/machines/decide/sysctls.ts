// Which kernel parameters a pod may set, and how their names are written.
import type { PodSpec } from '../../ports/pod-types.ts';

/** Without danger for other pods; the kernel must know them. @see kubelet behaviour, "Sysctls that are always allowed" */
const safe = new Set([
  'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports', 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem',
]);

const ipcNames = new Set(['kernel.sem']);
const ipcPrefixes = ['kernel.shm', 'kernel.msg', 'fs.mqueue.'];
const networkPrefix = 'net.';

/** `net/ipv4/conf/eth0.1/mtu` as `net.ipv4.conf.eth0/1.mtu`: whichever separator comes first is the one of the levels. */
export function dottedSysctl(name: string): string {
  if (/[./]/.exec(name)?.[0] !== '/') return name;
  return name.replace(/[./]/g, (separator) => (separator === '/' ? '.' : '/'));
}

/**
 * @param allowedUnsafe names, or beginnings of names with `*` behind
 * @returns why the first sysctl that may not be set may not
 */
export function sysctlFault(spec: PodSpec, allowedUnsafe: readonly string[]): string | undefined {
  for (const { name: written } of spec.securityContext?.sysctls ?? []) {
    const name = dottedSysctl(written);
    const namespace = namespaceOf(name);
    const allowed = safe.has(name) || (namespace !== undefined && allowedUnsafe.some((pattern) => matches(name, pattern)));
    if (!allowed) return `forbidden sysctl: "${written}" not allowlisted`;
    if (namespace === 'net' && spec.hostNetwork === true) return `forbidden sysctl: "${written}" not allowed with host net enabled`;
    if (namespace === 'ipc' && spec.hostIPC === true) return `forbidden sysctl: "${written}" not allowed with host ipc enabled`;
  }
  return undefined;
}

/** Undefined: it is the whole machine's, and no pod's. */
function namespaceOf(name: string): 'ipc' | 'net' | undefined {
  if (name.startsWith(networkPrefix)) return 'net';
  return ipcNames.has(name) || ipcPrefixes.some((prefix) => name.startsWith(prefix)) ? 'ipc' : undefined;
}

function matches(name: string, pattern: string): boolean {
  const written = dottedSysctl(pattern);
  return written.endsWith('*') ? name.startsWith(written.slice(0, -1)) : name === written;
}
