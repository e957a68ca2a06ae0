// Writes the newest status of each pod to the API and, at the end of a pod that the API wants deleted, deletes its object.
// A change goes out at once; what was not accepted is tried again when the link comes up and in a pass every 10 s.
// Pods of the admin API have no object there: nothing is written of them.
import type { ApiOutcome, ApiWrite } from '../bus/api-write.ts';
import type { BusPort, Listening } from '../bus/bus.ts';
import type { PodOperation } from '../bus/source-update.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { ReportFacts } from '../machines/decide/why/facts.ts';
import { type DesiredPod, type Pod, podName, type PodStatus, type PodUid } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { ReportedPod } from './reported-pod.ts';

/** Between two passes over what the API has not accepted. The timer runs only while there is such a thing. */
export const passPeriodMs = 10_000;
/** After a whole list of the cloud: what was under way while it was made has arrived by then, and what is missing there was lost. */
export const listedPassMs = 1_000;

export interface StatusReporterDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  /** How the API's side merges lists of container statuses; `replaced` when absent, as the API does it. */
  readonly containerStatuses?: 'replaced' | 'by-name';
}

/** A pod's object in the API. */
interface ApiObject {
  readonly apiUid: PodUid | undefined;
  readonly status: PodStatus | undefined;
}

export interface StatusReporterHandle extends Stoppable {
  /** What the API has not accepted of a pod; also of one that the node has forgotten. Asking changes nothing. */
  reportOf(uid: PodUid): ReportFacts | undefined;
  /** Pods of which the API is behind. */
  behind(): readonly { readonly desired: DesiredPod; readonly report: ReportFacts }[];
}

class StatusReporter implements StatusReporterHandle {
  readonly #deps: StatusReporterDeps;
  readonly #listenings: Listening[];
  /** By UID on this node. As many as there are pods, and deleted ones whose deletion the API has not confirmed. */
  readonly #pods = new Map<PodUid, ReportedPod>();
  /** Of mirror pods and of recalled pods: known before their pod here may have a status. By UID on this node. */
  readonly #objects = new Map<PodUid, ApiObject & { readonly apiUid: PodUid }>();
  #linkUp = false;
  #timer: unknown;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(deps: StatusReporterDeps) {
    this.#deps = deps;
    const { bus } = deps;
    this.#listenings = [
      bus.on('pod.status', ({ payload }) => {
        const pod = this.#podOf(payload.desired);
        pod?.setStatus(payload.status, deps.clock.nowMs());
        this.#write(pod);
      }),
      bus.on('pod.terminated', ({ payload }) => {
        const pod = this.#podOf(payload.desired);
        pod?.terminate(payload.desired, deps.clock.nowMs());
        this.#write(pod);
        this.#dropIfOver(payload.pod.uid);
      }),
      bus.on('pod.forgotten', ({ payload }) => this.#forgotten(payload.pod.uid)),
      bus.on('pods.changed', ({ payload }) => this.#operated(payload)),
      bus.on('mirror.known', ({ payload }) => this.#mirrorKnown(payload.staticUid, payload)),
      bus.on('mirror.received', ({ payload }) => this.#mirrorSeen(payload.pod)),
      bus.on('cloud.listed', () => this.#schedulePass(listedPassMs)),
      bus.on('mqtt.link', ({ payload }) => this.#linkChanged(payload.state === 'up')),
      bus.on('api.settled', ({ payload }) => this.#settled(payload.write, payload.outcome), 'status-reporter'),
    ];
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    this.#unschedule();
    this.#pods.clear();
  }

  reportOf(uid: PodUid): ReportFacts | undefined {
    const behind = this.#pods.get(uid)?.behind();
    if (behind === undefined) return undefined;
    const { clock } = this.#deps;
    return { ...behind, nextAtMs: Number.isFinite(this.#timerDueMs) ? clock.nowMs() + this.#timerDueMs - clock.monotonicMs() : 0 };
  }

  behind(): readonly { readonly desired: DesiredPod; readonly report: ReportFacts }[] {
    return [...this.#pods].flatMap(([uid, { desired }]) => {
      const report = this.reportOf(uid);
      return report === undefined ? [] : [{ desired, report }];
    });
  }

  #podOf(desired: DesiredPod): ReportedPod | undefined {
    if (desired.source === 'admin') return undefined;
    const known = this.#pods.get(desired.uid);
    if (known !== undefined) {
      known.desired = desired;
      // A static pod that was forgotten with a write on its way has begun anew under its UID.
      known.forgotten = false;
      return known;
    }
    const object = this.#objects.get(desired.uid);
    // What the pod has of a status may be remembered: only its source says what the API has.
    const told: DesiredPod = object === undefined ? desired : { ...desired, recalled: true };
    const made = new ReportedPod(told, { containers: this.#deps.containerStatuses ?? 'replaced' });
    if (object !== undefined) made.setApiObject(object.apiUid, object.status);
    this.#pods.set(desired.uid, made);
    return made;
  }

  #forgotten(uid: PodUid): void {
    const pod = this.#pods.get(uid);
    this.#objects.delete(uid);
    if (pod === undefined) return;
    pod.forgotten = true;
    this.#dropIfOver(uid);
  }

  #operated({ op, source, pods }: PodOperation): void {
    if (source !== 'mqtt' || op === 'REMOVE' || op === 'SET') return;
    for (const desired of pods) {
      const { uid, recalled, pod: { status } } = desired;
      const pod = this.#pods.get(uid);
      if (recalled === true) continue;
      if (pod === undefined) this.#objects.set(uid, { apiUid: uid, status });
      // The cloud has it still, and says what it was last told of it.
      else if (pod.apiUid === undefined) {
        pod.setApiObject(uid, status);
        this.#write(pod);
      // Somebody else wrote the status, or an echo of ours is late: the next pass tells. What comes with another wish is as old as the
      // last one of these: the cloud does not say a status again that it has from us.
      } else if (op === 'RECONCILE') this.#see(pod, status);
    }
  }

  #mirrorKnown(staticUid: PodUid, { apiUid, status }: ApiObject): void {
    if (apiUid === undefined) this.#objects.delete(staticUid);
    else this.#objects.set(staticUid, { apiUid, status });
    const pod = this.#pods.get(staticUid);
    pod?.setApiObject(apiUid, status);
    this.#write(pod);
  }

  #mirrorSeen(mirror: Pod | undefined): void {
    const uid = mirror?.metadata?.uid;
    if (uid === undefined) return;
    for (const pod of this.#pods.values()) {
      if (pod.desired.source === 'file' && pod.apiUid === uid) this.#see(pod, mirror?.status);
    }
  }

  #see(pod: ReportedPod | undefined, status: PodStatus | undefined): void {
    if (pod === undefined) return;
    pod.see(status);
    if (pod.next({ repair: true }) !== undefined) this.#schedulePass(passPeriodMs);
  }

  #linkChanged(up: boolean): void {
    if (up === this.#linkUp) return;
    this.#linkUp = up;
    this.#unschedule();
    if (up) this.#pass();
  }

  #schedulePass(withinMs: number): void {
    const { clock } = this.#deps;
    const dueMs = clock.monotonicMs() + withinMs;
    if (this.#timerDueMs <= dueMs || !this.#linkUp) return;
    this.#unschedule();
    this.#timerDueMs = dueMs;
    this.#timer = clock.setTimeout(() => {
      this.#unschedule();
      this.#pass();
    }, withinMs);
  }

