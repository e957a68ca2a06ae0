// Limits that pods set themselves on what they keep on the node's disk, and what is said of a pod that is over one.
import type { DesiredPod, PodSpec } from '../../ports/pod-types.ts';
import { diskOf, type PodUsage } from './eviction-ranking.ts';
import { effectiveAmount, wholeUnits } from './quantity.ts';
import { binaryQuantity, canonicalQuantity } from './quantity-text.ts';

export interface LimitExceeded {
  /** As the evictions are counted. */
  readonly signal: 'emptydirfs.limit' | 'ephemeralpodfs.limit' | 'ephemeralcontainerfs.limit';
  readonly message: string;
}

const storage = 'ephemeral-storage';

/** Only such pods are measured. */
export function hasLocalStorageLimits({ pod: { spec } }: DesiredPod): boolean {
  return limitedVolumes(spec).length > 0 || podLimit(spec) > 0;
}

/** Whether what its containers write counts, beside volumes. */
export function limitsContainers({ pod: { spec } }: DesiredPod): boolean {
  return podLimit(spec) > 0;
}

/** An emptyDir in memory or huge pages has its size from its mount: it cannot be exceeded. */
function limitedVolumes({ volumes = [] }: PodSpec): readonly { readonly name: string; readonly limit: string }[] {
  return volumes.flatMap(({ name, emptyDir }) => {
    const limit = emptyDir?.sizeLimit;
    return limit === undefined || Boolean(emptyDir?.medium) || wholeUnits(limit) <= 0 ? [] : [{ name, limit }];
  });
}

/** The sum of those containers that have one. */
function podLimit(spec: PodSpec): number {
  return effectiveAmount(spec, ({ resources }) => wholeUnits(resources?.limits?.[storage]));
}

/**
 * The first limit a pod is over: of a volume, of the pod as a whole, of a container.
 * @param options.separateImages writable layers are on a file system of their own, and no part of a container's limit
 * @see kubelet behaviour, "Effect of an eviction"
 */
export function limitExceeded({ pod: { spec } }: DesiredPod, usage: PodUsage, options: { readonly separateImages: boolean }): LimitExceeded | undefined {
  for (const { name, limit } of limitedVolumes(spec)) {
    if ((usage.volumes.get(name)?.bytes ?? 0) > wholeUnits(limit)) {
      return { signal: 'emptydirfs.limit', message: `Usage of EmptyDir volume "${name}" exceeds the limit "${canonicalQuantity(limit)}". ` };
    }
  }
  const whole = podLimit(spec);
  if (whole > 0 && diskOf(usage, ['root', 'logs', 'volumes']).bytes > whole) {
    return { signal: 'ephemeralpodfs.limit', message: `Pod ephemeral local storage usage exceeds the total limit of containers ${binaryQuantity(whole)}. ` };
  }
  for (const { name, resources } of spec.containers) {
    const limit = resources?.limits?.[storage];
    const used = usage.containers.find((each) => each.name === name);
    const bytes = (used?.logs?.bytes ?? 0) + (options.separateImages ? 0 : (used?.root?.bytes ?? 0));
    if (limit !== undefined && wholeUnits(limit) > 0 && bytes > wholeUnits(limit)) {
      return { signal: 'ephemeralcontainerfs.limit', message: `Container ${name} exceeded its local ephemeral storage limit "${canonicalQuantity(limit)}". ` };
    }
  }
  return undefined;
}
