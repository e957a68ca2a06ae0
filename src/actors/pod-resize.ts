// Gives one running container of a pod the CPU and memory that the pod was granted, and tells what came of it.
import { actuatedOf, grantedOf } from '../machines/decide/granted.ts';
import type { PlanStep } from '../machines/decide/plan-pod.ts';
import { computeResources } from '../machines/decide/quantity.ts';
import { actuatedSpec, resizableContainers } from '../machines/decide/resize.ts';
import { resizedResources } from '../machines/decide/resources.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { DesiredPod } from '../ports/pod-types.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { ObservedPod } from '../ports/runtime-port.ts';
import type { PodDeps } from './pod-deps.ts';

type StepResult = Result<void, RuntimeFault>;

export async function raisePodCgroup(deps: PodDeps, desired: DesiredPod, observed: ObservedPod): Promise<StepResult> {
  note(deps, desired, 'Normal', 'ResizeStarted', `Pod resize started: ${resizeText(desired)}`);
  const before = actuatedSpec(desired, observed.containers, deps.resizer.actuatedOf(desired.uid));
  return asStep((await deps.cgroups?.raise(desired, before)) ?? ok());
}

/** Once no container is left behind; else the pod keeps what both need, and the next sync tries again. */
export async function settlePodCgroup(deps: PodDeps, desired: DesiredPod): Promise<StepResult> {
  if (deps.resizer.errorsOf(desired.uid)?.size) return ok();
  const settled = (await deps.cgroups?.settle(desired)) ?? ok();
  if (settled.ok) note(deps, desired, 'Normal', 'ResizeCompleted', `Pod resize completed: ${resizeText(desired)}`);
  return asStep(settled);
}

/** @returns the container's own trouble, which keeps nobody else from going on; a fault where the runtime could not be asked */
export async function updateContainer(deps: PodDeps, desired: DesiredPod, step: PlanStep & { do: 'updateContainerResources' }, observed: ObservedPod): Promise<Result<string | undefined, RuntimeFault>> {
  const { runtime, resizer, cgroups } = deps;
  const container = resizableContainers(desired.pod.spec).find(({ name }) => name === step.name);
  const running = observed.containers.find(({ id }) => id === step.id);
  if (container === undefined || running === undefined) return ok(undefined);
  const before = actuatedOf(running, resizer.actuatedOf(desired.uid)) ?? {};
  const { memoryLimitBytes } = computeResources(container);
  const used = memoryLimitBytes > 0 && memoryLimitBytes < memoryLimitOf(before) ? await cgroups?.memoryUsed(desired.uid, step.id) : undefined;
  if (used !== undefined && used > memoryLimitBytes) {
    return failed(deps, desired, step.name, `attempting to set the memory limit of container ${step.name} to ${memoryLimitBytes} bytes, below its current usage of ${used} bytes`);
  }
  const updated = await runtime.updateContainerResources(step.id, resizedResources(container, before));
  if (updated.ok) {
    resizer.actuated(desired.uid, step.name, { id: step.id, granted: grantedOf(container) });
    return ok(undefined);
  }
  if (updated.fault.kind === 'rejected' || updated.fault.kind === 'unimplemented') return failed(deps, desired, step.name, updated.fault.message);
  return updated.fault.kind === 'not-found' ? ok(undefined) : updated;
}

function memoryLimitOf(granted: Parameters<typeof computeResources>[0]['resources']): number {
  const { memoryLimitBytes } = computeResources({ resources: granted ?? {} });
  return memoryLimitBytes === 0 ? Number.POSITIVE_INFINITY : memoryLimitBytes;
}

function failed(deps: PodDeps, desired: DesiredPod, container: string, error: string): Result<string, never> {
  deps.resizer.actuated(desired.uid, container, { error });
  note(deps, desired, 'Warning', 'ResizeError', `Pod resize error: ${error}`);
  return ok(error);
}

function note({ bus }: PodDeps, pod: DesiredPod, type: 'Normal' | 'Warning', reason: string, message: string): void {
  bus.publish('event.noted', { subject: { kind: 'Pod', pod }, type, reason, message });
}

/** What the containers get, as kubelet writes it into its events. */
function resizeText({ pod: { metadata, spec } }: DesiredPod): string {
  const containers = resizableContainers(spec).map((container) => ({ name: container.name, resources: grantedOf(container) }));
  return JSON.stringify({ containers, ...(metadata.generation === undefined ? {} : { generation: metadata.generation }) });
}

function asStep(result: Result<void, { readonly message: string }>): StepResult {
  return result.ok ? ok() : fail({ kind: 'rejected', message: `pod cgroup: ${result.fault.message}`, grpcCode: 0 });
}
