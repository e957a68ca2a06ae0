// CRI and containerd answers to our vocabulary, and our configurations to what the encoder takes. Pure: no calls, no clock.
import type { ContainerStats } from '../../ports/container-stats.ts';
import type { ContainerId, PodUid, SandboxId } from '../../ports/pod-types.ts';
import type { RuntimeHandlerFacts } from '../../ports/runtime-handlers.ts';
import type {
  ContainerConfig, ContainerPhase, FilesystemUsage, ImageFacts, ListedContainer, ListedSandbox, ObservedContainer,
  ObservedSandbox, RuntimeEvent,
} from '../../ports/runtime-port.ts';
import type {
  WireContainer, WireContainerEvent, WireContainerState, WireContainerStats, WireContainerStatus, WireFilesystemUsage, WireImage, WireLong,
  WirePayload, WireRuntimeStatus, WireSandbox, WireSandboxState, WireSandboxStats, WireSandboxStatus,
} from './cri-wire.ts';

/** Label that makes a sandbox or container ours; what lacks it is somebody else's and is not seen. */
export const podUidLabel = 'io.kubernetes.pod.uid';
/** Annotations under this prefix are kept in ObservedContainer. */
const keptAnnotationPrefix = 'io.kubernetes.';
const nanosecondDigits = 6;

/** Nanoseconds since 1970 in decimal to whole milliseconds; 0 for an unset time, which runtimes write as 0 or less. */
export function toMs(nanoseconds: WireLong): number {
  if (nanoseconds.length <= nanosecondDigits || nanoseconds.startsWith('-')) return 0;
  // The value exceeds 2^53 as a number, its text without the last six digits does not.
  return Number(nanoseconds.slice(0, -nanosecondDigits));
}

// Identities are branded where they enter the program, which is here.
export const sandboxIdOf = (text: string): SandboxId => text as SandboxId; // A runtime's name for a sandbox.
export const containerIdOf = (text: string): ContainerId => text as ContainerId; // A runtime's name for a container.
const podUidOf = (labels: Readonly<Record<string, string>>): PodUid => (labels[podUidLabel] ?? '') as PodUid; // Our own label.

const containerPhases: Readonly<Record<WireContainerState, ContainerPhase>> = {
  CONTAINER_CREATED: 'created', CONTAINER_RUNNING: 'running', CONTAINER_EXITED: 'exited', CONTAINER_UNKNOWN: 'unknown',
};

function toPhase(state: WireContainerState): ContainerPhase {
  // A state added by a newer runtime comes as a number: for us it is unknown.
  return containerPhases[state] ?? 'unknown';
}

function toSandboxState(state: WireSandboxState): 'ready' | 'notReady' {
  return state === 'SANDBOX_READY' ? 'ready' : 'notReady';
}

interface Aged {
  readonly createdAtMs: number;
  readonly attempt: number;
}

function newestFirst(a: Aged, b: Aged): number {
  return b.createdAtMs - a.createdAtMs || b.attempt - a.attempt;
}

/** Newest first; rows without a pod UID label are left out, or those with one. */
export function toListedSandboxes(items: readonly WireSandbox[], which: 'ofPods' | 'unidentified' = 'ofPods'): readonly ListedSandbox[] {
  const listed: ListedSandbox[] = [];
  for (const item of items) {
    if ((item.labels[podUidLabel] !== undefined) === (which === 'ofPods')) listed.push(toListedSandbox(item));
  }
  return listed.sort(newestFirst);
}

function toListedSandbox(item: WireSandbox): ListedSandbox {
  return {
    id: sandboxIdOf(item.id),
    podUid: podUidOf(item.labels),
    name: item.metadata?.name ?? '',
    namespace: item.metadata?.namespace ?? '',
    attempt: item.metadata?.attempt ?? 0,
    state: toSandboxState(item.state),
    createdAtMs: toMs(item.createdAt),
  };
}

export function toObservedSandbox(status: WireSandboxStatus): ObservedSandbox {
  const primary = status.network?.ip ?? '';
  const further = status.network?.additionalIps.map((each) => each.ip) ?? [];
  return {
    ...toListedSandbox(status),
    ips: primary === '' ? further : [primary, ...further],
    hostNetwork: status.linux?.namespaces?.options?.network === 'NODE',
  };
}

/** Newest first; rows without a pod UID label are left out, or those with one. */
export function toListedContainers(items: readonly WireContainer[], which: 'ofPods' | 'unidentified' = 'ofPods'): readonly ListedContainer[] {
  const listed: ListedContainer[] = [];
  for (const item of items) {
    if ((item.labels[podUidLabel] !== undefined) !== (which === 'ofPods')) continue;
    listed.push({
      id: containerIdOf(item.id),
      sandboxId: sandboxIdOf(item.podSandboxId),
      podUid: podUidOf(item.labels),
      name: item.metadata?.name ?? '',
      attempt: item.metadata?.attempt ?? 0,
      state: toPhase(item.state),
      createdAtMs: toMs(item.createdAt),
      image: item.image?.image ?? '',
      imageRef: item.imageId || item.imageRef,
    });
  }
  return listed.sort(newestFirst);
}

