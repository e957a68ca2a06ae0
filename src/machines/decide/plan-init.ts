// How far a pod's init containers have come, and what they need next. Sidecars are init containers that go on beside the others.
import type { Container, DesiredPod } from '../../ports/pod-types.ts';
import type { ObservedContainer, ObservedPod, ObservedSandbox } from '../../ports/runtime-port.ts';
import { killStep, type KillStep, reasonToKill } from './plan-kills.ts';
import type { Actuated } from './granted.ts';
import { isSidecar } from './pod-phase.ts';
import type { ProbeResults } from './probe-effects.ts';
import { restartPolicyOf } from './restart-policy.ts';

export interface InitPlan {
  /** `failed`: the pod cannot come to be any more. */
  readonly kind: 'initialised' | 'initialising' | 'failed';
  /** In the order of the specification. */
  readonly starts: readonly Container[];
  readonly kills: readonly KillStep[];
}

export interface InitInput {
  readonly desired: DesiredPod;
  readonly observed: ObservedPod;
  readonly probes: ProbeResults;
  readonly actuated?: Actuated;
}

const initialised: InitPlan = { kind: 'initialised', starts: [], kills: [] };

/** Regular init containers run one at a time, in order; only instances in the present sandbox count. @see kubelet behaviour, "Init containers and sidecars" */
export function planInit(input: InitInput, sandbox: ObservedSandbox): InitPlan {
  const { containers, initContainers: inits = [] } = input.desired.pod.spec;
  if (inits.length === 0) return initialised;
  const here = (name: string) => input.observed.containers.find((container) => container.name === name && container.sandboxId === sandbox.id);
  const isDone = containers.some(({ name }) => here(name) !== undefined) || leadsOn(inits.at(-1), here(inits.at(-1)?.name ?? ''), input);
  const sidecars = (upTo: number) => keepSidecars(inits.slice(0, upTo), here, input);
  if (isDone) return { kind: 'initialised', ...sidecars(inits.length) };
  const at = inits.findLastIndex(({ name }) => here(name) !== undefined);
  const current = inits[at];
  const first = inits[0];
  if (current === undefined) return { kind: 'initialising', starts: first === undefined ? [] : [first], kills: [] };
  const own = nextOf(current, here(current.name), inits[at + 1], input);
  if (own === 'failed') return { kind: 'failed', starts: [], kills: [] };
  const older = sidecars(at);
  return { kind: 'initialising', starts: [...older.starts, ...own.starts], kills: [...older.kills, ...own.kills] };
}

/** Whether what comes after this init container may begin. */
function leadsOn(container: Container | undefined, last: ObservedContainer | undefined, { probes }: InitInput): boolean {
  if (container === undefined || last === undefined) return false;
  if (!isSidecar(container)) return last.state === 'exited' && last.exitCode === 0;
  return last.state === 'running' && (container.startupProbe === undefined || probes.get(last.id)?.startup === 'success');
}

type Needs = Pick<InitPlan, 'starts' | 'kills'>;

/** The init container that has come farthest decides what is next. */
function nextOf(container: Container, last: ObservedContainer | undefined, next: Container | undefined, input: InitInput): Needs | 'failed' {
  if (last === undefined) return { starts: [container], kills: [] };
  const kill = last.state === 'running' && isSidecar(container) ? reasonToKill(last, container, input) : undefined;
  if (kill !== undefined) return { starts: [container], kills: [kill.step] };
  if (leadsOn(container, last, input)) return { starts: next === undefined ? [] : [next], kills: [] };
  if (last.state === 'running') return { starts: [], kills: [] };
  if (last.state === 'created') return { starts: [container], kills: [] };
  if (!isSidecar(container) && restartPolicyOf(input.desired.pod.spec) === 'Never') return 'failed';
  const kills = last.state === 'unknown' ? [killStep(last, `Init container is in "unknown" state, try killing it before restart`)] : [];
  return { starts: [container], kills };
}

/** Sidecars that are to be running: those that do not are started, those that must not go on are replaced. */
function keepSidecars(inits: readonly Container[], here: (name: string) => ObservedContainer | undefined, input: InitInput): Needs {
  const starts: Container[] = [];
  const kills: KillStep[] = [];
  for (const container of inits) {
    if (!isSidecar(container)) continue;
    const last = here(container.name);
    if (last?.state === 'running') {
      const kill = reasonToKill(last, container, input);
      if (kill === undefined) continue;
      kills.push(kill.step);
    } else if (last?.state === 'unknown') {
      kills.push(killStep(last, `Init container is in "unknown" state, try killing it before restart`));
    }
    starts.push(container);
  }
  return { starts, kills };
}
