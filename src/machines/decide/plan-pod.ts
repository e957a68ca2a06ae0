// What to do next for one pod: desired and observed in, a list of steps out. Kubelet's computePodActions, as data.
// Pure: the pod actor executes the steps, tests and the inspector read them.
import type { Container, ContainerId, DesiredPod, SandboxId } from '../../ports/pod-types.ts';
import type { ObservedContainer, ObservedPod, ObservedSandbox } from '../../ports/runtime-port.ts';
import { type Backoff, backoffResetAfterMs, decideBackoff } from './backoff.ts';
import type { Actuated } from './granted.ts';
import { planCleanup } from './plan-cleanup.ts';
import { planEphemeral } from './plan-ephemeral.ts';
import { planInit } from './plan-init.ts';
import { killStep, needsRestart, reasonToKill } from './plan-kills.ts';
import { withResize } from './plan-resize.ts';
import { isSidecar } from './pod-phase.ts';
import { noProbeResults, type ProbeResults } from './probe-effects.ts';
import { mayRestart, restartPolicyOf } from './restart-policy.ts';
import { containerHash, hashAnnotation, restartCountOf } from './runtime-labels.ts';

export type ContainerRole = 'init' | 'sidecar' | 'app' | 'ephemeral';

export type PlanStep =
  /** Neighbouring kills are carried out side by side. `message` becomes the Killing event; `graceMs` stands for the pod's own. */
  | { readonly do: 'killContainer'; readonly id: ContainerId; readonly name: string; readonly message: string; readonly graceMs?: number }
  | { readonly do: 'stopSandbox'; readonly id: SandboxId }
  | { readonly do: 'runSandbox'; readonly attempt: number; readonly replaces: boolean }
  /** `created`: an instance that was made and never run is started instead of a new one. */
  | {
      readonly do: 'startContainer';
      readonly name: string;
      readonly role: ContainerRole;
      readonly restartCount: number | undefined;
      readonly created?: ContainerId;
    }
  /** The pod's cgroup allows both what its containers have and what they get; afterwards only what they were granted. */
  | { readonly do: 'raisePodCgroup' }
  | { readonly do: 'updateContainerResources'; readonly id: ContainerId; readonly name: string }
  | { readonly do: 'settlePodCgroup' }
  | { readonly do: 'removeContainer'; readonly id: ContainerId; readonly name: string }
  | { readonly do: 'removeSandbox'; readonly id: SandboxId };

/** A container that is due but must wait for its back-off. */
export interface ContainerWait {
  readonly name: string;
  readonly untilMs: number;
  readonly delayMs: number;
}

export interface PodPlan {
  /** In order; empty when the pod is as desired or can only wait. */
  readonly steps: readonly PlanStep[];
  readonly waits: readonly ContainerWait[];
  /** Back-offs as they stand once the steps have been taken, by container name. */
  readonly backoffs: ReadonlyMap<string, Backoff>;
  /** The sandbox to use; undefined when a step makes one or none is needed. */
  readonly sandbox: ObservedSandbox | undefined;
  /** Nothing runs and nothing may be started any more: the pod has come to its end. */
  readonly complete: boolean;
  /** Every regular container runs or has ended for good. */
  readonly started: boolean;
}

export interface PlanInput {
  readonly desired: DesiredPod;
  readonly observed: ObservedPod;
  readonly backoffs: ReadonlyMap<string, Backoff>;
  readonly probes?: ProbeResults;
  /** Absent is 1. */
  readonly deadContainersMaxPerName?: number | undefined;
  readonly actuated?: Actuated;
  readonly nowMs: number;
}

/**
 * The steps that bring a pod closer to what is desired. Of a converged pod: no steps.
 * @see docs/pod-lifecycle.md, "The plan"
 */
export function planPod(input: PlanInput): PodPlan {
  const sandbox = usableSandbox(input);
  return sandbox === undefined ? planNewSandbox(input) : planInSandbox(input, sandbox);
}

/** The newest sandbox, if it can be kept. */
export function usableSandbox({ desired, observed }: Pick<PlanInput, 'desired' | 'observed'>): ObservedSandbox | undefined {
  const newest = observed.sandboxes[0];
  if (newest === undefined || newest.state !== 'ready') return undefined;
  if (observed.sandboxes.filter((sandbox) => sandbox.state === 'ready').length > 1) return undefined;
  const hostNetwork = desired.pod.spec.hostNetwork === true;
  if (newest.hostNetwork !== hostNetwork) return undefined;
  return hostNetwork || newest.ips.length > 0 ? newest : undefined;
}

