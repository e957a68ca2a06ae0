// A pod as its supervisor keeps it, and the order in which pods are taken up at the start. No decision about one pod alone.
import type { AdmissionFault } from '../machines/decide/admission.ts';
import type { BusPort } from '../bus/bus.ts';
import { isCriticalPod } from '../machines/decide/critical-pods.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import { isTerminalPhase } from '../machines/decide/pod-phase.ts';
import type { UptakeFacts } from '../machines/decide/why/facts.ts';
import type { PodContext } from '../machines/pod-types.ts';
import { isLeftOut } from '../machines/decide/volumes.ts';
import type { DesiredPod, PodUid } from '../ports/pod-types.ts';
import type { PodActor } from './pod-actor.ts';
import type { PodListing } from './pod-listings.ts';
import { noTokens } from './token-manager.ts';

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
  /** Its actor broke and has not been made anew yet. */
  failure: UptakeFacts['failure'];
}

/** How far the supervisor is with a pod, for whoever asks why it waits. */
export interface Uptake extends UptakeFacts {
  readonly machine: PodContext | undefined;
}

/** @param child undefined where the supervisor does not know the pod */
export function uptakeOf(child: PodChild | undefined, { listed }: { readonly listed: boolean }): Uptake {
  return { listed, nameTaken: child?.waitsFor !== undefined, failure: child?.failure, stop: child?.actor?.stopping(), machine: child?.actor?.context() };
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

/**
 * Pods that have or will have containers; those that wait for the runtime or for their name are among them, and so are those being
 * deleted. What no source wants any more is not counted: a static pod's next version takes its place.
 */
export function activeBeside(children: ReadonlyMap<PodUid, PodChild>, child: PodChild): readonly PodChild[] {
  return [...children.values()].filter((other) => {
    if (other === child || other.actor === undefined || other.refused !== undefined || other.removed) return false;
    return !isTerminalPhase(other.desired.pod.status?.phase) && !/^(?:terminated|finishing|done)/.test(other.actor.state());
  });
}

/** Once a pod, when it begins: it runs without the token that the API server has given it a volume for. */
export function tellLeftOut({ bus, settings }: { readonly bus: BusPort; readonly settings: NodeSettings }, desired: DesiredPod): void {
  if (!desired.pod.spec.volumes?.some((volume) => isLeftOut(desired, volume, settings))) return;
  bus.publish('event.noted', { subject: { kind: 'Pod', pod: desired }, type: 'Warning', ...noTokens('nobody can be asked for it') });
}
