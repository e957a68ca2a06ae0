// RuntimePort and ImagesPort over CRI v1 on a unix socket. No retries and no memory of pods: who calls decides what to repeat.
import type { CgroupDriver } from '../../ports/cgroups-port.ts';
import type { ContainerStats } from '../../ports/container-stats.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { ContainerId, PodUid, SandboxId } from '../../ports/pod-types.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import { fail, ok } from '../../ports/result.ts';
import type { RuntimeHandlerFacts } from '../../ports/runtime-handlers.ts';
import type {
  ContainerConfig, ExecOutput, ImagesPort, LinuxResources, ListedContainer, ListedSandbox, ObservedContainer, ObservedSandbox, RuntimeCondition,
  RuntimeListener, RuntimePort, RuntimeVersion, SandboxConfig, Unidentified,
} from '../../ports/runtime-port.ts';
import type { CriChannel } from './cri-channel.ts';
import { openChannel, unlimited } from './cri-channel.ts';
import { CriEventSource } from './cri-events.ts';
import { criImages } from './cri-images.ts';
import { criStreamUrls } from './cri-stream-urls.ts';
import type { WireMethods } from './cri-methods.ts';
import type { StreamUrls } from './cri-streams.ts';
import { loadMethods } from './cri-methods.ts';
import {
  containerIdOf, podUidLabel, sandboxIdOf, toContainerStats, toHandlerFacts, toListedContainers, toListedSandboxes, toObservedContainer,
  toObservedSandbox, toProcessCounts, toWireContainerConfig,
} from './cri-translate.ts';
import type {
  WireContainer, WireContainerStats, WireContainerStatus, WireExecOutput, WireRuntimeConfig, WireRuntimeStatus, WireSandbox, WireSandboxStats, WireSandboxStatus, WireVersion,
} from './cri-wire.ts';

type Answer<T> = Promise<Result<T, RuntimeFault>>;

export interface CriOptions {
  /** `unix:///run/containerd/containerd.sock` */
  readonly endpoint: string;
  readonly clock: ClockPort;
  readonly log: LogPort;
  /**
   * Deadline of a call in milliseconds, kubelet's runtimeRequestTimeout (2 minutes there). RunPodSandbox has twice as long,
   * StopContainer the grace period more, PullImage none.
   */
  readonly callTimeoutMs: number;
}

export interface CriConnection {
  readonly runtime: RuntimePort;
  readonly images: ImagesPort;
  /** Where the runtime serves commands, terminals and ports; who speaks to it there is loaded apart. */
  readonly streamUrls: StreamUrls;
  /** Ends what is in flight with `unavailable`. */
  close(): Promise<void>;
}

/** Connects lazily: a runtime that is not there shows as `unavailable` on each call, and is found when it comes. */
export function connectCri(options: CriOptions): CriConnection {
  const methods = loadMethods();
  const channel = openChannel(options.endpoint, options.clock);
  const events = new CriEventSource({ channel, methods, clock: options.clock, log: options.log });
  return {
    runtime: new CriRuntime(channel, methods, events, options.callTimeoutMs),
    images: criImages(channel, methods, options.callTimeoutMs, options.clock),
    streamUrls: criStreamUrls(channel, methods, options.callTimeoutMs),
    close: async () => channel.close(),
  };
}

class CriRuntime implements RuntimePort {
  readonly #channel: CriChannel;
  readonly #methods: WireMethods;
  readonly #events: CriEventSource;
  readonly #timeoutMs: number;
  /** Which sandbox a container is in, learnt from creations and listings, because ContainerStatus does not tell. */
  #sandboxOf = new Map<string, SandboxId>();

  constructor(channel: CriChannel, methods: WireMethods, events: CriEventSource, timeoutMs: number) {
    this.#channel = channel;
    this.#methods = methods;
    this.#events = events;
    this.#timeoutMs = timeoutMs;
  }

  async version(): Answer<RuntimeVersion> {
    const answer = await this.#call<WireVersion>('Version', {});
    if (!answer.ok) return answer;
    const { runtimeName, runtimeVersion, runtimeApiVersion } = answer.value;
    return ok({ runtimeName, runtimeVersion, runtimeApiVersion });
  }

  async status(): Answer<readonly RuntimeCondition[]> {
    const answer = await this.#call<WireRuntimeStatus>('Status', {});
    return answer.ok ? ok(answer.value.status?.conditions ?? []) : answer;
  }

