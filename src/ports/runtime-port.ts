// What our actors need of a container runtime, in CRI's shapes and our words.
// Every call resolves to a Result; a port never rejects.
import type { CgroupDriver } from './cgroups-port.ts';
import type { ContainerStats } from './container-stats.ts';
import type { RuntimeFault } from './faults.ts';
import type { ContainerId, PodUid, SandboxId } from './pod-types.ts';
import type { Result, Stoppable } from './result.ts';
import type { RuntimeHandlerFacts } from './runtime-handlers.ts';

export type { FilesystemUsage, ImageFacts, ImagesPort, PullAuth } from './images-port.ts';

type Answer<T> = Promise<Result<T, RuntimeFault>>;

export interface RuntimeVersion {
  /** `containerd`, `cri-o`, `mqlet-sim`. The scheme of container IDs in pod status. */
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}

export interface RuntimeCondition {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

/** CRI PodSandboxStatus, reduced to what decisions need. Times are wall milliseconds, 0 when unset. */
export interface ObservedSandbox {
  readonly id: SandboxId;
  readonly podUid: PodUid;
  readonly name: string;
  readonly namespace: string;
  readonly attempt: number;
  readonly state: 'ready' | 'notReady';
  readonly createdAtMs: number;
  /** Primary IP first; empty for host network or before CNI has answered. */
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
}

export type ContainerPhase = 'created' | 'running' | 'exited' | 'unknown';

/** CRI ContainerStatus, reduced to what decisions need. Times are wall milliseconds, 0 when unset. */
export interface ObservedContainer {
  readonly id: ContainerId;
  readonly sandboxId: SandboxId;
  readonly podUid: PodUid;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerPhase;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  /** As the runtime names the image; `imageRef` is the digest or ID that status shows as imageID. */
  readonly image: string;
  readonly imageRef: string;
  readonly logPath: string;
  /** Those under `io.kubernetes.` only. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Everything the runtime knows of one pod; both lists newest first (attempt, then createdAtMs). */
export interface ObservedPod {
  readonly podUid: PodUid;
  readonly sandboxes: readonly ObservedSandbox[];
  readonly containers: readonly ObservedContainer[];
}

/** One row of a relist: cheap, without exit codes and IPs. */
export interface ListedSandbox {
  readonly id: SandboxId;
  readonly podUid: PodUid;
  readonly name: string;
  readonly namespace: string;
  readonly attempt: number;
  readonly state: 'ready' | 'notReady';
  readonly createdAtMs: number;
}

export interface ListedContainer {
  readonly id: ContainerId;
  readonly sandboxId: SandboxId;
  readonly podUid: PodUid;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerPhase;
  readonly createdAtMs: number;
  /** As the container was created with it, and as the runtime resolved it: names, digests or IDs, whatever the runtime has. */
  readonly image: string;
  readonly imageRef: string;
}

/** What the runtime has without a pod's labels. Pod UIDs are empty where metadata has none. */
export interface Unidentified {
  readonly sandboxes: readonly ListedSandbox[];
  readonly containers: readonly ListedContainer[];
}

/** CRI PodSandboxConfig in camelCase; passed to the runtime as it is. See spec of CRI v1, section 3. */
export interface SandboxConfig {
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string; readonly attempt: number };
  readonly hostname: string;
  readonly logDirectory: string;
  readonly dnsConfig?: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] };
  readonly portMappings: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly cgroupParent: string;
    readonly sysctls: Readonly<Record<string, string>>;
    readonly securityContext: {
      readonly namespaceOptions: NamespaceOptions;
      readonly runAsUser?: { readonly value: number };
      readonly runAsGroup?: { readonly value: number };
      readonly supplementalGroups: readonly number[];
      readonly privileged: boolean;
      readonly seccomp: SecurityProfile;
      readonly selinuxOptions?: SelinuxOptions;
    };
    readonly overhead?: LinuxResources;
    readonly resources?: LinuxResources;
  };
}

export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIp: string;
}

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET';

export interface NamespaceOptions {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
  readonly targetId?: string;
}

export interface SecurityProfile {
  readonly profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  readonly localhostRef: string;
}

export interface SelinuxOptions {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  readonly level: string;
}

export interface LinuxResources {
  readonly cpuPeriod: number;
  readonly cpuQuota: number;
  readonly cpuShares: number;
  readonly memoryLimitInBytes: number;
  /** Memory and swap together; absent leaves it to the runtime. */
  readonly memorySwapLimitInBytes?: number;
  readonly oomScoreAdj: number;
  /** `pageSize` such as `2MB`; `limit` in bytes. */
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
}

export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  readonly selinuxRelabel: boolean;
  readonly propagation: 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL';
  /** With all that is mounted below; absent is no. */
  readonly recursiveReadOnly?: boolean;
}

