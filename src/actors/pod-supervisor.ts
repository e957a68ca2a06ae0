// Keeps one actor per pod: spawns it for ADD, tells it what changed, restarts it when our own code failed, forgets it when it is done.
// It alone knows its children; pods never meet each other.
import type { BusPort } from '../bus/bus.ts';
import type { Messages } from '../bus/messages.ts';
import { objectsUsedBy } from '../bus/object-references.ts';
import type { PodOperation } from '../bus/source-update.ts';
import { type AdmissionFault, admitPod, type AdmittingNode } from '../machines/decide/admission.ts';
import { nothingObserved, sameAsListed } from '../machines/decide/observed.ts';
import { endedAtSource, isTerminalPhase } from '../machines/decide/pod-phase.ts';
import { gatesMoved, withConditionsOf } from '../machines/decide/readiness-gates.ts';
import type { PodKill } from '../machines/pod-types.ts';
import { type DesiredPod, type Pod, podFullName, podName, type PodUid } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';
import { objectKey } from '../ports/stored-object.ts';
import { hashAnnotation } from './mirror-state.ts';
import { PodActor } from './pod-actor.ts';
import { activeBeside, inOrderOfAdmission, type PodChild, tellLeftOut, type Uptake, uptakeOf } from './pod-child.ts';
import type { CommonPodDeps } from './pod-deps.ts';
import { holdUntil } from './hold-until.ts';
import { type PodListing, podListings } from './pod-listings.ts';
import { RestartLimit } from './restart-limit.ts';

export interface PodSupervisorDeps extends CommonPodDeps {
  /** The bus under a pod's own name, so that its messages say who they are from. */
  podBus(pod: string): BusPort;
  /** What pods are admitted against, as of now. */
  node(): AdmittingNode;
  /** Our code failed too often in too short a time: the process shall end and be started again. */
  readonly escalate: (message: string) => void;
  /** What is remembered of pods and of the node from an earlier life; no pod begins before `loaded`. */
  readonly memory: { readonly loaded: Promise<unknown>; withStatus(desired: DesiredPod): DesiredPod };
}

export interface PodSupervisor extends Stoppable {
  /** Whether a pod of this UID is in somebody's hands. */
  knows(uid: PodUid): boolean;
  uptakeOf(uid: PodUid): Uptake;
}

class Supervisor implements PodSupervisor {
  readonly #deps: PodSupervisorDeps;
  readonly #children = new Map<PodUid, PodChild>();
  readonly #holders = new Map<string, PodUid>();
  readonly #restarts: RestartLimit;
  #listing: ReadonlyMap<PodUid, PodListing> | undefined;
  #runtimeReady = false;

