// The processes of the simulated runtime: how containers start, end by themselves, and are ended.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { ContainerId, PodUid } from '../../ports/pod-types.ts';
import type { Result } from '../../ports/result.ts';
import { fail, ok } from '../../ports/result.ts';
import type { ContainerConfig, ExecOutput, ImageFacts, LinuxResources, SandboxConfig } from '../../ports/runtime-port.ts';
import type { Latency, SimCalls } from './sim-calls.ts';
import { exitCodeOfSigkill, programOf } from './sim-programs.ts';
import type { SimContainer, SimSandbox } from './sim-state.ts';
import { containerName, podUidLabel } from './sim-state.ts';
import type { SimWatchers } from './sim-watchers.ts';

/** From a signal that kills to the end of the process. */
const killLatency: Latency = [5, 20];
/** A runtime tells of a start or an end a little before its own status shows it: hints come early, listings late. */
const statusLag: Latency = [0, 6];
const startErrorCode = 128;
const lostCode = 255;

interface End {
  readonly exitCode: number;
  readonly outOfMemory: boolean;
}

export class SimContainers {
  readonly #clock: ClockPort;
  readonly #calls: SimCalls;
  readonly #watchers: SimWatchers;
  readonly #containers = new Map<string, SimContainer>();

  constructor(deps: { readonly clock: ClockPort; readonly calls: SimCalls; readonly watchers: SimWatchers }) {
    this.#clock = deps.clock;
    this.#calls = deps.calls;
    this.#watchers = deps.watchers;
  }

  get all(): ReadonlyMap<string, SimContainer> {
    return this.#containers;
  }