/** CRI ContainerConfig in camelCase; passed to the runtime as it is. See spec of CRI v1, section 4. */
export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: { readonly image: string; readonly userSpecifiedImage: string };
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Relative to the sandbox's logDirectory. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly linux: {
    readonly resources: LinuxResources;
    readonly securityContext: {
      readonly capabilities?: { readonly addCapabilities: readonly string[]; readonly dropCapabilities: readonly string[] };
      readonly privileged: boolean;
      readonly namespaceOptions: NamespaceOptions;
      readonly runAsUser?: { readonly value: number };
      readonly runAsUsername: string;
      readonly runAsGroup?: { readonly value: number };
      readonly readonlyRootfs: boolean;
      readonly supplementalGroups: readonly number[];
      readonly noNewPrivs: boolean;
      readonly maskedPaths: readonly string[];
      readonly readonlyPaths: readonly string[];
      readonly seccomp: SecurityProfile;
      /** Absent: the runtime's own choice. */
      readonly apparmor?: SecurityProfile;
      /** The same for runtimes before CRI 1.23: `runtime/default`, `unconfined` or `localhost/NAME`. */
      readonly apparmorProfile?: string;
      readonly selinuxOptions?: SelinuxOptions;
    };
  };
}

/** What a command run in a container has left behind. Both streams as text, as long as the runtime lets them be. */
export interface ExecOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A hint, never the truth: look before acting. `id` is a container's or a sandbox's. */
export interface RuntimeEvent {
  readonly kind: 'started' | 'exited' | 'oom' | 'removed';
  readonly id: string;
}

export interface RuntimeListener {
  event(event: RuntimeEvent): void;
  /** The stream broke: events may have been missed. The adapter does not reconnect by itself. */
  lost(fault: RuntimeFault): void;
}

export interface RuntimePort {
  version(): Answer<RuntimeVersion>;
  /** RuntimeReady and NetworkReady with their reasons. */
  status(): Answer<readonly RuntimeCondition[]>;
  /** Empty where the runtime does not tell. */
  handlers(): Answer<readonly RuntimeHandlerFacts[]>;
  /** Who makes the cgroups of its containers; `unimplemented` where the runtime cannot tell, as before CRI 1.28. */
  cgroupDriver(): Answer<CgroupDriver>;

  runSandbox(config: SandboxConfig, runtimeHandler: string): Answer<SandboxId>;
  /** Idempotent: a missing sandbox is success. Stops what runs inside and tears the network down. */
  stopSandbox(id: SandboxId): Answer<void>;
  /** Idempotent. Removes the sandbox's containers too. */
  removeSandbox(id: SandboxId): Answer<void>;
  sandboxStatus(id: SandboxId): Answer<ObservedSandbox>;
  /** All sandboxes with a pod UID label, or those of one pod; newest first. */
  listSandboxes(filter?: { readonly podUid: PodUid }): Answer<readonly ListedSandbox[]>;

  createContainer(sandboxId: SandboxId, config: ContainerConfig, sandboxConfig: SandboxConfig): Answer<ContainerId>;
  startContainer(id: ContainerId): Answer<void>;
  /** Idempotent: a missing or stopped container is success. `graceMs` is rounded up to whole seconds; 0 kills at once. */
  stopContainer(id: ContainerId, options: { readonly graceMs: number }): Answer<void>;
  /** Idempotent. */
  removeContainer(id: ContainerId): Answer<void>;
  containerStatus(id: ContainerId): Answer<ObservedContainer>;
  /** Of a container that exists; takes effect at once in one that runs. A value of 0 leaves what is there. */
  updateContainerResources(id: ContainerId, resources: LinuxResources): Answer<void>;
  /**
   * Runs a command in a running container and waits for its end. `timeoutMs` is rounded up to whole seconds, 0 means no limit;
   * a command that takes longer is ended, and the fault is `timeout`.
   */
  execSync(id: ContainerId, command: readonly string[], options: { readonly timeoutMs: number }): Answer<ExecOutput>;
  listContainers(filter?: { readonly podUid: PodUid }): Answer<readonly ListedContainer[]>;
  /** What the listings above leave out: sandboxes and containers without a pod UID label, which nobody of ours has made. */
  listUnidentified(): Answer<Unidentified>;
  /** The container's log file was moved away: its runtime writes to a new one under the old name from now on. */
  reopenLog(id: ContainerId): Answer<void>;
  /** Usage of all running containers with a pod UID label. A heavy call: the runtime asks the kernel for each of them. */
  listContainerStats(): Answer<readonly ContainerStats[]>;
  /** Processes by pod, of the pods whose runtime counts them; empty where the runtime cannot count. */
  listProcessCounts(): Answer<ReadonlyMap<PodUid, number>>;

  /**
   * Opens the event stream. Resolves once events flow; `lost` is called at most once per successful call.
   * `unimplemented` where the runtime has no stream at all.
   */
  watch(listener: RuntimeListener): Answer<Stoppable>;
}
