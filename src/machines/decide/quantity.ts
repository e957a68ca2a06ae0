// Resources of containers and pods in whole units: thousandths of a CPU, bytes. Quantities were validated at ingress.
import type { Container, PodSpec } from '../../ports/pod-types.ts';
import { parseQuantity } from '../../ports/quantity.ts';

/** @returns whole units, rounded up as the API does; 0 for an absent or unreadable quantity */
export function wholeUnits(quantity: string | undefined): number {
  return roundedUp(quantityOf(quantity));
}

/** @returns whole thousandths, rounded up as the API does; 0 for an absent or unreadable quantity */
export function thousandths(quantity: string | undefined): number {
  return roundedUp(quantityOf(quantity) * 1_000);
}

function quantityOf(quantity: string | undefined): number {
  return quantity === undefined ? 0 : (parseQuantity(quantity) ?? 0);
}

/** Up, but not because of the last digits of a binary fraction: `0.29` times a thousand is 290. */
function roundedUp(value: number): number {
  return Math.ceil(Number(value.toPrecision(15)));
}

/** What one container, or a pod as a whole, asks for. 0 where nothing is asked; an absent request is the limit. */
export interface ComputeResources {
  readonly cpuRequestMillis: number;
  readonly cpuLimitMillis: number;
  readonly memoryRequestBytes: number;
  readonly memoryLimitBytes: number;
}

export function computeResources({ resources }: Pick<Container, 'resources'>): ComputeResources {
  const { limits, requests } = resources ?? {};
  return {
    cpuRequestMillis: thousandths(requests?.['cpu'] ?? limits?.['cpu']),
    cpuLimitMillis: thousandths(limits?.['cpu']),
    memoryRequestBytes: wholeUnits(requests?.['memory'] ?? limits?.['memory']),
    memoryLimitBytes: wholeUnits(limits?.['memory']),
  };
}

const requestKeys = ['cpuRequestMillis', 'memoryRequestBytes'] as const;
const limitKeys = ['cpuLimitMillis', 'memoryLimitBytes'] as const;

/**
 * A value of a pod from those of its containers: regular ones and sidecars together, or an init container beside the sidecars
 * before it where that is more.
 * @see kubelet behaviour, "Predicates": requests of a pod
 */
export function effectiveAmount({ containers, initContainers = [] }: Pick<PodSpec, 'containers' | 'initContainers'>, amountOf: (container: Container) => number): number {
  let sidecars = 0;
  let peak = 0;
  for (const container of initContainers) {
    const amount = amountOf(container);
    if (container.restartPolicy === 'Always') sidecars += amount;
    peak = Math.max(peak, container.restartPolicy === 'Always' ? sidecars : sidecars + amount);
  }
  return Math.max(peak, containers.reduce((sum, container) => sum + amountOf(container), sidecars));
}

/** Of the pod as a whole. A limit is 0 (none) as soon as one container has none. */
export function podComputeResources(spec: PodSpec): ComputeResources {
  const all = [...spec.containers, ...(spec.initContainers ?? [])].map(computeResources);
  const total = { cpuRequestMillis: 0, cpuLimitMillis: 0, memoryRequestBytes: 0, memoryLimitBytes: 0 };
  for (const key of [...requestKeys, ...limitKeys]) total[key] = effectiveAmount(spec, (container) => computeResources(container)[key]);
  for (const key of limitKeys) {
    if (all.some((container) => container[key] === 0)) total[key] = 0;
  }
  return total;
}
