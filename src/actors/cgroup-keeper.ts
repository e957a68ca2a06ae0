// Keeps the tree of cgroups in step with the pods: the node's, the classes', each pod's. It decides nothing of a pod's life: it makes,
// changes and removes what it is asked to, and says what stands in the way.
import type { BusPort } from '../bus/bus.ts';
import {
  type CgroupSettings, classMillis, kubepodsLimits, kubepodsPath, looserLimits, podCgroupLimits, podCgroupPath, podUidOfCgroup, qosLimits, qosPath,
} from '../machines/decide/cgroups.ts';
import { qosClass, type QosClass } from '../machines/decide/qos.ts';
import type { Amounts } from '../machines/decide/pod-requests.ts';
import type { CgroupDriver, CgroupFault, CgroupLimits, CgroupsPort } from '../ports/cgroups-port.ts';
import type { RuntimeFault } from '../ports/faults.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { DesiredPod, PodSpec, PodUid } from '../ports/pod-types.ts';
import { fail, ok, type Result } from '../ports/result.ts';

const classes: readonly QosClass[] = ['Guaranteed', 'Burstable', 'BestEffort'];

export interface CgroupKeeperDeps {
  readonly bus: BusPort;
  readonly cgroups: CgroupsPort;
  readonly settings: CgroupSettings;
  /** What all pods together are held to. */
  readonly enforced: Amounts;
  /** Sizes of huge pages of the node, as in resource names: `2Mi`. */
  readonly pageSizes: readonly string[];
  readonly log: LogPort;
}

/** What is known of one pod. */
interface Kept {
  /** Empty for a pod that was made without a cgroup of its own, before there were any: it stays as it is. */
  readonly path: string;
  millis: number;
  /** Widened for a resize that is not settled yet. */
  raised: boolean;
}

export class CgroupKeeper {
  readonly #deps: CgroupKeeperDeps;
  readonly #kept = new Map<PodUid, Kept>();
  /** Where the tree is; undefined until the runtime is known, or where there is none. */
  #place: { readonly root: string; readonly driver: CgroupDriver } | undefined;
  #begun = false;
  #classShares: number | undefined;
  /** Orphans seen empty once: what is empty the second time is nobody's that is only just being made. */
  #emptyOrphans = new Set<string>();

  constructor(deps: CgroupKeeperDeps) {
    this.#deps = deps;
  }

  /**
   * Makes the tree, once, before the first pod. A machine that refuses runs its pods as the runtime places them, and says so.
   * @param told the driver as the runtime has it; `unimplemented` leaves it to the settings
   * @returns why nobody can say yet where pods belong; undefined when it is settled
   */
  async begin(told: Result<CgroupDriver, RuntimeFault>): Promise<string | undefined> {
    if (this.#begun) return undefined;
    if (!told.ok && told.fault.kind !== 'unimplemented') return told.fault.message;
    this.#begun = true;
    await this.#begin(told.ok ? told.value : this.#deps.settings.driver);
    return undefined;
  }

  async #begin(driver: CgroupDriver): Promise<void> {
    const { cgroups, settings, log } = this.#deps;
    const place = { root: settings.root, driver };
    const checked = await cgroups.check(driver, settings.root);
    const made = checked.ok ? await this.#makeTree(place) : checked;
    if (!made.ok) {
      log.error('cgroups.off', { driver, root: settings.root, fault: made.fault.message, effect: 'pods run below the cgroup of the runtime' });
      return;
    }
    this.#place = place;
    log.info('cgroups.ready', { driver, path: kubepodsPath(place) });
    if (settings.enforcesPods) await this.#enforce(place);
  }

