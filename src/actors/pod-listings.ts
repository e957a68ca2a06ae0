// A relist, sorted by pod.
import { isCriticalPod } from '../machines/decide/critical-pods.ts';
import type { DesiredPod, PodUid } from '../ports/pod-types.ts';
import type { ListedContainer, ListedSandbox } from '../ports/runtime-port.ts';

export interface PodListing {
  readonly sandboxes: readonly ListedSandbox[];
  readonly containers: readonly ListedContainer[];
}

export function podListings(relisted: PodListing): ReadonlyMap<PodUid, PodListing> {
  const byUid = new Map<PodUid, { sandboxes: ListedSandbox[]; containers: ListedContainer[] }>();
  const of = (uid: PodUid) => {
    const found = byUid.get(uid) ?? { sandboxes: [], containers: [] };
    byUid.set(uid, found);
    return found;
  };
  for (const sandbox of relisted.sandboxes) of(sandbox.podUid).sandboxes.push(sandbox);
  for (const container of relisted.containers) of(container.podUid).containers.push(container);
  return byUid;
}

/** At the start all pods come at once: those that run keep their place, then come those the node needs, then the older ones. */
export function inOrderOfAdmission<Entry extends { readonly desired: DesiredPod }>(
  entries: ReadonlyMap<PodUid, Entry>, listing: ReadonlyMap<PodUid, PodListing>,
): readonly (readonly [PodUid, Entry])[] {
  const rank = ({ desired }: Entry) => (listing.has(desired.uid) ? 0 : isCriticalPod(desired) ? 1 : 2);
  const age = ({ desired }: Entry) => desired.pod.metadata.creationTimestamp ?? '';
  return [...entries].sort(([, a], [, b]) => rank(a) - rank(b) || (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : 0));
}
