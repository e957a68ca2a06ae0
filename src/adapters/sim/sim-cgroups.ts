// The twin of the machine's cgroups: a tree in memory that outlives the daemon and ends with `reboot`.
import { type CgroupDriver, type CgroupFault, type CgroupLimits, type CgroupsPort, unlimited } from '../../ports/cgroups-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

type Answer<T> = Promise<Result<T, CgroupFault>>;

export class SimCgroups implements CgroupsPort {
  /** Limits by path. */
  readonly groups = new Map<string, CgroupLimits>();
  /** Processes by the path of the cgroup they are in. */
  readonly inside = new Map<string, readonly number[]>();
  /** Bytes in use, by path; a memory limit below is refused. */
  readonly used = new Map<string, number>();
  /** Why nothing can be made here; undefined where it can. */
  broken: string | undefined;
  readonly drivers: readonly CgroupDriver[];

  constructor(options: { readonly drivers?: readonly CgroupDriver[] } = {}) {
    this.drivers = options.drivers ?? ['cgroupfs', 'systemd'];
  }

  check(driver: CgroupDriver): Answer<void> {
    return this.#act(() => (this.drivers.includes(driver) ? ok() : fail({ kind: 'unsupported', message: `the simulated machine has no ${driver}` })));
  }

  apply(path: string, limits: CgroupLimits): Answer<void> {
    return this.#act(() => {
      const used = this.used.get(path) ?? 0;
      if (limits.memoryBytes !== undefined && limits.memoryBytes !== unlimited && limits.memoryBytes < used) {
        return fail({ kind: 'busy', message: `${path}: ${used} bytes are in use` });
      }
      for (const parent of parents(path)) if (!this.groups.has(parent)) this.groups.set(parent, {});
      this.groups.set(path, { ...this.groups.get(path), ...limits });
      return ok();
    });
  }

  exists(path: string): Answer<boolean> {
    return this.#act(() => ok(this.groups.has(path)));
  }

  list(path: string): Answer<readonly string[]> {
    return this.#act(() => {
      const below = [...this.groups.keys()].filter((each) => each.startsWith(`${path}/`)).map((each) => each.slice(path.length + 1));
      return ok(below.filter((name) => !name.includes('/')).sort());
    });
  }

  processes(path: string): Answer<readonly number[]> {
    return this.#act(() => ok(this.#below(path)));
  }

  memoryUsed(path: string): Answer<number | undefined> {
    return this.#act(() => ok(this.used.get(path)));
  }

  remove(path: string, { processes }: { readonly processes: 'kill' | 'keep' }): Answer<void> {
    return this.#act(() => {
      if (processes === 'keep' && this.#below(path).length > 0) return fail({ kind: 'busy', message: `cgroup ${path} still has processes` });
      for (const tree of [this.groups, this.inside, this.used]) {
        for (const each of tree.keys()) if (isWithin(each, path)) tree.delete(each);
      }
      return ok();
    });
  }

  /** The machine starts anew: the tree is the kernel's. */
  reboot(): void {
    for (const tree of [this.groups, this.inside, this.used]) tree.clear();
  }

  #below(path: string): readonly number[] {
    return [...this.inside].flatMap(([each, pids]) => (isWithin(each, path) ? pids : []));
  }

  async #act<T>(act: () => Result<T, CgroupFault>): Answer<T> {
    await Promise.resolve();
    return this.broken === undefined ? act() : fail({ kind: 'unsupported', message: this.broken });
  }
}

function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

function parents(path: string): readonly string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
