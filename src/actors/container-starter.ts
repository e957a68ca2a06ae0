// Starting one container: image, configuration, create, start, look. Its failures become waiting reasons, not exceptions.
import { containerConfig, sandboxConfig } from '../machines/decide/cri-config.ts';
import { withContainer } from '../machines/decide/observed.ts';
import { allContainers, targetOf } from '../machines/decide/plan-ephemeral.ts';
import type { PlanStep } from '../machines/decide/plan-pod.ts';
import { graceMsOf } from '../machines/decide/pod-kill.ts';
import { terminationMount } from '../machines/decide/termination-message.ts';
import type { StartFailure } from '../machines/pod-types.ts';
import type { ImageOutcome } from '../bus/messages.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { Container, ContainerId, DesiredPod } from '../ports/pod-types.ts';
import type { ObservedPod, ObservedSandbox } from '../ports/runtime-port.ts';
import { stopContainers } from './container-stopper.ts';
import type { PodDeps } from './pod-deps.ts';
import type { PodGround } from './pod-ground.ts';
import { runHook } from './run-hook.ts';
import { fieldPathOf, stopPlaceOf } from './pod-stop.ts';
import type { SyncHooks } from './pod-sync.ts';

type StartStep = PlanStep & { do: 'startContainer' };

export type Started =
  | { readonly kind: 'started'; readonly observed: ObservedPod }
  /** The container's own trouble. `observed` when a dead instance was left behind. */
  | { readonly kind: 'failed'; readonly failure: StartFailure; readonly observed?: ObservedPod }
  /** The runtime could not be asked, or its answer was lost: look before doing more. */
  | { readonly kind: 'lost'; readonly fault: RuntimeFault; readonly observed?: ObservedPod }
  /** The pod is to be stopped or changed: nothing more was begun. `observed` when something had been made by then. */
  | { readonly kind: 'interrupted'; readonly observed?: ObservedPod };

export class ContainerStarter {
  readonly #deps: PodDeps;
  readonly #desired: DesiredPod;
  readonly #hooks: SyncHooks;
  readonly #ground: PodGround;
  readonly #images = new Map<string, Promise<ImageOutcome | undefined>>();

  constructor(deps: PodDeps, desired: DesiredPod, hooks: SyncHooks, ground: PodGround) {
    this.#deps = deps;
    this.#desired = desired;
    this.#hooks = hooks;
    this.#ground = ground;
  }

  /** Asks for the images of the coming starts, and makes what they need on disk, while the sandbox is being made. */
  prepare(steps: readonly PlanStep[]): void {
    for (const step of steps) {
      const container = step.do === 'startContainer' ? this.#containerOf(step.name) : undefined;
      if (container === undefined || step.do !== 'startContainer') continue;
      void this.#image(container);
      void this.#ground.ofContainer(container, step.restartCount);
    }
  }

