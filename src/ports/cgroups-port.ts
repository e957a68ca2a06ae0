// The kernel's control groups as our actors need them: made with limits, changed, looked at, removed. Paths are those of cgroup v1 and
// v2 alike, from the root of the hierarchy: `/kubepods/burstable/pod1`. One whose last part ends in `.slice` is systemd's to make.
import type { Result } from './result.ts';

export type CgroupFault =
  /** This machine cannot do it at all: no cgroups, no systemd, a tree that may not be written. Repeating does not help. */
  | { readonly kind: 'unsupported'; readonly message: string }
  /** The kernel refused a value for what is used now, such as a memory limit below it. */
  | { readonly kind: 'busy'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

type Answer<T> = Promise<Result<T, CgroupFault>>;

export type CgroupDriver = 'cgroupfs' | 'systemd';

/** No limit, for those values that know one. */
export const unlimited = -1;

/** Values that are absent are left as they are. */
export interface CgroupLimits {
  /** 2 to 262,144; what v2 calls weight is made of it. */
  readonly cpuShares?: number;
  /** Microseconds of CPU in each period, or `unlimited`. */
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  /** Bytes, or `unlimited`. */
  readonly memoryBytes?: number;
  /** Processes and threads, or `unlimited`. */
  readonly pidsMax?: number;
  /** Bytes by size of page as the kernel writes it, `2MB`. Where the kernel does not count pages, they are passed over. */
  readonly hugepageBytes?: Readonly<Record<string, number>>;
}

export interface CgroupsPort {
  /** Whether cgroups can be made here in this way below `root`. Leaves nothing behind. */
  check(driver: CgroupDriver, root: string): Answer<void>;
  /** Makes the cgroup and its parents where they are missing, and sets the limits. */
  apply(path: string, limits: CgroupLimits): Answer<void>;
  exists(path: string): Answer<boolean>;
  /** Names of the cgroups right below, sorted; of a missing one: none. */
  list(path: string): Answer<readonly string[]>;
  /** IDs of the processes in it and below; of a missing one: none. */
  processes(path: string): Answer<readonly number[]>;
  /** Bytes of memory in use; undefined where it is not known. */
  memoryUsed(path: string): Answer<number | undefined>;
  /**
   * Removes it with all below. A missing one is success.
   * @param options.processes what is done with those inside: killed, or kept, and then the answer is `busy`
   */
  remove(path: string, options: { readonly processes: 'kill' | 'keep' }): Answer<void>;
}