  async handlers(): Answer<readonly RuntimeHandlerFacts[]> {
    const answer = await this.#call<WireRuntimeStatus>('Status', {});
    return answer.ok ? ok(answer.value.runtimeHandlers.map(toHandlerFacts)) : answer;
  }

  async cgroupDriver(): Answer<CgroupDriver> {
    const answer = await this.#call<WireRuntimeConfig>('RuntimeConfig', {});
    if (!answer.ok) return answer;
    const { linux } = answer.value;
    if (linux === null) return fail({ kind: 'unimplemented', message: 'the runtime does not tell its cgroup driver' });
    return ok(linux.cgroupDriver === 'SYSTEMD' ? 'systemd' : 'cgroupfs');
  }

  async runSandbox(config: SandboxConfig, runtimeHandler: string): Answer<SandboxId> {
    const answer = await this.#call<{ readonly podSandboxId: string }>('RunPodSandbox', { config, runtimeHandler }, 2 * this.#timeoutMs);
    return answer.ok ? ok(sandboxIdOf(answer.value.podSandboxId)) : answer;
  }

  stopSandbox(id: SandboxId): Answer<void> {
    return this.#end('StopPodSandbox', { podSandboxId: id });
  }

  removeSandbox(id: SandboxId): Answer<void> {
    return this.#end('RemovePodSandbox', { podSandboxId: id });
  }

  async sandboxStatus(id: SandboxId): Answer<ObservedSandbox> {
    const answer = await this.#call<{ readonly status: WireSandboxStatus | null }>('PodSandboxStatus', { podSandboxId: id });
    if (!answer.ok) return answer;
    return answer.value.status === null ? noStatus(id) : ok(toObservedSandbox(answer.value.status));
  }

  async listSandboxes(filter?: { readonly podUid: PodUid }): Answer<readonly ListedSandbox[]> {
    const answer = await this.#call<{ readonly items: readonly WireSandbox[] }>('ListPodSandbox', { filter: ofPod(filter) });
    return answer.ok ? ok(toListedSandboxes(answer.value.items)) : answer;
  }

  async createContainer(sandboxId: SandboxId, config: ContainerConfig, sandboxConfig: SandboxConfig): Answer<ContainerId> {
    const request = { podSandboxId: sandboxId, config: toWireContainerConfig(config), sandboxConfig };
    const answer = await this.#call<{ readonly containerId: string }>('CreateContainer', request);
    if (!answer.ok) return answer;
    this.#sandboxOf.set(answer.value.containerId, sandboxId);
    return ok(containerIdOf(answer.value.containerId));
  }

  async startContainer(id: ContainerId): Answer<void> {
    const answer = await this.#call<object>('StartContainer', { containerId: id });
    return answer.ok ? ok() : answer;
  }

  stopContainer(id: ContainerId, { graceMs }: { readonly graceMs: number }): Answer<void> {
    // CRI counts whole seconds; rounding down would turn half a second into an immediate kill.
    const seconds = Math.max(0, Math.ceil(graceMs / 1_000));
    return this.#end('StopContainer', { containerId: id, timeout: seconds }, seconds * 1_000 + this.#timeoutMs);
  }

  async removeContainer(id: ContainerId): Answer<void> {
    const answer = await this.#end('RemoveContainer', { containerId: id });
    if (answer.ok) this.#sandboxOf.delete(id);
    return answer;
  }

  async containerStatus(id: ContainerId): Answer<ObservedContainer> {
    const answer = await this.#call<{ readonly status: WireContainerStatus | null }>('ContainerStatus', { containerId: id });
    if (!answer.ok) return answer;
    if (answer.value.status === null) return noStatus(id);
    const sandboxId = await this.#findSandboxOf(id);
    return sandboxId.ok ? ok(toObservedContainer(answer.value.status, sandboxId.value)) : sandboxId;
  }

  async updateContainerResources(id: ContainerId, resources: LinuxResources): Answer<void> {
    const answer = await this.#call<object>('UpdateContainerResources', { containerId: id, linux: resources });
    return answer.ok ? ok() : answer;
  }

