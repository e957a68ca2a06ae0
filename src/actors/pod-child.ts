// A pod as its supervisor keeps it, and the order in which pods are taken up at the start. No decision about one pod alone.
import type { AdmissionFault } from '../machines/decide/admission.ts';
import { isCriticalPod } from '../machines/decide/critical-pods.ts';
import type { DesiredPod, PodUid } from '../ports/pod-types.ts';
import type { PodActor } from './pod-actor.ts';
import type { PodListing } from './pod-listings.ts';

/** What is wanted of a pod, and its actor while there is one. */
export interface PodChild {
  desired: DesiredPod;
  actor: PodActor | undefined;
  /** Why the node does not take it; it stays so. */
  refused: AdmissionFault | undefined;
  /** The pod of this full name that has to end first. */
  waitsFor: PodUid | undefined;
  removed: boolean;
  /** Wanted again, under the same UID, while it still ends: it begins anew when it is done. */
  again: DesiredPod | undefined;
  restartTimer: unknown;
}

/** At the start all pods come at once: those that run keep their place, then come those the node needs, then the older ones. */
export function inOrderOfAdmission(
  children: ReadonlyMap<PodUid, PodChild>,
  listing: ReadonlyMap<PodUid, PodListing>,
): readonly (readonly [PodUid, PodChild])[] {
  const rank = ({ desired }: PodChild) => (listing.has(desired.uid) ? 0 : isCriticalPod(desired) ? 1 : 2);
  const age = ({ desired }: PodChild) => desired.pod.metadata.creationTimestamp ?? '';
  return [...children].sort(([, a], [, b]) => rank(a) - rank(b) || (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : 0));
}
