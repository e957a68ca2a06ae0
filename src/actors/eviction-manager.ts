// Keeps the node from running out of memory, disk and process IDs: shows what it is short of, frees what nobody uses, and then has
// pods go, one at a time. Also sends away pods that are over limits of their own. It decides nothing itself: see decide/eviction-*.
import type { BusPort } from '../bus/bus.ts';
import { isCriticalPod } from '../machines/decide/critical-pods.ts';
import { evictionWords, type EvictionCase } from '../machines/decide/eviction-messages.ts';
import { rankForEviction, starvedResource } from '../machines/decide/eviction-ranking.ts';
import { type EvictionMemory, evictionRound, isRelieved, nothingRemembered } from '../machines/decide/eviction-thresholds.ts';
import { graceMsDefault } from '../machines/decide/pod-kill.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { EvictionThreshold } from '../ports/eviction.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { HostPressurePort } from '../ports/host-port.ts';
import type { KernelLogPort } from '../ports/kernel-log-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import { type DesiredPod, podName, type PodUid } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';
import type { ImagesPort, RuntimePort } from '../ports/runtime-port.ts';
import { ActivePods } from './active-pods.ts';
import { GarbageRequests } from './garbage-requests.ts';
import { startKillDeadline } from './kill-deadline.ts';
import { LocalLimits } from './local-limits.ts';
import { NodeSignals, type SignalsNow } from './node-signals.ts';
import { type SystemOomWatch, systemOomWatch } from './system-oom.ts';
import { usageOfPods } from './pod-usage.ts';

/** Between two looks, as kubelet has it. */
const lookMs = 10_000;
/** How long the next round waits for an evicted pod to be gone. */
const cleanupMsMax = 30_000;
/** Grace of pods that go at once. */
const immediateGraceMs = 1_000;

export interface EvictionSettings {
  readonly thresholds: readonly EvictionThreshold[];
  /** False: what the node is short of is shown, and nothing is done about it. */
  readonly evicts: boolean;
  /** Whether limits of pods on their local storage are kept. */
  readonly limitsLocalStorage: boolean;
  /** Longest grace of a pod that a soft threshold sends away. */
  readonly softGraceMsMax: number;
  /** How long a pressure is shown after it was last seen. */
  readonly pressureHoldMs: number;
}

export interface EvictionManagerDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  /** Absent: nothing is known of the node; limits of pods are kept all the same. */
  readonly pressure: HostPressurePort | undefined;
  /** Absent: nobody tells of processes that the kernel killed. */
  readonly kernelLog?: KernelLogPort;
  readonly runtime: Pick<RuntimePort, 'listContainerStats' | 'listProcessCounts'>;
  readonly images: Pick<ImagesPort, 'fsInfo'>;
  readonly files: Pick<FilesPort, 'usage'>;
  readonly node: NodeSettings;
  readonly settings: EvictionSettings;
  newRequestId(): string;
}

class EvictionManager implements Stoppable {
  readonly #deps: EvictionManagerDeps;
  readonly #pods: ActivePods;
  readonly #limits: LocalLimits;
  readonly #garbage: GarbageRequests;
  readonly #signals: NodeSignals | undefined;
  readonly #ooms: SystemOomWatch | undefined;
  readonly #deadline: Stoppable;
  /** Told to go by us, and not gone yet. */
  readonly #evicting = new Set<PodUid>();
  #memory: EvictionMemory = nothingRemembered;
  #shown = '';
  #stopped = false;
  #timer: unknown;
  #endWait: (() => void) | undefined;

  constructor(deps: EvictionManagerDeps) {
    this.#deps = deps;
    const { bus, clock, files, runtime, pressure, images, node, kernelLog } = deps;
    this.#pods = new ActivePods(bus);
    this.#limits = new LocalLimits({ clock, files, runtime, settings: node });
    this.#garbage = new GarbageRequests(deps);
    this.#signals = pressure === undefined ? undefined : new NodeSignals({ pressure, images });
    this.#ooms = kernelLog === undefined ? undefined : systemOomWatch({ bus, kernelLog });
    this.#deadline = startKillDeadline({ bus, clock, pods: this.#pods });
    void this.#rounds();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#endWait?.();
    await this.#deadline.stop();
    this.#pods.stop();
    this.#garbage.stop();
  }

  /** After an eviction the next round comes as soon as the pod is gone. */
  async #rounds(): Promise<void> {
    while (!this.#stopped) {
      const evicted = await this.#round();
      if (this.#stopped) return;
      await this.#wait(evicted.length === 0 ? lookMs : cleanupMsMax, (resume) => this.#pods.onceAllEnded(evicted, resume));
    }
  }

