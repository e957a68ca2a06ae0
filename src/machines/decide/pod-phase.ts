// The phase of a pod, from the statuses of its containers.
import type { Container, ContainerStatus, DesiredPod, PodSpec, PodStatus } from '../../ports/pod-types.ts';
import { restartPolicyOf } from './restart-policy.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

/** A pod in such a phase never runs again. */
export function isTerminalPhase(phase: string | undefined): phase is 'Succeeded' | 'Failed' {
  return phase === 'Succeeded' || phase === 'Failed';
}

/**
 * The status of a pod that the API shows in a terminal phase: once there it never changes, whoever said it first.
 * @returns undefined of any other pod; also of static pods, whose object in the API is only a picture of them
 */
export function endedAtSource({ source, pod: { status } }: DesiredPod): (PodStatus & { readonly phase: 'Succeeded' | 'Failed' }) | undefined {
  if (source !== 'mqtt' || status === undefined || !isTerminalPhase(status.phase)) return undefined;
  return { ...status, phase: status.phase };
}

/** An init container that runs beside the others as long as the pod does. */
export function isSidecar(container: Pick<Container, 'restartPolicy'>): boolean {
  return container.restartPolicy === 'Always';
}

export interface PhaseInput {
  readonly spec: PodSpec;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  /** Stopped for good, and not a static pod: what has stopped decides. */
  readonly finalised: boolean;
}

/** @see kubelet behaviour, "Phase" */
export function podPhase({ spec, initStatuses, statuses, finalised }: PhaseInput): PodPhase {
  const policy = restartPolicyOf(spec);
  const init = countInits(spec, initStatuses);
  const { running, waiting, stopped, succeeded, unknown } = countApps(spec, statuses);
  if (init.failed > 0 && policy === 'Never') return 'Failed';
  if (init.pending > 0 || (init.sidecarsPending > 0 && !hasStarted(statuses))) return 'Pending';
  if (waiting + init.sidecarsWaiting > 0) return 'Pending';
  if (unknown > 0) return 'Pending';
  if (running + init.sidecarsRunning > 0) return 'Running';
  if (stopped === 0) return 'Pending';
  if (!finalised && policy === 'Always') return 'Running';
  if (stopped === succeeded) return 'Succeeded';
  return finalised || policy === 'Never' ? 'Failed' : 'Running';
}

/** Whether a container of the list runs or has run in its present instance. */
export function hasStarted(statuses: readonly ContainerStatus[]): boolean {
  return statuses.some(({ state }) => state?.running !== undefined || state?.terminated !== undefined);
}

function countInits(spec: PodSpec, statuses: readonly ContainerStatus[]) {
  const count = { failed: 0, pending: 0, sidecarsPending: 0, sidecarsWaiting: 0, sidecarsRunning: 0 };
  for (const container of spec.initContainers ?? []) {
    const { state, lastState, started } = statuses.find(({ name }) => name === container.name) ?? {};
    const neverRan = state?.running === undefined && state?.terminated === undefined && lastState?.terminated === undefined;
    if (isSidecar(container)) {
      if (neverRan) count.sidecarsWaiting += 1;
      if (neverRan || (state?.running !== undefined && started !== true)) count.sidecarsPending += 1;
      if (state?.running !== undefined) count.sidecarsRunning += 1;
    } else if (neverRan || state?.running !== undefined) {
      count.pending += 1;
    } else {
      const ended = state?.terminated ?? lastState?.terminated;
      if (ended !== undefined && ended.exitCode !== 0) count.failed += 1;
    }
  }
  return count;
}

function countApps(spec: PodSpec, statuses: readonly ContainerStatus[]) {
  const count = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0 };
  for (const container of spec.containers) {
    const { state, lastState } = statuses.find(({ name }) => name === container.name) ?? {};
    if (state?.running !== undefined) count.running += 1;
    else if (state?.terminated !== undefined) {
      count.stopped += 1;
      if (state.terminated.exitCode === 0) count.succeeded += 1;
    } else if (state?.waiting === undefined) count.unknown += 1;
    else if (lastState?.terminated !== undefined) count.stopped += 1;
    else count.waiting += 1;
  }
  return count;
}
