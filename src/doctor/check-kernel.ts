// Checks of the kernel: what pods are made of, and the parameters on which their network rests. Pure.
import type { CgroupFacts, KernelFacts } from '../ports/doctor-facts.ts';
import { check, type Finding, sizeText } from './finding.ts';

const kernelOldest = { major: 4, minor: 4 } as const;
const namespacesNeeded = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts'] as const;
/** Without the first ones nothing runs; without the last one only its limit is missing. */
const controllersNeeded = ['cpu', 'memory'] as const;
const controllersUseful = ['pids'] as const;
/** What one container start in containerd and runc asks of them at most, with room for others. */
const inotifyInstancesMin = 64;
const inotifyWatchesMin = 4_096;
const pidsMin = 4_096;

export function checkKernel(kernel: KernelFacts, needs: { readonly snapshotter?: string | undefined; readonly usesBridge: boolean }): readonly Finding[] {
  return [
    version(kernel), ...namespaces(kernel), ...seccomp(kernel), ...overlay(kernel, needs.snapshotter), ...cgroups(kernel),
    ...inotify(kernel), ...processIds(kernel), ...forwarding(kernel), ...bridgeFilter(kernel, needs), ...swap(kernel), ...propagation(kernel), ...route(kernel),
  ];
}

function version({ release }: KernelFacts): Finding {
  const about = check('kernel.version', 'Kernel');
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  if (major > kernelOldest.major || (major === kernelOldest.major && minor >= kernelOldest.minor)) return about.good(release);
  return about.fault({ found: release, needed: `${kernelOldest.major}.${kernelOldest.minor} or newer`, mend: 'install a newer kernel of your distribution and start the machine again' });
}

function namespaces({ namespaces: found }: KernelFacts): readonly Finding[] {
  if (found === undefined) return [];
  const about = check('kernel.namespaces', 'Namespaces');
  const missing = namespacesNeeded.filter((name) => !found.includes(name));
  if (missing.length === 0) return [about.good(namespacesNeeded.join(', '))];
  return [about.fault({ found: `the kernel has none for ${missing.join(', ')}`, needed: namespacesNeeded.join(', '), mend: `build the kernel with ${missing.map(namespaceOption).join(', ')}, or take your distribution's` })];
}

function namespaceOption(name: string): string {
  return name === 'mnt' ? 'CONFIG_NAMESPACES' : name === 'cgroup' ? 'CONFIG_CGROUPS' : `CONFIG_${name.toUpperCase()}_NS`;
}

function seccomp({ seccomp: has }: KernelFacts): readonly Finding[] {
  if (has === undefined) return [];
  const about = check('kernel.seccomp', 'Seccomp');
  if (has) return [about.good('filters system calls')];
  return [about.warning({ found: 'the kernel cannot filter system calls', needed: 'for pods with a seccompProfile', mend: 'take a kernel with CONFIG_SECCOMP_FILTER; pods that ask for a profile will not start' })];
}

function overlay({ filesystems }: KernelFacts, snapshotter = 'overlayfs'): readonly Finding[] {
  if (filesystems === undefined || snapshotter !== 'overlayfs') return [];
  const about = check('kernel.overlay', 'Overlay file system');
  if (filesystems.includes('overlay')) return [about.good('there')];
  return [about.fault({
    found: 'the kernel cannot mount overlay now', needed: 'the layers of images',
    mend: 'modprobe overlay, and echo overlay > /etc/modules-load.d/mqlet.conf for the next start; a kernel without CONFIG_OVERLAY_FS needs snapshotter = "native" in the runtime',
  })];
}

function cgroups({ cgroups: found, commandLine }: KernelFacts): readonly Finding[] {
  const about = check('kernel.cgroups', 'Cgroups');
  if (found === undefined) {
    return [about.fault({ found: 'no cgroups are mounted', needed: '/sys/fs/cgroup', mend: 'mount -t cgroup2 none /sys/fs/cgroup (with systemd it is there by itself); a container needs the host\'s' })];
  }
  const missing = controllersNeeded.filter((name) => !found.controllers.includes(name));
  if (missing.length > 0) return [about.fault(missingController(found, missing, commandLine))];
  const useful = controllersUseful.filter((name) => !found.controllers.includes(name));
  if (useful.length > 0) {
    return [about.warning({ found: `v${found.version} without ${useful.join(', ')}`, needed: 'limits on processes', mend: 'take a kernel with CONFIG_CGROUP_PIDS; until then --pod-max-pids has no effect' })];
  }
  if (found.problem !== undefined) {
    return [about.warning({
      found: `v${found.version}, and pods can have none of their own: ${found.problem}`, needed: 'a tree that can be written',
      mend: 'run as root on the host; in a container mount /sys/fs/cgroup read-write. Until then pods run below the runtime\'s cgroup, without the limits of their class',
    })];
  }
  return [about.good(`v${found.version}: ${found.controllers.join(', ')}`)];
}

