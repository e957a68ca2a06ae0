// Carries out the steps of one plan against the runtime, folding what it sees into the observation as it goes.
import type { Backoff } from '../machines/decide/backoff.ts';
import { sandboxConfig } from '../machines/decide/cri-config.ts';
import { dnsNotes } from '../machines/decide/dns.ts';
import { hostnameFault } from '../machines/decide/hostname.ts';
import { withSandbox, withStoppedSandbox, withoutContainer, withoutSandbox } from '../machines/decide/observed.ts';
import type { PlanStep, PodPlan } from '../machines/decide/plan-pod.ts';
import { graceMsOf, stopGraceMsMin } from '../machines/decide/pod-kill.ts';
import { userNamespaceFault } from '../machines/decide/runtime-abilities.ts';
import { stopContainers } from './container-stopper.ts';
import { pause } from './look-at-pod.ts';
import { fieldPathOf, stopPlaceOf } from './pod-stop.ts';
import type { PodContext, StartFailure } from '../machines/pod-types.ts';
import type { FileFault, RuntimeFault } from '../ports/faults.ts';
import { ok, type Result } from '../ports/result.ts';
import type { ObservedPod, ObservedSandbox } from '../ports/runtime-port.ts';
import { ContainerStarter } from './container-starter.ts';
import type { PodDeps } from './pod-deps.ts';
import type { PodGround } from './pod-ground.ts';
import { raisePodCgroup, settlePodCgroup, updateContainer } from './pod-resize.ts';
import type { SyncHooks } from './pod-sync.ts';
import type { VolumesMissing } from './pod-volumes.ts';

type StepResult = Result<void, RuntimeFault>;

/** After a call to the runtime was made, before other work is begun beside it: until then the call has not left the process. */
const leavesInMs = 1;
/** A sandbox is told of so much later, when the call that makes its first container is on its way. */
const toldInMs = 10;

export interface StepHooks extends SyncHooks {
  /** Begins with the first call. Containers wait for it; none is started when it says what is missing. */
  readonly volumes: () => Promise<VolumesMissing | undefined>;
  readonly ground: PodGround;
}

export class PodSteps {
  observed: ObservedPod;
  readonly failures: Map<string, StartFailure>;
  readonly #deps: PodDeps;
  readonly #context: PodContext;
  readonly #plan: PodPlan;
  readonly #hooks: StepHooks;
  readonly #starter: ContainerStarter;
  readonly #failedNow = new Set<string>();
  /** Containers whose start was begun. */
  readonly #begun = new Set<string>();
  #sandbox: ObservedSandbox | undefined;
  #untold: unknown;

  constructor(deps: PodDeps, context: PodContext, plan: PodPlan, observed: ObservedPod, hooks: StepHooks) {
    this.#deps = deps;
    this.#context = context;
    this.#plan = plan;
    this.#hooks = hooks;
    this.#sandbox = plan.sandbox;
    this.observed = observed;
    this.failures = new Map(context.failures);
    this.#starter = new ContainerStarter(deps, context.desired, hooks, hooks.ground);
  }

