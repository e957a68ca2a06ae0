// What a pod asks of its node, by resource: the sum of what runs at once, at its highest.
import type { Container, PodSpec } from '../../ports/pod-types.ts';
import { thousandths, wholeUnits } from './quantity.ts';

/** By resource name: thousandths of a CPU for `cpu`, whole units for all others. */
export type Amounts = Readonly<Record<string, number>>;

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

/** Every resource any container requests, with the pod's overhead. An absent request is the limit. */
export function podRequests(spec: PodSpec): Amounts {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const names = new Set(all.flatMap(({ resources }) => [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})]));
  for (const name of Object.keys(spec.overhead ?? {})) names.add(name);
  const requests: Record<string, number> = {};
  for (const name of names) {
    const ofContainers = effectiveAmount(spec, ({ resources }) => amountOf(name, resources?.requests?.[name] ?? resources?.limits?.[name]));
    requests[name] = ofContainers + amountOf(name, spec.overhead?.[name]);
  }
  return requests;
}

function amountOf(name: string, quantity: string | undefined): number {
  return name === 'cpu' ? thousandths(quantity) : wholeUnits(quantity);
}
