// What each pod was granted of CPU and memory, and what its containers have of it. Decides with decide/resize.ts, keeps what it decided
// over restarts, and asks again for pods that had to wait. It sends nothing to pods: their supervisor does.
import type { BusPort } from '../bus/bus.ts';
import { recordObject, RecordFiles } from '../bus/disk/record-files.ts';
import type { AdmittingNode } from '../machines/decide/admission.ts';
import { type Actuated, type Allocation, type Granted, grantedFrom, nothingActuated } from '../machines/decide/granted.ts';
import { isTerminalPhase } from '../machines/decide/pod-phase.ts';
import { allocationOf, decideResize, withAllocation } from '../machines/decide/resize.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { ContainerId, DesiredPod, PendingResize, PodUid } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';

/** Pauses between tries for a pod that waits for room; kubelet's. The end or the shrinking of another pod brings the next one forward. */
const retryMsFirst = 30_000;
const retryMsUsual = 3 * 60_000;
const recordsMax = 2_000;
const recordBytesMax = 64 * 1_024;

export interface PodResizerDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly log: LogPort;
  /** `<root>/cache/allocations`. */
  readonly directory: string;
}

/** The node as a resize finds it. */
export interface Room {
  readonly node: AdmittingNode;
  /** All other pods that have or will have containers, as they were granted. */
  readonly others: readonly DesiredPod[];
}

interface Entry {
  allocation: Allocation;
  /** As the source has it, while it asks for more than it was granted. */
  wanted: DesiredPod | undefined;
  pending: PendingResize | undefined;
  /** By container name: the instance, and what it was given last. */
  readonly actuated: Map<string, { readonly id: ContainerId; readonly granted: Granted }>;
  /** By container name: why it could not be given what the pod was granted. */
  readonly errors: Map<string, string>;
}

