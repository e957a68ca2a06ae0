// What the status reporter keeps of one pod, and what is next to be written of it. No bus, no time.
import type { ApiOutcome } from '../bus/api-write.ts';
import { isTerminalPhase } from '../machines/decide/pod-phase.ts';
import { podStatusPatch, type PodStatusPatch } from '../machines/decide/status-patch.ts';
import type { ReportFacts } from '../machines/decide/why/facts.ts';
import type { DesiredPod, Pod, PodStatus, PodUid } from '../ports/pod-types.ts';

export type PodWrite =
  | { readonly verb: 'patchStatus'; readonly uid: PodUid; readonly patch: PodStatusPatch; readonly status: PodStatus; readonly whole: boolean }
  | { readonly verb: 'delete'; readonly uid: PodUid };

/** Reason of a refusal: the patch was made against a status that the API does not have (docs/wire.md, section 6). */
const baseMismatch = 'BaseMismatch';

interface Attempt {
  readonly id: string;
  readonly write: PodWrite;
}

export class ReportedPod {
  desired: DesiredPod;
  /** UID in the API; undefined while the API has no object of it. */
  apiUid: PodUid | undefined;
  /** Its actor is gone: nothing but the writes that are due keeps it here. */
  forgotten = false;
  #newest: PodStatus | undefined;
  /** As the API is known to have it. */
  #acknowledged: PodStatus | undefined;
  /** As the API showed it last, where that is not what it acknowledged. May be an echo that a later one corrects. */
  #shown: PodStatus | undefined;
  #inFlight: Attempt | undefined;
  /** Went without an answer: a repeat of the same write keeps its ID. */
  #unanswered: Attempt | undefined;
  #deletable = false;
  #over = false;

  /** Why the last write came to nothing; empty when it did not. */
  #fault = '';
  /** When the API fell behind, wall milliseconds; 0 while it knows all. */
  #behindSinceMs = 0;
  readonly #containers: 'replaced' | 'by-name';

  /** @param options.containers how the API's side merges lists of container statuses */
  constructor(desired: DesiredPod, options: { readonly containers: 'replaced' | 'by-name' }) {
    this.desired = desired;
    this.#containers = options.containers;
    // A static pod's object in the API has an identity of its own, known later; of a pod from an earlier life nobody knows what the API has.
    if (desired.source !== 'mqtt' || desired.recalled === true) return;
    this.apiUid = desired.uid;
    this.#acknowledged = desired.pod.status;
  }

  /** Nothing will be written any more. */
  get over(): boolean {
    return this.#over || (this.forgotten && !this.#deletable && this.#inFlight === undefined);
  }

  /** @param nowMs wall milliseconds */
  setStatus(status: PodStatus, nowMs: number): void {
    this.#newest = status;
    this.#behindSinceMs ||= nowMs;
  }