  /** Stops at the first fault that is not a container's own, and between steps once the sync is interrupted. */
  async run(): Promise<StepResult> {
    const result = await this.#takeAll();
    if (this.#untold !== undefined) this.#see(this.observed);
    return result;
  }

  async #takeAll(): Promise<StepResult> {
    const { steps } = this.#plan;
    for (let index = 0; index < steps.length; ) {
      const step = steps[index];
      if (step === undefined || this.#hooks.signal.aborted) break;
      if (step.do === 'startContainer' && (await this.#hooks.volumes()) !== undefined) break;
      const kills = neighbours(steps, index);
      const result = kills.length > 0 ? await this.#kill(kills) : await this.#take(step);
      if (!result.ok) return result;
      if (step.do === 'startContainer' && step.role === 'init' && this.#failedNow.has(step.name)) break;
      index += Math.max(1, kills.length);
    }
    return ok();
  }

  /** The plan's back-offs; a container whose turn never came keeps the one it had, or it would wait for what was not its fault. */
  backoffs(): ReadonlyMap<string, Backoff> {
    const begun = [...this.#plan.backoffs].filter(([name]) => this.#begun.has(name));
    return new Map([...this.#context.backoffs, ...begun]);
  }

  fails(name: string, failure: StartFailure): void {
    this.failures.set(name, failure);
  }

  /** Whether a container could not be started in this pass; back-offs are not failures. */
  startsFailed(): boolean {
    return this.#failedNow.size > 0;
  }

  #take(step: PlanStep): Promise<StepResult> {
    switch (step.do) {
      case 'killContainer':
        return this.#kill([step]);
      case 'runSandbox':
        return this.#runSandbox(step);
      case 'startContainer':
        return this.#startContainer(step);
      case 'raisePodCgroup':
        return raisePodCgroup(this.#deps, this.#context.desired, this.observed);
      case 'settlePodCgroup':
        return settlePodCgroup(this.#deps, this.#context.desired);
      case 'updateContainerResources':
        return this.#updateContainer(step);
      case 'stopSandbox':
        return this.#change(this.#deps.runtime.stopSandbox(step.id), (observed) => withStoppedSandbox(observed, step.id));
      case 'removeContainer':
        return this.#change(this.#deps.runtime.removeContainer(step.id), (observed) => withoutContainer(observed, step.id));
      case 'removeSandbox':
        return this.#change(this.#deps.runtime.removeSandbox(step.id), (observed) => withoutSandbox(observed, step.id));
      default:
        return step satisfies never;
    }
  }

  async #change(call: Promise<StepResult>, fold: (observed: ObservedPod) => ObservedPod): Promise<StepResult> {
    const result = await call;
    if (!result.ok) return result;
    this.#see(fold(this.observed));
    return ok();
  }

  async #kill(steps: readonly (PlanStep & { do: 'killContainer' })[]): Promise<StepResult> {
    for (const step of steps) this.#note('Normal', 'Killing', step.message, this.#fieldPath(step.name));
    const own = graceMsOf(this.#context.desired, undefined);
    const stops = steps.map(({ id, graceMs = own }) => ({ id, graceMs: Math.max(stopGraceMsMin, graceMs) }));
    const stopped = await stopContainers(this.#deps, this.observed, stops, stopPlaceOf(this.#deps, this.#context.desired, this.observed));
    this.#see(stopped.observed);
    return stopped.fault === undefined ? ok() : { ok: false, fault: stopped.fault };
  }

  async #runSandbox(step: PlanStep & { do: 'runSandbox' }): Promise<StepResult> {
    const { runtime, settings } = this.#deps;
    const { desired } = this.#context;
    const impossible = userNamespaceFault(desired, this.#deps.facts().handlers ?? []);
    if (impossible !== undefined) return this.#giveUp(impossible);
    if (step.replaces) this.#note('Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    const unnameable = hostnameFault(desired, settings);
    if (unnameable !== undefined) return this.#sandboxFailed('FailedCreatePodSandBox', 'Failed to create pod sandbox', { kind: 'rejected', message: unnameable, grpcCode: 0 });
    for (const { reason, message } of dnsNotes(desired, settings)) this.#note('Warning', reason, message);
    const cgroupParent = this.#deps.cgroups?.parentOf(desired.uid) ?? '';
    const running = runtime.runSandbox(sandboxConfig(desired, { attempt: step.attempt, cgroupParent }, settings), desired.pod.spec.runtimeClassName ?? '');
    await pause(this.#deps.clock, leavesInMs);
    void this.#hooks.volumes();
    this.#starter.prepare(this.#plan.steps);
    const run = await running;
    if (!run.ok) return this.#sandboxFailed('FailedCreatePodSandBox', 'Failed to create pod sandbox', run.fault);
    this.#hooks.expect(run.value);
    const status = await runtime.sandboxStatus(run.value);
    if (!status.ok) return this.#sandboxFailed('FailedPodSandBoxStatus', 'Unable to get pod sandbox status', status.fault);
    this.#sandbox = status.value;
    this.#seeSoon(withSandbox(this.observed, status.value));
    return ok();
  }

  #groundFailed({ message: why }: FileFault): StepResult {
    const message = `error making pod data directories: ${why}`;
    this.#note('Warning', 'Failed', message);
    return { ok: false, fault: { kind: 'rejected', message, grpcCode: 0 } };
  }

  /** What no repetition can bring: the pod has failed. */
  #giveUp(message: string): StepResult {
    const { bus } = this.#deps;
    const { desired } = this.#context;
    bus.publish('pod.kill', { pod: desired, reason: 'UnsupportedPodFeature', message: `Failed to create pod sandbox: ${message}` }, { key: desired.uid });
    return this.#sandboxFailed('FailedCreatePodSandBox', 'Failed to create pod sandbox', { kind: 'rejected', message, grpcCode: 0 });
  }

  #sandboxFailed(reason: string, text: string, fault: RuntimeFault): StepResult {
    this.#note('Warning', reason, `${text}: ${fault.message}`);
    return { ok: false, fault: { ...fault, message: `${text}: ${fault.message}` } };
  }

  async #startContainer(step: PlanStep & { do: 'startContainer' }): Promise<StepResult> {
    const sandbox = this.#sandbox;
    if (sandbox === undefined) return { ok: false, fault: { kind: 'not-found', message: 'the pod has no sandbox' } };
    const ground = await this.#hooks.ground.directories();
    if (!ground.ok) return this.#groundFailed(ground.fault);
    const started = await this.#starter.start(step, sandbox, this.observed);
    if (started.kind !== 'interrupted') this.#begun.add(step.name);
    if (started.kind === 'interrupted') {
      if (started.observed !== undefined) this.#see(started.observed);
      return ok();
    }
    if (started.kind === 'lost') return { ok: false, fault: started.fault };
    if (started.observed !== undefined) this.observed = started.observed;
    if (started.kind === 'failed') {
      this.#failedNow.add(step.name);
      this.failures.set(step.name, started.failure);
    } else {
      this.failures.delete(step.name);
    }
    this.#see(this.observed);
    return ok();
  }

  async #updateContainer(step: PlanStep & { do: 'updateContainerResources' }): Promise<StepResult> {
    const updated = await updateContainer(this.#deps, this.#context.desired, step, this.observed);
    if (!updated.ok) return updated;
    if (updated.value !== undefined) this.#failedNow.add(step.name);
    this.#see(this.observed);
    return ok();
  }

  #seeSoon(observed: ObservedPod): void {
    this.observed = observed;
    this.#untold ??= this.#deps.clock.setTimeout(() => this.#see(this.observed), toldInMs);
  }

  #see(observed: ObservedPod): void {
    this.#deps.clock.clearTimeout(this.#untold);
    this.#untold = undefined;
    this.observed = observed;
    this.#hooks.progress(observed, this.failures);
  }

  #fieldPath(name: string): string {
    return fieldPathOf(this.#context.desired.pod.spec, name);
  }

  #note(type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void {
    const subject = { kind: 'Pod' as const, pod: this.#context.desired, ...(fieldPath === undefined ? {} : { fieldPath }) };
    this.#deps.bus.publish('event.noted', { subject, type, reason, message });
  }
}

/** The run of kills that begins at `index`: they are carried out side by side. */
function neighbours(steps: readonly PlanStep[], index: number): readonly (PlanStep & { do: 'killContainer' })[] {
  const kills: (PlanStep & { do: 'killContainer' })[] = [];
  for (let at = index; ; at += 1) {
    const step = steps[at];
    if (step === undefined || step.do !== 'killContainer') return kills;
    kills.push(step);
  }
}
