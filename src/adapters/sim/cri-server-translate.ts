// The twin's sandboxes, containers and images as CRI v1 answers, and CRI configurations as our ports have them. Pure.
import { status } from '@grpc/grpc-js';
import type { ContainerStats } from '../../ports/container-stats.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { ContainerConfig, ContainerPhase, ImageFacts, LinuxResources, RuntimeEvent, SandboxConfig } from '../../ports/runtime-port.ts';
import type { SimContainer, SimSandbox } from './sim-state.ts';
import { observedSandbox, podUidLabel } from './sim-state.ts';

/** int64 of CRI: nanoseconds as text, because a number would lose the last digits. */
function nanoseconds(milliseconds: number): string {
  return milliseconds === 0 ? '0' : `${Math.floor(milliseconds)}000000`;
}

const containerStates: Readonly<Record<ContainerPhase, string>> = {
  created: 'CONTAINER_CREATED', running: 'CONTAINER_RUNNING', exited: 'CONTAINER_EXITED', unknown: 'CONTAINER_UNKNOWN',
};

const eventTypes: Readonly<Record<RuntimeEvent['kind'], string | undefined>> = {
  started: 'CONTAINER_STARTED_EVENT', exited: 'CONTAINER_STOPPED_EVENT', removed: 'CONTAINER_DELETED_EVENT',
  // CRI has no event of its own for it: the exit tells.
  oom: undefined,
};

export function wireSandbox(sandbox: Readonly<SimSandbox>) {
  const { metadata, labels, annotations } = sandbox.config;
  return {
    id: sandbox.id, metadata, labels, annotations,
    state: sandbox.state === 'ready' ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
    createdAt: nanoseconds(sandbox.createdAtMs),
    runtimeHandler: sandbox.runtimeHandler,
  };
}

export function wireSandboxStatus(sandbox: Readonly<SimSandbox>) {
  const [ip = '', ...further] = observedSandbox(sandbox).ips;
  return {
    ...wireSandbox(sandbox),
    network: { ip, additionalIps: further.map((each) => ({ ip: each })) },
    linux: { namespaces: { options: sandbox.config.linux.securityContext.namespaceOptions } },
  };
}

export function wireContainer(container: Readonly<SimContainer>) {
  const { config } = container;
  return {
    id: container.id,
    podSandboxId: container.sandboxId,
    metadata: config.metadata,
    image: { image: config.image.image, userSpecifiedImage: config.image.userSpecifiedImage },
    imageRef: container.imageRef,
    state: containerStates[container.state],
    createdAt: nanoseconds(container.createdAtMs),
    labels: config.labels,
    annotations: config.annotations,
  };
}

export function wireContainerStatus(container: Readonly<SimContainer>) {
  const { podSandboxId: _podSandboxId, ...row } = wireContainer(container);
  const { exitCode, reason, message, logPath } = container;
  return {
    ...row, exitCode, reason, message, logPath,
    startedAt: nanoseconds(container.startedAtMs),
    finishedAt: nanoseconds(container.finishedAtMs),
    image: { image: container.imageName, userSpecifiedImage: container.config.image.userSpecifiedImage },
    mounts: container.config.mounts,
  };
}

export function wireImage(image: ImageFacts) {
  return {
    id: image.id, repoTags: image.repoTags, repoDigests: image.repoDigests,
    size: String(image.sizeBytes), username: image.username ?? '', pinned: image.pinned,
    uid: image.uid === undefined ? null : { value: image.uid },
  };
}

/** @returns undefined for what CRI has no event for */
export function wireEvent(event: RuntimeEvent, atMs: number): object | undefined {
  const containerEventType = eventTypes[event.kind];
  return containerEventType === undefined ? undefined : { containerId: event.id, containerEventType, createdAt: nanoseconds(atMs) };
}

/** A decoded PodSandboxConfig, in which absent messages are null and nothing else differs from our shape. */
export type WireSandboxConfig = Omit<SandboxConfig, 'linux' | 'metadata'> & {
  readonly metadata: SandboxConfig['metadata'] | null;
  readonly linux: (Omit<SandboxConfig['linux'], 'securityContext'> & { readonly securityContext: SandboxConfig['linux']['securityContext'] | null }) | null;
};