function planNewSandbox(input: PlanInput): PodPlan {
  const { desired, observed } = input;
  const { spec } = desired.pod;
  const policy = restartPolicyOf(spec);
  const kill = [
    ...running(observed).map((container) => killStep(container, `Stopping container ${container.name}`)),
    ...observed.sandboxes.filter((sandbox) => sandbox.state === 'ready').map((sandbox) => ({ do: 'stopSandbox', id: sandbox.id }) as const),
  ];
  const newest = observed.sandboxes[0];
  // One that died by itself still holds its network; older ones were stopped when they were replaced.
  const bury: readonly PlanStep[] = newest?.state === 'notReady' ? [{ do: 'stopSandbox', id: newest.id }] : [];
  const attempt = (newest?.attempt ?? -1) + 1;
  const over = { steps: kill, waits: [], backoffs: input.backoffs, sandbox: undefined, complete: kill.length === 0, started: true };
  if (policy === 'Never' && attempt > 0 && observed.containers.length > 0) return over;

  const wanted = spec.containers.filter((container) => {
    const last = newestOf(observed, container.name);
    // Containers that still run will have been killed by the steps above.
    return last === undefined || last.state === 'running' || mayRestart(policy, last);
  });
  if (wanted.length === 0 && spec.containers.some((container) => newestOf(observed, container.name) !== undefined)) return over;

  const starts = startSteps(input, spec.initContainers?.length ? spec.initContainers.slice(0, 1) : wanted);
  return {
    steps: [...kill, ...bury, { do: 'runSandbox', attempt, replaces: attempt > 0 }, ...starts.steps, ...planCleanup(observed, input.deadContainersMaxPerName)],
    waits: starts.waits,
    backoffs: starts.backoffs,
    sandbox: undefined,
    complete: false,
    started: false,
  };
}

function planInSandbox(input: PlanInput, sandbox: ObservedSandbox): PodPlan {
  const { desired, observed } = input;
  const { spec } = desired.pod;
  const cleanup = planCleanup(observed, input.deadContainersMaxPerName);
  const base = { waits: [], backoffs: input.backoffs, sandbox, complete: false, started: false };
  if (hasEnded(input)) return { ...base, steps: killAll(observed), complete: running(observed).length === 0, started: true };

  const probes = input.probes ?? noProbeResults;
  const init = planInit({ ...input, probes }, sandbox);
  if (init.kind === 'failed') return { ...base, steps: killAll(observed), complete: running(observed).length === 0, started: true };
  const looking = planEphemeral(input, sandbox);
  if (init.kind === 'initialising') {
    const starts = startSteps(input, init.starts, sandbox);
    return { ...base, ...starts, steps: [...init.kills, ...looking, ...starts.steps, ...cleanup] };
  }

  const kills: PlanStep[] = strangers(input);
  const wanted: Container[] = [];
  let kept = 0;
  for (const container of spec.containers) {
    const last = newestOf(observed, container.name);
    if (last?.state === 'running') {
      const kill = reasonToKill(last, container, { ...input, probes });
      if (kill === undefined) {
        kept += 1;
        continue;
      }
      kills.push(kill.step);
      if (!kill.restarts) continue;
    } else if (!mayRestart(restartPolicyOf(spec), last)) {
      continue;
    } else if (last?.state === 'unknown') {
      kills.push(killStep(last, `Container is in "unknown" state, try killing it before restart`));
    }
    wanted.push(container);
  }
  if (kept === 0 && wanted.length === 0) {
    const killed = new Set(kills.map((step) => (step.do === 'killContainer' ? step.id : undefined)));
    const others = killAll(observed).filter((step) => step.do !== 'killContainer' || !killed.has(step.id));
    return { ...base, steps: [...kills, ...others], complete: running(observed).length === 0, started: true };
  }
  const starts = startSteps(input, [...init.starts, ...wanted], sandbox);
  const steps = withResize(input, [...kills, ...init.kills, ...looking], [...starts.steps, ...cleanup]);
  return { ...base, ...starts, steps, started: starts.steps.length === 0 && starts.waits.length === 0 };
}

