// One sync of a pod: look where asked, plan, carry the plan out step by step, say what came of it. Never two at once for one pod.
import { withSandbox, withStoppedSandbox } from '../machines/decide/observed.ts';
import { newestOf, planPod, type PlanStep, type PodPlan } from '../machines/decide/plan-pod.ts';
import { backoffText } from '../machines/decide/backoff.ts';
import type { PodContext, StartFailure, SyncOutcome } from '../machines/pod-types.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { ObservedPod } from '../ports/runtime-port.ts';
import { ok, type Result } from '../ports/result.ts';
import { lookAtObjects, lookAtPod, pause } from './look-at-pod.ts';
import type { EnsureImage, PodDeps } from './pod-deps.ts';
import { PodGround } from './pod-ground.ts';
import { PodSteps } from './pod-steps.ts';
import { bringCgroup } from './pod-cgroup.ts';
import { bringVolumes, mayComeBesideSandbox } from './pod-volumes.ts';

/** Next look at a pod that is as desired; events and the relist come long before it. */
const resyncMs = 10 * 60_000;
/** After a failed step; with jitter. Kubelet's. */
const retryMs = 10_000;
const networkRetryMs = 1_000;
/** After a failed pull: the container is shown in its back-off, as kubelet shows it at the sync that follows the sandbox's start. */
const pullBackoffShownMs = 1_000;
/** After a call whose outcome is unknown: look soon. */
const doubtRetryMs = 1_000;
/** A plan that still has steps although every step succeeded: the world moved meanwhile. */
const againMs = 50;
/** How long a sandbox may outlive the first of its containers when both are ending. */
const sandboxSettleMs = 150;
/** A replacement that is of no use either is not replaced sooner: a sick network or pause image would have them made without end. */
const sandboxAgeMsMin = 5_000;
const jitter = 0.5;

export interface SyncHooks {
  /** Called after each step that changed what is known. */
  progress(observed: ObservedPod, failures: ReadonlyMap<string, StartFailure>): void;
  /** Names an object just made, before anything can happen to it, so that no event of it is missed. */
  expect(id: string): void;
  ensureImage: EnsureImage;
  /** Set when the pod is to be stopped or its desired state changed: end after the call in flight. */
  readonly signal: AbortSignal;
}

export async function syncPod(deps: PodDeps, context: PodContext, hooks: SyncHooks): Promise<SyncOutcome> {
  const ground = new PodGround(deps, context.desired);
  const outcome = await syncOn(ground, deps, context, hooks);
  // Nothing of the pod is under way when its sync ends.
  await ground.settled();
  return outcome;
}

