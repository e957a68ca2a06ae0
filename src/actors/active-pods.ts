// The pods that have or will have containers, as the bus tells of them: what eviction and the node's shutdown choose from.
import type { BusPort, Listening } from '../bus/bus.ts';
import type { DesiredPod, PodUid } from '../ports/pod-types.ts';

interface Known {
  desired: DesiredPod;
  active: boolean;
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
      bus.on('pod.transitioned', ({ payload: { pod, to } }) => this.#moved(pod.uid, to)),
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
    if (known === undefined) this.#known.set(desired.uid, { desired, active: false });
    else known.desired = desired;
  }

  #moved(uid: PodUid, to: string): void {
    const known = this.#known.get(uid);
    if (known === undefined) return;
    known.active = !/^(?:terminated|finishing|done)/.test(to);
    if (!known.active) this.#ended(uid);
  }

  #ended(uid: PodUid): void {
    const waiting = this.#waiting.get(uid) ?? [];
    this.#waiting.delete(uid);
    for (const callback of waiting) callback();
  }
}
