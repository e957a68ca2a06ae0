// Gives the pod machine hands: runs its syncs, stops and removals against the ports, feeds it runtime events, publishes its status.
// One actor system per pod, so that a fault in one cannot stop another.
import type { Listening } from '../bus/bus.ts';
import { withLastingCause } from '../bus/lasting-cause.ts';
import type { ImageOutcome } from '../bus/messages.ts';
import { activeDeadlineMs, deadlineExceeded } from '../machines/decide/active-deadline.ts';
import { probedReadiness, startedBefore } from '../machines/decide/probe-effects.ts';
import { podStatus, samePodStatus } from '../machines/decide/pod-status.ts';
import { stopGraceMsMin } from '../machines/decide/pod-kill.ts';
import type { StopFacts } from '../machines/decide/why/facts.ts';
import type { PodContext, PodEvent, PodInput } from '../machines/pod-types.ts';
import { type DesiredPod, podName, type PodStatus, type PodUid } from '../ports/pod-types.ts';
import type { ObservedPod, RuntimeEvent } from '../ports/runtime-port.ts';
import { PodDeadline } from './pod-deadline.ts';
import type { CommonPodDeps, EnsureImage, PodDeps } from './pod-deps.ts';
import { createPodMachine, type PodHands, type PodMachineActor } from './pod-logic.ts';
import { removePod, stopPod } from './pod-stop.ts';
import { syncPod } from './pod-sync.ts';
import { stateName } from './state-name.ts';
import { TellSparingly } from './tell-sparingly.ts';
import { stepsOf } from './watch-machine.ts';

export interface PodActorEnd {
  /** The machine reached its end: nothing of the pod is left. */
  done(): void;
  /** A broken invariant of ours. The actor is dead; the world is as it was. */
  failed(error: unknown): void;
}

/** Place of the image answers among the listenings; no runtime ID looks like it. */
const imagesKey = 'images';
/** And that of the results of probes. */
const probesKey = 'probes';

/** A network that stays away is told once in so long. */
const networkNewsPeriodMs = 60_000;

/** A sync, stop, removal or timer of the pod itself. */
const ownWork = 'own work';

export class PodActor {
  readonly #deps: PodDeps;
  readonly #actor: PodMachineActor;
  readonly #listening = new Map<string, Listening>();
  readonly #imageWaits = new Map<string, (outcome: ImageOutcome | undefined) => void>();
  readonly #uid: PodUid;
  readonly #heard: () => void;
  readonly #deadline: PodDeadline;
  #sync: AbortController | undefined;
  #stopping: Omit<StopFacts, 'hooks'> | undefined;
  #status: PodStatus | undefined;
  #reported = false;
  /** The observation rests on a look, or on the certainty that there is nothing to see. */
  #seen: boolean;
  #state = '';
  #trouble = '';
  #stopped = false;
  /** What the machine is reacting to, for the account of its moves. */
  #on = 'start';

  constructor(given: CommonPodDeps, input: PodInput, end: PodActorEnd) {
    const lasting = withLastingCause(given.bus);
    this.#heard = lasting.heard;
    const deps: PodDeps = { ...given, bus: lasting.bus, preStops: new Map(), hooksUnderWay: new Set(), networkNews: new TellSparingly(given.clock, networkNewsPeriodMs) };
    this.#deps = deps;
    this.#uid = input.desired.uid;
    this.#status = input.desired.pod.status;
    this.#seen = input.looks === 'none';
    this.#listening.set(imagesKey, deps.bus.on('image.resolved', ({ payload }) => this.#imageResolved(payload), this.#uid));
    this.#listening.set(probesKey, deps.bus.on('probe.changed', ({ payload: { containerId, probe, result } }) => {
      this.send({ type: 'pod.probed', containerId, probe, result });
    }, this.#uid));
    this.#deadline = new PodDeadline({ clock: deps.clock, exceeded: () => this.#deadlineExceeded() });
    const { watch, clock, bus } = deps;
    const inspect = watch && stepsOf({ watch, machine: 'pod', actor: `pod ${podName(input.desired)}`, pod: this.#uid, clock, cause: () => bus.cause() });
    this.#actor = createPodMachine({ ...input, probes: startedBefore(input.desired.pod.status) }, this.#hands(), { clock, inspect });
    this.#actor.subscribe({
      next: (snapshot) => this.#moved(stateName(snapshot.value), snapshot.context),
      error: (error) => {
        this.#release();
        end.failed(error);
      },
      complete: () => {
        this.#release();
        // Stopping an actor completes it too, though its pod lives on.
        if (!this.#stopped) end.done();
      },
    });
  }

