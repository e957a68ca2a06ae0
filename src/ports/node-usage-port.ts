// What the machine as a whole uses. A figure is absent where it cannot be read.

export interface NodeUsage {
  readonly atMs: number;
  /** When the machine was started, wall milliseconds. */
  readonly startedAtMs?: number;
  /** Of one core, since the start. */
  readonly cpuNanoSeconds?: number;
  readonly memoryBytes?: number;
  readonly memoryAvailableBytes?: number;
  /** Of the file system that holds the root directory. */
  readonly filesystem?: { readonly capacityBytes: number; readonly availableBytes: number; readonly inodes: number; readonly inodesFree: number };
}

export interface NodeUsagePort {
  measure(): Promise<NodeUsage>;
}
