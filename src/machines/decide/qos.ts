// The quality-of-service class of a pod. Only CPU and memory count.
import type { PodSpec } from '../../ports/pod-types.ts';
import { computeResources } from './quantity.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** @see kubelet behaviour, "Resources and cgroups": QoS class */
export function qosClass(spec: PodSpec): QosClass {
  let asked = false;
  let guaranteed = true;
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const { cpuRequestMillis, cpuLimitMillis, memoryRequestBytes, memoryLimitBytes } = computeResources(container);
    if (cpuRequestMillis + cpuLimitMillis + memoryRequestBytes + memoryLimitBytes > 0) asked = true;
    if (cpuLimitMillis === 0 || cpuLimitMillis !== cpuRequestMillis) guaranteed = false;
    if (memoryLimitBytes === 0 || memoryLimitBytes !== memoryRequestBytes) guaranteed = false;
  }
  if (!asked) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