/** @param sandboxId known from elsewhere: a CRI ContainerStatus does not name its sandbox */
export function toObservedContainer(status: WireContainerStatus, sandboxId: SandboxId): ObservedContainer {
  return {
    id: containerIdOf(status.id),
    sandboxId,
    podUid: podUidOf(status.labels),
    name: status.metadata?.name ?? '',
    attempt: status.metadata?.attempt ?? 0,
    state: toPhase(status.state),
    createdAtMs: toMs(status.createdAt),
    startedAtMs: toMs(status.startedAt),
    finishedAtMs: toMs(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image?.image ?? '',
    imageRef: status.imageRef,
    logPath: status.logPath,
    annotations: keptAnnotations(status.annotations),
  };
}

function keptAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const key in annotations) {
    const value = annotations[key];
    if (value !== undefined && key.startsWith(keptAnnotationPrefix)) kept[key] = value;
  }
  return kept;
}

export function toHandlerFacts({ name, features }: WireRuntimeStatus['runtimeHandlers'][number]): RuntimeHandlerFacts {
  return { name, recursiveReadOnlyMounts: features?.recursiveReadOnlyMounts === true, userNamespaces: features?.userNamespaces === true };
}

/** The one difference between our shape and the encoder's: environment values are bytes, and text would be read as base64. */
export function toWireContainerConfig(config: ContainerConfig): object {
  return { ...config, envs: config.envs.map(({ key, value }) => ({ key, value: Buffer.from(value, 'utf8') })) };
}

export function toImageFacts(image: WireImage): ImageFacts {
  return {
    id: image.id,
    repoTags: image.repoTags,
    repoDigests: image.repoDigests,
    sizeBytes: Number(image.size),
    ...(image.uid === null ? {} : { uid: Number(image.uid.value) }),
    ...(image.username === '' ? {} : { username: image.username }),
    pinned: image.pinned,
  };
}

export function toFilesystemUsage(usage: WireFilesystemUsage): FilesystemUsage {
  return {
    mountpoint: usage.fsId?.mountpoint ?? '',
    usedBytes: Number(usage.usedBytes?.value ?? 0),
    inodesUsed: Number(usage.inodesUsed?.value ?? 0),
  };
}

/** Rows without a pod UID label are left out. */
export function toContainerStats(stats: readonly WireContainerStats[]): readonly ContainerStats[] {
  return stats.flatMap(({ attributes, cpu, memory, writableLayer }) => {
    if (attributes?.labels[podUidLabel] === undefined) return [];
    return [{
      id: containerIdOf(attributes.id),
      podUid: podUidOf(attributes.labels),
      name: attributes.metadata?.name ?? '',
      ...counted('workingSetBytes', memory?.workingSetBytes),
      ...counted('memoryBytes', memory?.usageBytes),
      ...counted('rssBytes', memory?.rssBytes),
      ...(cpu?.usageCoreNanoSeconds ? { cpuNanoSeconds: Number(cpu.usageCoreNanoSeconds.value), cpuAtMs: Math.floor(Number(cpu.timestamp) / 1e6) } : {}),
      ...counted('layerBytes', writableLayer?.usedBytes),
      ...counted('layerInodes', writableLayer?.inodesUsed),
    }];
  });
}

function counted<Name extends string>(name: Name, count: { readonly value: WireLong } | null | undefined): Partial<Record<Name, number>> {
  // An object with one computed key is a record of it.
  return count === null || count === undefined ? {} : ({ [name]: Number(count.value) } as Partial<Record<Name, number>>);
}

/** A pod between two sandboxes counts with both. */
export function toProcessCounts(stats: readonly WireSandboxStats[]): ReadonlyMap<PodUid, number> {
  const counts = new Map<PodUid, number>();
  for (const { attributes, linux } of stats) {
    const count = linux?.process?.processCount;
    if (attributes?.labels[podUidLabel] === undefined || count === null || count === undefined) continue;
    const uid = podUidOf(attributes.labels);
    counts.set(uid, (counts.get(uid) ?? 0) + Number(count.value));
  }
  return counts;
}

/** CRI's own events; `undefined` for those that tell us nothing. */
export function fromContainerEvent(event: WireContainerEvent): RuntimeEvent | undefined {
  switch (event.containerEventType) {
    case 'CONTAINER_STARTED_EVENT': return { kind: 'started', id: event.containerId };
    case 'CONTAINER_STOPPED_EVENT': return { kind: 'exited', id: event.containerId };
    case 'CONTAINER_DELETED_EVENT': return { kind: 'removed', id: event.containerId };
    // Creation is our own doing; a kind added later means nothing to us.
    default: return undefined;
  }
}

/**
 * containerd's task events; `undefined` for those that tell us nothing.
 * @param typeName bare message name, `containerd.events.TaskExit`
 */
export function fromTaskEvent(typeName: string, payload: WirePayload): RuntimeEvent | undefined {
  const containerId = payload.containerId ?? '';
  switch (typeName) {
    case 'containerd.events.TaskStart': return { kind: 'started', id: containerId };
    case 'containerd.events.TaskOOM': return { kind: 'oom', id: containerId };
    // Every exec ends with an exit of its own, which is not the container's.
    case 'containerd.events.TaskExit': return payload.id === containerId ? { kind: 'exited', id: containerId } : undefined;
    case 'containerd.events.ContainerDelete': return { kind: 'removed', id: payload.id ?? '' };
    default: return undefined;
  }
}