/**
 * Every regular container has ended for good, in whichever sandbox. In a new one, init containers and sidecars would come up again for
 * nothing.
 */
function hasEnded({ desired, observed }: PlanInput): boolean {
  const { spec } = desired.pod;
  return spec.containers.every(({ name }) => {
    const last = newestOf(observed, name);
    return last?.state === 'exited' && !mayRestart(restartPolicyOf(spec), last);
  });
}

interface Starts {
  readonly steps: readonly PlanStep[];
  readonly waits: readonly ContainerWait[];
  readonly backoffs: ReadonlyMap<string, Backoff>;
}

/** Start steps for the containers whose back-off allows it, waits for the others. */
function startSteps(
  input: PlanInput,
  containers: readonly Container[],
  sandbox?: ObservedSandbox,
): Starts {
  const steps: PlanStep[] = [];
  const waits: ContainerWait[] = [];
  const backoffs = new Map(input.backoffs);
  for (const container of containers) {
    const last = newestOf(input.observed, container.name);
    const role = roleOf(input.desired, container);
    if (last?.state === 'exited') {
      const changed = last.annotations[hashAnnotation] !== containerHash(container);
      const decision = decideBackoff(changed ? undefined : backoffs.get(container.name), last.finishedAtMs, input.nowMs);
      if (decision.kind === 'wait') {
        waits.push({ name: container.name, untilMs: decision.untilMs, delayMs: decision.delayMs });
        continue;
      }
      backoffs.set(container.name, decision.next);
    } else if (last?.state === 'running' && last.annotations[hashAnnotation] === containerHash(container) && !needsRestart(last, container, input.actuated)) {
      // Killed by a probe in this very plan: the wait counts from the end before this one.
      const dead = input.observed.containers.find(({ name, state }) => name === container.name && state === 'exited');
      const past = backoffs.get(container.name);
      const rested = past !== undefined && input.nowMs - past.attemptedAtMs > backoffResetAfterMs;
      const decision = decideBackoff(rested ? undefined : past, dead?.finishedAtMs ?? 0, input.nowMs);
      if (decision.kind === 'wait') {
        waits.push({ name: container.name, untilMs: decision.untilMs, delayMs: decision.delayMs });
        continue;
      }
      backoffs.set(container.name, decision.next);
    }
    if (last?.state === 'created' && last.sandboxId === sandbox?.id) {
      steps.push(...finishStart(last, container, role));
      continue;
    }
    steps.push({ do: 'startContainer', name: container.name, role, restartCount: last && restartCountOf(last) + 1 });
  }
  return { steps, waits, backoffs };
}

/**
 * The start of an instance that exists may still be under way, from a call whose answer was lost or from before our own restart.
 * A second instance beside it would then be one too many: it is finished, or taken away before another is made.
 */
function finishStart(created: ObservedContainer, container: { readonly name: string; readonly image?: string }, role: ContainerRole): readonly PlanStep[] {
  const start = { do: 'startContainer', name: created.name, role, restartCount: restartCountOf(created) } as const;
  if (created.annotations[hashAnnotation] === containerHash(container)) return [{ ...start, created: created.id }];
  return [{ do: 'removeContainer', id: created.id, name: created.name }, start];
}

function roleOf({ pod: { spec } }: DesiredPod, { name }: Container): ContainerRole {
  const init = spec.initContainers?.find((each) => each.name === name);
  if (init === undefined) return 'app';
  return isSidecar(init) ? 'sidecar' : 'init';
}

/** Containers that run although the specification no longer names them. */
function strangers({ desired, observed }: PlanInput): PlanStep[] {
  const { spec } = desired.pod;
  const known = new Set([...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].map((container) => container.name));
  return running(observed)
    .filter((container) => !known.has(container.name))
    .map((container) => killStep(container, `Container ${container.name} is no longer in the pod's specification`));
}

function killAll(observed: ObservedPod): PlanStep[] {
  return running(observed).map((container) => killStep(container, `Stopping container ${container.name}`));
}

function running(observed: ObservedPod): readonly ObservedContainer[] {
  return observed.containers.filter((container) => container.state === 'running');
}

/** The newest instance of a container name, of any sandbox. */
export function newestOf(observed: ObservedPod, name: string): ObservedContainer | undefined {
  return observed.containers.find((container) => container.name === name);
}
