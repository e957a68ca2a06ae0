// The merge itself, without a bus: what the sources say goes in, kubelet's operations come out. Knows no time but what it is told.
import type { InputFault } from '../../ports/faults.ts';
import { type DesiredPod, podFullName, podName, type PodSource, type PodUid } from '../../ports/pod-types.ts';
import type { PodOperation, SourceUpdate } from '../source-update.ts';
import { differenceOf, firstSeen, type PodInForce, silentSource, type SourceState } from './source-state.ts';
import type { ToldReasons } from './told-reasons.ts';

/** Pods in force of one source. More are refused, each with a line, until others have gone. */
export const podsPerSourceMax = 500;
/** Pods a source may offer, refused ones included. Later ones are refused and not remembered. */
const offeredPerSourceMax = 2 * podsPerSourceMax;

export interface Refusal {
  readonly fault: InputFault;
  readonly pod: DesiredPod;
}

/** What one update led to. `operations` in kubelet's order, none empty but SET; refusals only when they are new. */
export interface MergeOutcome {
  readonly operations: readonly PodOperation[];
  readonly refusals: readonly Refusal[];
  /** True once: with the update that made the last source ready. */
  readonly becameReady: boolean;
}

interface Changes {
  readonly removed: DesiredPod[];
  readonly added: DesiredPod[];
  readonly updated: DesiredPod[];
  readonly deleted: DesiredPod[];
  readonly reconciled: DesiredPod[];
}

/**
 * The sources' contents and the pods in force. A pod is held back while another of its full name or UID is in force,
 * or its source has `podsPerSourceMax` pods; it takes its place when that ends, without being said again.
 */
export class MergeState {
  readonly #sources: ReadonlyMap<PodSource, SourceState>;
  /** Pods in force of all sources, so that no second one gets a full name or UID. */
  readonly #byName = new Map<string, DesiredPod>();
  readonly #byUid = new Map<PodUid, DesiredPod>();
  #ready = false;

  constructor(sources: readonly PodSource[]) {
    this.#sources = new Map(sources.map((source) => [source, silentSource(source)]));
  }

  /** @param seenAt RFC 3339 time for pods new to the node */
  take(update: SourceUpdate, seenAt: string): MergeOutcome {
    const state = this.#sources.get(update.source);
    if (state === undefined) return { operations: [], refusals: [], becameReady: false };
    const refusals: Refusal[] = [];
    this.#hear(state, update, refusals);
    const operations: PodOperation[] = [];
    const first = update.kind === 'set' && !state.spoken;
    if (first) state.spoken = true;
    // The others' turn comes after: what this source has let go may be what one of theirs waits for.
    const others = [...this.#sources.values()].filter((other) => other !== state);
    for (const each of [state, ...others]) {
      const changes = this.#settle(each, seenAt, refusals);
      operations.push(...operationsOf(each, changes, first && each === state));
    }
    return { operations, refusals, becameReady: this.#becomeReady() };
  }

  #becomeReady(): boolean {
    if (this.#ready || [...this.#sources.values()].some((state) => !state.spoken)) return false;
    this.#ready = true;
    return true;
  }

  /** Takes down what the source says, nothing decided yet. */
  #hear(state: SourceState, update: SourceUpdate, refusals: Refusal[]): void {
    switch (update.kind) {
      case 'set':
        state.offered = new Map();
        state.toldOnOffer.beginRound();
        for (const pod of update.pods) this.#offer(state, pod, refusals);
        state.toldOnOffer.endRound();
        break;
      case 'upsert':
        // Not a duplicate but a successor: it was said later.
        for (const [uid, other] of state.offered) {
          if (uid !== update.pod.uid && podFullName(other) === podFullName(update.pod)) state.offered.delete(uid);
        }
        if (state.offered.has(update.pod.uid)) state.offered.set(update.pod.uid, update.pod);
        else this.#offer(state, update.pod, refusals);
        break;
      case 'forget':
        state.offered.delete(update.uid);
        break;
      default:
        update satisfies never;
    }
  }

  #offer(state: SourceState, pod: DesiredPod, refusals: Refusal[]): void {
    const other = state.offered.get(pod.uid);
    if (other === undefined && state.offered.size < offeredPerSourceMax) {
      state.offered.set(pod.uid, pod);
    } else if (other !== pod) {
      refuse(pod, other === undefined ? tooManyPods(state.source) : uidTaken(pod, other.origin), { told: state.toldOnOffer, refusals });
    }
  }

