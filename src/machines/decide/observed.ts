// Folding what was just seen of one sandbox or container into what is known of its pod. Lists stay newest first.
import type { ContainerId, PodUid, SandboxId } from '../../ports/pod-types.ts';
import type { ListedContainer, ListedSandbox, ObservedContainer, ObservedPod, ObservedSandbox } from '../../ports/runtime-port.ts';

export function nothingObserved(podUid: PodUid): ObservedPod {
  return { podUid, sandboxes: [], containers: [] };
}

interface Aged {
  readonly id: string;
  readonly createdAtMs: number;
  readonly attempt: number;
}

/**
 * Newest first: attempt, then creation time, then ID so that the order is total. Attempts are counted by us and only grow; times
 * of creation are wall time, and on a machine whose clock was set back an older object may carry a later one.
 */
export function newestFirst(a: Aged, b: Aged): number {
  return b.attempt - a.attempt || b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1);
}

export function withSandbox(observed: ObservedPod, sandbox: ObservedSandbox): ObservedPod {
  return { ...observed, sandboxes: [sandbox, ...observed.sandboxes.filter(({ id }) => id !== sandbox.id)].sort(newestFirst) };
}

export function withContainer(observed: ObservedPod, container: ObservedContainer): ObservedPod {
  return { ...observed, containers: [container, ...observed.containers.filter(({ id }) => id !== container.id)].sort(newestFirst) };
}

export function withoutContainer(observed: ObservedPod, id: ContainerId): ObservedPod {
  return { ...observed, containers: observed.containers.filter((container) => container.id !== id) };
}

/** Without the sandbox and the containers in it. */
export function withoutSandbox(observed: ObservedPod, id: SandboxId): ObservedPod {
  return {
    ...observed,
    sandboxes: observed.sandboxes.filter((sandbox) => sandbox.id !== id),
    containers: observed.containers.filter((container) => container.sandboxId !== id),
  };
}

/** The sandbox as it is after a successful stop. */
export function withStoppedSandbox(observed: ObservedPod, id: SandboxId): ObservedPod {
  return {
    ...observed,
    sandboxes: observed.sandboxes.map((sandbox) => (sandbox.id === id ? { ...sandbox, state: 'notReady', ips: [] } : sandbox)),
  };
}

/** Whether a listing of one pod shows the same objects in the same states as were observed. */
export function sameAsListed(
  observed: ObservedPod,
  listed: { readonly sandboxes: readonly ListedSandbox[]; readonly containers: readonly ListedContainer[] },
): boolean {
  if (observed.sandboxes.length !== listed.sandboxes.length || observed.containers.length !== listed.containers.length) return false;
  const states = new Map<string, string>();
  for (const item of [...observed.sandboxes, ...observed.containers]) states.set(item.id, item.state);
  return [...listed.sandboxes, ...listed.containers].every((item) => states.get(item.id) === item.state);
}
