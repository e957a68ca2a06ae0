// Which pods the cloud has given this node, and what a push, an answer to a start or a deletion changes about it.
// Pure bookkeeping: it publishes nothing and judges no pod's content. That a deletion is never taken back is the merge's duty.
import type { DesiredPod, PodUid } from '../../ports/pod-types.ts';
import { podFullName } from '../../ports/pod-types.ts';

/** Pods the cloud may give a node; beyond, new ones are refused. Kubernetes' own limit is 110 a node. */
export const mqttPodsMax = 1_000;
/** UIDs remembered as gone, so that a late or repeated push does not bring a pod back; beyond, the oldest is forgotten. */
const goneMax = 2_000;

export type PodChange =
  | { readonly kind: 'upsert'; readonly pod: DesiredPod }
  | { readonly kind: 'forget'; readonly uid: PodUid };

export class MqttPodState {
  readonly #pods = new Map<PodUid, DesiredPod>();
  readonly #uidByName = new Map<string, PodUid>();
  /** UIDs pushed since the start that is unanswered, or was answered last, was sent. */
  readonly #pushed = new Set<PodUid>();
  /** UIDs that are gone, with the number of the start under which they went. */
  readonly #gone = new Map<PodUid, number>();
  readonly #terminated = new Set<PodUid>();
  readonly #deleted = new Set<PodUid>();
  #start = 0;
  /** A whole list has been taken in this life. */
  #answered = false;

  get full(): boolean {
    return this.#pods.size >= mqttPodsMax;
  }

  has(uid: PodUid): boolean {
    return this.#pods.has(uid);
  }

  get(uid: PodUid): DesiredPod | undefined {
    return this.#pods.get(uid);
  }

  uidOf(name: { readonly namespace: string; readonly name: string }): PodUid | undefined {
    return this.#uidByName.get(podFullName(name));
  }

  /** A start is about to be sent: from now on, a push is newer than its answer may be. */
  beginStart(): void {
    this.#start += 1;
    this.#pushed.clear();
  }

