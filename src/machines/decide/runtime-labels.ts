// What we write on sandboxes and containers and read back after a restart of ours. Kubelet's names, so that tools find them
// and a node can change hands between kubelet and this agent without restarting containers.
import type { Container, DesiredPod } from '../../ports/pod-types.ts';
import type { ObservedContainer } from '../../ports/runtime-port.ts';
import { grantedOf, resourcesAnnotation } from './granted.ts';
import { qosClass } from './qos.ts';

export const hashAnnotation = 'io.kubernetes.container.hash';
export const restartCountAnnotation = 'io.kubernetes.container.restartCount';
export const terminationMessagePathAnnotation = 'io.kubernetes.container.terminationMessagePath';
export const terminationMessagePolicyAnnotation = 'io.kubernetes.container.terminationMessagePolicy';
export const preStopAnnotation = 'io.kubernetes.container.preStopHandler';
export const portsAnnotation = 'io.kubernetes.container.ports';
const deletionGraceAnnotation = 'io.kubernetes.pod.deletionGracePeriod';
const terminationGraceAnnotation = 'io.kubernetes.pod.terminationGracePeriod';

const podNameLabel = 'io.kubernetes.pod.name';
const podNamespaceLabel = 'io.kubernetes.pod.namespace';
const podUidLabel = 'io.kubernetes.pod.uid';
const containerNameLabel = 'io.kubernetes.container.name';

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

/**
 * Lower-case hex of a 32-bit FNV-1a over name and image as written; changes of anything else do not restart a container.
 * Kubelet since 1.31 has the same value: what it hashes is Go's dump of the bytes of a JSON text.
 */
export function containerHash(container: { readonly name: string; readonly image?: string }): string {
  const json = new TextEncoder().encode(JSON.stringify({ image: container.image ?? '', name: container.name }));
  return fnv(`([]uint8)[${json.join(' ')}]`).toString(16);
}

/** @param text of ASCII characters */
function fnv(text: string): number {
  let hash = fnvOffset;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), fnvPrime);
  return hash >>> 0;
}

/** Restarts before this instance, from our annotation; from the attempt where somebody else made the container. */
export function restartCountOf(container: Pick<ObservedContainer, 'annotations' | 'attempt'>): number {
  const text = container.annotations[restartCountAnnotation];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : container.attempt;
}

function identityLabels({ name, namespace, uid }: DesiredPod): Record<string, string> {
  return { [podNameLabel]: name, [podNamespaceLabel]: namespace, [podUidLabel]: uid };
}

/** The pod's own labels and, over them, its identity. */
export function sandboxLabels(desired: DesiredPod): Readonly<Record<string, string>> {
  return { ...desired.pod.metadata.labels, ...identityLabels(desired) };
}

export function containerLabels(desired: DesiredPod, container: { readonly name: string }): Readonly<Record<string, string>> {
  return { ...identityLabels(desired), [containerNameLabel]: container.name };
}

/** Enough to stop the container properly although its pod is no longer known. */
export function containerAnnotations(desired: DesiredPod, container: Container, restartCount: number): Readonly<Record<string, string>> {
  const { metadata, spec } = desired.pod;
  const annotations: Record<string, string> = {
    [hashAnnotation]: containerHash(container),
    [restartCountAnnotation]: String(restartCount),
    [terminationMessagePathAnnotation]: container.terminationMessagePath ?? '',
    [terminationMessagePolicyAnnotation]: container.terminationMessagePolicy ?? '',
  };
  // The resources of a pod that asks for none stay so.
  if (qosClass(spec) !== 'BestEffort') annotations[resourcesAnnotation] = JSON.stringify(grantedOf(container));
  if (container.lifecycle?.preStop !== undefined) annotations[preStopAnnotation] = JSON.stringify(container.lifecycle.preStop);
  if (container.ports !== undefined && container.ports.length > 0) annotations[portsAnnotation] = JSON.stringify(container.ports);
  if (metadata.deletionGracePeriodSeconds !== undefined) annotations[deletionGraceAnnotation] = String(metadata.deletionGracePeriodSeconds);
  if (spec.terminationGracePeriodSeconds !== undefined) annotations[terminationGraceAnnotation] = String(spec.terminationGracePeriodSeconds);
  return annotations;
}

/** The grace period of the pod the container was made for; undefined where the container does not say. */
export function terminationGraceMsOf({ annotations }: Pick<ObservedContainer, 'annotations'>): number | undefined {
  const seconds = annotations[terminationGraceAnnotation];
  return seconds !== undefined && /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}