  constructor(deps: PodSupervisorDeps) {
    this.#deps = deps;
    this.#restarts = new RestartLimit(deps.clock);
    const { bus } = deps;
    deps.resizer.retry = (wanted) => this.#update(wanted);
    bus.on('pods.changed', ({ payload }) => this.#operate(payload));
    bus.on('runtime.relisted', holdUntil(deps.memory.loaded, ({ payload }) => this.#relisted(payload)));
    bus.on('runtime.health', ({ payload }) => this.#runtimeHealth(payload));
    bus.on('pod.kill', ({ payload }) => this.#kill(payload));
    bus.on('mirror.received', ({ payload }) => this.#mirrorReceived(payload.pod));
    bus.on('token.changed', ({ payload }) => this.#children.get(payload.pod.uid)?.actor?.send({ type: 'pod.look' }));
    bus.on('object.changed', ({ payload }) => this.#objectChanged(payload));
  }

  knows(uid: PodUid): boolean {
    return this.#children.has(uid);
  }

  uptakeOf = (uid: PodUid): Uptake => uptakeOf(this.#children.get(uid), { listed: this.#listing !== undefined });

  async stop(): Promise<void> {
    for (const child of this.#children.values()) {
      this.#deps.clock.clearTimeout(child.restartTimer);
      child.actor?.stop();
    }
    this.#children.clear();
  }

  #operate({ op, pods }: PodOperation): void {
    for (const desired of pods) {
      switch (op) {
        case 'ADD':
          this.#add(desired);
          break;
        case 'UPDATE':
        case 'DELETE':
          this.#update(desired);
          break;
        case 'REMOVE':
          this.#remove(desired.uid);
          break;
        case 'RECONCILE':
          this.#reconcile(this.#children.get(desired.uid), desired);
          break;
        case 'SET':
          break;
        default:
          op satisfies never;
      }
    }
  }

  #add(desired: DesiredPod): void {
    const ending = this.#children.get(desired.uid);
    if (ending?.removed === true) {
      ending.again = desired;
      return;
    }
    if (ending !== undefined) return this.#update(desired);
    const child: PodChild = { desired, actor: undefined, refused: undefined, waitsFor: this.#holderOf(desired), removed: false, again: undefined, restartTimer: undefined, failure: undefined };
    this.#children.set(desired.uid, child);
    if (child.waitsFor === undefined) this.#holders.set(podFullName(desired), desired.uid);
    this.#spawn(child);
  }

  /** Pods of the API may overlap with their predecessor; static and admin pods wait until the name is free. */
  #holderOf(desired: DesiredPod): PodUid | undefined {
    const holder = this.#holders.get(podFullName(desired));
    return holder === undefined || desired.source === 'mqtt' ? undefined : holder;
  }

  #update(desired: DesiredPod): void {
    const child = this.#children.get(desired.uid);
    if (child === undefined) return;
    if (child.again !== undefined) {
      child.again = desired;
      return;
    }
    child.desired = this.#deps.resizer.asked(desired, () => ({ node: this.#deps.node(), others: activeBeside(this.#children, child).map((other) => other.desired) }));
    child.actor?.send({ type: 'pod.desired', desired: child.desired });
  }

  /** Of a status that only others have changed, gates and an end concern a pod that has begun; one that has not may have ended before. */
  #reconcile(child: PodChild | undefined, desired: DesiredPod): void {
    if (child === undefined) return;
    if (child.actor === undefined && child.again === undefined) child.desired = desired;
    else if (gatesMoved(child.desired, desired) || (endedAtSource(desired) !== undefined && endedAtSource(child.desired) === undefined)) this.#update(desired);
  }

  #mirrorReceived(mirror: Pod | undefined): void {
    const uid = mirror?.metadata?.annotations?.[hashAnnotation] as PodUid | undefined; // A static pod's UID is its hash.
    const child = uid === undefined ? undefined : this.#children.get(uid);
    if (child?.desired.source === 'file') this.#reconcile(child, withConditionsOf(child.desired, mirror));
  }

  #remove(uid: PodUid): void {
    const child = this.#children.get(uid);
    if (child === undefined) return;
    child.again = undefined;
    child.removed = true;
    if (child.actor === undefined) return this.#forget(child);
    child.actor.send({ type: 'pod.kill', kill: { graceMs: undefined, removed: true } });
  }

  #kill({ pod, graceMs, ...status }: Messages['pod.kill']): void {
    const { reason, message, disruption = false } = status;
    const kill: PodKill = { graceMs, status: { reason, message, disruption } };
    this.#children.get(pod.uid)?.actor?.send({ type: 'pod.kill', kill });
  }

  /** Containers may wait for the object, volumes may show it. */
  #objectChanged(changed: Messages['object.changed']): void {
    const key = objectKey(changed);
    for (const { desired, actor } of this.#children.values()) {
      if (actor === undefined || desired.namespace !== changed.namespace) continue;
      if (objectsUsedBy(desired.namespace, desired.pod.spec).some((used) => objectKey(used) === key)) actor.send({ type: 'pod.look' });
    }
  }

  /** Without a first listing nobody can tell a new pod from one that already runs, so nothing is spawned before. */
  #spawn(child: PodChild): void {
    if (this.#listing === undefined || child.actor !== undefined) return;
    const desired = this.#deps.resizer.admitted(this.#deps.memory.withStatus(child.desired));
    child.desired = desired;
    const found = this.#listing.get(desired.uid) !== undefined;
    const actor = new PodActor(
      { ...this.#deps, bus: this.#deps.podBus(podName(desired)) },
      {
        desired,
        observed: nothingObserved(desired.uid),
        looks: found ? 'all' : 'none',
        complete: isTerminalPhase(desired.pod.status?.phase),
      },
      { done: () => this.#done(child), failed: (error) => this.#failed(child, error) },
    );
    child.actor = actor;
    actor.start();
    if (!found) child.refused ??= this.#judge(child);
    if (child.refused !== undefined) this.#refuse(child, child.refused);
    else if (!found) tellLeftOut(this.#deps, desired);
    if (child.removed) actor.send({ type: 'pod.kill', kill: { graceMs: undefined, removed: true } });
    this.#admit(child);
  }

  #refuse(child: PodChild, { reason, message }: { readonly reason: string; readonly message: string }): void {
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: child.desired }, type: 'Warning', reason, message });
    child.actor?.send({ type: 'pod.kill', kill: { graceMs: undefined, status: { reason, message: `Pod was rejected: ${message}` } } });
  }

