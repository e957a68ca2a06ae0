// Facts of the machine that the node object and pod statuses show.

export interface HostFacts {
  /** Lower case, trimmed. */
  readonly hostname: string;
  /** Go's name: `amd64`, `arm64`, `arm`, … */
  readonly architecture: string;
  readonly kernelVersion: string;
  /** PRETTY_NAME of os-release, else `Linux`. */
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** File system that holds the root directory. */
  readonly rootFilesystemBytes: number;
  /** Bytes of huge pages by size suffix, such as `2Mi`. */
  readonly hugePages: Readonly<Record<string, number>>;
  /** Whether the kernel enforces AppArmor profiles; absent is no. */
  readonly appArmor?: boolean;
  /** Addresses of the default-route interface, IPv4 first; never empty (127.0.0.1 at worst). */
  readonly addresses: readonly string[];
}

export interface HostPort {
  facts(): Promise<HostFacts>;
}

export interface FilesystemRoom {
  /** Two places of one file system have the same. */
  readonly device: number;
  readonly capacityBytes: number;
  /** For those who are not root. */
  readonly availableBytes: number;
  /** 0 where the file system does not count them. */
  readonly inodes: number;
  readonly inodesFree: number;
}

/** What is left of the machine's resources. A value is absent where it cannot be read; then nothing is concluded from it. */
export interface HostPressure {
  readonly memoryBytes?: number;
  /** Capacity less what is in use, file cache that has not been touched lately not counted. */
  readonly memoryAvailableBytes?: number;
  /** Of the file system that holds the root directory. */
  readonly rootFilesystem?: FilesystemRoom;
  /** Of the file system asked for. */
  readonly imageFilesystem?: FilesystemRoom;
  readonly pidsMax?: number;
  readonly pidsUsed?: number;
}

/** Apart from HostPort because it is asked again and again, and a world without it is complete. */
export interface HostPressurePort {
  /** @param options.imageDirectory where the runtime keeps images, as it tells it itself */
  measure(options?: { readonly imageDirectory?: string }): Promise<HostPressure>;
}

/** What our own process uses. File counts are absent where the system does not tell. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly startedAtMs: number;
  readonly openFiles: number | undefined;
  readonly openFilesMax: number | undefined;
}
