// What a source says, and what the merge makes of it.
import type { DesiredPod, PodSource, PodUid } from '../ports/pod-types.ts';

/** From a source to the merge. */
export type SourceUpdate =
  /** The whole content: what is not in it is gone. The first one makes the source ready. */
  | { readonly kind: 'set'; readonly source: PodSource; readonly pods: readonly DesiredPod[] }
  /** One pod is new or changed; says nothing of the others and does not make the source ready. */
  | { readonly kind: 'upsert'; readonly source: PodSource; readonly pod: DesiredPod }
  /** One pod is gone. */
  | { readonly kind: 'forget'; readonly source: PodSource; readonly uid: PodUid };

/**
 * From the merge to the supervisor; kubelet's operations.
 * `SET` is published once per source when its first whole content has been taken in, with all its pods.
 */
export interface PodOperation {
  readonly op: 'ADD' | 'UPDATE' | 'REMOVE' | 'DELETE' | 'RECONCILE' | 'SET';
  readonly source: PodSource;
  readonly pods: readonly DesiredPod[];
}
