// The parts of CRI v1 and containerd answers that we read, as our decoder gives them:
// camelCase, enums by name, int64 as decimal text, absent messages null. Fields we do not read are not listed.

/** int64 in decimal. */
export type WireLong = string;

export interface WireVersion {
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}

/** Absent where the runtime's own configuration names no Linux. */
export interface WireRuntimeConfig {
  readonly linux: { readonly cgroupDriver: 'SYSTEMD' | 'CGROUPFS' } | null;
}

export interface WireRuntimeStatus {
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: boolean; readonly reason: string; readonly message: string }[];
  } | null;
  readonly runtimeHandlers: readonly {
    readonly name: string;
    readonly features: { readonly recursiveReadOnlyMounts: boolean; readonly userNamespaces: boolean } | null;
  }[];
}

export type WireSandboxState = 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
export type WireContainerState = 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN';

export interface WireSandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly attempt: number;
}

/** PodSandbox: a row of a listing. */
export interface WireSandbox {
  readonly id: string;
  readonly metadata: WireSandboxMetadata | null;
  readonly state: WireSandboxState;
  /** Nanoseconds since 1970. */
  readonly createdAt: WireLong;
  readonly labels: Readonly<Record<string, string>>;
}

/** PodSandboxStatus. */
export interface WireSandboxStatus extends WireSandbox {
  readonly network: { readonly ip: string; readonly additionalIps: readonly { readonly ip: string }[] } | null;
  readonly linux: { readonly namespaces: { readonly options: { readonly network: string } | null } | null } | null;
}

/** Container: a row of a listing. */
export interface WireContainer {
  readonly id: string;
  readonly podSandboxId: string;
  readonly metadata: { readonly name: string; readonly attempt: number } | null;
  readonly state: WireContainerState;
  readonly createdAt: WireLong;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: { readonly image: string } | null;
  readonly imageRef: string;
  /** Empty from runtimes older than CRI 1.28. */
  readonly imageId: string;
}

/** ContainerStatus. It does not name the sandbox. */
export interface WireContainerStatus {
  readonly id: string;
  readonly metadata: { readonly name: string; readonly attempt: number } | null;
  readonly state: WireContainerState;
  readonly createdAt: WireLong;
  readonly startedAt: WireLong;
  readonly finishedAt: WireLong;
  readonly exitCode: number;
  readonly image: { readonly image: string } | null;
  readonly imageRef: string;
  readonly reason: string;
  readonly message: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly logPath: string;
}

/** ExecSyncResponse. */
export interface WireExecOutput {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

interface WireCount {
  readonly value: WireLong;
}

/** ContainerStats. */
export interface WireContainerStats {
  readonly attributes: { readonly id: string; readonly metadata: { readonly name: string } | null; readonly labels: Readonly<Record<string, string>> } | null;
  readonly cpu: { readonly timestamp: WireLong; readonly usageCoreNanoSeconds: WireCount | null } | null;
  readonly memory: { readonly workingSetBytes: WireCount | null; readonly usageBytes: WireCount | null; readonly rssBytes: WireCount | null } | null;
  readonly writableLayer: { readonly usedBytes: WireCount | null; readonly inodesUsed: WireCount | null } | null;
}

/** PodSandboxStats. */
export interface WireSandboxStats {
  readonly attributes: { readonly labels: Readonly<Record<string, string>> } | null;
  readonly linux: { readonly process: { readonly processCount: WireCount | null } | null } | null;
}

export interface WireImage {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly size: WireLong;
  readonly uid: { readonly value: WireLong } | null;
  readonly username: string;
  readonly pinned: boolean;
}

export interface WireFilesystemUsage {
  readonly fsId: { readonly mountpoint: string } | null;
  readonly usedBytes: { readonly value: WireLong } | null;
  readonly inodesUsed: { readonly value: WireLong } | null;
}

/** ContainerEventResponse of CRI, 1.26 and later. */
export interface WireContainerEvent {
  readonly containerId: string;
  readonly containerEventType:
    | 'CONTAINER_CREATED_EVENT' | 'CONTAINER_STARTED_EVENT' | 'CONTAINER_STOPPED_EVENT' | 'CONTAINER_DELETED_EVENT';
}

/** Envelope of containerd's events. */
export interface WireEnvelope {
  readonly topic: string;
  readonly event: { readonly type_url: string; readonly value: Buffer } | null;
}

/** TaskStart, TaskExit and TaskOOM have `containerId`, ContainerDelete only `id`; a TaskExit's `id` names the process. */
export interface WirePayload {
  readonly containerId?: string;
  readonly id?: string;
}

/** containerd's ListStatuses. */
export interface WireDownloads {
  readonly statuses: readonly { readonly ref: string; readonly offset: WireLong }[];
}
