// What one source has said, and which of it is in force. Pure bookkeeping for merge-sources; publishes nothing.
import type { DesiredPod, PodSource, PodUid } from '../../ports/pod-types.ts';
import { sameJson } from './canonical-json.ts';
import { configSeenAnnotation, configSourceAnnotation, configMirrorAnnotation } from './static-pod.ts';
import { ToldReasons } from './told-reasons.ts';

/** Annotations that say how a pod came here, not what it should be. They belong to the pod that is in force. */
const localAnnotations: readonly string[] = [configSourceAnnotation, configMirrorAnnotation, configSeenAnnotation];

/** A pod the node runs. `said` is the source's last word on it, already compared; `pod` is that with what only we know. */
export interface PodInForce {
  pod: DesiredPod;
  said: DesiredPod;
}

/** One source. `offered` is what it says now, in its order; `inForce` is what of it the node runs. */
export interface SourceState {
  readonly source: PodSource;
  offered: Map<PodUid, DesiredPod>;
  readonly inForce: Map<PodUid, PodInForce>;
  /** A whole content has been taken in. */
  spoken: boolean;
  readonly toldOnOffer: ToldReasons;
  readonly toldOnEntry: ToldReasons;
}

export function silentSource(source: PodSource): SourceState {
  return { source, offered: new Map(), inForce: new Map(), spoken: false, toldOnOffer: new ToldReasons(), toldOnEntry: new ToldReasons() };
}

/** Marks a pod new to the node with the time it was first seen, as kubelet writes it. */
export function firstSeen(pod: DesiredPod, seenAt: string): DesiredPod {
  return withAnnotations(pod, { ...pod.pod.metadata.annotations, [configSeenAnnotation]: seenAt });
}

export type Difference =
  | { readonly op: 'none' }
  | { readonly op: 'UPDATE' | 'DELETE' | 'RECONCILE'; readonly pod: DesiredPod };

/**
 * Compares the pod in force with what its source says of the same UID now.
 * @returns for a difference, the pod to put in force: local annotations kept, a deletion once asked for never taken back
 */
export function differenceOf(current: DesiredPod, said: DesiredPod): Difference {
  const next = keepDeletion(current, said);
  const meta = current.pod.metadata;
  const nextMeta = next.pod.metadata;
  const same = meta.deletionTimestamp === nextMeta.deletionTimestamp
    && meta.deletionGracePeriodSeconds === nextMeta.deletionGracePeriodSeconds
    && sameJson(meta.labels ?? {}, nextMeta.labels ?? {})
    && sameJson(foreignAnnotations(current), foreignAnnotations(next))
    && sameJson(current.pod.spec, next.pod.spec);
  // Its source speaks of it for the first time in this life: whoever waited for that must hear it.
  const isConfirmed = current.recalled === true && said.recalled !== true;
  if (same && !isConfirmed && sameJson(current.pod.status ?? {}, next.pod.status ?? {})) return { op: 'none' };
  const pod = keepLocalAnnotations(current, next);
  if (same) return { op: 'RECONCILE', pod };
  return { op: nextMeta.deletionTimestamp === undefined ? 'UPDATE' : 'DELETE', pod };
}

/** A late or repeated message from before the deletion must not bring a pod back. */
function keepDeletion(current: DesiredPod, said: DesiredPod): DesiredPod {
  const { deletionTimestamp, deletionGracePeriodSeconds } = current.pod.metadata;
  if (deletionTimestamp === undefined || said.pod.metadata.deletionTimestamp !== undefined) return said;
  const kept = deletionGracePeriodSeconds === undefined ? { deletionTimestamp } : { deletionTimestamp, deletionGracePeriodSeconds };
  return { ...said, pod: { ...said.pod, metadata: { ...said.pod.metadata, ...kept } } };
}

function foreignAnnotations(pod: DesiredPod): Readonly<Record<string, string>> {
  const entries = Object.entries(pod.pod.metadata.annotations ?? {});
  return Object.fromEntries(entries.filter(([key]) => !localAnnotations.includes(key)));
}

function keepLocalAnnotations(current: DesiredPod, next: DesiredPod): DesiredPod {
  const annotations: Record<string, string> = { ...foreignAnnotations(next) };
  for (const key of localAnnotations) {
    const value = current.pod.metadata.annotations?.[key];
    if (value !== undefined) annotations[key] = value;
  }
  return withAnnotations(next, annotations);
}

function withAnnotations(pod: DesiredPod, annotations: Record<string, string>): DesiredPod {
  return { ...pod, pod: { ...pod.pod, metadata: { ...pod.pod.metadata, annotations } } };
}
