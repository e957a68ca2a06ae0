// The part of a plan that gives running containers what their pod was granted: the pod's cgroup first widened, then the containers,
// then the cgroup as it shall be.
import type { Container } from '../../ports/pod-types.ts';
import { actuatedOf, nothingActuated } from './granted.ts';
import type { PlanInput, PlanStep } from './plan-pod.ts';
import { computeResources } from './quantity.ts';
import { resizeAction, resizableContainers } from './resize.ts';

/** @returns the steps before and after, with those of a resize around them where one is due */
export function withResize(input: PlanInput, before: readonly PlanStep[], after: readonly PlanStep[]): readonly PlanStep[] {
  const { desired, observed, actuated = nothingActuated } = input;
  const ending = new Set(before.map((step) => (step.do === 'killContainer' ? step.id : undefined)));
  const updates: { readonly step: PlanStep; readonly shrinks: boolean }[] = [];
  let restarts = false;
  for (const container of resizableContainers(desired.pod.spec)) {
    const last = observed.containers.find(({ name }) => name === container.name);
    if (last?.state !== 'running') continue;
    const action = resizeAction(container, last, actuated);
    if (action === 'restart') restarts = true;
    if (action !== 'update' || ending.has(last.id)) continue;
    updates.push({ step: { do: 'updateContainerResources', id: last.id, name: container.name }, shrinks: shrinks(container, actuatedOf(last, actuated)) });
  }
  if (updates.length === 0 && !restarts) return [...before, ...after];
  // What is given back first may be what another one gets.
  const inOrder = [...updates.filter((update) => update.shrinks), ...updates.filter((update) => !update.shrinks)].map(({ step }) => step);
  return [{ do: 'raisePodCgroup' }, ...before, ...inOrder, ...after, { do: 'settlePodCgroup' }];
}

function shrinks(container: Container, has: Pick<Container, 'resources'>['resources']): boolean {
  const [now, before] = [computeResources(container), computeResources(has === undefined ? {} : { resources: has })];
  return now.memoryLimitBytes < before.memoryLimitBytes || now.cpuLimitMillis < before.cpuLimitMillis;
}

/** Whether containers of the pod are still to be given what it was granted. */
export function isResizing({ steps }: { readonly steps: readonly PlanStep[] }): boolean {
  return steps.some((step) => step.do === 'raisePodCgroup');
}