  async execSync(id: ContainerId, command: readonly string[], { timeoutMs }: { readonly timeoutMs: number }): Answer<ExecOutput> {
    const seconds = Math.max(0, Math.ceil(timeoutMs / 1_000));
    // The runtime ends the command; our own deadline is only for a runtime that does not answer.
    const deadlineMs = seconds === 0 ? unlimited : seconds * 1_000 + this.#timeoutMs;
    const answer = await this.#call<WireExecOutput>('ExecSync', { containerId: id, cmd: command, timeout: seconds }, deadlineMs);
    if (!answer.ok) return answer;
    const { exitCode, stdout, stderr } = answer.value;
    return ok({ exitCode, stdout: stdout.toString(), stderr: stderr.toString() });
  }

  async listContainers(filter?: { readonly podUid: PodUid }): Answer<readonly ListedContainer[]> {
    const answer = await this.#call<{ readonly containers: readonly WireContainer[] }>('ListContainers', { filter: ofPod(filter) });
    if (!answer.ok) return answer;
    const listed = toListedContainers(answer.value.containers);
    // A full listing replaces what was learnt, so that the map cannot outgrow the runtime.
    if (filter === undefined) this.#sandboxOf = new Map();
    for (const container of listed) this.#sandboxOf.set(container.id, container.sandboxId);
    return ok(listed);
  }

  async listUnidentified(): Answer<Unidentified> {
    const [sandboxes, containers] = await Promise.all([
      this.#call<{ readonly items: readonly WireSandbox[] }>('ListPodSandbox', {}),
      this.#call<{ readonly containers: readonly WireContainer[] }>('ListContainers', {}),
    ]);
    if (!sandboxes.ok) return sandboxes;
    if (!containers.ok) return containers;
    return ok({
      sandboxes: toListedSandboxes(sandboxes.value.items, 'unidentified'),
      containers: toListedContainers(containers.value.containers, 'unidentified'),
    });
  }

  async reopenLog(id: ContainerId): Answer<void> {
    const answer = await this.#call<object>('ReopenContainerLog', { containerId: id });
    return answer.ok ? ok() : answer;
  }

  async listContainerStats(): Answer<readonly ContainerStats[]> {
    const answer = await this.#call<{ readonly stats: readonly WireContainerStats[] }>('ListContainerStats', {});
    return answer.ok ? ok(toContainerStats(answer.value.stats)) : answer;
  }

  async listProcessCounts(): Answer<ReadonlyMap<PodUid, number>> {
    const answer = await this.#call<{ readonly stats: readonly WireSandboxStats[] }>('ListPodSandboxStats', {});
    if (answer.ok) return ok(toProcessCounts(answer.value.stats));
    // containerd 1.6 gives up on all sandboxes when one has no cgroup of its own.
    return answer.fault.kind === 'unimplemented' || answer.fault.kind === 'rejected' ? ok(new Map()) : answer;
  }

  watch(listener: RuntimeListener): Answer<Stoppable> {
    return this.#events.watch(listener);
  }

  async #findSandboxOf(id: ContainerId): Answer<SandboxId> {
    const known = this.#sandboxOf.get(id);
    if (known !== undefined) return ok(known);
    const answer = await this.#call<{ readonly containers: readonly WireContainer[] }>('ListContainers', { filter: { id } });
    if (!answer.ok) return answer;
    const found = answer.value.containers[0];
    if (found === undefined) return noStatus(id);
    const sandboxId = sandboxIdOf(found.podSandboxId);
    this.#sandboxOf.set(id, sandboxId);
    return ok(sandboxId);
  }

  #call<T>(method: string, request: object, timeoutMs = this.#timeoutMs): Answer<T> {
    return this.#channel.unary<T>(this.#methods.runtime(method), request, timeoutMs);
  }

  /** Stop and remove: what is gone already is what was asked for. */
  async #end(method: string, request: object, timeoutMs = this.#timeoutMs): Answer<void> {
    const answer = await this.#call<object>(method, request, timeoutMs);
    return answer.ok || answer.fault.kind === 'not-found' ? ok() : answer;
  }
}

function ofPod(filter: { readonly podUid: PodUid } | undefined): object {
  return filter === undefined ? {} : { labelSelector: { [podUidLabel]: filter.podUid } };
}

function noStatus(id: string): Result<never, RuntimeFault> {
  return fail({ kind: 'not-found', message: `the runtime has no status of ${id}` });
}
