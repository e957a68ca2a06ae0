// What a pod asks of its node, by resource: the sum of what runs at once, at its highest.
import type { PodSpec } from '../../ports/pod-types.ts';
import { effectiveAmount, thousandths, wholeUnits } from './quantity.ts';

/** By resource name: thousandths of a CPU for `cpu`, whole units for all others. */
export type Amounts = Readonly<Record<string, number>>;

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
