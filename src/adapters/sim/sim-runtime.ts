// The runtime's twin: RuntimePort and ImagesPort on virtual time, stateful like containerd, with faults on demand.
// Everything it does is decided by its clock and its random source; nothing real is touched.
import type { CgroupDriver } from '../../ports/cgroups-port.ts';
import type { ContainerStats } from '../../ports/container-stats.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { ContainerId, PodUid, SandboxId } from '../../ports/pod-types.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import { fail, ok } from '../../ports/result.ts';
import type { RuntimeHandlerFacts } from '../../ports/runtime-handlers.ts';
import type {
  ContainerConfig, ExecOutput, LinuxResources, ListedContainer, ListedSandbox, ObservedContainer, ObservedSandbox, RuntimeCondition, RuntimeListener,
  RuntimePort, RuntimeVersion, SandboxConfig, Unidentified,
} from '../../ports/runtime-port.ts';
import type { Latency, SimCall } from './sim-calls.ts';
import { SimCalls, usualLatencies } from './sim-calls.ts';
import { SimContainers } from './sim-containers.ts';
import type { SimFaults, SimMethod } from './sim-faults.ts';
import { SimImages } from './sim-images.ts';
import type { SimContainer, SimSandbox } from './sim-state.ts';
import { containerName, isHostNetwork, listedContainer, listedSandbox, newestFirst, notFound, observedContainer, observedSandbox, podUidLabel, sandboxName } from './sim-state.ts';
import { SimNames } from './sim-names.ts';
import { SimUsages } from './sim-usages.ts';
import { SimWatchers } from './sim-watchers.ts';

type Answer<T> = Promise<Result<T, RuntimeFault>>;

export interface SimRuntimeOptions {
  readonly clock: ClockPort;
  readonly random: RandomPort;
  /** Names that need no pull. */
  readonly images?: readonly string[];
  /** Those of containerd where absent. */
  readonly latencies?: Readonly<Partial<Record<SimMethod, Latency>>>;
  /** When a hanging call ends, in milliseconds; 120,000 where absent. */
  readonly callTimeoutMs?: number;
}

export class SimRuntime implements RuntimePort {
  readonly images: SimImages;
  /** The world's files follow: an empty log appears at this path. */
  onReopenLog: ((logPath: string) => void) | undefined;
  /** What it says its handlers can do; an old runtime says nothing. */
  handlerFacts: readonly RuntimeHandlerFacts[] = [];
  readonly #clock: ClockPort;
  readonly #random: RandomPort;
  readonly #calls: SimCalls;
  readonly #watchers: SimWatchers;
  readonly #containers: SimContainers;
  readonly #sandboxes = new Map<string, SimSandbox>();
  readonly #names = new SimNames();
  /** What the world has containers use, by name of pod and container (`web/app`); set by whoever makes the world. */
  readonly usage = new SimUsages();
  #addresses = 0;