  /** Lets a pod begin once the runtime answers and its name is free. */
  #admit(child: PodChild): void {
    if (this.#runtimeReady && child.waitsFor === undefined) child.actor?.send({ type: 'pod.admit' });
  }

  /** Whether the node takes a pod that is not there yet. Others may have to go for it; they count no longer. */
  #judge(child: PodChild): AdmissionFault | undefined {
    const admission = admitPod(child.desired, this.#deps.node(), activeBeside(this.#children, child).map(({ desired }) => desired));
    if (admission.kind === 'refused') return admission.fault;
    for (const { uid } of admission.preempted) this.#preempt(uid);
    return undefined;
  }

  #preempt(uid: PodUid): void {
    const child = this.#children.get(uid);
    if (child === undefined) return;
    const status = { reason: 'Preempting', message: 'Preempted in order to admit critical pod' };
    child.refused = status;
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: child.desired }, type: 'Warning', ...status });
    child.actor?.send({ type: 'pod.kill', kill: { graceMs: 0, status: { ...status, disruption: true } } });
  }

  #relisted(relisted: Messages['runtime.relisted']): void {
    const first = this.#listing === undefined;
    this.#listing = podListings(relisted);
    for (const [uid, child] of first ? inOrderOfAdmission(this.#children, this.#listing) : [...this.#children]) {
      if (child.actor === undefined) this.#spawn(child);
      else if (!first) this.#compare(child.actor, this.#listing.get(uid));
    }
  }

  /** A pod in the middle of a sync looks for itself; one at rest is told when the list contradicts what it knows. */
  #compare(actor: PodActor, listing: PodListing | undefined): void {
    if (!actor.state().endsWith('.settled')) return;
    if (!sameAsListed(actor.context().observed, listing ?? { sandboxes: [], containers: [] })) actor.send({ type: 'pod.look' });
  }

  #runtimeHealth({ runtimeReady }: Messages['runtime.health']): void {
    const back = runtimeReady && !this.#runtimeReady;
    this.#runtimeReady = runtimeReady;
    if (!back) return;
    for (const child of this.#children.values()) {
      this.#admit(child);
      child.actor?.send({ type: 'pod.retry' });
    }
  }

  #done(child: PodChild): void {
    child.actor = undefined;
    this.#forget(child);
  }

  #forget(child: PodChild): void {
    const { desired } = child;
    this.#deps.clock.clearTimeout(child.restartTimer);
    this.#children.delete(desired.uid);
    this.#restarts.forget(desired.uid);
    this.#deps.resizer.forget(desired.uid);
    this.#deps.bus.publish('pod.forgotten', { pod: desired }, { key: desired.uid });
    if (this.#holders.get(podFullName(desired)) === desired.uid) this.#holders.delete(podFullName(desired));
    this.#passOnName(podFullName(desired), desired.uid);
    if (child.again !== undefined) this.#add(child.again);
  }

  #passOnName(fullName: string, uid: PodUid): void {
    const next = [...this.#children.values()].find((child) => child.waitsFor === uid);
    if (next === undefined) return;
    this.#holders.set(fullName, next.desired.uid);
    for (const child of this.#children.values()) {
      if (child.waitsFor === uid) child.waitsFor = child === next ? undefined : next.desired.uid;
    }
    this.#admit(next);
  }

  /** Our mistake, in one pod: its containers stay as they are, its actor is made anew and looks at them. */
  #failed(child: PodChild, error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    child.actor = undefined;
    const verdict = this.#restarts.next(child.desired.uid);
    if (verdict.kind === 'escalate') {
      this.#deps.bus.publish('actor.failed', { actor: `pod ${podName(child.desired)}`, message, action: 'too many failures: ending the process' });
      this.#deps.escalate(`pod ${podName(child.desired)} failed ${verdict.failures} times: ${message}`);
      return;
    }
    this.#deps.bus.publish('actor.failed', { actor: `pod ${podName(child.desired)}`, message, action: `restarting in ${verdict.delayMs} ms` });
    child.failure = { message: String(error), againAtMs: this.#deps.clock.nowMs() + verdict.delayMs };
    child.restartTimer = this.#deps.clock.setTimeout(() => this.#respawn(child), verdict.delayMs);
  }

  #respawn(child: PodChild): void {
    child.failure = undefined;
    const listing = new Map(this.#listing);
    // Whatever the last listing said, this pod has acted since: it must look.
    listing.set(child.desired.uid, listing.get(child.desired.uid) ?? { sandboxes: [], containers: [] });
    this.#listing = listing;
    this.#spawn(child);
  }
}

export function startPodSupervisor(deps: PodSupervisorDeps): PodSupervisor {
  return new Supervisor(deps);
}