async function syncOn(ground: PodGround, deps: PodDeps, context: PodContext, hooks: SyncHooks): Promise<SyncOutcome> {
  const { clock, random } = deps;
  const outcome = (part: Partial<SyncOutcome>): SyncOutcome => ({
    observed: context.observed,
    failures: context.failures,
    backoffs: context.backoffs,
    complete: false,
    started: context.started,
    settledWell: false,
    trouble: '',
    wakeInMs: jittered(random, retryMs),
    lookAgain: false,
    ...part,
  });

  const looked = await look(deps, context);
  if (!looked.ok) return outcome({ trouble: looked.fault.message, lookAgain: true });
  let observed = looked.value;
  if (observed !== context.observed) hooks.progress(observed, context.failures);
  let plan = planNow(deps, context, observed);
  if (restartsWhatJustEnded(plan, observed, clock.nowMs())) {
    await pause(clock, sandboxSettleMs);
    const settled = await lookAtSandbox(deps, observed);
    if (!settled.ok || hooks.signal.aborted) return outcome({ observed, trouble: settled.ok ? '' : settled.fault.message, lookAgain: !settled.ok, wakeInMs: againMs });
    observed = settled.value;
    plan = planNow(deps, context, observed);
  }
  const network = waitsForNetwork(deps, context, plan);
  if (network !== undefined) {
    noteNetwork(deps, context, network);
    return outcome({ observed, trouble: `network is not ready: ${network}`, wakeInMs: jittered(random, networkRetryMs) });
  }
  const tooYoungMs = youthOfReplaced(plan, observed, clock.nowMs());
  if (tooYoungMs > 0) return outcome({ observed, trouble: 'the sandbox just made cannot be used', wakeInMs: tooYoungMs });
  const cgroup = await bringCgroup(deps, context, plan);
  if (cgroup !== undefined) return outcome({ observed, trouble: cgroup });
  let brought: ReturnType<typeof bringVolumes> | undefined;
  const volumes = () => brought ??= bringVolumes(deps, context, plan);
  const missing = mayComeBesideSandbox(deps, context, plan) ? undefined : await volumes();
  if (missing !== undefined) return outcome({ observed, trouble: missing.message, wakeInMs: missing.retryInMs });
  if (hooks.signal.aborted) {
    return outcome({ observed, wakeInMs: againMs });
  }
  if (plan.steps.length > 0) {
    deps.bus.publish('pod.planned', { pod: context.desired, steps: plan.steps.map(stepText) }, { key: context.desired.uid });
  }

  const steps = new PodSteps(deps, context, plan, observed, { ...hooks, volumes, ground });
  noteWaits(deps, context, plan, steps);
  const done = await steps.run();
  const late = await brought;
  const common = { observed: steps.observed, failures: steps.failures, backoffs: steps.backoffs() };
  if (!done.ok) {
    // A runtime that is down is waited for; its return asks for the sync.
    const wakeInMs = jittered(random, isUndecided(done.fault) ? doubtRetryMs : retryMs);
    // What has been made before the fault may not have been seen.
    return outcome({ ...common, trouble: done.fault.message, lookAgain: true, wakeInMs });
  }
  if (late !== undefined) return outcome({ ...common, trouble: late.message, wakeInMs: late.retryInMs });
  const after = rest(deps, context, steps, hooks);
  // The runtime told of an end and still shows none: its status is late, and no further event will come.
  if (!stillShown(context, observed)) return outcome({ ...common, ...after });
  return outcome({ ...common, ...after, lookAgain: true, wakeInMs: Math.min(doubtRetryMs, after.wakeInMs) });
}

/** Whether a container whose end was told is still seen running. */
function stillShown({ looking }: PodContext, { containers }: ObservedPod): boolean {
  return looking instanceof Set && containers.some(({ id, state }) => state === 'running' && looking.has(id));
}

async function look(deps: PodDeps, { looking, observed }: PodContext): Promise<Result<ObservedPod, RuntimeFault>> {
  if (looking === 'none') return ok(observed);
  if (looking === 'all') return lookAtPod(deps.runtime, observed.podUid);
  return lookAtObjects(deps.runtime, deps.clock, observed, looking);
}

function planNow(deps: PodDeps, { desired, backoffs, probes }: PodContext, observed: ObservedPod): PodPlan {
  return planPod({ desired, observed, backoffs, probes, actuated: deps.resizer.actuatedOf(desired.uid), nowMs: deps.clock.nowMs(), deadContainersMaxPerName: deps.settings.deadContainersMaxPerName });
}

/**
 * Whether the plan restarts, in the same sandbox, a container that ended only now. Its end may be the first sign of the sandbox's:
 * a start there would fail and count as a restart.
 */
function restartsWhatJustEnded(plan: PodPlan, observed: ObservedPod, nowMs: number): boolean {
  if (plan.sandbox === undefined) return false;
  return plan.steps.some((step) => {
    const last = step.do === 'startContainer' ? newestOf(observed, step.name) : undefined;
    return last?.state === 'exited' && nowMs - last.finishedAtMs < sandboxSettleMs;
  });
}

async function lookAtSandbox(deps: PodDeps, observed: ObservedPod): Promise<Result<ObservedPod, RuntimeFault>> {
  const newest = observed.sandboxes[0];
  if (newest === undefined) return ok(observed);
  const status = await deps.runtime.sandboxStatus(newest.id);
  if (status.ok) return ok(withSandbox(observed, status.value));
  return status.fault.kind === 'not-found' ? ok(withStoppedSandbox(observed, newest.id)) : status;
}

