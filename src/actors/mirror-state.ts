// One mirror pod: the static pod that is to have one, what the API has under that name, and what is to be done. No bus, no time.
import type { ApiOutcome } from '../bus/api-write.ts';
import type { DesiredPod, Node, Pod, PodStatus, PodUid } from '../ports/pod-types.ts';

export const hashAnnotation = 'kubernetes.io/config.hash';
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Writes in a row without success before there is a pause: delete, create, look and again is the longest that makes sense. */
const turnsMax = 6;

export type MirrorStep =
  | { readonly verb: 'create'; readonly static: DesiredPod }
  | { readonly verb: 'get' }
  | { readonly verb: 'delete'; readonly uid: PodUid };

/** What the API has under the name. */
interface ApiCopy {
  readonly uid: PodUid;
  /** Undefined: not a mirror pod at all. */
  readonly hash: string | undefined;
  readonly deleting: boolean;
  readonly status: PodStatus | undefined;
}

export class MirrorState {
  /** Shown by the mirror; stays so until its containers are gone. */
  #current: DesiredPod | undefined;
  /** The current one's file is gone, its containers are not yet. */
  #leaving = false;
  /** Takes the name over when the current one has ended; may have the same UID, when its file came back meanwhile. */
  #next: DesiredPod | undefined;
  #copy: ApiCopy | undefined;
  /** A create was answered with AlreadyExists: only a look tells what is there. */
  #mustLook = false;
  /** Writes in a row that did not lead to a mirror. */
  #turns = 0;
  #inFlight: { readonly id: string; readonly step: MirrorStep } | undefined;
  #unanswered: { readonly id: string; readonly step: MirrorStep } | undefined;

  get current(): DesiredPod | undefined {
    return this.#current;
  }

  /** Any object will do that has the name: nothing of it is left, here or in the API. */
  get empty(): boolean {
    return this.#current === undefined && this.#copy === undefined && this.#inFlight === undefined;
  }

