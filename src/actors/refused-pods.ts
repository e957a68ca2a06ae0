// Pods of the cloud that this node cannot read: what is wrong with one becomes its status, so that nobody waits for it, and the deletion
// of one is acknowledged, for nothing of it is here. A refused change of a pod that is here is none of its business.
import type { ApiOutcome, ApiWrite } from '../bus/api-write.ts';
import type { BusPort, Listening } from '../bus/bus.ts';
import type { Messages } from '../bus/messages.ts';
import { podStatusPatch } from '../machines/decide/status-patch.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { PodUid } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { LinkRetry } from './link-retry.ts';

/** Of a status; kubelet has no word for it, because its API server lets no such pod through. */
export const invalidPodReason = 'InvalidPod';
/** Refused pods that are kept; beyond, one is told by its event alone. */
export const refusedPodsMax = 500;
/** Before what was not accepted is written again. The timer runs only while there is such a thing. */
export const retryMs = 10_000;

export interface RefusedPodsDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
}

interface RefusedPod {
  readonly refusal: Messages['pod.refused'];
  inFlight: string | undefined;
  /** The API has it. */
  told: boolean;
}

class RefusedPods implements Stoppable {
  readonly #deps: RefusedPodsDeps;
  readonly #listenings: readonly Listening[];
  readonly #retry: LinkRetry;
  readonly #pods = new Map<PodUid, RefusedPod>();

  constructor(deps: RefusedPodsDeps) {
    this.#deps = deps;
    const { bus, clock } = deps;
    this.#retry = new LinkRetry({ bus, clock, periodMs: retryMs, again: () => this.#all() });
    this.#listenings = [
      bus.on('pod.refused', ({ payload }) => this.#refused(payload)),
      bus.on('pods.changed', ({ payload }) => { for (const { uid } of payload.pods) this.#pods.delete(uid); }),
      bus.on('api.settled', ({ payload }) => this.#settled(payload.write, payload.outcome), 'refused-pods'),
    ];
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    this.#retry.stop();
  }

  #refused(refusal: Messages['pod.refused']): void {
    const { uid } = refusal.pod;
    const known = this.#pods.get(uid);
    const same = known?.refusal.message === refusal.message && known.refusal.deleting === refusal.deleting;
    if (same || (known === undefined && this.#pods.size >= refusedPodsMax)) return;
    const pod = { refusal, inFlight: known?.inFlight, told: false };
    this.#pods.set(uid, pod);
    this.#write(pod);
  }

  #all(): void {
    for (const pod of this.#pods.values()) this.#write(pod);
  }

  #write(pod: RefusedPod): void {
    if (!this.#retry.up || pod.told || pod.inFlight !== undefined) return;
    const { pod: { uid, namespace, name }, message, deleting } = pod.refusal;
    const { bus, random } = this.#deps;
    const common = { id: random.uuid(), writer: 'refused-pods', lane: `pod/${uid}`, kind: 'Pod', namespace, name } as const;
    pod.inFlight = common.id;
    const patch = deleting ? undefined : podStatusPatch(undefined, { phase: 'Failed', reason: invalidPodReason, message }, uid);
    bus.publish('api.write', patch === undefined ? { ...common, verb: 'delete', uid, gracePeriodSeconds: 0 } : { ...common, verb: 'patchStatus', patch, whole: true });
  }

  #settled(write: ApiWrite, outcome: ApiOutcome): void {
    const uid = write.lane.slice('pod/'.length) as PodUid; // We named the lane after it.
    const pod = this.#pods.get(uid);
    if (pod === undefined || pod.inFlight !== write.id) return;
    pod.inFlight = undefined;
    const gone = outcome.kind === 'refused' && (outcome.status.reason === 'NotFound' || outcome.status.reason === 'Conflict');
    if (gone || (outcome.kind === 'accepted' && write.verb === 'delete')) this.#pods.delete(uid);
    else if (outcome.kind === 'accepted' && pod.refusal.deleting === false) pod.told = true;
    else if (outcome.kind === 'accepted') this.#write(pod);
    else this.#retry.later();
  }
}

/** Listens to `pod.refused`, `pods.changed`, `mqtt.link` and `api.settled`; publishes `api.write`. */
export function startRefusedPods(deps: RefusedPodsDeps): Stoppable {
  return new RefusedPods(deps);
}
