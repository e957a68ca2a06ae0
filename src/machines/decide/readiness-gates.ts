// Readiness gates: conditions that others set on the API's copy of a pod, and that its own readiness waits for.
import type { DesiredPod, Pod, PodCondition, PodStatus } from '../../ports/pod-types.ts';
import { jsonEqual } from './json-equal.ts';
import { ownConditionTypes } from './pod-conditions.ts';
import { resizeConditionTypes } from './resize-status.ts';

/** Whether the API's copy says something else of a pod's gates than is known. Of a pod without gates: never. */
export function gatesMoved(known: DesiredPod, seen: DesiredPod): boolean {
  const gates = known.pod.spec.readinessGates ?? [];
  return gates.length > 0 && gates.some(({ conditionType }) => !jsonEqual(statusOf(known.pod.status, conditionType), statusOf(seen.pod.status, conditionType)));
}

function statusOf(status: PodStatus | undefined, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.status;
}

/** A static pod with the conditions that others have set on its mirror; the rest of the mirror's status is our own. */
export function withConditionsOf(desired: DesiredPod, mirror: Pod | undefined): DesiredPod {
  const own = new Set<string>([...ownConditionTypes, ...resizeConditionTypes]);
  const conditions: PodCondition[] = (mirror?.status?.conditions ?? []).filter(({ type }) => !own.has(type));
  return { ...desired, pod: { ...desired.pod, status: { ...desired.pod.status, conditions } } };
}