  async #round(): Promise<readonly PodUid[]> {
    const { settings, clock } = this.#deps;
    await this.#ooms?.look();
    const signals = await this.#signals?.now();
    const { observations, separateImages } = signals ?? { observations: {}, separateImages: false };
    const round = evictionRound(this.#memory, settings.thresholds, observations, { nowMs: clock.monotonicMs(), holdMs: settings.pressureHoldMs });
    if (this.#stopped) return [];
    this.#memory = round.memory;
    this.#show(round.pressures);
    const overLimit = settings.limitsLocalStorage ? await this.#keepLimits(separateImages) : [];
    const [first] = round.due;
    if (overLimit.length > 0 || first === undefined || signals === undefined || !settings.evicts || this.#stopped) return overLimit;
    const resource = starvedResource[first.signal];
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Warning', reason: 'EvictionThresholdMet', message: `Attempting to reclaim ${resource}` });
    if (await this.#freeGarbage(first, signals) || this.#stopped) return [];
    return this.#evictOne(first, { signal: first.signal, due: round.due, observations }, separateImages);
  }

  #show(pressures: ReturnType<typeof evictionRound>['pressures']): void {
    if (pressures.join() === this.#shown) return;
    this.#shown = pressures.join();
    this.#deps.bus.publish('node.pressure', { pressures });
  }

  /** @returns true when that was enough. What fails is tried again in the next round. */
  async #freeGarbage({ signal }: EvictionThreshold, { separateImages }: SignalsNow): Promise<boolean> {
    const onDisk = signal.startsWith('nodefs') || signal.startsWith('imagefs');
    // Garbage lies with the images; the root directory's own file system has none where they are apart.
    if (!onDisk || (separateImages && signal.startsWith('nodefs'))) return false;
    await this.#garbage.collect('containers', `${signal} is short`);
    await this.#garbage.collect('images', `${signal} is short`);
    const after = await this.#signals?.now();
    return after !== undefined && isRelieved(this.#deps.settings.thresholds, after.observations);
  }

  async #evictOne({ signal, graceMs }: EvictionThreshold, found: EvictionCase, separateImages: boolean): Promise<readonly PodUid[]> {
    const { log } = this.#deps;
    const pods = this.#pods.begun();
    const resource = starvedResource[signal];
    const answer = await usageOfPods({ ...this.#deps, settings: this.#deps.node }, pods, { disk: resource === 'ephemeral-storage' || resource === 'inodes', processes: resource === 'pids' });
    if (this.#stopped) return [];
    if (!answer.ok) {
      log.warn('eviction.no-usage', { signal, fault: answer.fault.kind, message: answer.fault.message });
      return [];
    }
    const ranked = rankForEviction(signal, pods.map((desired) => ({ desired, usage: answer.value.get(desired.uid) })), { separateImages });
    const victim = ranked.find(({ desired }) => !isCriticalPod(desired));
    if (victim === undefined) {
      log.warn('eviction.nobody', { signal, pods: pods.length });
      return [];
    }
    const { desired, usage } = victim;
    this.#evict(desired, {
      signal, ...evictionWords(found, desired, usage), disruption: true,
      graceMs: graceMs === 0 ? immediateGraceMs : softGraceMs(desired, this.#deps.settings.softGraceMsMax),
    });
    return [desired.uid];
  }

  async #keepLimits(separateImages: boolean): Promise<readonly PodUid[]> {
    const evicted: PodUid[] = [];
    for (const { desired, exceeded } of await this.#limits.look(this.#pods.all(), { separateImages })) {
      if (this.#stopped || isCriticalPod(desired)) continue;
      this.#evict(desired, { ...exceeded, graceMs: immediateGraceMs, disruption: false });
      evicted.push(desired.uid);
    }
    return evicted;
  }

  /** A pod that has been told already is waited for, not told again. */
  #evict(desired: DesiredPod, order: EvictionOrder): void {
    const { uid, namespace, name } = desired;
    if (this.#evicting.has(uid)) return;
    this.#evicting.add(uid);
    this.#pods.onceEnded(uid, () => this.#evicting.delete(uid));
    const { bus, log } = this.#deps;
    const { signal, message, annotations, graceMs, disruption } = order;
    const pod = { uid, namespace, name };
    log.warn('pod.evicted', { pod: podName(desired), podUid: uid, signal, message });
    bus.publish('event.noted', { subject: { kind: 'Pod', pod }, type: 'Warning', reason: 'Evicted', message, ...(annotations === undefined ? {} : { annotations }) });
    bus.publish('pod.evicted', { pod, signal });
    bus.publish('pod.kill', { pod, graceMs, reason: 'Evicted', message, disruption });
  }

  /** @param begin is given what ends the wait early */
  #wait(delayMs: number, begin: (resume: () => void) => void): Promise<void> {
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      const resume = () => {
        clock.clearTimeout(this.#timer);
        resolve();
      };
      this.#endWait = resume;
      this.#timer = clock.setTimeout(resolve, delayMs);
      begin(resume);
    });
  }
}

interface EvictionOrder {
  readonly signal: string;
  readonly message: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly graceMs: number;
  readonly disruption: boolean;
}

function softGraceMs({ pod }: DesiredPod, maxMs: number): number {
  const own = pod.spec.terminationGracePeriodSeconds;
  return Math.min(maxMs, own === undefined ? graceMsDefault : own * 1_000);
}

export function startEvictionManager(deps: EvictionManagerDeps): Stoppable {
  return new EvictionManager(deps);
}

