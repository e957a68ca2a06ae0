// What the kernel tells of processes that it killed for want of memory.

export interface OomKill {
  readonly pid: number;
  /** As the kernel names it: 15 characters at most, nothing in it that does not print. */
  readonly victim: string;
  /** The machine had no memory left, or only the cgroup of the process had reached its limit. */
  readonly scope: 'system' | 'cgroup';
}

export interface KernelLogPort {
  /** Since the machine started; undefined where the kernel does not count. Cheap. */
  countOomKills(): Promise<number | undefined>;
  /** @returns the latest so many that the log still has, oldest first; none where it cannot be read */
  latestOomKills(count: number): Promise<readonly OomKill[]>;
}
