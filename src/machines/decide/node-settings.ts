// What the decisions about a pod need to know of its node. Plain values, fixed while the process runs; no defaults here.

/** The host's resolver, already read and split. */
export interface ResolvConf {
  /** Where it was read. */
  readonly file?: string;
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** What pods may use of the node. */
export interface NodeAllocatable {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
}

export interface NodeSettings {
  readonly nodeName: string;
  /** Absolute, without a trailing slash: pods' volumes live below it. */
  readonly rootDirectory: string;
  /** Absolute, without a trailing slash; `/var/log/pods` unless told otherwise. */
  readonly podLogsDirectory: string;
  /** Dead instances a living pod keeps of each container, at least 1; absent is 1. */
  readonly deadContainersMaxPerName?: number;
  /** Servers for dnsPolicy ClusterFirst; empty when the cluster has none. */
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** Absent: pods of dnsPolicy Default get a resolver on loopback. */
  readonly resolvConf?: ResolvConf;
  /** Memory of the machine: the whole against which requests weigh in the out-of-memory score. */
  readonly memoryBytes: number;
  readonly allocatable: NodeAllocatable;
  /** Whether the cloud can be asked for tokens of service accounts. Absent is no. */
  readonly serviceAccountTokens?: boolean;
}