  /** What the API has not accepted yet; undefined when nothing is. */
  behind(): Omit<ReportFacts, 'nextAtMs'> | undefined {
    const inFlight = this.#inFlight !== undefined;
    if (this.#over || (!inFlight && !this.#deletable && this.#patch(this.#acknowledged) === undefined)) return undefined;
    return { what: this.#deletable ? 'deletion' : 'status', sinceMs: this.#behindSinceMs, inFlight, fault: this.#fault };
  }

  /** @param status undefined when nobody knows what the API has: then everything is said */
  setApiObject(uid: PodUid | undefined, status: PodStatus | undefined): void {
    if (uid === this.apiUid) return;
    this.apiUid = uid;
    this.#acknowledged = status;
    this.#shown = undefined;
  }

  /** The API's copy came by. It may be older than what the API has acknowledged since. */
  see(status: PodStatus | undefined): void {
    this.#shown = status;
    // Where patches name their base it is what was shown last, and never an old copy: the next one is made against it.
    if (this.#containers === 'by-name') this.#acknowledged = status;
  }

  /** Containers and volumes are gone. Only an object that the API wants deleted is deleted; any other is already gone there. */
  terminate(desired: DesiredPod, nowMs: number): void {
    this.desired = desired;
    this.#behindSinceMs ||= nowMs;
    if (desired.source === 'mqtt' && desired.pod.metadata.deletionTimestamp !== undefined) this.#deletable = true;
    else if (desired.source === 'mqtt') this.#over = true;
  }

  /**
   * @param options.repair compares with the API's copy as last seen too
   * @returns what to write now; undefined when nothing is due or a write is in flight
   */
  next(options: { readonly repair: boolean }): PodWrite | undefined {
    if (this.#over || this.#inFlight !== undefined || this.apiUid === undefined) return undefined;
    const patch = this.#patch(this.#acknowledged) ?? (options.repair && this.#shown !== undefined ? this.#patch(this.#shown) : undefined);
    if (patch !== undefined && this.#newest !== undefined && !this.#wouldRevive()) return { verb: 'patchStatus', uid: this.apiUid, patch, status: this.#newest, whole: this.#acknowledged === undefined };
    return this.#deletable ? { verb: 'delete', uid: this.apiUid } : undefined;
  }

  /** What the API holds for a pod's end stays: the pod is ended here, too, and its last status follows. */
  #wouldRevive(): boolean {
    if (this.desired.source !== 'mqtt' || isTerminalPhase(this.#newest?.phase)) return false;
    return isTerminalPhase(this.#acknowledged?.phase) || isTerminalPhase(this.#shown?.phase);
  }

  #patch(base: PodStatus | undefined): PodStatusPatch | undefined {
    if (this.#newest === undefined || this.apiUid === undefined) return undefined;
    return podStatusPatch(base, this.#newest, this.apiUid, { containers: this.#containers });
  }

  /** @param newId names the write unless it repeats one that went unanswered */
  begin(write: PodWrite, newId: () => string): string {
    const repeated = this.#unanswered !== undefined && sameWrite(this.#unanswered.write, write);
    const id = repeated && this.#unanswered !== undefined ? this.#unanswered.id : newId();
    this.#inFlight = { id, write };
    this.#unanswered = undefined;
    return id;
  }

  /** @returns why it has to be tried again, one line; undefined when it has not */
  settle(id: string, outcome: ApiOutcome): string | undefined {
    const attempt = this.#inFlight;
    if (attempt === undefined || attempt.id !== id) return undefined;
    this.#inFlight = undefined;
    const fault = this.#settled(attempt, outcome);
    this.#fault = fault ?? '';
    if (fault === undefined && this.behind() === undefined) this.#behindSinceMs = 0;
    return fault;
  }

  #settled(attempt: Attempt, outcome: ApiOutcome): string | undefined {
    switch (outcome.kind) {
      case 'accepted':
        // The answer to a write of kind Pod is a Pod.
        this.#accepted(attempt.write, outcome.object as Pod | undefined);
        return undefined;
      case 'unanswered':
        this.#unanswered = attempt;
        // It may have had its effect: where patches name their base, nobody knows which one that is now, and all is said.
        if (this.#containers === 'by-name') this.#acknowledged = undefined;
        return outcome.message;
      case 'superseded':
        return 'a newer write took its place';
      case 'refused':
        return this.#refused(attempt.write, outcome.status);
      default:
        return outcome satisfies never;
    }
  }

  /** @param object as it is now: a write before this one may have had its effect although it went unanswered */
  #accepted(write: PodWrite, object: Pod | undefined): void {
    if (write.verb === 'delete') this.#over = true;
    else if (write.uid === this.apiUid) {
      this.#acknowledged = write.status;
      this.#shown = object?.metadata?.uid === write.uid ? object.status : undefined;
    }
  }

  #refused(write: PodWrite, { reason = '', message = '' }: { readonly reason?: string; readonly message?: string }): string | undefined {
    if (reason === baseMismatch) {
      // The API has another status than we thought: it is told all of ours.
      this.#acknowledged = undefined;
      this.#shown = undefined;
      return undefined;
    }
    if (reason !== 'NotFound' && reason !== 'Conflict') return message || reason || 'refused';
    // The object is gone, or its name belongs to another pod. A static pod gets a new mirror, which will be made known.
    if (this.desired.source === 'mqtt') this.#over = true;
    else if (write.uid === this.apiUid) this.apiUid = undefined;
    return undefined;
  }
}

function sameWrite(a: PodWrite, b: PodWrite): boolean {
  if (a.verb === 'delete' || b.verb === 'delete') return a.verb === b.verb && a.uid === b.uid;
  return a.uid === b.uid && a.status === b.status;
}
