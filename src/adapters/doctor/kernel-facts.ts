// Facts of the kernel from /proc and /sys. Changes nothing but for a trial cgroup that it removes again.
import path from 'node:path';
import type { CgroupDriver } from '../../ports/cgroups-port.ts';
import type { CgroupFacts, KernelFacts } from '../../ports/doctor-facts.ts';
import { findHierarchies, type Hierarchies } from '../cgroups/hierarchies.ts';
import { NodeCgroups } from '../node-cgroups.ts';
import type { SystemTree } from './system-tree.ts';

const parametersRead = [
  'net.ipv4.ip_forward', 'net.bridge.bridge-nf-call-iptables', 'fs.inotify.max_user_instances', 'fs.inotify.max_user_watches', 'kernel.pid_max',
] as const;

/** How mqlet would make cgroups; `undefined` where it is told not to. */
export type WantedCgroups = { readonly driver: CgroupDriver; readonly root: string } | undefined;

export async function readKernelFacts(tree: SystemTree, wanted: WantedCgroups): Promise<KernelFacts> {
  const mounts = tree.text('/proc/self/mountinfo');
  const cgroups = mounts === undefined ? undefined : await cgroupFacts(tree, mounts, wanted);
  const filesystems = tree.text('/proc/filesystems')?.split('\n').map((line) => line.split('\t').at(-1) ?? '');
  const namespaces = tree.names('/proc/self/ns');
  const swapBytes = swapOf(tree.text('/proc/swaps'));
  const rootShared = mounts === undefined ? undefined : isShared(mounts);
  const defaultRoute = hasDefaultRoute(tree);
  return {
    release: tree.text('/proc/sys/kernel/osrelease') ?? '',
    ...(filesystems === undefined ? {} : { filesystems }),
    ...(namespaces === undefined ? {} : { namespaces }),
    ...(tree.exists('/proc/sys/kernel') ? { seccomp: tree.exists('/proc/sys/kernel/seccomp/actions_avail') } : {}),
    ...(cgroups === undefined ? {} : { cgroups }),
    parameters: parametersOf(tree),
    ...(swapBytes === undefined ? {} : { swapBytes }),
    ...(rootShared === undefined ? {} : { rootShared }),
    ...(defaultRoute === undefined ? {} : { defaultRoute }),
    commandLine: (tree.text('/proc/cmdline') ?? '').split(/\s+/).filter((word) => word !== ''),
  };
}

function parametersOf(tree: SystemTree): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const name of parametersRead) {
    const text = tree.text(`/proc/sys/${name.replaceAll('.', '/')}`);
    if (text !== undefined && /^-?\d+$/.test(text)) found[name] = Number(text);
  }
  return found;
}

async function cgroupFacts(tree: SystemTree, mountinfo: string, wanted: WantedCgroups): Promise<CgroupFacts | undefined> {
  const found = findHierarchies(mountinfo);
  if (found === undefined) return undefined;
  const controllers = found.version === 1 ? [...found.controllers.keys()] : (tree.text(path.join(found.all[0] ?? '', 'cgroup.controllers')) ?? '').split(/\s+/).filter((word) => word !== '');
  if (wanted === undefined) return { version: found.version, controllers };
  const checked = await new NodeCgroups({ hierarchies: below(tree, found) }).check(wanted.driver, wanted.root);
  return { version: found.version, controllers, ...(checked.ok ? {} : { problem: checked.fault.message }) };
}

function below(tree: SystemTree, { version, controllers, all }: Hierarchies): Hierarchies {
  return { version, controllers: new Map([...controllers].map(([name, mount]) => [name, tree.at(mount)])), all: all.map((mount) => tree.at(mount)) };
}

function swapOf(swaps: string | undefined): number | undefined {
  if (swaps === undefined) return undefined;
  return swaps.split('\n').slice(1).reduce((sum, line) => sum + (Number(line.split(/\s+/)[2]) || 0) * 1_024, 0);
}

/** The mount that is seen at `/` is the last one there. */
function isShared(mountinfo: string): boolean | undefined {
  const line = mountinfo.split('\n').findLast((each) => each.split(' ')[4] === '/');
  return line === undefined ? undefined : (line.split(' - ')[0] ?? '').split(' ').slice(6).some((field) => field.startsWith('shared:'));
}

function hasDefaultRoute(tree: SystemTree): boolean | undefined {
  const [four, six] = [tree.text('/proc/net/route'), tree.text('/proc/net/ipv6_route')];
  if (four === undefined && six === undefined) return undefined;
  const byFour = (four ?? '').split('\n').slice(1).some((line) => line.split('\t')[1] === '00000000');
  // The loopback's own entry stands for "unreachable".
  return byFour || (six ?? '').split('\n').some((line) => /^0{32} 00 /.test(line) && !/\slo$/.test(line));
}