  /**
   * Pods remembered from an earlier life. What has been heard in this one is newer: an answered start leaves nothing to be remembered.
   * @returns those taken
   */
  recall(pods: readonly DesiredPod[]): readonly DesiredPod[] {
    if (this.#answered) return [];
    const taken: DesiredPod[] = [];
    for (const pod of pods) {
      if (this.#pods.has(pod.uid) || this.#gone.has(pod.uid) || this.#uidByName.has(podFullName(pod)) || this.full) continue;
      this.#keep(pod);
      taken.push(pod);
    }
    return taken;
  }

  /** @returns nothing for a pod that is gone, or an older or repeated push */
  push(pod: DesiredPod): readonly PodChange[] {
    if (this.#gone.has(pod.uid)) return [];
    const known = this.#pods.get(pod.uid);
    if (known !== undefined && (known.recalled === true ? isOlder(pod, known) : isOlderOrSame(pod, known))) return [];
    const changes: PodChange[] = [];
    const namesake = this.#namesake(pod);
    if (namesake !== undefined) {
      if (isOlder(pod, namesake)) return [];
      this.#remove(namesake);
      changes.push({ kind: 'forget', uid: namesake.uid });
    }
    this.#keep(pod);
    this.#pushed.add(pod.uid);
    changes.push({ kind: 'upsert', pod });
    return changes;
  }

  /**
   * The whole truth as the cloud saw it some time after the start was sent. What was pushed since stays, listed or not.
   * @param options.complete false when an entry could not be read: then nothing is gone, for it might have been that one
   * @param options.unchanged pods that are listed without a body: they are as they were
   * @returns all pods there are now
   */
  answer(listed: readonly DesiredPod[], options: { readonly complete: boolean; readonly unchanged?: ReadonlySet<PodUid> }): readonly DesiredPod[] {
    const uids = new Set<PodUid>(options.unchanged);
    for (const pod of listed) {
      if (this.#gone.get(pod.uid) === this.#start) continue;
      const known = this.#pods.get(pod.uid);
      uids.add(pod.uid);
      if (known !== undefined && this.#pushed.has(pod.uid) && !isOlder(known, pod)) continue;
      const namesake = this.#namesake(pod);
      if (namesake !== undefined) {
        if (isOlder(pod, namesake)) continue;
        this.#remove(namesake);
      }
      this.#gone.delete(pod.uid);
      if (known !== undefined || !this.full) this.#keep(pod);
    }
    if (options.complete) {
      this.#answered = true;
      for (const pod of [...this.#pods.values()]) if (!uids.has(pod.uid) && !this.#pushed.has(pod.uid)) this.#remove(pod);
    }
    return [...this.#pods.values()];
  }

  /** The cloud says that it exists no longer. @returns false when it was not here */
  gone(uid: PodUid): boolean {
    return this.#pods.has(uid) && this.#forget(uid);
  }

  /** Its containers are gone. @returns true when it is deleted in the API too, so that it is to be forgotten now */
  terminated(uid: PodUid): boolean {
    if (!this.#pods.has(uid)) return false;
    this.#terminated.add(uid);
    return this.#deleted.has(uid) && this.#forget(uid);
  }

  /** It is deleted in the API. @returns true when its containers are gone too, so that it is to be forgotten now */
  deleted(uid: PodUid): boolean {
    if (!this.#pods.has(uid)) return false;
    this.#deleted.add(uid);
    return this.#terminated.has(uid) && this.#forget(uid);
  }

  isTerminated(uid: PodUid): boolean {
    return this.#terminated.has(uid);
  }

  #forget(uid: PodUid): boolean {
    const pod = this.#pods.get(uid);
    if (pod !== undefined) this.#remove(pod);
    return true;
  }

  #keep(pod: DesiredPod): void {
    this.#pods.set(pod.uid, pod);
    this.#uidByName.set(podFullName(pod), pod.uid);
  }

  #remove(pod: DesiredPod): void {
    this.#pods.delete(pod.uid);
    if (this.#uidByName.get(podFullName(pod)) === pod.uid) this.#uidByName.delete(podFullName(pod));
    this.#pushed.delete(pod.uid);
    this.#terminated.delete(pod.uid);
    this.#deleted.delete(pod.uid);
    this.#gone.delete(pod.uid);
    this.#gone.set(pod.uid, this.#start);
    if (this.#gone.size > goneMax) for (const oldest of this.#gone.keys()) return void this.#gone.delete(oldest);
  }

  /** Another pod of the same name. */
  #namesake(pod: DesiredPod): DesiredPod | undefined {
    const uid = this.#uidByName.get(podFullName(pod));
    return uid === undefined || uid === pod.uid ? undefined : this.#pods.get(uid);
  }
}

/** Whole numbers compare, as those of an API server do; anything else tells nothing. */
function versionOf(pod: DesiredPod): bigint | undefined {
  const version = pod.pod.metadata.resourceVersion;
  return version !== undefined && /^[0-9]{1,20}$/.test(version) ? BigInt(version) : undefined;
}

function isOlderOrSame(pod: DesiredPod, known: DesiredPod): boolean {
  const [version, knownVersion] = [versionOf(pod), versionOf(known)];
  return version !== undefined && knownVersion !== undefined && version <= knownVersion;
}

/** By resource version, else by time of creation; where neither tells, what comes later is newer. */
function isOlder(pod: DesiredPod, other: DesiredPod): boolean {
  const [version, otherVersion] = [versionOf(pod), versionOf(other)];
  if (version !== undefined && otherVersion !== undefined) return version < otherVersion;
  const [created, otherCreated] = [pod.pod.metadata.creationTimestamp, other.pod.metadata.creationTimestamp];
  // RFC 3339 in UTC orders as text.
  return created !== undefined && otherCreated !== undefined && created < otherCreated;
}
