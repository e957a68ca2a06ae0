// What the kernel has of a cgroup, read on the host: the same questions for v1 and v2.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = '/sys/fs/cgroup';
export const isCgroupV2 = existsSync(`${root}/cgroup.controllers`);

/** Content of a file of a cgroup, trimmed; undefined where there is none. Names are v1's, and are put into v2's words. */
export function cgroupValue(cgroup: string, name: 'cpu.shares' | 'cpu.cfs_quota_us' | 'memory.limit_in_bytes' | 'pids.max'): string | undefined {
  if (!isCgroupV2) return textOf(path.join(root, name.split('.')[0] ?? '', cgroup, name));
  if (name === 'cpu.cfs_quota_us') return textOf(path.join(root, cgroup, 'cpu.max'))?.split(' ')[0];
  return textOf(path.join(root, cgroup, { 'cpu.shares': 'cpu.weight', 'memory.limit_in_bytes': 'memory.max', 'pids.max': 'pids.max' }[name]));
}

/** Directories below any controller's tree in which the cgroup is there. */
export function treesWith(cgroup: string): readonly string[] {
  const trees = isCgroupV2 ? [root] : readdirSync(root).map((name) => path.join(root, name));
  return trees.filter((tree) => existsSync(path.join(tree, cgroup)));
}

/** Names of the cgroups right below. */
export function cgroupsBelow(cgroup: string): readonly string[] {
  const tree = isCgroupV2 ? root : path.join(root, 'memory');
  if (!existsSync(path.join(tree, cgroup))) return [];
  return readdirSync(path.join(tree, cgroup), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
