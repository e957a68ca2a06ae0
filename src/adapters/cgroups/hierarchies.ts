// Where this machine has its cgroups: one tree for all controllers (v2), or one for each (v1). Reads the mount table, nothing else.

export interface Hierarchies {
  readonly version: 1 | 2;
  /** Mount point by controller; of v2 every controller has the same. */
  readonly controllers: ReadonlyMap<string, string>;
  /** Every mount point below which a pod's cgroup may lie. */
  readonly all: readonly string[];
}

/** Those whose values we set. */
const usedControllers = ['cpu', 'memory', 'pids', 'hugetlb'] as const;

/**
 * Both versions at once (hybrid) is v1: the unified tree has no controllers then.
 * @param mountinfo text of /proc/self/mountinfo
 * @returns undefined where no cgroups are mounted
 */
export function findHierarchies(mountinfo: string): Hierarchies | undefined {
  const controllers = new Map<string, string>();
  const all = new Set<string>();
  let unified: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [type, , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const mountPoint = (before.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8)));
    if (type === 'cgroup2') {
      unified ??= mountPoint;
      continue;
    }
    const named = options.split(',');
    if (named.some((name) => controllers.has(name))) continue;
    all.add(mountPoint);
    for (const name of usedControllers) if (named.includes(name)) controllers.set(name, mountPoint);
  }
  if (controllers.size > 0) return { version: 1, controllers, all: [...all, ...(unified === undefined ? [] : [unified])] };
  if (unified === undefined) return undefined;
  return { version: 2, controllers: new Map(usedControllers.map((name) => [name, unified])), all: [unified] };
}
