// Keeps of each pod's status on disk what cannot be seen again after a restart or a power cut: that it has ended and why, since when
// it is there, and which containers were ready. Written when the phase or the start time changes, late when readiness does, so that
// a pod that lives its life costs no write.
import type { BusPort, Listening } from '../bus/bus.ts';
import { recordObject, RecordFiles } from '../bus/disk/record-files.ts';
import { checkObject } from '../bus/dialects/check-object.ts';
import { isTerminalPhase } from '../machines/decide/pod-phase.ts';
import type { PodOperation } from '../bus/source-update.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { DesiredPod, Pod, PodStatus, PodUid } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';

/** Files read at the start: some pods of every source. */
const statusesMax = 2_000;
const statusBytesMax = 256 * 1_024;
/** An end is written at once; a beginning may wait for the next, because it can be seen again. */
const settleMs = 2_000;
/** Readiness comes and goes: it waits for the agent's end, or this long. A restart shows it until probes have decided anew. */
const readinessMs = 300_000;

export interface StatusKeeperDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly log: LogPort;
  /** `<root>/cache/statuses`. */
  readonly directory: string;
}

export interface StatusKeeper extends Stoppable {
  /** Resolves when the files have been read, or could not be. */
  readonly loaded: Promise<void>;
  /** The pod with the truer of its source's status and ours. */
  withStatus(desired: DesiredPod): DesiredPod;
}

/** Listens to `pod.status`, `pod.forgotten`, `sources.ready`, `pods.changed` and `cloud.listed`. */
export function startStatusKeeper(deps: StatusKeeperDeps): StatusKeeper {
  return new Keeper(deps);
}

class Keeper implements StatusKeeper {
  readonly loaded: Promise<void>;
  readonly #records: RecordFiles;
  readonly #listenings: Listening[];
  readonly #kept = new Map<PodUid, PodStatus>();
  /** Pods that some source speaks of: the statuses of others go when all have spoken. */
  readonly #wanted = new Set<PodUid>();
  /** Ended for good while their source still has them: a deletion that nobody has acknowledged. Their last word stays. */
  readonly #ended = new Set<PodUid>();
  /** Their source has let go of them, and they still end: nothing of that is worth remembering. */
  readonly #leaving = new Set<PodUid>();

  constructor(deps: StatusKeeperDeps) {
    const { bus } = deps;
    this.#records = new RecordFiles({ ...deps, area: 'statuses', bytesMax: statusBytesMax, recordsMax: statusesMax });
    this.#listenings = [
      bus.on('pod.status', ({ payload }) => this.#seen(payload.pod.uid, payload.status)),
      bus.on('pods.changed', ({ payload }) => this.#operated(payload)),
      bus.on('pod.forgotten', ({ payload }) => this.#forgotten(payload.pod.uid)),
      bus.on('sources.ready', () => void this.loaded.then(() => this.#sweep())),
      bus.on('cloud.listed', ({ payload }) => { if (payload.complete) this.#records.repaired(); }),
    ];
    this.loaded = this.#records.load((name, content) => {
      const status = decodeStatus(content);
      if (status === undefined) return 'is no status of a pod';
      // What was reported meanwhile is newer; the name of the file is the UID it was made for.
      if (!this.#kept.has(name as PodUid)) this.#kept.set(name as PodUid, status);
      return undefined;
    });
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    await this.#records.stop();
  }

  withStatus(desired: DesiredPod): DesiredPod {
    const kept = this.#kept.get(desired.uid);
    const { status } = desired.pod;
    if (kept === undefined) return desired;
    const isTruer = isTerminalPhase(kept.phase) || desired.recalled === true || status?.startTime === undefined;
    return isTruer ? { ...desired, pod: { ...desired.pod, status: kept } } : desired;
  }

  #operated({ op, pods }: PodOperation): void {
    for (const { uid } of pods) {
      if (op === 'ADD') {
        this.#wanted.add(uid);
        this.#ended.delete(uid);
      } else if (op === 'REMOVE') {
        this.#drop(uid);
        if (!this.#ended.delete(uid)) this.#leaving.add(uid);
      }
    }
  }

  #seen(uid: PodUid, status: PodStatus): void {
    if (this.#leaving.has(uid)) return;
    const kept = this.#kept.get(uid);
    this.#kept.set(uid, status);
    const isSame = kept !== undefined && kept.phase === status.phase && kept.startTime === status.startTime;
    if (isSame && readinessOf(kept) === readinessOf(status)) return;
    const withinMs = isSame ? readinessMs : isTerminalPhase(status.phase) ? 0 : settleMs;
    this.#records.put(uid, () => `${JSON.stringify(this.#kept.get(uid) ?? status)}\n`, { withinMs });
  }

  #forgotten(uid: PodUid): void {
    if (!this.#leaving.delete(uid) && this.#wanted.has(uid)) this.#ended.add(uid);
    else if (!this.#wanted.has(uid)) this.#drop(uid);
  }

  #drop(uid: PodUid): void {
    this.#wanted.delete(uid);
    this.#kept.delete(uid);
    this.#records.put(uid, undefined);
  }

  #sweep(): void {
    for (const uid of [...this.#kept.keys()]) if (!this.#wanted.has(uid)) this.#drop(uid);
  }
}

/** Which instances are ready: another instance starts anew. */
function readinessOf({ containerStatuses = [], initContainerStatuses = [] }: PodStatus): string {
  return [...initContainerStatuses, ...containerStatuses].map(({ containerID = '', ready, started = false }) => `${containerID} ${ready} ${started}`).join(' ');
}

/** As an object of the API would be judged: what does not fit there does not get in here. */
function decodeStatus(content: Uint8Array): PodStatus | undefined {
  const status = recordObject(content);
  const checked = checkObject('Pod', { metadata: { name: 'kept', uid: 'kept' }, status });
  // checkObject answers the type of the kind it was asked for.
  return status !== undefined && checked.ok ? (checked.value as Pod).status : undefined;
}
