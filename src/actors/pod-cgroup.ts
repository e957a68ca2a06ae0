// The cgroup's part of a pod's sync: it is there before the sandbox, or the pod waits and says why.
import type { PodPlan } from '../machines/decide/plan-pod.ts';
import { isResizing } from '../machines/decide/plan-resize.ts';
import type { PodContext } from '../machines/pod-types.ts';
import type { PodDeps } from './pod-deps.ts';

/** @returns why nothing may be started now; undefined when nothing stands in the way */
export async function bringCgroup(deps: PodDeps, { desired }: PodContext, plan: PodPlan): Promise<string | undefined> {
  const isNew = plan.steps.some((step) => step.do === 'runSandbox');
  // A pod that is coming to its end needs none any more.
  if (deps.cgroups === undefined || (!isNew && plan.complete)) return undefined;
  const brought = await deps.cgroups.bring(desired, { isNew, settled: !isResizing(plan) });
  if (brought.ok) return undefined;
  const message = `unable to ensure pod container exists: ${brought.fault.message}`;
  deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: desired }, type: 'Warning', reason: 'FailedCreatePodContainer', message });
  return isNew ? message : undefined;
}