  /** Apart from the constructor, because what breaks in the first step is told before this returns. */
  start(): void {
    this.#actor.start();
    this.#on = ownWork;
  }

  send(event: PodEvent): void {
    this.#heard();
    if (this.#actor.getSnapshot().status !== 'active') return;
    this.#on = event.type;
    this.#actor.send(event);
    this.#on = ownWork;
  }

  /** Stops acting at once and leaves the pod's containers alone: for the end of the daemon, or a restart of this actor. */
  stop(): void {
    this.#stopped = true;
    this.#sync?.abort();
    this.#actor.stop();
    this.#release();
  }

  context(): PodContext {
    return this.#actor.getSnapshot().context;
  }

  state(): string {
    return this.#state;
  }

  /** The stop under way, or the last one. */
  stopping(): StopFacts | undefined {
    return this.#stopping && { ...this.#stopping, hooks: [...this.#deps.hooksUnderWay] };
  }

  #hands(): PodHands {
    const deps = this.#deps;
    return {
      sync: (context) => this.#runSync(context),
      stop: (input) => {
        this.#stopping = { beganAtMs: deps.clock.nowMs(), graceMs: Math.max(stopGraceMsMin, input.graceMs) };
        return stopPod(deps, input);
      },
      remove: (context) => removePod(deps, context),
      reclaim: (context) => removePod(deps, context),
      report: (context, options) => this.#report(context, options),
      announceTerminated: (context) => {
        deps.bus.publish('pod.terminated', { pod: context.desired, desired: context.desired }, { key: this.#uid });
      },
      interruptSync: () => {
        this.#sync?.abort();
        this.#dropImageWaits();
      },
    };
  }

  async #runSync(context: PodContext) {
    const controller = new AbortController();
    this.#sync = controller;
    const ensureImage: EnsureImage = (request) => this.#ensureImage(request, controller.signal);
    return syncPod(this.#deps, context, {
      progress: (observed, failures) => {
        this.#seen = true;
        this.send({ type: 'pod.observed', observed, failures: new Map(failures) });
      },
      expect: (id) => this.#listenTo(id),
      ensureImage,
      signal: controller.signal,
    });
  }

