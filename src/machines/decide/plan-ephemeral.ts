// Ephemeral containers: added to a running pod to look into it, started once, never again. They are no part of what the pod is for:
// nothing waits for them, and they keep nothing alive.
import type { Container, ContainerId, PodSpec } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { ObservedPod, ObservedSandbox } from '../../ports/runtime-port.ts';
import type { PlanInput, PlanStep } from './plan-pod.ts';

export type EphemeralContainer = NonNullable<PodSpec['ephemeralContainers']>[number];

/** What it has in common with others: the rest is forbidden to it. */
export function asContainer({ targetContainerName: _target, ...container }: EphemeralContainer): Container {
  return container;
}

/** All containers of a pod, in the order in which they may start. */
export function allContainers({ initContainers = [], containers, ephemeralContainers = [] }: PodSpec): readonly Container[] {
  const common = [...initContainers, ...containers];
  return ephemeralContainers.length === 0 ? common : [...common, ...ephemeralContainers.map(asContainer)];
}

/**
 * Those that have never been made are started, even before the pod is initialised; one that was made and never run is finished.
 * What the API's copy of the pod shows as ended has run, though the runtime knows nothing of it any more.
 */
export function planEphemeral({ desired, observed }: Pick<PlanInput, 'desired' | 'observed'>, sandbox: ObservedSandbox): readonly PlanStep[] {
  const { spec, status } = desired.pod;
  const steps: PlanStep[] = [];
  for (const { name } of spec.ephemeralContainers ?? []) {
    const last = observed.containers.find((container) => container.name === name);
    const start = { do: 'startContainer', name, role: 'ephemeral', restartCount: 0 } as const;
    if (last?.state === 'created' && last.sandboxId === sandbox.id) steps.push({ ...start, created: last.id });
    if (last !== undefined) continue;
    const shown = status?.ephemeralContainerStatuses?.find((each) => each.name === name)?.state;
    if (shown?.terminated === undefined && shown?.running === undefined) steps.push(start);
  }
  return steps;
}

/** The container whose processes it sees; `undefined` where it names none. The fault is a message for its waiting state. */
export function targetOf({ ephemeralContainers = [] }: PodSpec, observed: ObservedPod, name: string): Result<ContainerId | undefined, string> {
  const target = ephemeralContainers.find((container) => container.name === name)?.targetContainerName;
  if (target === undefined || target === '') return ok(undefined);
  const found = observed.containers.find((container) => container.name === target);
  return found === undefined ? fail(`unable to find target container ${target}`) : ok(found.id);
}
