// Resources of a pod that runs: what it was granted, whether it may have what it asks for now, and what that means for each container.
// CPU and memory only; everything else of a container's resources stays as it was.
import type { Container, DesiredPod, PendingResize, PodSpec } from '../../ports/pod-types.ts';
import type { ObservedContainer } from '../../ports/runtime-port.ts';
import { type AdmittingNode, resourceShortage } from './admission.ts';
import { type Actuated, actuatedOf, type Allocation, type Granted, grantedOf, resizable, sameGranted } from './granted.ts';
import { isSidecar } from './pod-phase.ts';
import { podRequests } from './pod-requests.ts';
import { qosClass } from './qos.ts';

/** Regular containers and sidecars. */
export function resizableContainers(spec: PodSpec): readonly Container[] {
  return [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
}

export function allocationOf(spec: PodSpec): Allocation {
  return Object.fromEntries(resizableContainers(spec).map((container) => [container.name, grantedOf(container)]));
}

/** The pod with what it was granted in place of what it asks for. Of a pod that has what it asks for: the pod itself. */
export function withAllocation(desired: DesiredPod, allocation: Allocation, pending?: PendingResize): DesiredPod {
  const { spec } = desired.pod;
  const differs = resizableContainers(spec).some((container) => !sameGranted(allocation[container.name] ?? grantedOf(container), grantedOf(container)));
  if (!differs) return desired;
  const names = new Set(resizableContainers(spec).map(({ name }) => name));
  const granted = (container: Container): Container => {
    const own = names.has(container.name) ? allocation[container.name] : undefined;
    return own === undefined ? container : { ...container, resources: withGranted(container, own) };
  };
  const granting: PodSpec = { ...spec, containers: spec.containers.map(granted), ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(granted) }) };
  return { ...desired, pod: { ...desired.pod, spec: granting }, ...(pending === undefined ? {} : { pendingResize: pending }) };
}

/** Resources of a container with other amounts of CPU and memory. */
export function withGranted({ resources = {} }: Container, granted: Granted): NonNullable<Container['resources']> {
  const list = (name: 'limits' | 'requests') => {
    const others = Object.entries(resources[name] ?? {}).filter(([resource]) => resource !== 'cpu' && resource !== 'memory');
    const all = { ...Object.fromEntries(others), ...granted[name] };
    return Object.keys(all).length === 0 ? {} : { [name]: all };
  };
  const { limits: _limits, requests: _requests, ...rest } = resources;
  return { ...rest, ...list('limits'), ...list('requests') };
}

export type ResizeDecision =
  /** The pod has what it asks for. */
  | { readonly kind: 'none' }
  | { readonly kind: 'granted'; readonly allocation: Allocation }
  | { readonly kind: 'pending'; readonly pending: PendingResize };

/**
 * @param wanted the pod as its source has it
 * @param others all other pods that have or will have containers, as they were granted
 * @see kubelet behaviour, "In-place resize": decision
 */
export function decideResize(wanted: DesiredPod, allocation: Allocation, node: AdmittingNode, others: readonly DesiredPod[]): ResizeDecision {
  const granted = withAllocation(wanted, allocation);
  if (granted === wanted) return { kind: 'none' };
  const infeasible = infeasibleBecause(wanted, granted, node);
  if (infeasible !== undefined) return { kind: 'pending', pending: { reason: 'Infeasible', message: infeasible } };
  const short = growing(wanted, granted) ? resourceShortage(wanted, node, others) : undefined;
  if (short !== undefined) return { kind: 'pending', pending: { reason: 'Deferred', message: short.message } };
  return { kind: 'granted', allocation: allocationOf(wanted.pod.spec) };
}

function infeasibleBecause(wanted: DesiredPod, granted: DesiredPod, { allocatable }: AdmittingNode): string | undefined {
  if (wanted.source === 'file') return 'In-place resize of static-pods is not supported';
  if (qosClass(wanted.pod.spec) !== qosClass(granted.pod.spec)) return 'Pod QOS Class may not change as a result of resizing';
  const requests = podRequests(wanted.pod.spec);
  for (const resource of ['memory', 'cpu']) {
    const [requested = 0, capacity] = [requests[resource], allocatable[resource]];
    if (capacity !== undefined && requested > capacity) return `Node didn't have enough capacity: ${resource}, requested: ${requested}, capacity: ${Math.floor(capacity)}`;
  }
  return undefined;
}

/** A pod that asks for less of everything needs no room. */
function growing(wanted: DesiredPod, granted: DesiredPod): boolean {
  const [now, before] = [podRequests(wanted.pod.spec), podRequests(granted.pod.spec)];
  return resizable.some((resource) => (now[resource] ?? 0) > (before[resource] ?? 0));
}

/** What a running container needs to have what it was granted. */
export function resizeAction(container: Container, running: Pick<ObservedContainer, 'id' | 'annotations'>, actuated: Actuated): 'none' | 'update' | 'restart' {
  const has = actuatedOf(running, actuated);
  const wants = grantedOf(container);
  if (has === undefined || sameGranted(has, wants)) return 'none';
  const changed = resizable.filter((name) => !sameGranted(part(has, name), part(wants, name)));
  const restarts = (container.resizePolicy ?? []).some(({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && changed.some((name) => name === resourceName));
  return restarts ? 'restart' : 'update';
}

function part({ limits, requests }: Granted, name: 'cpu' | 'memory'): Granted {
  const [limit, request] = [limits?.[name], requests?.[name]];
  return { ...(limit === undefined ? {} : { limits: { [name]: limit } }), ...(request === undefined ? {} : { requests: { [name]: request } }) };
}

/** The specification as the running containers have it now: what the pod's cgroup still has to allow. */
export function actuatedSpec(desired: DesiredPod, observed: readonly ObservedContainer[], actuated: Actuated): PodSpec {
  const had = resizableContainers(desired.pod.spec).flatMap(({ name }) => {
    const running = observed.find((container) => container.name === name && container.state === 'running');
    const has = running === undefined ? undefined : actuatedOf(running, actuated);
    return has === undefined ? [] : [[name, has] as const];
  });
  return withAllocation(desired, Object.fromEntries(had)).pod.spec;
}
