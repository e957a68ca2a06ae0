// Which dead containers and sandboxes of a living pod are no longer needed.
import type { ObservedPod } from '../../ports/runtime-port.ts';
import type { PlanStep } from './plan-pod.ts';

/**
 * Keeps the newest dead instances of each container name and the newest sandbox; an older sandbox goes with its last container.
 * @param deadContainersMaxPerName one at least, so that `logs --previous` and lastState have it
 * @see kubelet behaviour, "Containers, sandboxes, logs"
 */
export function planCleanup(observed: ObservedPod, deadContainersMaxPerName = 1): readonly PlanStep[] {
  const steps: PlanStep[] = [];
  const deadByName = new Map<string, number>();
  const keptIn = new Set<string>();
  for (const container of observed.containers) {
    const dead = container.state === 'exited' || container.state === 'created';
    const seen = deadByName.get(container.name) ?? 0;
    if (dead) deadByName.set(container.name, seen + 1);
    if (dead && seen >= deadContainersMaxPerName) steps.push({ do: 'removeContainer', id: container.id, name: container.name });
    else keptIn.add(container.sandboxId);
  }
  for (const sandbox of observed.sandboxes.slice(1)) {
    if (sandbox.state === 'notReady' && !keptIn.has(sandbox.id)) steps.push({ do: 'removeSandbox', id: sandbox.id });
  }
  return steps;
}
