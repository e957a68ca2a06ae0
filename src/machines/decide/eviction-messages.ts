// What is said of an eviction: the message of event, status and condition, and the event's annotations. Kubelet's wording.
import type { EvictionSignal, EvictionThreshold } from '../../ports/eviction.ts';
import type { DesiredPod } from '../../ports/pod-types.ts';
import { type ContainerUsage, type PodUsage, type StarvedResource, starvedResource } from './eviction-ranking.ts';
import { type Observations, thresholdQuantity } from './eviction-thresholds.ts';
import { wholeUnits } from './quantity.ts';
import { binaryQuantity, canonicalQuantity, decimalQuantity } from './quantity-text.ts';

export interface EvictionWords {
  readonly message: string;
  /** Which containers are to blame, and how much each used, in the same order. */
  readonly annotations: Readonly<Record<string, string>>;
}

export interface EvictionCase {
  readonly signal: EvictionSignal;
  /** Those that call for action now: the first of the same resource that was observed is named. */
  readonly due: readonly EvictionThreshold[];
  readonly observations: Observations;
}

export function evictionWords({ signal, due, observations }: EvictionCase, { pod }: DesiredPod, usage: PodUsage | undefined): EvictionWords {
  const resource = starvedResource[signal];
  const blamed = blamedContainers(pod.spec, usage, resource);
  const blames = blamed.map(({ name, used, request }) => `Container ${name} was using ${used}, request is ${request}, has larger consumption of ${resource}. `);
  return {
    message: [`The node was low on resource: ${resource}. `, thresholdWords(resource, due, observations), ...blames].join(''),
    annotations: usage === undefined ? {} : {
      offending_containers: blamed.map(({ name }) => name).join(','),
      offending_containers_usage: blamed.map(({ used }) => used).join(','),
      starved_resource: resource,
    },
  };
}

function thresholdWords(resource: StarvedResource, due: readonly EvictionThreshold[], observations: Observations): string {
  for (const { signal, value } of due) {
    const observed = observations[signal];
    if (starvedResource[signal] !== resource || observed === undefined) continue;
    const quantity = value.kind === 'amount' ? canonicalQuantity(value.text) : binaryQuantity(thresholdQuantity(value, observed.capacity));
    const inBytes = resource === 'memory' || resource === 'ephemeral-storage';
    return `Threshold quantity: ${quantity}, available: ${(inBytes ? binaryQuantity : decimalQuantity)(observed.available)}. `;
  }
  return '';
}

interface Blamed {
  readonly name: string;
  readonly used: string;
  readonly request: string;
}

/** Containers that use more of it than they requested. Of inodes and processes nobody knows who uses how many. */
function blamedContainers(spec: DesiredPod['pod']['spec'], usage: PodUsage | undefined, resource: StarvedResource): readonly Blamed[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return (usage?.containers ?? []).flatMap((each) => {
    const container = containers.find(({ name }) => name === each.name);
    const used = container && usedOf(each, resource);
    if (container === undefined || used === undefined) return [];
    const request = container.resources?.requests?.[resource];
    if (used <= wholeUnits(request)) return [];
    return [{ name: each.name, used: binaryQuantity(used), request: request === undefined ? '0' : canonicalQuantity(request) }];
  });
}

function usedOf({ memoryBytes, root, logs }: ContainerUsage, resource: StarvedResource): number | undefined {
  if (resource === 'memory') return memoryBytes;
  if (resource !== 'ephemeral-storage' || root === undefined || logs === undefined) return undefined;
  return root.bytes + logs.bytes;
}