  /** Brings what is in force in line with what the source offers. */
  #settle(state: SourceState, seenAt: string, refusals: Refusal[]): Changes {
    const changes: Changes = { removed: [], added: [], updated: [], deleted: [], reconciled: [] };
    state.toldOnEntry.beginRound();
    for (const [uid, { pod }] of state.inForce) {
      const offered = state.offered.get(uid);
      // A pod that changed its name under one UID is another pod.
      if (offered !== undefined && podFullName(offered) === podFullName(pod)) continue;
      this.#release(state, pod);
      changes.removed.push(pod);
    }
    for (const [uid, offered] of state.offered) {
      const current = state.inForce.get(uid);
      if (current !== undefined) applyDifference(current, offered, changes);
      else if (this.#mayEnter(state, offered, { told: state.toldOnEntry, refusals })) {
        const pod = firstSeen(offered, seenAt);
        this.#hold(state, { pod, said: offered });
        changes.added.push(pod);
      }
    }
    state.toldOnEntry.endRound();
    return changes;
  }

  #mayEnter(state: SourceState, pod: DesiredPod, report: Report): boolean {
    const nameHolder = this.#byName.get(podFullName(pod));
    const uidHolder = this.#byUid.get(pod.uid);
    if (nameHolder !== undefined) refuse(pod, nameTaken(pod, nameHolder.origin), report);
    else if (uidHolder !== undefined) refuse(pod, uidTaken(pod, uidHolder.origin), report);
    else if (state.inForce.size >= podsPerSourceMax) refuse(pod, tooManyPods(state.source), report);
    else return true;
    return false;
  }

  #hold(state: SourceState, entry: PodInForce): void {
    const { pod } = entry;
    state.inForce.set(pod.uid, entry);
    this.#byName.set(podFullName(pod), pod);
    this.#byUid.set(pod.uid, pod);
  }

  #release(state: SourceState, pod: DesiredPod): void {
    state.inForce.delete(pod.uid);
    this.#byName.delete(podFullName(pod));
    this.#byUid.delete(pod.uid);
  }
}

function applyDifference(current: PodInForce, offered: DesiredPod, changes: Changes): void {
  // Most of what is settled has not been said anew: sources repeat themselves, and one update concerns one pod.
  if (current.said === offered) return;
  const difference = differenceOf(current.pod, offered);
  current.said = offered;
  switch (difference.op) {
    case 'none': return;
    case 'UPDATE': changes.updated.push(difference.pod); break;
    case 'DELETE': changes.deleted.push(difference.pod); break;
    case 'RECONCILE': changes.reconciled.push(difference.pod); break;
    default: difference satisfies never;
  }
  current.pod = difference.pod;
}

/** REMOVE, ADD, UPDATE, DELETE, SET, RECONCILE: names are free before they are taken, and SET tells of all before it. */
function operationsOf(state: SourceState, changes: Changes, first: boolean): PodOperation[] {
  const { source } = state;
  const set = first ? [{ op: 'SET' as const, source, pods: [...state.inForce.values()].map(({ pod }) => pod) }] : [];
  const operations: PodOperation[] = [
    { op: 'REMOVE', source, pods: changes.removed },
    { op: 'ADD', source, pods: changes.added },
    { op: 'UPDATE', source, pods: changes.updated },
    { op: 'DELETE', source, pods: changes.deleted },
    ...set,
    { op: 'RECONCILE', source, pods: changes.reconciled },
  ];
  return operations.filter((operation) => operation.op === 'SET' || operation.pods.length > 0);
}

interface Reason {
  readonly field?: string;
  readonly message: string;
}

interface Report {
  readonly told: ToldReasons;
  readonly refusals: Refusal[];
}

function refuse(pod: DesiredPod, reason: Reason, { told, refusals }: Report): void {
  if (!told.isNew(`${pod.origin} ${pod.uid}`, reason.message)) return;
  refusals.push({ fault: { origin: pod.origin, ...reason, severity: 'warning' }, pod });
}

function nameTaken(pod: DesiredPod, holder: string): Reason {
  return { field: 'metadata.name', message: `Duplicate value: "${podName(pod)}": ${holder} has it; this one waits until that one is gone` };
}

function uidTaken(pod: DesiredPod, holder: string): Reason {
  return { field: 'metadata.uid', message: `Duplicate value: "${pod.uid}": ${holder} has it; give each pod its own` };
}

function tooManyPods(source: PodSource): Reason {
  return { message: `Too many: source ${source} has ${podsPerSourceMax} pods already; remove one for this one to start` };
}
