// What the simulated runtime holds of each sandbox and container, and how that shows through RuntimePort.
import type { RuntimeFault } from '../../ports/faults.ts';
import type { ContainerId, PodUid, SandboxId } from '../../ports/pod-types.ts';
import { fail, type Result } from '../../ports/result.ts';
import type {
  ContainerConfig, ContainerPhase, LinuxResources, ListedContainer, ListedSandbox, ObservedContainer, ObservedSandbox, SandboxConfig,
} from '../../ports/runtime-port.ts';
import type { SimProgram } from './sim-programs.ts';

export const podUidLabel = 'io.kubernetes.pod.uid';
const keptAnnotationPrefix = 'io.kubernetes.';

export interface SimSandbox {
  readonly id: SandboxId;
  readonly config: SandboxConfig;
  readonly runtimeHandler: string;
  readonly createdAtMs: number;
  readonly ip: string;
  state: 'ready' | 'notReady';
}

export interface SimContainer {
  readonly id: ContainerId;
  readonly sandboxId: SandboxId;
  readonly podUid: PodUid;
  /** Reserved until it is removed. */
  readonly reservedName: string;
  readonly config: ContainerConfig;
  readonly logPath: string;
  readonly imageName: string;
  readonly imageRef: string;
  readonly program: SimProgram;
  readonly createdAtMs: number;
  /** As made, and as changed since. */
  resources: LinuxResources;
  state: ContainerPhase;
  startedAtMs: number;
  finishedAtMs: number;
  exitCode: number;
  reason: string;
  message: string;
  /** StartContainer is at work: the container may not be removed now. */
  starting: boolean;
  /** The process has ended or is about to; the state follows a little later, as in a real runtime. */
  ending: boolean;
  /** Timer of the program's own end, by itself or after SIGTERM; the nearest one. The clock's handle and its time. */
  endTimer: unknown;
  endDueMs: number;
  /** Timer of the SIGKILL that a stop has announced. It is the runtime's, and is forgotten when that goes down. */
  killTimer: unknown;
  killDueMs: number;
  /** Told when the state is exited. */
  readonly waiting: (() => void)[];
}

/** Names are what containerd reserves: one sandbox per (pod, attempt). */
export function sandboxName({ metadata }: SandboxConfig): string {
  return `${metadata.name}_${metadata.namespace}_${metadata.uid}_${metadata.attempt}`;
}

export function containerName(config: ContainerConfig, { metadata }: SandboxConfig): string {
  return `${config.metadata.name}_${metadata.name}_${metadata.namespace}_${metadata.uid}_${config.metadata.attempt}`;
}

interface Aged {
  readonly createdAtMs: number;
  readonly attempt: number;
}

export function newestFirst(a: Aged, b: Aged): number {
  return b.createdAtMs - a.createdAtMs || b.attempt - a.attempt;
}

export function isHostNetwork(config: SandboxConfig): boolean {
  return config.linux.securityContext.namespaceOptions.network === 'NODE';
}

export function listedSandbox(sandbox: SimSandbox): ListedSandbox {
  const { metadata, labels } = sandbox.config;
  return {
    id: sandbox.id,
    // Labels carry what the caller branded.
    podUid: (labels[podUidLabel] ?? '') as PodUid,
    name: metadata.name,
    namespace: metadata.namespace,
    attempt: metadata.attempt,
    state: sandbox.state,
    createdAtMs: sandbox.createdAtMs,
  };
}

export function observedSandbox(sandbox: SimSandbox): ObservedSandbox {
  return {
    ...listedSandbox(sandbox),
    ips: sandbox.ip === '' || sandbox.state === 'notReady' ? [] : [sandbox.ip],
    hostNetwork: isHostNetwork(sandbox.config),
  };
}

export function listedContainer(container: SimContainer): ListedContainer {
  return {
    id: container.id,
    sandboxId: container.sandboxId,
    podUid: container.podUid,
    name: container.config.metadata.name,
    attempt: container.config.metadata.attempt,
    state: container.state,
    createdAtMs: container.createdAtMs,
    image: container.imageName,
    imageRef: container.imageRef,
  };
}

export function observedContainer(container: SimContainer): ObservedContainer {
  const { state, startedAtMs, finishedAtMs, exitCode, reason, message, imageRef, logPath } = container;
  const annotations = Object.entries(container.config.annotations).filter(([key]) => key.startsWith(keptAnnotationPrefix));
  return {
    ...listedContainer(container),
    state, startedAtMs, finishedAtMs, exitCode, reason, message, imageRef, logPath,
    image: container.imageName,
    annotations: Object.fromEntries(annotations),
  };
}

/** As containerd says it. */
export function notFound<T>(what: 'sandbox' | 'container', id: string): Result<T, RuntimeFault> {
  return fail({ kind: 'not-found', message: `an error occurred when try to find ${what} "${id}": not found` });
}