  #unschedule(): void {
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }

  #pass(): void {
    for (const pod of [...this.#pods.values()]) this.#write(pod, { repair: true });
  }

  #write(pod: ReportedPod | undefined, options = { repair: false }): void {
    if (pod === undefined || !this.#linkUp) return;
    const next = pod.next(options);
    if (next === undefined) return;
    const { bus, random } = this.#deps;
    const { uid, namespace, name } = pod.desired;
    const id = pod.begin(next, () => random.uuid());
    const common = { id, writer: 'status-reporter', lane: `pod/${uid}`, kind: 'Pod', namespace, name } as const;
    if (next.verb === 'delete') bus.publish('api.write', { ...common, verb: 'delete', uid: next.uid, gracePeriodSeconds: 0 });
    else bus.publish('api.write', { ...common, verb: 'patchStatus', patch: next.patch, ...(next.whole ? { whole: true } : {}) });
  }

  #settled(write: ApiWrite, outcome: ApiOutcome): void {
    const uid = write.lane.slice('pod/'.length) as PodUid; // We named the lane after it.
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    const failed = pod.settle(write.id, outcome);
    if (failed === undefined) {
      this.#write(pod);
      if (pod.next({ repair: true }) !== undefined) this.#schedulePass(passPeriodMs);
      this.#dropIfOver(uid);
      return;
    }
    this.#deps.log.warn('status-reporter.write-failed', { pod: podName(pod.desired), podUid: uid, verb: write.verb, fault: failed });
    // Who got no answer has waited for it already.
    this.#schedulePass(outcome.kind === 'unanswered' ? listedPassMs : passPeriodMs);
  }

  #dropIfOver(uid: PodUid): void {
    if (this.#pods.get(uid)?.over === true) this.#pods.delete(uid);
  }
}

/**
 * Listens to `pod.status`, `pod.terminated`, `pod.forgotten`, `pods.changed`, `mirror.known`, `mirror.received`, `cloud.listed`,
 * `mqtt.link` and `api.settled`; publishes `api.write`.
 */
export function startStatusReporter(deps: StatusReporterDeps): StatusReporterHandle {
  return new StatusReporter(deps);
}
