// Stops and removes what runs in the runtime under pod labels without anybody wanting it, and directories of pods that are no more.
// Only once all sources have spoken.
import type { BusPort } from '../bus/bus.ts';
import type { Messages } from '../bus/messages.ts';
import { orphanTrees } from '../machines/decide/cri-config.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import { podDirectory } from '../machines/decide/volumes.ts';
import { stopGraceMsMin } from '../machines/decide/pod-kill.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { PodUid } from '../ports/pod-types.ts';
import type { ProbePort } from '../ports/probe-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { ObservedContainer, RuntimePort } from '../ports/runtime-port.ts';
import { lookAtPod } from './look-at-pod.ts';
import { type PodListing, podListings } from './pod-listings.ts';
import type { CgroupKeeper } from './cgroup-keeper.ts';
import { stopContainers } from './container-stopper.ts';
import type { VolumeKeeper } from './volume-keeper.ts';

export interface OrphanReaperDeps {
  readonly bus: BusPort;
  readonly runtime: RuntimePort;
  readonly probes: ProbePort;
  readonly clock: ClockPort;
  /** Of the agent, `v1.2.3`. */
  readonly version: string;
  readonly files: FilesPort;
  readonly volumes: VolumeKeeper;
  readonly cgroups?: CgroupKeeper;
  readonly log: LogPort;
  readonly settings: NodeSettings;
  readonly knows: (uid: PodUid) => boolean;
  /** How long a container may take to end. Absent: as short as it may be, since nobody wants it. */
  readonly graceMsOf?: (container: ObservedContainer) => number;
}

export interface OrphanReaping extends Stoppable {
  /** Resolves when everything that has begun has come to its end. */
  settled(): Promise<void>;
}

class OrphanReaper implements OrphanReaping {
  readonly #deps: OrphanReaperDeps;
  readonly #begun = new Set<Promise<void>>();
  readonly #reaping = new Set<PodUid>();
  #latest: Messages['runtime.relisted'] | undefined;
  #ready = false;
  #stopped = false;
  #sweeping = false;

  constructor(deps: OrphanReaperDeps) {
    this.#deps = deps;
    deps.bus.on('sources.ready', () => {
      this.#ready = true;
      this.#consider();
    });
    deps.bus.on('runtime.relisted', ({ payload }) => {
      this.#latest = payload;
      this.#consider();
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
  }

  async settled(): Promise<void> {
    while (this.#begun.size > 0) await Promise.all(this.#begun);
  }

  #begin(work: Promise<void>): void {
    const kept: Promise<void> = work.finally(() => this.#begun.delete(kept));
    this.#begun.add(kept);
  }

  #consider(): void {
    if (!this.#ready || this.#latest === undefined) return;
    const listings = podListings(this.#latest);
    for (const [uid, listing] of listings) {
      if (!this.#deps.knows(uid) && !this.#reaping.has(uid)) this.#begin(this.#reap(uid, listing));
    }
    this.#latest = undefined;
    if (!this.#sweeping) this.#begin(this.#sweep(new Set(listings.keys())));
  }

  /** Directories of pods whose end was cut short after the runtime had forgotten them. */
  async #sweep(listed: ReadonlySet<string>): Promise<void> {
    const { files, volumes, cgroups, log, settings, knows } = this.#deps;
    this.#sweeping = true;
    const found = await files.list(podDirectory('', settings));
    for (const { name } of found.ok ? found.value : []) {
      // A name in our own directory is the UID it was made for.
      const uid = name as PodUid;
      if (this.#stopped || listed.has(uid) || knows(uid) || this.#reaping.has(uid)) continue;
      log.warn('pod.orphan-directory', { podUid: uid });
      const logs = await files.list(settings.podLogsDirectory);
      for (const entry of logs.ok ? logs.value : []) {
        if (entry.name.endsWith(`_${uid}`)) await files.removeTree(`${settings.podLogsDirectory}/${entry.name}`);
      }
      // Last, so that an interrupted removal is found again.
      if (knows(uid) || (await cgroups?.release(uid))?.ok === false) continue;
      if (!knows(uid) && (await volumes.release(uid)).ok) await files.removeTree(podDirectory(uid, settings));
    }
    await cgroups?.sweep((uid) => this.#stopped || listed.has(uid) || knows(uid) || this.#reaping.has(uid));
    this.#sweeping = false;
  }

  /** One attempt; the next relist shows what is left. */
  async #reap(uid: PodUid, listing: PodListing): Promise<void> {
    const { runtime, files, volumes, log, settings, knows, graceMsOf = () => stopGraceMsMin } = this.#deps;
    this.#reaping.add(uid);
    try {
      const name = listing.sandboxes[0];
      log.warn('pod.orphan', { podUid: uid, pod: name === undefined ? undefined : `${name.namespace}/${name.name}` });
      const looked = await lookAtPod(runtime, uid);
      // Its source may speak of it at any moment: then it is the pod actor's, as far as it is left.
      const isOurs = (): boolean => !knows(uid) && !this.#stopped;
      if (!looked.ok || !isOurs()) return;
      const alive = looked.value.containers.filter(({ state }) => state === 'running' || state === 'unknown').map((container) => ({ id: container.id, graceMs: graceMsOf(container) }));
      const stopped = await stopContainers({ ...this.#deps, preStops: new Map() }, looked.value, alive, {
        pod: undefined,
        fieldPath: (container) => container,
        sidecars: [],
        podIp: looked.value.sandboxes[0]?.ips[0] ?? '',
      });
      if (stopped.fault !== undefined) return;
      for (const { id } of looked.value.sandboxes) {
        if (!isOurs() || !(await runtime.stopSandbox(id)).ok) return;
        if (!isOurs() || !(await runtime.removeSandbox(id)).ok) return;
      }
      for (const { id } of looked.value.containers) {
        if (!isOurs() || !(await runtime.removeContainer(id)).ok) return;
      }
      if (!isOurs() || (await this.#deps.cgroups?.release(uid))?.ok === false) return;
      const trees = orphanTrees(uid, name, settings);
      if (trees.length > 0 && (!isOurs() || !(await volumes.release(uid)).ok)) return;
      for (const path of trees) if (isOurs()) await files.removeTree(path);
    } finally {
      this.#reaping.delete(uid);
    }
  }
}

export function startOrphanReaper(deps: OrphanReaperDeps): OrphanReaping {
  return new OrphanReaper(deps);
}
