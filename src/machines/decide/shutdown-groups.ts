// In which order pods end when the machine goes down, and how long each has.
import type { ShutdownGroup } from '../../ports/eviction.ts';
import { systemCriticalPriority } from '../../ports/eviction.ts';
import type { DesiredPod } from '../../ports/pod-types.ts';
import { graceMsDefault } from './pod-kill.ts';

export const shutdownStatus = { reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' } as const;

/** Pods that end together. The next step begins when they have ended, or when the period is over. */
export interface ShutdownStep {
  readonly periodMs: number;
  readonly pods: readonly { readonly desired: DesiredPod; readonly graceMs: number }[];
}

/**
 * Lowest priority first. A pod belongs to the highest group that is not above it, or to the lowest of all; groups without pods take no
 * time. Static pods are the node's own, whatever priority they name.
 * @see kubelet behaviour, "Graceful node shutdown"
 */
export function shutdownSteps(groups: readonly ShutdownGroup[], pods: readonly DesiredPod[]): readonly ShutdownStep[] {
  const sorted = groups.toSorted((a, b) => a.priority - b.priority);
  const indexOf = (pod: DesiredPod) => Math.max(0, sorted.findLastIndex(({ priority }) => priority <= priorityOf(pod)));
  return sorted
    .map(({ periodMs }, index) => ({
      periodMs,
      pods: pods.filter((pod) => indexOf(pod) === index).map((desired) => ({ desired, graceMs: Math.min(ownGraceMs(desired), periodMs) })),
    }))
    .filter((step) => step.pods.length > 0);
}

/** What all groups together may take. */
export function shutdownMsMax(groups: readonly ShutdownGroup[]): number {
  return groups.reduce((sum, { periodMs }) => sum + periodMs, 0);
}

function priorityOf({ source, pod }: DesiredPod): number {
  const { priority = 0 } = pod.spec;
  return source === 'file' ? Math.max(priority, systemCriticalPriority) : priority;
}

function ownGraceMs({ pod }: DesiredPod): number {
  const seconds = pod.spec.terminationGracePeriodSeconds;
  return seconds === undefined ? graceMsDefault : seconds * 1_000;
}
