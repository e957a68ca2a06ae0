// A relist, sorted by pod.
import type { PodUid } from '../ports/pod-types.ts';
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
