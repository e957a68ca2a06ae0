// Grace periods of a termination: which demand counts.
import type { DesiredPod } from '../../ports/pod-types.ts';
import type { PodKill } from '../pod-types.ts';
import { endedAtSource } from './pod-phase.ts';

/** No termination gives less. */
export const graceMsMin = 1_000;
/** What StopContainer is given at least, whatever is left of the grace period. */
export const stopGraceMsMin = 2_000;
export const graceMsDefault = 30_000;

/** The demand that a deletion seen at the source makes, if there is one. */
export function killOfDeletion(desired: DesiredPod): PodKill | undefined {
  if (desired.pod.metadata.deletionTimestamp === undefined) return undefined;
  const seconds = desired.pod.metadata.deletionGracePeriodSeconds;
  return { graceMs: seconds === undefined ? undefined : seconds * 1000 };
}

/** The same, or that of a phase which the API holds for the last one: from there no way leads back, so that the pod ends here too. */
export function killOfSource(desired: DesiredPod): PodKill | undefined {
  return killOfDeletion(desired) ?? (endedAtSource(desired) === undefined ? undefined : { graceMs: undefined });
}

/** Two demands on one pod: grace can only become shorter, a removal and a status stay. */
export function mergeKills(first: PodKill | undefined, second: PodKill): PodKill {
  if (first === undefined) return second;
  const graces = [first.graceMs, second.graceMs].filter((graceMs) => graceMs !== undefined);
  const status = first.status ?? second.status;
  return {
    graceMs: graces.length === 0 ? undefined : Math.min(...graces),
    removed: first.removed === true || second.removed === true,
    ...(status === undefined ? {} : { status }),
  };
}

/** Milliseconds of grace a pod gets under a demand. */
export function graceMsOf(desired: DesiredPod, kill: PodKill | undefined): number {
  const own = desired.pod.spec.terminationGracePeriodSeconds;
  return Math.max(graceMsMin, kill?.graceMs ?? (own === undefined ? graceMsDefault : own * 1000));
}
