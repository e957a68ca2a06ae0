// CPU, memory and out-of-memory score as the runtime takes them.
import type { Container, DesiredPod, PodSpec } from '../../ports/pod-types.ts';
import { unlimited } from '../../ports/cgroups-port.ts';
import type { LinuxResources } from '../../ports/runtime-port.ts';
import type { NodeSettings } from './node-settings.ts';
import { isCriticalPod } from './critical-pods.ts';
import { qosClass } from './qos.ts';
import { type ComputeResources, computeResources, podComputeResources, thousandths, wholeUnits } from './quantity.ts';

export const cpuPeriodMicros = 100_000;
const cpuQuotaMicrosMin = 1_000;
export const cpuSharesMin = 2;
const cpuSharesMax = 262_144;
const sharesPerCpu = 1_024;

const oomScoreGuaranteed = -997;
const oomScoreBestEffort = 1_000;
const oomScoreBurstableMin = 3;
const oomScoreBurstableMax = 999;

/** Resources of this name are pages of the size behind it. */
export const hugepagesPrefix = 'hugepages-';

const nodeCriticalClass = 'system-node-critical';

/** @see kubelet behaviour, "Resources and cgroups": conversion */
export function containerResources(desired: DesiredPod, container: Container, { memoryBytes }: Pick<NodeSettings, 'memoryBytes'>): LinuxResources {
  const resources = computeResources(container);
  const hugepageLimits = hugepageLimitsOf(container);
  return {
    ...linuxResources(resources),
    oomScoreAdj: oomScore(desired, resources, memoryBytes),
    ...(hugepageLimits.length === 0 ? {} : { hugepageLimits }),
  };
}

/** What a running container's limits are changed to. 0 leaves what is there, below 0 takes a limit away. */
export function resizedResources(container: Container, before: Container['resources']): LinuxResources {
  const [now, was] = [computeResources(container), computeResources({ resources: before ?? {} })];
  const { cpuQuota: quota, memoryLimitInBytes, ...rest } = linuxResources(now);
  const memory = memoryLimitInBytes > 0 ? memoryLimitInBytes : was.memoryLimitBytes > 0 ? unlimited : 0;
  return {
    ...rest,
    cpuQuota: quota > 0 ? quota : was.cpuLimitMillis > 0 ? unlimited : 0,
    memoryLimitInBytes: memory,
    // Else the kernel would keep the sum of memory and swap where it was.
    memorySwapLimitInBytes: memory,
  };
}

/** The pod as a whole, for runtimes that size the sandbox. */
export function sandboxResources(spec: PodSpec): LinuxResources {
  return linuxResources(podComputeResources(spec));
}

/** What the sandbox costs beside its containers; undefined when the pod names nothing. */
export function sandboxOverhead({ overhead = {} }: PodSpec): LinuxResources | undefined {
  if (Object.keys(overhead).length === 0) return undefined;
  const cpuMillis = thousandths(overhead['cpu']);
  const memoryBytes = wholeUnits(overhead['memory']);
  return linuxResources({ cpuRequestMillis: cpuMillis, cpuLimitMillis: cpuMillis, memoryRequestBytes: memoryBytes, memoryLimitBytes: memoryBytes });
}

function linuxResources({ cpuRequestMillis, cpuLimitMillis, memoryLimitBytes }: ComputeResources): LinuxResources {
  return {
    cpuPeriod: cpuPeriodMicros,
    cpuQuota: cpuQuota(cpuLimitMillis),
    cpuShares: cpuShares(cpuRequestMillis),
    memoryLimitInBytes: memoryLimitBytes,
    oomScoreAdj: 0,
  };
}

/** CRI and cgroups write the size of a page as the kernel does: `2MB` for `2Mi`. */
export function kernelPageSize(size: string): string {
  return size.replace(/i$/, 'B');
}

function hugepageLimitsOf({ resources }: Container): readonly { readonly pageSize: string; readonly limit: number }[] {
  return Object.entries(resources?.limits ?? {})
    .filter(([name]) => name.startsWith(hugepagesPrefix))
    .map(([name, quantity]) => ({ pageSize: kernelPageSize(name.slice(hugepagesPrefix.length)), limit: wholeUnits(quantity) }));
}

/** Relative weight of `millis` thousandths of a CPU. */
export function cpuShares(millis: number): number {
  return Math.min(cpuSharesMax, Math.max(cpuSharesMin, Math.floor((millis * sharesPerCpu) / 1_000)));
}

/** Microseconds per period; 0 is unlimited. */
export function cpuQuota(limitMillis: number): number {
  return limitMillis === 0 ? 0 : Math.max(cpuQuotaMicrosMin, Math.floor((limitMillis * cpuPeriodMicros) / 1_000));
}

/** Whom the kernel kills first when memory runs out: the larger the sooner. */
function oomScore(desired: DesiredPod, { memoryRequestBytes }: ComputeResources, nodeMemoryBytes: number): number {
  const { spec } = desired.pod;
  if (isCriticalPod(desired) && spec.priorityClassName === nodeCriticalClass) return oomScoreGuaranteed;
  const quality = qosClass(spec);
  switch (quality) {
    case 'Guaranteed':
      return oomScoreGuaranteed;
    case 'BestEffort':
      return oomScoreBestEffort;
    case 'Burstable': {
      const share = Math.floor((1_000 * memoryRequestBytes) / Math.max(1, nodeMemoryBytes));
      return Math.min(oomScoreBurstableMax, Math.max(oomScoreBurstableMin, 1_000 - share));
    }
    default:
      return quality satisfies never;
  }
}
