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
  /** Addresses of the default-route interface, IPv4 first; never empty (127.0.0.1 at worst). */
  readonly addresses: readonly string[];
}

export interface HostPort {
  facts(): Promise<HostFacts>;
}
