// The volumes' part of a pod's sync: bring them up, tell what failed, and say whether containers may start.
import type { PodPlan } from '../machines/decide/plan-pod.ts';
import type { PodContext } from '../machines/pod-types.ts';
import type { PodDeps } from './pod-deps.ts';

/** Why no container may be started now. */
export interface VolumesMissing {
  readonly message: string;
  readonly retryInMs: number;
}

/** Kubelet makes no sandbox before the volumes are there; what is known to be at hand need not be waited for. */
export function mayComeBesideSandbox(deps: PodDeps, { desired }: PodContext, plan: PodPlan): boolean {
  return plan.steps.some((step) => step.do === 'runSandbox') && deps.volumes.isAtHand(desired);
}

/** @returns why no container may be started now; undefined when nothing stands in the way */
export async function bringVolumes(deps: PodDeps, { desired }: PodContext, plan: PodPlan): Promise<VolumesMissing | undefined> {
  const isNew = plan.steps.some((step) => step.do === 'runSandbox');
  const starts = isNew || plan.steps.some((step) => step.do === 'startContainer');
  // A pod that is coming to its end needs no volumes any more.
  if (!starts && plan.complete) return undefined;
  const trouble = await deps.volumes.bring(desired, { isNew });
  if (trouble === undefined) return undefined;
  for (const message of trouble.messages) {
    deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: desired }, type: 'Warning', reason: 'FailedMount', message });
  }
  return starts && trouble.blocks ? { message: trouble.messages[0] ?? trouble.waits[0] ?? '', retryInMs: trouble.retryInMs } : undefined;
}