  #report(context: PodContext, { final }: { readonly final: boolean }): void {
    // Before the first look at a pod found in the runtime, its API status is truer than an empty observation.
    if (!this.#seen && !final) return;
    const { facts, clock, bus } = this.#deps;
    const { runtimeName, hostIps, handlers = [] } = facts();
    const status = podStatus({
      desired: context.desired,
      observed: context.observed,
      previous: this.#status,
      failures: context.failures,
      readiness: probedReadiness(context.desired, context.observed, context.probes, this.#status),
      hostIps,
      runtimeName,
      handlers,
      actuated: this.#deps.resizer.actuatedOf(this.#uid),
      resizeErrors: this.#deps.resizer.errorsOf(this.#uid),
      nowMs: clock.nowMs(),
      deleting: context.desired.pod.metadata.deletionTimestamp !== undefined,
      finished: final,
      completed: context.complete,
      ...(context.kill?.status === undefined ? {} : { override: { phase: 'Failed', ...context.kill.status } }),
    });
    this.#deadline.set(activeDeadlineMs(context.desired, status));
    if (this.#reported && this.#status !== undefined && samePodStatus(this.#status, status)) return;
    this.#reported = true;
    this.#status = status;
    bus.publish('pod.status', { pod: context.desired, desired: context.desired, status }, { key: this.#uid });
  }

  #deadlineExceeded(): void {
    // A pod that ends already has its reason.
    if (!/^(pending|creating|running)/.test(this.#state)) return;
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: this.context().desired }, type: 'Normal', ...deadlineExceeded });
    this.send({ type: 'pod.kill', kill: { graceMs: undefined, status: deadlineExceeded } });
  }

  #moved(state: string, context: PodContext): void {
    this.#tellTrouble(context);
    if (state === this.#state) return;
    // While a sync runs it may have made objects that are not observed yet.
    if (!state.endsWith('.syncing')) this.#listen(context.observed);
    const from = this.#state;
    this.#state = state;
    this.#deps.bus.publish('pod.transitioned', { pod: context.desired, from, to: state, on: this.#on }, { key: this.#uid });
  }

  /** What keeps a pod from where it should be, and is tried again, is said when it changes. */
  #tellTrouble({ desired, trouble }: PodContext): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    if (trouble !== '') this.#deps.log.warn('pod.trouble', { pod: podName(desired), podUid: this.#uid, trouble });
  }

  #ensureImage(request: Parameters<EnsureImage>[0], signal: AbortSignal): Promise<ImageOutcome | undefined> {
    return new Promise((resolve) => {
      const requestId = this.#deps.random.uuid();
      const finish = (outcome: ImageOutcome | undefined) => {
        this.#imageWaits.delete(requestId);
        resolve(outcome);
      };
      if (signal.aborted) return finish(undefined);
      this.#imageWaits.set(requestId, finish);
      const { desired, container, fieldPath, image, policy } = request;
      this.#deps.bus.publish('image.requested', { requestId, pod: desired, container, fieldPath, image, policy, pullSecrets: pullSecretNames(desired), ranFrom: this.#ranFrom(container) }, { key: this.#uid });
    });
  }

  #ranFrom(container: string): string {
    const { containerStatuses = [], initContainerStatuses = [] } = this.#status ?? {};
    return [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container)?.imageID ?? '';
  }

  #imageResolved({ requestId, outcome }: { readonly requestId: string; readonly outcome: ImageOutcome }): void {
    this.#heard();
    this.#imageWaits.get(requestId)?.(outcome);
  }

  /** Listens to the events of exactly the objects the pod is known to have. */
  #listen(observed: ObservedPod): void {
    const ids = new Set<string>([...observed.sandboxes, ...observed.containers].map(({ id }) => id));
    for (const id of ids) this.#listenTo(id);
    for (const [id, listening] of this.#listening) {
      if (id === imagesKey || id === probesKey || ids.has(id)) continue;
      listening.off();
      this.#listening.delete(id);
    }
  }

  #listenTo(id: string): void {
    if (this.#listening.has(id)) return;
    this.#listening.set(id, this.#deps.bus.on('runtime.event', ({ payload }) => this.#runtimeEvent(payload), id));
  }

  #runtimeEvent({ kind, id }: RuntimeEvent): void {
    // Only we start containers, and an out-of-memory kill is followed by its exit.
    if (kind === 'exited' || kind === 'removed') this.send({ type: 'pod.look', id });
  }

  /** A sync that begins anew asks anew. */
  #dropImageWaits(): void {
    for (const [requestId, finish] of [...this.#imageWaits]) {
      finish(undefined);
      this.#deps.bus.publish('image.unwanted', { requestId }, { key: this.#uid });
    }
  }

  #release(): void {
    this.#deadline.stop();
    for (const listening of this.#listening.values()) listening.off();
    this.#listening.clear();
    this.#dropImageWaits();
  }
}

function pullSecretNames({ pod }: DesiredPod): readonly string[] {
  return (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => (name === undefined || name === '' ? [] : [name]));
}