  of(sandboxId: string): readonly SimContainer[] {
    return [...this.#containers.values()].filter((each) => each.sandboxId === sandboxId);
  }

  /** Its process has ended, its status does not show it yet. */
  isUnnoticed(id: string): boolean {
    const container = this.#containers.get(id);
    return container?.ending === true && container.state === 'running';
  }

  delete(id: string): void {
    this.#containers.delete(id);
  }

  /** Values of 0 leave what is there. */
  update(id: string, { cpuPeriod, cpuQuota, cpuShares, memoryLimitInBytes }: LinuxResources): Result<void, RuntimeFault> {
    const container = this.#containers.get(id);
    if (container === undefined) return fail({ kind: 'not-found', message: `an error occurred when try to find container "${id}": not found` });
    const given = Object.entries({ cpuPeriod, cpuQuota, cpuShares, memoryLimitInBytes }).filter(([, value]) => value !== 0);
    container.resources = { ...container.resources, ...Object.fromEntries(given) };
    return ok();
  }

  create(request: {
    readonly id: ContainerId; readonly sandbox: SimSandbox; readonly config: ContainerConfig;
    readonly sandboxConfig: SandboxConfig; readonly image: ImageFacts | undefined;
  }): Result<SimContainer, RuntimeFault> {
    const { id, sandbox, config, sandboxConfig, image } = request;
    if (sandbox.state !== 'ready') return rejected(`failed to get sandbox container task: no running task found: ${sandbox.id}`);
    if (image === undefined) {
      return fail({ kind: 'not-found', message: `failed to resolve image "${config.image.image}": not found` });
    }
    const imageName = image.repoTags[0] ?? image.repoDigests[0] ?? image.id;
    const program = programOf(imageName, config.command);
    if (program.refuses === 'create') return rejected('failed to create containerd container: simulated refusal');
    const container: SimContainer = {
      id, sandboxId: sandbox.id, config, program, imageName, reservedName: containerName(config, sandboxConfig),
      // Labels carry what the caller branded.
      podUid: (config.labels[podUidLabel] ?? '') as PodUid,
      logPath: config.logPath === '' ? '' : `${sandboxConfig.logDirectory}/${config.logPath}`,
      imageRef: image.repoDigests[0] ?? image.id,
      resources: config.linux.resources, createdAtMs: this.#clock.nowMs(), startedAtMs: 0, finishedAtMs: 0,
      state: 'created', exitCode: 0, reason: '', message: '', starting: false, ending: false, endTimer: undefined, endDueMs: 0, killTimer: undefined, killDueMs: 0, waiting: [],
    };
    this.#containers.set(id, container);
    return ok(container);
  }

  async start(container: SimContainer, sandboxReady: boolean): Promise<Result<void, RuntimeFault>> {
    if (container.state !== 'created') return rejected(`container "${container.id}" is in ${container.state} state`);
    if (!sandboxReady) return rejected(`sandbox container "${container.sandboxId}" is not running`);
    if (container.program.refuses === 'start') {
      const message = 'failed to create containerd task: simulated start error: executable file not found in $PATH';
      container.startedAtMs = this.#clock.nowMs();
      this.#settle(container, { exitCode: startErrorCode, reason: 'StartError', message });
      return rejected(message);
    }
    this.#emit('started', container.id);
    container.starting = true;
    await this.#calls.wait(this.#calls.draw(statusLag));
    container.starting = false;
    container.state = 'running';
    container.startedAtMs = this.#clock.nowMs();
    const { ends } = container.program;
    if (ends !== undefined) this.#endAfter(container, ends.afterMs, ends);
    return ok();
  }

  /** @param timeoutMs 0 for no limit */
  async exec(id: string, command: readonly string[], timeoutMs: number): Promise<Result<ExecOutput, RuntimeFault>> {
    const container = this.#containers.get(id);
    if (container === undefined) return fail({ kind: 'not-found', message: `an error occurred when try to find container "${id}": not found` });
    if (container.state !== 'running') return rejected(`container "${id}" is in ${container.state} state, cannot run a command in it`);
    const output = (exitCode: number): ExecOutput => ({ exitCode, stdout: exitCode === 0 ? '' : `exit ${exitCode}`, stderr: '' });
    if (command[0] !== 'sim') return ok(output(0));
    const { ends } = programOf('', command);
    if (timeoutMs > 0 && (ends === undefined || ends.afterMs > timeoutMs)) {
      await this.#calls.wait(timeoutMs);
      return fail({ kind: 'timeout', message: `command timed out after ${timeoutMs} ms: context deadline exceeded`, afterMs: timeoutMs });
    }
    // What neither ends nor is limited goes on as long as its container.
    if (ends === undefined) await new Promise<void>((resolve) => { container.waiting.push(resolve); });
    else await this.#calls.wait(ends.afterMs);
    return ok(output(ends === undefined ? exitCodeOfSigkill : ends.exitCode));
  }

  /** SIGTERM, and SIGKILL after the grace period; resolves when the state shows the end. */
  stop(id: string, graceMs: number): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined || container.state !== 'running') return Promise.resolve();
    const { onTerm } = container.program;
    if (!container.ending) {
      if (graceMs > 0 && onTerm !== undefined) this.#endAfter(container, onTerm.afterMs, { exitCode: onTerm.exitCode, outOfMemory: false });
      this.#killAfter(container, graceMs + this.#calls.draw(killLatency));
    }
    return new Promise((resolve) => { container.waiting.push(resolve); });
  }

  /** The runtime goes down: nobody is left to send the kills that stops have announced. */
  forgetKills(): void {
    for (const container of this.#containers.values()) {
      this.#clock.clearTimeout(container.killTimer);
      container.killTimer = undefined;
    }
  }

  async killAllOf(sandboxId: string): Promise<void> {
    await Promise.all(this.of(sandboxId).map((container) => this.stop(container.id, 0)));
  }

  /** The process ends at once; the status follows. */
  endNow(id: string, end: End): void {
    const container = this.#containers.get(id);
    if (container?.state === 'running' && !container.ending) this.#end(container, end);
  }

  /** After a restart of the machine the runtime finds containers without a process. */
  loseAll(): void {
    for (const container of this.#containers.values()) {
      if (container.state === 'running') this.#settle(container, { exitCode: lostCode, reason: 'Unknown', message: '' });
    }
  }

  /** The nearest end wins: a signal cannot lengthen a life. */
  #endAfter(container: SimContainer, delayMs: number, end: End): void {
    const dueMs = this.#clock.monotonicMs() + delayMs;
    if (container.endTimer !== undefined && container.endDueMs <= dueMs) return;
    this.#clock.clearTimeout(container.endTimer);
    container.endDueMs = dueMs;
    container.endTimer = this.#clock.setTimeout(() => this.#end(container, end), delayMs);
  }

  /** The nearest of several kills wins. */
  #killAfter(container: SimContainer, delayMs: number): void {
    const dueMs = this.#clock.monotonicMs() + delayMs;
    if (container.killTimer !== undefined && container.killDueMs <= dueMs) return;
    this.#clock.clearTimeout(container.killTimer);
    container.killDueMs = dueMs;
    container.killTimer = this.#clock.setTimeout(() => this.#end(container, { exitCode: exitCodeOfSigkill, outOfMemory: false }), delayMs);
  }

  #end(container: SimContainer, end: End): void {
    this.#clearTimers(container);
    container.ending = true;
    if (end.outOfMemory) this.#emit('oom', container.id);
    this.#emit('exited', container.id);
    const reason = end.outOfMemory ? 'OOMKilled' : end.exitCode === 0 ? 'Completed' : 'Error';
    const settle = (): void => this.#settle(container, { exitCode: end.exitCode, reason, message: '' });
    container.endTimer = this.#clock.setTimeout(settle, this.#calls.draw(statusLag));
  }

  #settle(container: SimContainer, end: { readonly exitCode: number; readonly reason: string; readonly message: string }): void {
    this.#clearTimers(container);
    container.ending = true;
    container.state = 'exited';
    container.finishedAtMs = this.#clock.nowMs();
    container.exitCode = end.exitCode;
    container.reason = end.reason;
    container.message = end.message;
    for (const told of container.waiting.splice(0)) told();
  }

  #clearTimers(container: SimContainer): void {
    this.#clock.clearTimeout(container.endTimer);
    this.#clock.clearTimeout(container.killTimer);
  }

  #emit(kind: 'started' | 'exited' | 'oom', id: string): void {
    this.#watchers.emit({ kind, id }, this.#calls.faults.eventLoss);
  }
}

function rejected(message: string): Result<never, RuntimeFault> {
  return fail({ kind: 'rejected', message, grpcCode: 2 });
}