  async #makeTree(place: { readonly root: string; readonly driver: CgroupDriver }): Promise<Result<void, CgroupFault>> {
    const { cgroups } = this.#deps;
    const top = await cgroups.apply(kubepodsPath(place), {});
    if (!top.ok) return top;
    for (const quality of ['Burstable', 'BestEffort'] as const) {
      const made = await cgroups.apply(qosPath(quality, place), qosLimits(quality, 0));
      if (!made.ok) return made;
    }
    return ok();
  }

  async #enforce(place: { readonly root: string; readonly driver: CgroupDriver }): Promise<void> {
    const { cgroups, bus, enforced } = this.#deps;
    const done = await cgroups.apply(kubepodsPath(place), kubepodsLimits(enforced));
    const subject = { kind: 'Node' } as const;
    if (done.ok) bus.publish('event.noted', { subject, type: 'Normal', reason: 'NodeAllocatableEnforced', message: 'Updated Node Allocatable limit across pods' });
    else bus.publish('event.noted', { subject, type: 'Warning', reason: 'FailedNodeAllocatableEnforcement', message: `Failed to update Node Allocatable Limits "${kubepodsPath(place)}": ${done.fault.message}` });
  }

  /** What sandboxes and containers of the pod get as their parent; empty leaves it to the runtime. */
  parentOf(uid: PodUid): string {
    return this.#kept.get(uid)?.path ?? '';
  }

  /**
   * Before the pod's sandbox, or when a pod found running is taken over. Of a pod that is known: nothing.
   * @param options.isNew a sandbox is about to be made
   * @param options.settled the pod's containers have what is desired, so that its limits may be set to that
   */
  async bring(desired: DesiredPod, { isNew, settled }: { readonly isNew: boolean; readonly settled: boolean }): Promise<Result<void, CgroupFault>> {
    if (this.#place === undefined) return ok();
    const known = this.#kept.get(desired.uid);
    if (known?.raised === true && settled) return this.settle(desired);
    if (known !== undefined && (known.path !== '' || !isNew)) return ok();
    const path = podCgroupPath(desired.uid, qosClass(desired.pod.spec), this.#place);
    if (!isNew) {
      const there = await this.#deps.cgroups.exists(path);
      if (!there.ok || !there.value) {
        this.#kept.set(desired.uid, { path: '', millis: 0, raised: false });
        return ok();
      }
    }
    const applied = isNew || settled ? await this.#deps.cgroups.apply(path, this.#limits(desired.pod.spec)) : ok();
    if (!applied.ok) return applied;
    this.#kept.set(desired.uid, { path, millis: classMillis(desired), raised: !isNew && !settled });
    return this.#refreshClass();
  }

  /** Before containers move from one specification to another: the pod gets the looser of both. */
  raise(desired: DesiredPod, before: PodSpec): Promise<Result<void, CgroupFault>> {
    const kept = this.#kept.get(desired.uid);
    if (kept !== undefined) kept.raised = true;
    return this.#set(desired, looserLimits(this.#limits(before), this.#limits(desired.pod.spec)));
  }

  /** Once its containers have what is desired. */
  async settle(desired: DesiredPod): Promise<Result<void, CgroupFault>> {
    const set = await this.#set(desired, this.#limits(desired.pod.spec));
    const kept = this.#kept.get(desired.uid);
    if (!set.ok || kept === undefined || kept.path === '') return set;
    kept.millis = classMillis(desired);
    kept.raised = false;
    return this.#refreshClass();
  }

  async #set({ uid }: DesiredPod, limits: CgroupLimits): Promise<Result<void, CgroupFault>> {
    const path = this.parentOf(uid);
    return path === '' ? ok() : this.#deps.cgroups.apply(path, limits);
  }

  /** Bytes of memory that a container uses; undefined where that cannot be told. */
  async memoryUsed(uid: PodUid, containerId: string): Promise<number | undefined> {
    const path = this.parentOf(uid);
    // Below a slice the runtime makes scopes of its own naming.
    const used = path === '' ? undefined : await this.#deps.cgroups.memoryUsed(path.endsWith('.slice') ? `${path}/cri-containerd-${containerId}.scope` : `${path}/${containerId}`);
    return used?.ok === true ? used.value : undefined;
  }

  /** Once nothing of the pod runs any more. Also for pods of which nothing but the UID is known. What is left inside is killed. */
  async release(uid: PodUid): Promise<Result<void, CgroupFault>> {
    const place = this.#place;
    if (place === undefined) return ok();
    const kept = this.#kept.get(uid);
    const isOurs = kept !== undefined && kept.path !== '';
    for (const path of isOurs ? [kept.path] : classes.map((quality) => podCgroupPath(uid, quality, place))) {
      const there = isOurs ? undefined : await this.#deps.cgroups.exists(path);
      if (there?.ok === true && !there.value) continue;
      const removed = await this.#deps.cgroups.remove(path, { processes: 'kill' });
      if (!removed.ok) return fail(removed.fault);
    }
    this.#kept.delete(uid);
    return this.#refreshClass();
  }

  /** The pod is gone from our books; its cgroup went before. */
  async sweep(knows: (uid: PodUid) => boolean): Promise<void> {
    const place = this.#place;
    if (place === undefined) return;
    const { cgroups, log } = this.#deps;
    const empty = new Set<string>();
    for (const parent of classes.map((quality) => qosPath(quality, place))) {
      const listed = await cgroups.list(parent);
      for (const name of listed.ok ? listed.value : []) {
        const uid = podUidOfCgroup(name);
        const path = `${parent}/${name}`;
        if (uid === undefined || knows(uid) || this.#kept.has(uid)) continue;
        const inside = await cgroups.processes(path);
        // Processes that are none of ours may be those of another agent on this machine: they are left alone.
        if (!inside.ok || inside.value.length > 0) continue;
        if (!this.#emptyOrphans.has(path)) empty.add(path);
        else if (!knows(uid) && (await cgroups.remove(path, { processes: 'keep' })).ok) log.warn('cgroups.orphan', { podUid: uid, path });
      }
    }
    this.#emptyOrphans = empty;
  }

  /** Burstable pods share what they ask for together with those that ask for nothing. */
  async #refreshClass(): Promise<Result<void, CgroupFault>> {
    const place = this.#place;
    if (place === undefined) return ok();
    const limits = qosLimits('Burstable', [...this.#kept.values()].reduce((sum, { millis }) => sum + millis, 0));
    if (limits.cpuShares === this.#classShares) return ok();
    const applied = await this.#deps.cgroups.apply(qosPath('Burstable', place), limits);
    if (applied.ok) this.#classShares = limits.cpuShares;
    return applied;
  }

  #limits(spec: PodSpec): CgroupLimits {
    return podCgroupLimits(spec, { podPidsMax: this.#deps.settings.podPidsMax, pageSizes: this.#deps.pageSizes });
  }
}
