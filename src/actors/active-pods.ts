// The pods that have or will have containers, as the bus tells of them: what eviction and the node's shutdown choose from.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { DesiredPod, PodUid } from '../ports/pod-types.ts';

interface Known {
  desired: DesiredPod;
  active: boolean;
  /** It had ended before this life of the agent: it is only cleaned up, and that is no reason to choose it. */
  endedBefore: boolean;
  /** Before it is let in nobody knows what it has, or whether it has ended. */
  letIn: boolean;
}

export class ActivePods {
  readonly #known = new Map<PodUid, Known>();
  readonly #listenings: Listening[];
  readonly #waiting = new Map<PodUid, (() => void)[]>();

  constructor(bus: BusPort) {
    this.#listenings = [
      bus.on('pods.changed', ({ payload: { op, pods } }) => {
        if (op === 'REMOVE') return;
        for (const desired of pods) this.#take(desired);
      }),
      bus.on('pod.transitioned', ({ payload: { pod, to, on } }) => this.#moved(pod.uid, to, on)),
      bus.on('pod.forgotten', ({ payload }) => {
        this.#known.delete(payload.pod.uid);
        this.#ended(payload.pod.uid);
      }),
    ];
  }

  stop(): void {
    for (const listening of this.#listenings) listening.off();
    this.#waiting.clear();
  }

  /** In the order in which they were heard of. A pod that ends is among them until nothing of it runs. */
  all(): readonly DesiredPod[] {
    const found: DesiredPod[] = [];
    for (const { desired, active } of this.#known.values()) if (active) found.push(desired);
    return found;
  }

  /** Those of them that have been let in: what uses something of the node. */
  begun(): readonly DesiredPod[] {
    return this.all().filter(({ uid }) => this.#known.get(uid)?.letIn === true);
  }

  /** Calls back once when nothing of the pod runs any more; at once when that is so already. */
  onceEnded(uid: PodUid, callback: () => void): void {
    if (this.#known.get(uid)?.active !== true) return callback();
    this.#waiting.set(uid, [...(this.#waiting.get(uid) ?? []), callback]);
  }

  /** The same for several; never for none. */
  onceAllEnded(uids: readonly PodUid[], callback: () => void): void {
    let left = uids.length;
    for (const uid of uids) {
      this.onceEnded(uid, () => {
        left -= 1;
        if (left === 0) callback();
      });
    }
  }

  #take(desired: DesiredPod): void {
    const known = this.#known.get(desired.uid);
    if (known === undefined) this.#known.set(desired.uid, { desired, active: false, endedBefore: false, letIn: false });
    else known.desired = desired;
  }

  #moved(uid: PodUid, to: string, on: string): void {
    const known = this.#known.get(uid);
    if (known === undefined) return;
    // Let in and at once at its end: it was found complete.
    if (on === 'pod.admit') known.endedBefore = to.startsWith('terminating');
    known.letIn ||= to !== 'pending';
    known.active = !known.endedBefore && !/^(?:terminated|finishing|done)/.test(to);
    if (!known.active) this.#ended(uid);
  }

  #ended(uid: PodUid): void {
    const waiting = this.#waiting.get(uid) ?? [];
    this.#waiting.delete(uid);
    for (const callback of waiting) callback();
  }
}