  /** The API's object of the current static pod, where it is really its mirror. */
  get known(): { readonly uid: PodUid; readonly status: PodStatus | undefined } | undefined {
    if (this.#copy === undefined || this.#inFlight?.step.verb === 'delete') return undefined;
    return this.#isMirrorOfCurrent(this.#copy) ? this.#copy : undefined;
  }

  /** Our own write has changed the object's status. @param status as the API answered; undefined where the answer does not say */
  statusWritten(status: PodStatus | undefined): void {
    if (this.#copy !== undefined) this.#copy = { ...this.#copy, status };
  }

  /** A pod that is no mirror holds the name; it is left alone. */
  get foreign(): boolean {
    return this.#copy !== undefined && this.#copy.hash === undefined;
  }

  want(pod: DesiredPod): void {
    if (this.#current === undefined || (this.#current.uid === pod.uid && !this.#leaving)) this.#current = pod;
    else this.#next = pod;
  }

  /** Its file is gone. The one that runs ends first. */
  unwant(uid: PodUid): void {
    if (this.#next?.uid === uid) this.#next = undefined;
    else if (this.#current?.uid === uid) this.#leaving = true;
  }

  /**
   * Nothing of a pod of this UID is left on the node. Where it is wanted, that was one before it, whose file had been gone.
   * @returns whether it is about the current one
   */
  ended(uid: PodUid): boolean {
    if (this.#current?.uid !== uid) return false;
    if (this.#leaving) {
      this.#current = this.#next;
      this.#next = undefined;
      this.#leaving = false;
    }
    return true;
  }

  see(pod: Pod | undefined): void {
    // A create on its way needs no second word: its own outcome tells what is there.
    this.#copy = copyOf(pod);
    this.#mustLook = false;
  }

  /** @param options.orphans whether a mirror that no static pod wants may be deleted */
  step(options: { readonly orphans: boolean }): MirrorStep | undefined {
    if (this.#inFlight !== undefined) return undefined;
    if (this.#mustLook) return { verb: 'get' };
    const copy = this.#copy;
    if (copy === undefined) return this.#current === undefined ? undefined : { verb: 'create', static: this.#current };
    if (copy.hash === undefined || this.#isMirrorOfCurrent(copy)) return undefined;
    return this.#current === undefined && !options.orphans ? undefined : { verb: 'delete', uid: copy.uid };
  }

  #isMirrorOfCurrent({ hash, deleting }: ApiCopy): boolean {
    return this.#current !== undefined && !deleting && hash !== undefined && hash === hashOf(this.#current);
  }

  /** @param newId names the write unless it repeats one that went unanswered */
  begin(step: MirrorStep, newId: () => string): string {
    const last = this.#unanswered;
    this.#unanswered = undefined;
    const id = last !== undefined && last.step.verb === step.verb && sameTarget(last.step, step) ? last.id : newId();
    this.#inFlight = { id, step };
    return id;
  }

  /** @returns why it has to be tried again later, one line; undefined when it has not */
  settle(id: string, outcome: ApiOutcome): string | undefined {
    const attempt = this.#inFlight;
    if (attempt === undefined || attempt.id !== id) return undefined;
    this.#inFlight = undefined;
    const failed = this.#take(attempt, outcome);
    this.#turns = failed !== undefined || this.known !== undefined ? 0 : this.#turns + 1;
    if (this.#turns < turnsMax) return failed;
    this.#turns = 0;
    return `the API contradicts itself: after ${turnsMax} writes there is still no mirror pod`;
  }

  #take(attempt: { readonly id: string; readonly step: MirrorStep }, outcome: ApiOutcome): string | undefined {
    switch (outcome.kind) {
      case 'accepted':
        // Writes of kind Pod are answered with a Pod.
        return this.#accepted(attempt.step, outcome.object as Pod | undefined);
      case 'refused':
        return this.#refused(attempt.step, outcome.status);
      case 'unanswered':
        this.#unanswered = attempt;
        return outcome.message;
      case 'superseded':
        return 'a newer write took its place';
      default:
        return outcome satisfies never;
    }
  }

  #accepted({ verb }: MirrorStep, object: Pod | undefined): string | undefined {
    this.#copy = verb === 'delete' ? undefined : laterOf(this.#copy, copyOf(object), verb);
    // There is a pod, but the answer does not say which.
    this.#mustLook = verb !== 'delete' && this.#copy === undefined;
    return verb === 'get' && this.#mustLook ? 'the answer holds no pod' : undefined;
  }

  #refused({ verb }: MirrorStep, { reason = '', message = '' }: { readonly reason?: string; readonly message?: string }): string | undefined {
    if (reason === 'NotFound' && verb !== 'create') {
      this.#copy = undefined;
      this.#mustLook = false;
      return undefined;
    }
    if ((reason === 'AlreadyExists' && verb === 'create') || (reason === 'Conflict' && verb === 'delete')) {
      this.#mustLook = true;
      return undefined;
    }
    return message || reason || 'refused';
  }
}

function copyOf(pod: Pod | undefined): ApiCopy | undefined {
  const { uid, annotations, deletionTimestamp } = pod?.metadata ?? {};
  if (uid === undefined || uid === '') return undefined;
  return {
    uid: uid as PodUid, // An object of the API: its UID is a pod's.
    hash: annotations?.[mirrorAnnotation],
    deleting: deletionTimestamp !== undefined && deletionTimestamp !== null,
    status: pod?.status,
  };
}

/** The answer to a write sent again is the one it had the first time: what the API has shown since is truer, and a deletion is never taken back. */
function laterOf(seen: ApiCopy | undefined, answered: ApiCopy | undefined, verb: 'create' | 'get'): ApiCopy | undefined {
  if (seen === undefined || answered === undefined || seen.uid !== answered.uid) return answered;
  return { ...(verb === 'create' ? seen : answered), deleting: seen.deleting || answered.deleting };
}

function hashOf({ uid, pod }: DesiredPod): string {
  return pod.metadata.annotations?.[hashAnnotation] ?? uid;
}

function sameTarget(a: MirrorStep, b: MirrorStep): boolean {
  if (a.verb === 'create') return b.verb === 'create' && a.static === b.static;
  if (a.verb === 'delete') return b.verb === 'delete' && a.uid === b.uid;
  return b.verb === 'get';
}

/** The object that stands for a static pod in the API. @param node its owner, as far as it is known */
export function mirrorObject({ uid, pod }: DesiredPod, node: Node | undefined): Pod {
  const { name, uid: nodeUid } = node?.metadata ?? {};
  const hash = pod.metadata.annotations?.[hashAnnotation] ?? uid;
  const owner = name && nodeUid ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: nodeUid, controller: true }] } : {};
  return { ...pod, metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [mirrorAnnotation]: hash }, ...owner } };
}