  async start(step: StartStep, sandbox: ObservedSandbox, observed: ObservedPod): Promise<Started> {
    const { runtime, settings } = this.#deps;
    const container = this.#containerOf(step.name);
    if (container === undefined) return { kind: 'interrupted' };
    if (step.created !== undefined) return this.#run(step, step.created, observed);
    const image = await this.#image(container);
    if (image === undefined || this.#hooks.signal.aborted) return { kind: 'interrupted' };
    if (image.kind === 'failed') return { kind: 'failed', failure: { reason: image.reason, message: image.message } };

    const { restartCount, terminationLog } = await this.#ground.ofContainer(container, step.restartCount);
    const { hostIps, handlers = [] } = this.#deps.facts();
    const prepared = await this.#deps.volumes.prepare(this.#desired, container, { podIps: sandbox.ips, hostIps });
    if (!prepared.ok) return this.#failed(step, 'CreateContainerConfigError', prepared.fault);
    const { hostsFile } = prepared.value;
    const target = targetOf(this.#desired.pod.spec, observed, step.name);
    if (!target.ok) return this.#failed(step, 'CreateContainerConfigError', target.fault);
    const config = containerConfig({
      desired: this.#desired,
      container,
      restartCount,
      imageRef: image.imageRef,
      ...(image.uid === undefined ? {} : { imageUid: image.uid }),
      ...(image.username === undefined ? {} : { imageUsername: image.username }),
      podIps: sandbox.ips,
      hostIps,
      settings,
      objects: this.#deps.objects,
      handlers,
      ...(hostsFile === undefined ? {} : { hostsFile }),
      ...(target.value === undefined ? {} : { targetId: target.value }),
    });
    if (!config.ok) return this.#failed(step, config.fault.reason, config.fault.message);
    if (this.#hooks.signal.aborted) return { kind: 'interrupted' };
    const mounts = terminationLog === undefined ? config.value.mounts : terminationMount(container, terminationLog, config.value.mounts);
    const ofSandbox = sandboxConfig(this.#desired, { attempt: sandbox.attempt, cgroupParent: this.#deps.cgroups?.parentOf(this.#desired.uid) ?? '' }, settings);
    const created = await runtime.createContainer(sandbox.id, { ...config.value, mounts }, ofSandbox);
    if (!created.ok) return this.#fault(step, 'CreateContainerError', created.fault);
    this.#hooks.expect(created.value);
    const next = this.#hooks.signal.aborted ? this.#leave(created.value, observed) : this.#run(step, created.value, observed);
    // Said while the runtime is at work.
    this.#note(step, 'Normal', 'Created', `Created container: ${step.name}`);
    return next;
  }

  /** A container that was made too late to be started. */
  async #leave(id: ContainerId, observed: ObservedPod): Promise<Started> {
    const seen = await this.#deps.runtime.containerStatus(id);
    return seen.ok ? { kind: 'interrupted', observed: withContainer(observed, seen.value) } : { kind: 'lost', fault: seen.fault };
  }

  async #run(step: StartStep, id: ContainerId, observed: ObservedPod): Promise<Started> {
    const { runtime } = this.#deps;
    const started = await runtime.startContainer(id);
    const seen = await runtime.containerStatus(id);
    if (!seen.ok && seen.fault.kind !== 'not-found') return { kind: 'lost', fault: seen.fault };
    const now = seen.ok ? withContainer(observed, seen.value) : observed;
    // A start whose answer was lost has had its effect all the same.
    const runs = seen.ok && seen.value.state === 'running';
    if (!started.ok && !runs) {
      const fault = this.#fault(step, 'RunContainerError', started.fault);
      return fault.kind === 'interrupted' ? fault : { ...fault, observed: now };
    }
    this.#note(step, 'Normal', 'Started', `Started container ${step.name}`);
    return (await this.#postStart(step, id, now)) ?? { kind: 'started', observed: now };
  }

  /**
   * Runs the postStart hook, for which the pod's other containers wait.
   * @returns undefined when there is none, it went well, or the pod has other things to do than wait for it
   */
  async #postStart(step: StartStep, id: ContainerId, observed: ObservedPod): Promise<Started | undefined> {
    const container = this.#containerOf(step.name);
    const handler = container?.lifecycle?.postStart;
    if (handler === undefined) return undefined;
    const { signal } = this.#hooks;
    const { podIp } = stopPlaceOf(this.#deps, this.#desired, observed);
    const run = runHook(this.#deps, { handler, ports: container?.ports, containerId: id, podIp });
    const interrupted = new Promise<undefined>((resolve) => { signal.addEventListener('abort', () => resolve(undefined), { once: true }); });
    const end = await Promise.race([run, interrupted]);
    if (end?.ok === true) return undefined;
    if (end !== undefined) return this.#hookFailed(step, id, end.fault, observed);
    // The hook goes on by itself; its failure ends the container, and the pod sees that.
    void run.then((late) => (late.ok ? undefined : this.#hookFailed(step, id, late.fault, observed)));
    return undefined;
  }

  async #hookFailed(step: StartStep, id: ContainerId, message: string, observed: ObservedPod): Promise<Started> {
    this.#note(step, 'Warning', 'FailedPostStartHook', 'PostStartHook failed');
    this.#note(step, 'Normal', 'Killing', 'FailedPostStartHook');
    const stops = [{ id, graceMs: graceMsOf(this.#desired, undefined) }];
    const stopped = await stopContainers(this.#deps, observed, stops, stopPlaceOf(this.#deps, this.#desired, observed));
    if (stopped.fault !== undefined) return { kind: 'lost', fault: stopped.fault, observed };
    return { kind: 'failed', failure: { reason: 'PostStartHookError', message }, observed: stopped.observed };
  }

  #fault(step: StartStep, reason: string, fault: RuntimeFault): Exclude<Started, { kind: 'started' }> {
    // Where the runtime could not answer, or an earlier attempt holds the name, only a look can tell what is there.
    if (fault.kind !== 'rejected') return { kind: 'lost', fault };
    return this.#failed(step, reason, fault.message);
  }

  #failed(step: StartStep, reason: string, message: string): Started & { kind: 'failed' } {
    this.#note(step, 'Warning', 'Failed', `Error: ${message}`);
    return { kind: 'failed', failure: { reason, message } };
  }

  #image(container: Container): Promise<ImageOutcome | undefined> {
    const known = this.#images.get(container.name);
    if (known !== undefined) return known;
    const asked = this.#hooks.ensureImage({
      desired: this.#desired,
      container: container.name,
      fieldPath: this.#fieldPath(container.name),
      image: container.image ?? '',
      policy: container.imagePullPolicy === 'Always' || container.imagePullPolicy === 'Never' ? container.imagePullPolicy : 'IfNotPresent',
    });
    this.#images.set(container.name, asked);
    return asked;
  }

  #containerOf(name: string): Container | undefined {
    return allContainers(this.#desired.pod.spec).find((container) => container.name === name);
  }

  #fieldPath(name: string): string {
    return fieldPathOf(this.#desired.pod.spec, name);
  }

  #note(step: StartStep, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: this.#desired, fieldPath: this.#fieldPath(step.name) }, type, reason, message });
  }
}
