// Where a pod stands in the tree of cgroups and what its cgroup is held to: kubelet's names and numbers, for both drivers.
import type { CgroupDriver, CgroupLimits } from '../../ports/cgroups-port.ts';
import { unlimited } from '../../ports/cgroups-port.ts';
import type { DesiredPod, PodSpec, PodUid } from '../../ports/pod-types.ts';
import { type Amounts, podRequests } from './pod-requests.ts';
import { qosClass, type QosClass } from './qos.ts';
import { podComputeResources, thousandths, wholeUnits } from './quantity.ts';
import { cpuPeriodMicros, cpuQuota, cpuShares, cpuSharesMin, hugepagesPrefix, kernelPageSize } from './resources.ts';

export interface CgroupSettings {
  /** Absolute, without a trailing slash; empty for the root of the tree. */
  readonly root: string;
  /** What to use where the runtime does not say. */
  readonly driver: CgroupDriver;
  /** Whether all pods together are held to what the node has for them. */
  readonly enforcesPods: boolean;
  /** Processes of one pod; 0 and below is no limit. */
  readonly podPidsMax: number;
}

type Place = Pick<CgroupSettings, 'root'> & { readonly driver: CgroupDriver };

const allPods = 'kubepods';
const podPrefix = 'pod';
const sliceSuffix = '.slice';

/** The cgroup of all pods, and of those that are Guaranteed. */
export function kubepodsPath(place: Place): string {
  return pathOf([allPods], place);
}

/** Parent of the cgroups of the pods of a class. */
export function qosPath(quality: QosClass, place: Place): string {
  return pathOf(partsOf(quality), place);
}

/** Of one pod; its containers' lie below. The runtime is given it as `cgroup_parent`. */
export function podCgroupPath(uid: PodUid, quality: QosClass, place: Place): string {
  return pathOf([...partsOf(quality), `${podPrefix}${uid}`], place);
}

function partsOf(quality: QosClass): readonly string[] {
  return quality === 'Guaranteed' ? [allPods] : [allPods, quality.toLowerCase()];
}

function pathOf(parts: readonly string[], { root, driver }: Place): string {
  const all = [...root.split('/').filter((part) => part !== ''), ...parts];
  if (driver === 'cgroupfs') return `/${all.join('/')}`;
  // systemd reads a dash as a step down, so those of a name become underscores, and each slice bears the names of those above it.
  const escaped = all.map((part) => part.replace(/\.slice$/, '').replaceAll('-', '_'));
  return `/${escaped.map((_, index) => `${escaped.slice(0, index + 1).join('-')}${sliceSuffix}`).join('/')}`;
}

/** The UID in the name of a pod's cgroup, as `list` gives it; undefined for other cgroups. */
export function podUidOfCgroup(name: string): PodUid | undefined {
  const own = name.endsWith(sliceSuffix) ? name.slice(name.lastIndexOf('-') + 1, -sliceSuffix.length).replaceAll('_', '-') : name;
  const [, uid] = /^pod([A-Za-z0-9][A-Za-z0-9-]*)$/.exec(own) ?? [];
  // Only a pod's own cgroup is named so.
  return uid as PodUid | undefined;
}

/**
 * A quota or a memory limit only where every container has one, for the pod's is their sum.
 * @param pageSizes of the node, as in resource names: `2Mi`
 * @see kubelet behaviour, "Resources and cgroups": levels
 */
export function podCgroupLimits(spec: PodSpec, { podPidsMax, pageSizes }: { readonly podPidsMax: number; readonly pageSizes: readonly string[] }): CgroupLimits {
  const common = {
    pidsMax: podPidsMax > 0 ? podPidsMax : unlimited,
    ...(pageSizes.length === 0 ? {} : { hugepageBytes: hugepageBytes(spec, pageSizes) }),
  };
  if (qosClass(spec) === 'BestEffort') return { cpuShares: cpuSharesMin, cpuQuota: unlimited, cpuPeriod: cpuPeriodMicros, memoryBytes: unlimited, ...common };
  const { cpuLimitMillis, memoryLimitBytes } = podComputeResources(spec);
  const { overhead } = spec;
  return {
    cpuShares: cpuShares(podRequests(spec)['cpu'] ?? 0),
    cpuQuota: cpuLimitMillis === 0 ? unlimited : cpuQuota(cpuLimitMillis + thousandths(overhead?.['cpu'])),
    cpuPeriod: cpuPeriodMicros,
    memoryBytes: memoryLimitBytes === 0 ? unlimited : memoryLimitBytes + wholeUnits(overhead?.['memory']),
    ...common,
  };
}

/** A page size the pod does not ask for is one it may not use. */
function hugepageBytes(spec: PodSpec, pageSizes: readonly string[]): Record<string, number> {
  const requests = podRequests(spec);
  return Object.fromEntries(pageSizes.map((size) => [kernelPageSize(size), requests[`${hugepagesPrefix}${size}`] ?? 0]));
}

/** The looser of two, value by value: what a pod gets while its containers move from one to the other. */
export function looserLimits(a: CgroupLimits, b: CgroupLimits): CgroupLimits {
  const looser = (x = unlimited, y = unlimited) => (x === unlimited || y === unlimited ? unlimited : Math.max(x, y));
  return { ...b, cpuShares: Math.max(a.cpuShares ?? 0, b.cpuShares ?? 0), cpuQuota: looser(a.cpuQuota, b.cpuQuota), memoryBytes: looser(a.memoryBytes, b.memoryBytes) };
}

/** Of the class as a whole: what its pods ask for together. Guaranteed pods have no class of their own. */
export function qosLimits(quality: Exclude<QosClass, 'Guaranteed'>, requestedMillis: number): CgroupLimits {
  return { cpuShares: quality === 'BestEffort' ? cpuSharesMin : cpuShares(requestedMillis) };
}

/** Thousandths of a CPU that a pod adds to its class. */
export function classMillis({ pod: { spec } }: DesiredPod): number {
  return qosClass(spec) === 'Burstable' ? (podRequests(spec)['cpu'] ?? 0) : 0;
}

/** Of all pods together. */
export function kubepodsLimits(enforced: Amounts): CgroupLimits {
  const pages = Object.entries(enforced).filter(([name]) => name.startsWith(hugepagesPrefix));
  return {
    cpuShares: cpuShares(enforced['cpu'] ?? 0),
    memoryBytes: Math.floor(enforced['memory'] ?? unlimited),
    ...(pages.length === 0 ? {} : { hugepageBytes: Object.fromEntries(pages.map(([name, bytes]) => [kernelPageSize(name.slice(hugepagesPrefix.length)), bytes])) }),
  };
}