  constructor(options: SimRuntimeOptions) {
    const { clock, random, callTimeoutMs = 120_000 } = options;
    this.#clock = clock;
    this.#random = random;
    this.#calls = new SimCalls({ clock, random, latencies: { ...usualLatencies, ...options.latencies }, callTimeoutMs });
    this.#watchers = new SimWatchers(clock, random);
    this.#containers = new SimContainers({ clock, calls: this.#calls, watchers: this.#watchers });
    this.images = new SimImages(this.#calls, options.images ?? []);
  }

  /** Every call that has ended, in order of its end. */
  get calls(): readonly SimCall[] { return this.#calls.calls; }
  get sandboxes(): ReadonlyMap<string, Readonly<SimSandbox>> { return this.#sandboxes; }
  get containers(): ReadonlyMap<string, Readonly<SimContainer>> { return this.#containers.all; }
  /** From now on. The draws come from the runtime's own random source. */
  setFaults(faults: SimFaults): void { this.#calls.faults = faults; }

  /** A process killed from outside, as by `kill -9` on the host. */
  kill(id: string, exitCode = 137): void { this.#containers.endNow(id, { exitCode, outOfMemory: false }); }

  killForMemory(id: string): void { this.#containers.endNow(id, { exitCode: 137, outOfMemory: true }); }

  /** The sandbox's own process dies; its containers go on until somebody stops them. */
  loseSandbox(id: string): void {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox !== undefined) this.#unready(sandbox);
  }

  /** The runtime goes away for a while: streams are lost, calls answer `unavailable`; containers go on. */
  restart(options: { readonly downMs: number }): void {
    this.#calls.goDown();
    this.#containers.forgetKills();
    this.#watchers.lose({ kind: 'unavailable', message: 'the simulated runtime went down' });
    this.#clock.setTimeout(() => this.#calls.comeUp(), options.downMs);
  }

  /** The machine restarts: as `restart`, and no process survives. */
  reboot(options: { readonly downMs: number }): void {
    this.restart(options);
    for (const sandbox of this.#sandboxes.values()) sandbox.state = 'notReady';
    this.#containers.loseAll();
  }

  version(): Answer<RuntimeVersion> {
    return this.#calls.run('version', '', () => ok({ runtimeName: 'mqlet-sim', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' }));
  }

  handlers(): Answer<readonly RuntimeHandlerFacts[]> {
    return this.#calls.run('handlers', '', () => ok(this.handlerFacts));
  }

  status(): Answer<readonly RuntimeCondition[]> {
    return this.#calls.run('status', '', () =>
      ok(['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true, reason: '', message: '' }))));
  }

  cgroupDriver(): Answer<CgroupDriver> {
    return this.#calls.run('cgroupDriver', '', () => ok('cgroupfs'));
  }

  async runSandbox(config: SandboxConfig, runtimeHandler: string): Answer<SandboxId> {
    const name = sandboxName(config);
    const taken = this.#names.reserve('sandbox', name);
    const release = (): void => { if (taken === undefined) this.#names.delete(name); };
    return this.#calls.run('runSandbox', name, () => {
      if (taken !== undefined) return fail(taken);
      const id = this.#newId<SandboxId>();
      this.#names.give(name, id);
      this.#addresses = (this.#addresses + 1) % 65_000;
      const ip = isHostNetwork(config) ? '' : `10.88.${(this.#addresses + 1) >> 8}.${(this.#addresses + 1) & 255}`;
      this.#sandboxes.set(id, { id, config, runtimeHandler, createdAtMs: this.#clock.nowMs(), ip, state: 'ready' });
      this.#emit('started', id);
      return ok(id);
    }, release);
  }

  stopSandbox(id: SandboxId): Answer<void> {
    return this.#calls.run('stopSandbox', id, async () => {
      const sandbox = this.#sandboxes.get(id);
      if (sandbox === undefined) return ok();
      await this.#containers.killAllOf(id);
      this.#unready(sandbox);
      return ok();
    });
  }

  removeSandbox(id: SandboxId): Answer<void> {
    return this.#calls.run('removeSandbox', id, async () => {
      const sandbox = this.#sandboxes.get(id);
      if (sandbox === undefined) return ok();
      await this.#containers.killAllOf(id);
      this.#unready(sandbox);
      for (const container of this.#containers.of(id)) this.#remove(container);
      this.#sandboxes.delete(id);
      this.#names.delete(sandboxName(sandbox.config));
      this.#emit('removed', id);
      return ok();
    });
  }

  sandboxStatus(id: SandboxId): Answer<ObservedSandbox> {
    return this.#calls.run('sandboxStatus', id, () => {
      const sandbox = this.#sandboxes.get(id);
      return sandbox === undefined ? notFound('sandbox', id) : ok(observedSandbox(sandbox));
    });
  }

  listSandboxes(filter?: { readonly podUid: PodUid }): Answer<readonly ListedSandbox[]> {
    return this.#calls.run('listSandboxes', filter?.podUid ?? '', () => {
      const listed = [...this.#sandboxes.values()].filter((each) => each.config.labels[podUidLabel] !== undefined).map(listedSandbox);
      return ok(listed.filter((each) => filter === undefined || each.podUid === filter.podUid).sort(newestFirst));
    });
  }

  async createContainer(sandboxId: SandboxId, config: ContainerConfig, sandboxConfig: SandboxConfig): Answer<ContainerId> {
    const name = containerName(config, sandboxConfig);
    const taken = this.#names.reserve('container', name);
    const release = (): void => { if (taken === undefined) this.#names.delete(name); };
    return this.#calls.run('createContainer', name, () => {
      if (taken !== undefined) return fail(taken);
      const sandbox = this.#sandboxes.get(sandboxId);
      const image = this.images.find(config.image.image);
      const created = sandbox === undefined
        ? notFound<SimContainer>('sandbox', sandboxId)
        : this.#containers.create({ id: this.#newId<ContainerId>(), sandbox, config, sandboxConfig, image });
      if (!created.ok) {
        release();
        return created;
      }
      this.#names.give(name, created.value.id);
      return ok(created.value.id);
    }, release);
  }

  startContainer(id: ContainerId): Answer<void> {
    return this.#calls.run('startContainer', id, () => {
      const container = this.#containers.all.get(id);
      if (container === undefined) return notFound('container', id);
      return this.#containers.start(container, this.#sandboxes.get(container.sandboxId)?.state === 'ready');
    });
  }

  stopContainer(id: ContainerId, { graceMs }: { readonly graceMs: number }): Answer<void> {
    return this.#calls.run('stopContainer', id, async () => {
      // CRI counts whole seconds.
      await this.#containers.stop(id, Math.max(0, Math.ceil(graceMs / 1_000)) * 1_000);
      return ok();
    });
  }

  removeContainer(id: ContainerId): Answer<void> {
    return this.#calls.run('removeContainer', id, async () => {
      // As containerd does in the moment between the end of a process and its own notice of it.
      if (this.#containers.isUnnoticed(id)) {
        return fail({ kind: 'rejected', message: `failed to set removing state for container "${id}": container is still running, to stop first`, grpcCode: 2 });
      }
      await this.#containers.stop(id, 0);
      const container = this.#containers.all.get(id);
      if (container?.starting === true) {
        return fail({ kind: 'rejected', message: `container "${id}" is in starting state, can't be removed`, grpcCode: 2 });
      }
      if (container !== undefined) this.#remove(container);
      return ok();
    });
  }

  containerStatus(id: ContainerId): Answer<ObservedContainer> {
    return this.#calls.run('containerStatus', id, () => {
      const container = this.#containers.all.get(id);
      return container === undefined ? notFound('container', id) : ok(observedContainer(container));
    });
  }

  updateContainerResources(id: ContainerId, resources: LinuxResources): Answer<void> {
    return this.#calls.run('updateContainerResources', id, () => this.#containers.update(id, resources));
  }

  /** A command `sim WORD` does what a container of that word would do (sim-programs.ts); any other ends with 0 at once. */
  execSync(id: ContainerId, command: readonly string[], { timeoutMs }: { readonly timeoutMs: number }): Answer<ExecOutput> {
    return this.#calls.run('execSync', id, () => this.#containers.exec(id, command, Math.ceil(timeoutMs / 1_000) * 1_000));
  }

  listContainers(filter?: { readonly podUid: PodUid }): Answer<readonly ListedContainer[]> {
    return this.#calls.run('listContainers', filter?.podUid ?? '', () => {
      const listed = [...this.#containers.all.values()].filter((each) => each.podUid !== '').map(listedContainer);
      return ok(listed.filter((each) => filter === undefined || each.podUid === filter.podUid).sort(newestFirst));
    });
  }

  listUnidentified(): Answer<Unidentified> {
    return this.#calls.run('listUnidentified', '', () => ok({
      sandboxes: [...this.#sandboxes.values()].filter((each) => each.config.labels[podUidLabel] === undefined).map(listedSandbox).sort(newestFirst),
      containers: [...this.#containers.all.values()].filter((each) => each.podUid === '').map(listedContainer).sort(newestFirst),
    }));
  }

  reopenLog(id: ContainerId): Answer<void> {
    return this.#calls.run('reopenLog', id, () => {
      const container = this.#containers.all.get(id);
      if (container === undefined) return notFound('container', id);
      if (container.state !== 'running') return fail({ kind: 'rejected', message: 'container is not running', grpcCode: 2 });
      this.onReopenLog?.(container.logPath);
      return ok();
    });
  }

  listContainerStats(): Answer<readonly ContainerStats[]> {
    return this.#calls.run('listContainerStats', '', () => ok(this.usage.stats(this.#containers.all, this.#sandboxes)));
  }

  listProcessCounts(): Answer<ReadonlyMap<PodUid, number>> {
    return this.#calls.run('listProcessCounts', '', () => ok(this.usage.processes(this.#containers.all, this.#sandboxes)));
  }

  watch(listener: RuntimeListener): Answer<Stoppable> {
    return this.#calls.run('watch', '', () => ok(this.#watchers.add(listener)));
  }

  #remove(container: SimContainer): void {
    this.#containers.delete(container.id);
    this.#names.delete(container.reservedName);
    this.#emit('removed', container.id);
  }

  #unready(sandbox: SimSandbox): void {
    if (sandbox.state === 'notReady') return;
    sandbox.state = 'notReady';
    this.#emit('exited', sandbox.id);
  }

  #emit(kind: 'started' | 'exited' | 'removed', id: string): void {
    this.#watchers.emit({ kind, id }, this.#calls.faults.eventLoss);
  }

  /** 64 hexadecimal digits, as containerd's ids. */
  #newId<Id extends SandboxId | ContainerId>(): Id {
    // The runtime is who names them.
    return `${this.#random.uuid()}${this.#random.uuid()}`.replaceAll('-', '') as Id;
  }
}