/** What remains after all steps went well: when to come back, and whether the pod has ended. */
function rest(deps: PodDeps, context: PodContext, steps: PodSteps, hooks: SyncHooks): Pick<SyncOutcome, 'complete' | 'started' | 'settledWell' | 'trouble' | 'wakeInMs'> {
  const nowMs = deps.clock.nowMs();
  const next = planNow(deps, { ...context, backoffs: steps.backoffs() }, steps.observed);
  const failed = steps.startsFailed();
  const dueInMs = Math.min(resyncMs, ...next.waits.map((wait) => Math.max(1, wait.untilMs - nowMs)));
  const pullFailed = [...steps.failures.values()].some(({ reason }) => reason === 'ErrImagePull');
  const retryInMs = jittered(deps.random, pullFailed ? pullBackoffShownMs : retryMs);
  const unfinished = next.steps.length > 0 && !hooks.signal.aborted;
  return {
    complete: next.complete && next.steps.length === 0,
    started: next.started || next.waits.length > 0 && next.steps.length === 0,
    settledWell: !failed,
    trouble: failed ? troubles(deps, context, steps).join(', ') : '',
    wakeInMs: failed ? Math.min(retryInMs, dueInMs) : unfinished ? againMs : dueInMs,
  };
}

function troubles({ resizer }: PodDeps, { desired }: PodContext, { failures }: PodSteps): readonly string[] {
  return [...[...failures].map(([name, { reason }]) => `${name}: ${reason}`), ...(resizer.errorsOf(desired.uid)?.values() ?? [])];
}

/** Milliseconds until the newest sandbox is old enough to be replaced; 0 when none is replaced or it is. */
function youthOfReplaced(plan: PodPlan, { sandboxes }: ObservedPod, nowMs: number): number {
  const newest = sandboxes[0];
  if (newest === undefined || newest.attempt === 0 || !plan.steps.some((step) => step.do === 'runSandbox')) return 0;
  const ageMs = nowMs - newest.createdAtMs;
  // Made in the future: the wall clock was set back.
  return ageMs < 0 ? 0 : Math.max(0, sandboxAgeMsMin - ageMs);
}

/** The network's complaint, if the pod needs a sandbox on a network that is not ready. */
function waitsForNetwork(deps: PodDeps, { desired }: PodContext, plan: PodPlan): string | undefined {
  if (desired.pod.spec.hostNetwork === true) return undefined;
  if (!plan.steps.some((step) => step.do === 'runSandbox')) return undefined;
  const { networkReady, networkMessage } = deps.facts();
  return networkReady ? undefined : networkMessage;
}

function noteNetwork(deps: PodDeps, { desired }: PodContext, message: string): void {
  // It is tried again each second; the event has a count.
  if (!deps.networkNews.isNews(message)) return;
  deps.bus.publish('event.noted', {
    subject: { kind: 'Pod', pod: desired },
    type: 'Warning',
    reason: 'NetworkNotReady',
    message: `network is not ready: ${message}`,
  });
}

/** Containers in back-off: the waiting reason that users see, and its event. */
function noteWaits(deps: PodDeps, { desired }: PodContext, plan: PodPlan, steps: PodSteps): void {
  for (const wait of plan.waits) {
    const pod = `${desired.name}_${desired.namespace}(${desired.uid})`;
    const message = `back-off ${backoffText(wait.delayMs)} restarting failed container=${wait.name} pod=${pod}`;
    steps.fails(wait.name, { reason: 'CrashLoopBackOff', message });
    deps.bus.publish('event.noted', {
      subject: { kind: 'Pod', pod: desired, fieldPath: `spec.containers{${wait.name}}` },
      type: 'Warning',
      reason: 'BackOff',
      message: `Back-off restarting failed container ${wait.name} in pod ${pod}`,
    });
  }
}

function jittered(random: RandomPort, delayMs: number): number {
  return Math.round(delayMs * (1 + random.fraction() * jitter));
}

/** Whether a call may have had its effect although it failed, on a runtime that answers. */
function isUndecided({ kind }: RuntimeFault): boolean {
  return kind !== 'rejected' && kind !== 'unimplemented' && kind !== 'unavailable';
}

function stepText(step: PlanStep): string {
  switch (step.do) {
    case 'killContainer':
    case 'removeContainer':
    case 'updateContainerResources':
      return `${step.do} ${step.name}`;
    case 'raisePodCgroup':
    case 'settlePodCgroup':
      return step.do;
    case 'startContainer':
      return `startContainer ${step.role} ${step.name}`;
    case 'runSandbox':
      return `runSandbox attempt ${step.attempt}`;
    case 'stopSandbox':
    case 'removeSandbox':
      return `${step.do} ${step.id.slice(0, 12)}`;
    default:
      return step satisfies never;
  }
}

