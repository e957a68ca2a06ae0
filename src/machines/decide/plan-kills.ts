// Which running containers a plan has to kill, and what users are told of it.
import type { Container, DesiredPod } from '../../ports/pod-types.ts';
import type { ObservedContainer } from '../../ports/runtime-port.ts';
import { type Actuated, nothingActuated } from './granted.ts';
import { isSidecar } from './pod-phase.ts';
import type { PlanStep } from './plan-pod.ts';
import { probeFailure, type ProbeResults } from './probe-effects.ts';
import { restartPolicyOf } from './restart-policy.ts';
import { resizeAction } from './resize.ts';
import { containerHash, hashAnnotation } from './runtime-labels.ts';

export type KillStep = PlanStep & { readonly do: 'killContainer' };

export function killStep(container: ObservedContainer, message: string, graceMs?: number): KillStep {
  return { do: 'killContainer', id: container.id, name: container.name, message, ...(graceMs === undefined ? {} : { graceMs }) };
}

/** Why a running container must not go on as it is; `restarts` tells whether it is started again. `undefined` for one that may. */
export function reasonToKill(
  running: ObservedContainer,
  container: Container,
  { desired, probes, actuated }: { readonly desired: DesiredPod; readonly probes: ProbeResults; readonly actuated?: Actuated },
): { readonly step: KillStep; readonly restarts: boolean } | undefined {
  const sidecar = isSidecar(container);
  const restarts = sidecar || restartPolicyOf(desired.pod.spec) !== 'Never';
  const told = (what: string, again: boolean): string => (sidecar ? `Init container ${container.name} ${what}` : `Container ${container.name} ${what}${again ? ', will be restarted' : ''}`);
  if (running.annotations[hashAnnotation] !== containerHash(container)) return { step: killStep(running, told('definition changed', true)), restarts: true };
  const failure = probeFailure(container, running.id, probes);
  if (failure === undefined) return needsRestart(running, container, actuated) ? { step: killStep(running, `Container ${container.name} resize requires restart`), restarts: true } : undefined;
  return { step: killStep(running, told(`failed ${failure.probe} probe`, restarts), failure.graceMs), restarts };
}

/** Whether it has to be made anew to have what it was granted. */
export function needsRestart(running: ObservedContainer, container: Container, actuated: Actuated = nothingActuated): boolean {
  return resizeAction(container, running, actuated) === 'restart';
}
