// How long a pod may be active on the node, and what is said when it was longer.
import type { DesiredPod, PodStatus } from '../../ports/pod-types.ts';
import { parseRfc3339 } from '../../ports/rfc3339.ts';
import { isTerminalPhase } from './pod-phase.ts';

export const deadlineExceeded = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' } as const;

/** Wall milliseconds at which the pod has to end; `undefined` when it may go on, or has ended. */
export function activeDeadlineMs({ pod: { spec } }: DesiredPod, status: PodStatus | undefined): number | undefined {
  const { activeDeadlineSeconds } = spec;
  if (activeDeadlineSeconds === undefined || status?.startTime === undefined || isTerminalPhase(status.phase)) return undefined;
  const startedAtMs = parseRfc3339(status.startTime);
  return startedAtMs === undefined ? undefined : startedAtMs + activeDeadlineSeconds * 1_000;
}
