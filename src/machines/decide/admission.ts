// Whether the node may take a pod at all. The first reason counts; a refused pod fails for good, as kubelet has it.
import type { DesiredPod } from '../../ports/pod-types.ts';
import { unsupportedFeature } from './unsupported-features.ts';

export interface AdmissionFault {
  readonly reason: string;
  readonly message: string;
}

/** @see kubelet behaviour, "Node admission" */
export function admissionFault(desired: DesiredPod, node: { readonly podsRunning: number; readonly podsMax: number }): AdmissionFault | undefined {
  if (node.podsRunning >= node.podsMax) {
    const message = `Node didn't have enough resource: pods, requested: 1, used: ${node.podsRunning}, capacity: ${node.podsMax}`;
    return { reason: 'OutOfpods', message };
  }
  return unsupportedFeature(desired);
}
