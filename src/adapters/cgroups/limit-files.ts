// Limits as the files of cgroup v1 and v2 have them. Pure: names and texts, no writing.
import { type CgroupLimits, unlimited } from '../../ports/cgroups-port.ts';

export interface LimitFile {
  readonly controller: 'cpu' | 'memory' | 'pids' | 'hugetlb';
  readonly name: string;
  readonly text: string;
  /** What a new cgroup has anyhow. */
  readonly isDefault: boolean;
}

const cpuPeriodDefault = 100_000;
const cpuSharesMin = 2;
const cpuSharesRange = 262_142;
const cpuWeightRange = 9_999;

/** In the order in which they are to be written. */
export function limitFiles(limits: CgroupLimits, version: 1 | 2): readonly LimitFile[] {
  return version === 1 ? filesOfV1(limits) : filesOfV2(limits);
}

function filesOfV1({ cpuShares, cpuQuota, cpuPeriod, memoryBytes, pidsMax, hugepageBytes = {} }: CgroupLimits): LimitFile[] {
  return [
    ...one('cpu', 'cpu.shares', cpuShares),
    ...one('cpu', 'cpu.cfs_period_us', cpuPeriod, cpuPeriod === cpuPeriodDefault),
    ...one('cpu', 'cpu.cfs_quota_us', cpuQuota, cpuQuota === unlimited),
    ...one('memory', 'memory.limit_in_bytes', memoryBytes, memoryBytes === unlimited),
    ...one('pids', 'pids.max', orMax(pidsMax), pidsMax === unlimited),
    ...Object.entries(hugepageBytes).flatMap(([size, bytes]) => one('hugetlb', `hugetlb.${size}.limit_in_bytes`, bytes)),
  ];
}

function filesOfV2({ cpuShares, cpuQuota, cpuPeriod = cpuPeriodDefault, memoryBytes, pidsMax, hugepageBytes = {} }: CgroupLimits): LimitFile[] {
  return [
    ...one('cpu', 'cpu.weight', cpuShares === undefined ? undefined : weightOfShares(cpuShares)),
    ...one('cpu', 'cpu.max', cpuQuota === undefined ? undefined : `${orMax(cpuQuota)} ${cpuPeriod}`, cpuQuota === unlimited),
    ...one('memory', 'memory.max', orMax(memoryBytes), memoryBytes === unlimited),
    ...one('pids', 'pids.max', orMax(pidsMax), pidsMax === unlimited),
    ...Object.entries(hugepageBytes).flatMap(([size, bytes]) => one('hugetlb', `hugetlb.${size}.max`, bytes)),
  ];
}

function one(controller: LimitFile['controller'], name: string, value: number | string | undefined, isDefault = false): LimitFile[] {
  return value === undefined ? [] : [{ controller, name, text: String(value), isDefault }];
}

function orMax(value: number | undefined): number | string | undefined {
  return value === unlimited ? 'max' : value;
}

/** The mapping of kubelet and runc: 2 to 262,144 shares become 1 to 10,000. */
export function weightOfShares(shares: number): number {
  return 1 + Math.floor(((Math.max(cpuSharesMin, shares) - cpuSharesMin) * cpuWeightRange) / cpuSharesRange);
}