function missingController({ version: tree }: CgroupFacts, missing: readonly string[], commandLine: readonly string[]) {
  const disabled = commandLine.find((word) => word.startsWith('cgroup_disable='));
  const memory = missing.includes('memory') ? 'cgroup_enable=memory cgroup_memory=1' : `cgroup_enable=${missing.join(',')}`;
  return {
    found: `v${tree} without the controller ${missing.join(' and ')}${disabled === undefined ? '' : ` (kernel started with ${disabled})`}`, needed: controllersNeeded.join(', '),
    mend: `${disabled === undefined ? '' : `take ${disabled} off and `}put ${memory} on the kernel's command line (/boot/firmware/cmdline.txt, or GRUB_CMDLINE_LINUX) and start the machine again`,
  };
}

function inotify({ parameters }: KernelFacts): readonly Finding[] {
  const about = check('kernel.inotify', 'File watches');
  const rows = [['fs.inotify.max_user_instances', inotifyInstancesMin, 512], ['fs.inotify.max_user_watches', inotifyWatchesMin, 65_536]] as const;
  const low = rows.filter(([name, least]) => (parameters[name] ?? least) < least);
  if (low.length > 0) {
    return [about.warning({
      found: low.map(([name]) => `${name} = ${parameters[name] ?? 0}`).join(', '), needed: low.map(([, least]) => `${least}`).join(', '),
      mend: low.map(([name, , good]) => `sysctl -w ${name}=${good}`).join(' && '),
    })];
  }
  const known = rows.filter(([name]) => parameters[name] !== undefined);
  return known.length === 0 ? [] : [about.good(known.map(([name]) => `${name.replace('fs.inotify.max_user_', '')} ${parameters[name] ?? 0}`).join(', '))];
}

function processIds({ parameters }: KernelFacts): readonly Finding[] {
  const most = parameters['kernel.pid_max'];
  if (most === undefined) return [];
  const about = check('kernel.pids', 'Process IDs');
  if (most >= pidsMin) return [about.good(`up to ${most}`)];
  return [about.warning({ found: `kernel.pid_max = ${most}`, needed: `${pidsMin} or more`, mend: 'sysctl -w kernel.pid_max=32768' })];
}

function forwarding({ parameters }: KernelFacts): readonly Finding[] {
  const about = check('kernel.forwarding', 'IP forwarding');
  const value = parameters['net.ipv4.ip_forward'];
  if (value === undefined) return [];
  if (value !== 0) return [about.good('on')];
  return [about.fault({
    found: 'net.ipv4.ip_forward = 0', needed: '1: pods reach other machines through this one',
    mend: 'sysctl -w net.ipv4.ip_forward=1, and echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-mqlet.conf for the next start',
  })];
}

function bridgeFilter({ parameters }: KernelFacts, { usesBridge }: { readonly usesBridge: boolean }): readonly Finding[] {
  const value = parameters['net.bridge.bridge-nf-call-iptables'];
  if (!usesBridge) return [];
  const about = check('kernel.bridge-filter', 'Filter on bridges');
  if (value === 1) return [about.good('on')];
  return [about.warning({
    found: value === undefined ? 'the module br_netfilter is not loaded' : 'net.bridge.bridge-nf-call-iptables = 0', needed: 'host ports and services reached from a pod on the same bridge',
    mend: `${value === undefined ? 'modprobe br_netfilter && ' : ''}sysctl -w net.bridge.bridge-nf-call-iptables=1; /etc/modules-load.d and /etc/sysctl.d keep it`,
  })];
}

function swap({ swapBytes }: KernelFacts): readonly Finding[] {
  if (swapBytes === undefined) return [];
  const about = check('kernel.swap', 'Swap');
  if (swapBytes === 0) return [about.good('off')];
  return [about.warning({ found: `${sizeText(swapBytes)} are on`, needed: 'off: with swap a pod over its memory grows slow instead of being ended', mend: 'swapoff -a, and take the line out of /etc/fstab (zram: systemctl mask dev-zram0.swap)' })];
}

function propagation({ rootShared }: KernelFacts): readonly Finding[] {
  if (rootShared === undefined) return [];
  const about = check('kernel.mounts', 'Mounts of the host');
  if (rootShared) return [about.good('/ is shared')];
  return [about.warning({ found: '/ is mounted private', needed: 'shared, for pods that ask for mountPropagation', mend: 'mount --make-rshared / (systemd does so at the start)' })];
}

function route({ defaultRoute }: KernelFacts): readonly Finding[] {
  if (defaultRoute === undefined) return [];
  const about = check('kernel.route', 'Default route');
  if (defaultRoute) return [about.good('there')];
  return [about.warning({ found: 'there is none', needed: 'the address of the node is taken from it', mend: 'ip route add default via GATEWAY, or name the address with --node-ip' })];
}