/** Fills what a client may leave out of a sandbox configuration. */
export function sandboxConfigFrom(config: WireSandboxConfig): SandboxConfig {
  const security = config.linux?.securityContext;
  return {
    ...config,
    metadata: config.metadata ?? { name: '', uid: '', namespace: '', attempt: 0 },
    linux: {
      cgroupParent: '', sysctls: {}, ...config.linux,
      securityContext: {
        supplementalGroups: [], privileged: false, seccomp: { profileType: 'RuntimeDefault', localhostRef: '' }, ...security,
        namespaceOptions: security?.namespaceOptions ?? { network: 'POD', pid: 'POD', ipc: 'POD' },
      },
    },
  };
}

/** A decoded LinuxContainerResources: 64-bit numbers as text. */
export type WireResources = Readonly<Partial<Record<'cpuPeriod' | 'cpuQuota' | 'cpuShares' | 'memoryLimitInBytes' | 'oomScoreAdj', string | number>>>;

export function resourcesFrom(resources: WireResources | null | undefined): LinuxResources {
  const number = (name: keyof WireResources) => Number(resources?.[name] ?? 0);
  return {
    cpuPeriod: number('cpuPeriod'), cpuQuota: number('cpuQuota'), cpuShares: number('cpuShares'),
    memoryLimitInBytes: number('memoryLimitInBytes'), oomScoreAdj: number('oomScoreAdj'),
  };
}

/** A decoded ContainerConfig; of its `linux` part the twin reads the resources alone. */
export type WireContainerConfig = Omit<ContainerConfig, 'metadata' | 'image' | 'envs' | 'linux'> & {
  readonly linux: (Omit<ContainerConfig['linux'], 'resources'> & { readonly resources: WireResources | null }) | null;
  readonly metadata: ContainerConfig['metadata'] | null;
  readonly image: ContainerConfig['image'] | null;
  readonly envs: readonly { readonly key: string; readonly value: Buffer }[];
};

export function containerConfigFrom(config: WireContainerConfig): ContainerConfig {
  return {
    ...config,
    metadata: config.metadata ?? { name: '', attempt: 0 },
    image: config.image ?? { image: '', userSpecifiedImage: '' },
    // What the twin does not read may be absent.
    linux: { ...config.linux, resources: resourcesFrom(config.linux?.resources) } as ContainerConfig['linux'],
    envs: config.envs.map(({ key, value }) => ({ key, value: value.toString('utf8') })),
  };
}

/** The gRPC status a real runtime would answer with. */
export function wireFault(fault: RuntimeFault): { readonly code: status; readonly details: string } {
  const details = fault.message;
  switch (fault.kind) {
    case 'unavailable': return { code: status.UNAVAILABLE, details };
    case 'timeout': return { code: status.DEADLINE_EXCEEDED, details };
    case 'not-found': return { code: status.NOT_FOUND, details };
    // As containerd: the meaning is in the text alone.
    case 'already-exists': return { code: status.UNKNOWN, details };
    case 'unimplemented': return { code: status.UNIMPLEMENTED, details };
    case 'rejected': return { code: fault.grpcCode, details };
    default: return fault satisfies never;
  }
}

export function wireContainerStats({ id, podUid, name, workingSetBytes, layerBytes, layerInodes }: ContainerStats): object {
  const count = (value: number | undefined) => (value === undefined ? null : { value });
  return {
    attributes: { id, metadata: { name }, labels: { [podUidLabel]: podUid } },
    memory: { workingSetBytes: count(workingSetBytes) },
    writableLayer: { usedBytes: count(layerBytes), inodesUsed: count(layerInodes) },
  };
}

export function wireSandboxStats(podUid: string, processCount: number): object {
  return { attributes: { labels: { [podUidLabel]: podUid } }, linux: { process: { processCount: { value: processCount } } } };
}
