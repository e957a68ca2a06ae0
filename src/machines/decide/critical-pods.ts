// Which pods the node needs for itself, and which others make room for them.
import { systemCriticalPriority } from '../../ports/eviction.ts';
import type { DesiredPod } from '../../ports/pod-types.ts';
import { qosClass } from './qos.ts';
import { podRequests } from './pod-requests.ts';

/** @see kubelet behaviour, "Predicates": critical pod */
export function isCriticalPod({ source, pod: { spec } }: DesiredPod): boolean {
  return source === 'file' || (spec.priority ?? 0) >= systemCriticalPriority;
}

/** What is missing for a pod to fit: more than 0 of each resource named. `pods` counts pods. */
export type Shortage = Readonly<Record<string, number>>;

/**
 * The pods that make room for a critical one: as few as possible, and of the better classes only what the lesser cannot give.
 * @returns undefined when all that may go is not enough
 */
export function podsToPreempt(critical: DesiredPod, active: readonly DesiredPod[], shortage: Shortage): readonly DesiredPod[] | undefined {
  const candidates = active.filter((pod) => yieldsTo(pod, critical));
  const ofClass = (name: string) => candidates.filter(({ pod }) => qosClass(pod.spec) === name);
  const bestEffort = ofClass('BestEffort');
  const burstable = ofClass('Burstable');
  const guaranteed = fewest(ofClass('Guaranteed'), lessBy(shortage, [...bestEffort, ...burstable]));
  if (guaranteed === undefined) return undefined;
  const ofBurstable = fewest(burstable, lessBy(shortage, [...bestEffort, ...guaranteed])) ?? [];
  const ofBestEffort = fewest(bestEffort, lessBy(shortage, [...ofBurstable, ...guaranteed])) ?? [];
  return [...ofBestEffort, ...ofBurstable, ...guaranteed];
}

function yieldsTo(pod: DesiredPod, critical: DesiredPod): boolean {
  if (!isCriticalPod(pod)) return true;
  return (pod.pod.spec.priority ?? 0) < (critical.pod.spec.priority ?? 0) && pod.source !== 'file';
}

/** Takes again and again the pod that leaves least missing; of equals the one that asks for least. */
function fewest(candidates: readonly DesiredPod[], shortage: Shortage): readonly DesiredPod[] | undefined {
  const left = [...candidates];
  const taken: DesiredPod[] = [];
  let missing = shortage;
  while (Object.keys(missing).length > 0) {
    let best: { index: number; distance: number; size: number } | undefined;
    for (const [index, pod] of left.entries()) {
      const distance = distanceTo(missing, pod);
      const size = Object.values(podRequests(pod.pod.spec)).reduce((sum, amount) => sum + amount, 0);
      if (best === undefined || distance < best.distance || (distance === best.distance && size < best.size)) best = { index, distance, size };
    }
    const chosen = best && left.splice(best.index, 1)[0];
    if (chosen === undefined) return undefined;
    taken.push(chosen);
    missing = lessBy(missing, [chosen]);
  }
  return taken;
}

/** 0 when the pod alone gives all that is missing; each resource weighs by its part. */
function distanceTo(missing: Shortage, pod: DesiredPod): number {
  const given = withItself(pod);
  return Object.entries(missing).reduce((sum, [name, amount]) => sum + (Math.max(0, amount - (given[name] ?? 0)) / amount) ** 2, 0);
}

function lessBy(shortage: Shortage, pods: readonly DesiredPod[]): Shortage {
  const given = pods.map(withItself);
  const left = Object.entries(shortage).map(([name, amount]) => [name, given.reduce((rest, each) => rest - (each[name] ?? 0), amount)] as const);
  return Object.fromEntries(left.filter(([, amount]) => amount > 0));
}

function withItself({ pod }: DesiredPod): Readonly<Record<string, number>> {
  return { ...podRequests(pod.spec), pods: 1 };
}