export class PodResizer implements Stoppable {
  /** Resolves when the files have been read, or could not be. */
  readonly loaded: Promise<void>;
  /** Set by the supervisor: takes a pod as its source has it, as if it had just come. */
  retry: (wanted: DesiredPod) => void = () => undefined;
  readonly #deps: PodResizerDeps;
  readonly #records: RecordFiles;
  readonly #entries = new Map<PodUid, Entry>();
  /** Of an earlier life, until the pod comes. */
  readonly #recalled = new Map<PodUid, Pick<Entry, 'allocation' | 'actuated'>>();
  #timer: unknown;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(deps: PodResizerDeps) {
    this.#deps = deps;
    this.#records = new RecordFiles({ ...deps, area: 'allocations', bytesMax: recordBytesMax, recordsMax });
    this.loaded = this.#records.load((name, content) => {
      const record = decodeRecord(content);
      if (record === undefined) return 'is no record of granted resources';
      this.#recalled.set(name as PodUid, record); // The name of the file is the UID it was made for.
      return undefined;
    });
    const spokenOf = new Set<PodUid>();
    deps.bus.on('pods.changed', ({ payload: { op, pods } }) => { if (op === 'ADD') for (const { uid } of pods) spokenOf.add(uid); });
    deps.bus.on('sources.ready', () => void this.loaded.then(() => this.#sweep(spokenOf)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#records.stop();
  }

  /** A pod that begins, or is taken over: with what it was granted before, or with what it asks for. */
  admitted(desired: DesiredPod): DesiredPod {
    const known = this.#entries.get(desired.uid);
    if (known !== undefined) return withAllocation(known.wanted ?? desired, known.allocation, known.pending);
    const recalled = this.#recalled.get(desired.uid);
    const entry: Entry = { allocation: allocationOf(desired.pod.spec), wanted: undefined, pending: undefined, actuated: new Map(), errors: new Map(), ...recalled };
    this.#entries.set(desired.uid, entry);
    this.#recalled.delete(desired.uid);
    const granted = withAllocation(desired, entry.allocation);
    if (granted !== desired) {
      // What it asks for now is decided when the others are known.
      entry.wanted = desired;
      this.#again(retryMsFirst);
    }
    return granted;
  }

  /** A pod as its source has it now: with what it is granted of that. */
  asked(desired: DesiredPod, room: () => Room): DesiredPod {
    const entry = this.#entries.get(desired.uid);
    if (entry === undefined) return desired;
    const { metadata, status } = desired.pod;
    if (metadata.deletionTimestamp !== undefined || isTerminalPhase(status?.phase)) return withAllocation(desired, entry.allocation);
    if (withAllocation(desired, entry.allocation) === desired) return this.#settled(desired, entry);
    const { node, others } = room();
    const decision = decideResize(desired, entry.allocation, node, others);
    switch (decision.kind) {
      case 'none':
        return this.#settled(desired, entry);
      case 'granted':
        entry.allocation = decision.allocation;
        entry.errors.clear();
        this.#write(desired.uid, entry);
        // What it gives back may be what another one waits for.
        this.#again(0);
        return this.#settled(desired, entry);
      case 'pending':
        this.#tell(desired, entry, decision.pending);
        // What it asks for is in its source: only this tells a later life that it was not granted.
        if (entry.pending === undefined) this.#write(desired.uid, entry);
        entry.wanted = desired;
        entry.pending = decision.pending;
        if (decision.pending.reason === 'Deferred') this.#again(retryMsFirst);
        return withAllocation(desired, entry.allocation, decision.pending);
      default:
        return decision satisfies never;
    }
  }

  #settled(desired: DesiredPod, entry: Entry): DesiredPod {
    entry.wanted = undefined;
    entry.pending = undefined;
    return desired;
  }

  #tell(desired: DesiredPod, { pending: before }: Entry, { reason, message }: PendingResize): void {
    if (before?.reason === reason && before.message === message) return;
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod: desired }, type: 'Warning', reason: `Resize${reason}`, message: `Pod resize ${reason}: ${message}` });
  }

  actuatedOf(uid: PodUid): Actuated {
    const entry = this.#entries.get(uid);
    if (entry === undefined || entry.actuated.size === 0) return nothingActuated;
    return new Map([...entry.actuated.values()].map(({ id, granted }) => [id, granted]));
  }

  errorsOf(uid: PodUid): ReadonlyMap<string, string> | undefined {
    return this.#entries.get(uid)?.errors;
  }

  /** A running instance was given its resources, or could not be. */
  actuated(uid: PodUid, container: string, outcome: { readonly id: ContainerId; readonly granted: Granted } | { readonly error: string }): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    if ('error' in outcome) {
      entry.errors.set(container, outcome.error);
      return;
    }
    entry.errors.delete(container);
    entry.actuated.set(container, outcome);
    this.#write(uid, entry);
  }

  forget(uid: PodUid): void {
    this.#entries.delete(uid);
    this.#records.put(uid, undefined);
    if ([...this.#entries.values()].some(({ wanted }) => wanted !== undefined)) this.#again(0);
  }

  /** Only what differs from a pod's own specification and its containers' labels is kept, so that most pods cost no write. */
  #write(uid: PodUid, { allocation, actuated }: Entry): void {
    this.#records.put(uid, () => `${JSON.stringify({ allocation, actuated: Object.fromEntries(actuated) })}\n`);
  }

  /** Records of pods that nobody wants any more. */
  #sweep(spokenOf: ReadonlySet<PodUid>): void {
    for (const uid of [...this.#recalled.keys()].filter((each) => !spokenOf.has(each))) {
      this.#records.put(uid, undefined);
      this.#recalled.delete(uid);
    }
  }

  #again(delayMs: number): void {
    const { clock } = this.#deps;
    const dueMs = clock.monotonicMs() + delayMs;
    if (this.#stopped || this.#timerDueMs <= dueMs) return;
    clock.clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    this.#timer = clock.setTimeout(() => this.#retryAll(), delayMs);
  }

  #retryAll(): void {
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    const waiting = [...this.#entries.values()].flatMap(({ wanted, pending }) => (wanted !== undefined && pending?.reason !== 'Infeasible' ? [wanted] : []));
    const rank = ({ pod }: DesiredPod) => pod.spec.priority ?? 0;
    const age = ({ pod }: DesiredPod) => pod.metadata.creationTimestamp ?? '';
    waiting.sort((a, b) => rank(b) - rank(a) || (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : 0));
    for (const wanted of waiting) this.retry(wanted);
    if (waiting.length > 0) this.#again(retryMsUsual);
  }
}

function decodeRecord(content: Uint8Array): Pick<Entry, 'allocation' | 'actuated'> | undefined {
  const { allocation, actuated } = recordObject(content) ?? {};
  if (typeof allocation !== 'object' || allocation === null || typeof actuated !== 'object' || actuated === null) return undefined;
  const granted: Record<string, Granted> = {};
  for (const [name, value] of Object.entries(allocation)) {
    const own = grantedFrom(value);
    if (own === undefined) return undefined;
    granted[name] = own;
  }
  const has: Entry['actuated'] = new Map();
  for (const [name, value] of Object.entries(actuated)) {
    const { id, granted: given } = (typeof value === 'object' && value !== null ? value : {}) as { readonly id?: unknown; readonly granted?: unknown }; // Members of any kind.
    const own = grantedFrom(given);
    // An ID as the runtime gave it.
    if (typeof id === 'string' && own !== undefined) has.set(name, { id: id as ContainerId, granted: own });
  }
  return { allocation: granted, actuated: has };
}
