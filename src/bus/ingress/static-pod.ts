// What makes an object from a manifest a pod of this node: identity from its content, the node's name, kubelet's marks.
// Changes the pod it is given; reports nothing.
import { createHash } from 'node:crypto';
import type { PodSource } from '../../ports/pod-types.ts';
import { canonicalJson } from './canonical-json.ts';
import type { TakenMeta, TakenPod } from './pod-parts.ts';

export const configHashAnnotation = 'kubernetes.io/config.hash';
export const configMirrorAnnotation = 'kubernetes.io/config.mirror';
export const configSeenAnnotation = 'kubernetes.io/config.seen';
export const configSourceAnnotation = 'kubernetes.io/config.source';

/** Pods by MQTT are pods of the API: kubelet's word for their source keeps them from being taken for static pods. */
const sourceWords: Readonly<Record<PodSource, string>> = { file: 'file', mqtt: 'api', admin: 'admin' };

export interface LocalOrigin {
  readonly source: PodSource;
  /** Path of the file, or `admin`. */
  readonly origin: string;
  readonly nodeName: string;
}

/**
 * Namespace `default`, phase Pending and, where none is given, a UID: 32 hex digits over the pod as written, node and origin.
 * Any edit makes another pod.
 * @param pod has not been given defaults yet, so that a later version's new default does not restart every pod
 */
export function identifyLocalPod(pod: TakenPod, where: LocalOrigin): void {
  pod.metadata.namespace ||= 'default';
  pod.status = { phase: 'Pending' };
  if (pod.metadata.uid) return;
  const digest = createHash('md5').update(canonicalJson(pod));
  pod.metadata.uid = digest.update(`host:${where.nodeName}`).update(`${where.source}:${where.origin}`).digest('hex');
}

/** Binds a pod that has been found valid to this node; a static pod also gets its name, hash and toleration. */
export function bindLocalPod(pod: TakenPod, where: LocalOrigin): void {
  pod.spec.nodeName = where.nodeName;
  if (where.source !== 'file') return;
  const meta = pod.metadata;
  meta.name = staticPodName(meta.name ?? '', where.nodeName);
  (meta.annotations ??= {})[configHashAnnotation] = meta.uid ?? '';
  pod.spec.tolerations = [...(pod.spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }];
}

/** The name under which the API knows a static pod: manifests of one text may run on many nodes. */
export function staticPodName(name: string, nodeName: string): string {
  return `${name}-${nodeName.toLowerCase()}`;
}

/** `kubernetes.io/config.source`: set on arrival, whatever the object said. */
export function markSource(meta: TakenMeta, source: PodSource): void {
  (meta.annotations ??= {})[configSourceAnnotation] = sourceWords[source];
}
