// Rotates the logs of running containers that grow too large, and compresses what was rotated before. The runtime writes the logs; here
// they are renamed, and it is told to open a new one. A crash at any point leaves nothing that the next look does not mend.
import type { BusPort } from '../bus/bus.ts';
import { compressedSuffix, type LogRotationPolicy, planRotated, rotatedName, type RotatedPlan, temporarySuffix } from '../machines/decide/log-rotation.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogFilesPort } from '../ports/log-files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { ContainerId } from '../ports/pod-types.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';
import { ContainerLogs, type LogOwner } from './container-logs.ts';

export interface LogRotationDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly runtime: Pick<RuntimePort, 'reopenLog' | 'containerStatus'>;
  readonly files: Pick<FilesPort, 'list' | 'removeFile'>;
  readonly logFiles: LogFilesPort;
  readonly settings: NodeSettings;
  readonly policy: LogRotationPolicy;
}

interface Running {
  readonly owner: LogOwner;
  path: string;
  /** What an earlier life left beside it has been seen to. */
  isTidy: boolean;
  /** Told once, until it goes well again. */
  trouble: string;
}

type Done = Promise<Result<void, string>>;

class LogRotation implements Stoppable {
  readonly #deps: LogRotationDeps;
  readonly #logs: ContainerLogs;
  readonly #running = new Map<ContainerId, Running>();
  #timer: unknown;
  #isLooking = false;
  #stopped = false;

  constructor(deps: LogRotationDeps) {
    this.#deps = deps;
    this.#logs = new ContainerLogs({
      bus: deps.bus, settings: deps.settings,
      shown: (owner) => this.#shown(owner),
      gone: ({ log }) => { this.#running.delete(log.id); },
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#logs.stop();
  }

  #shown(owner: LogOwner): void {
    const { id, path, isRunning } = owner.log;
    if (!isRunning) this.#running.delete(id);
    else if (!this.#running.has(id)) this.#running.set(id, { owner, path, isTidy: false, trouble: '' });
    this.#arm();
  }

  /** No timer while nothing runs. */
  #arm(): void {
    const { clock, policy } = this.#deps;
    if (this.#timer !== undefined || this.#isLooking || this.#stopped || this.#running.size === 0) return;
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, policy.periodMs);
  }

  /** At most `workersMax` are rotated at once; the next look waits for all of them. */
  async #look(): Promise<void> {
    this.#isLooking = true;
    const due = [...this.#running.values()];
    const worker = async (): Promise<void> => {
      for (let running = due.shift(); running !== undefined && !this.#stopped; running = due.shift()) await this.#lookAt(running);
    };
    await Promise.all(Array.from({ length: this.#deps.policy.workersMax }, worker));
    this.#isLooking = false;
    this.#arm();
  }

  async #lookAt(running: Running): Promise<void> {
    const { logFiles, policy, log } = this.#deps;
    const size = await logFiles.sizeOf(running.path);
    let done: Result<void, string> = ok();
    if (!size.ok) done = size.fault.kind === 'not-found' ? await this.#missing(running) : fail(size.fault.message);
    else if (size.value >= policy.sizeMax) done = await this.#rotate(running, size.value);
    else if (!running.isTidy) done = await this.#tidy(running, 'looking');
    if (done.ok) running.isTidy = true;
    const trouble = done.ok ? '' : done.fault;
    if (trouble !== '' && trouble !== running.trouble) log.warn('log-rotation.failed', { path: running.path, fault: trouble });
    running.trouble = trouble;
  }

  /** Renamed by a rotation that a crash cut short, or never where its number says: the runtime knows. */
  async #missing(running: Running): Done {
    const { runtime } = this.#deps;
    const { id } = running.owner.log;
    const status = await runtime.containerStatus(id);
    if (!status.ok) return status.fault.kind === 'not-found' ? ok() : fail(status.fault.message);
    if (status.value.state !== 'running' || status.value.logPath === '') return ok();
    if (status.value.logPath !== running.path) {
      running.path = status.value.logPath;
      return ok();
    }
    const reopened = await runtime.reopenLog(id);
    return reopened.ok ? ok() : fail(reopened.fault.message);
  }

  async #rotate(running: Running, sizeBytes: number): Done {
    const { logFiles, runtime, clock, bus } = this.#deps;
    const { pod, log: { id, container } } = running.owner;
    const tidy = await this.#tidy(running, 'rotating');
    if (!tidy.ok || this.#stopped) return tidy;
    const { directory, name } = split(running.path);
    const rotated = `${directory}/${rotatedName(name, rfc3339Seconds(clock.nowMs()))}`;
    // Twice in one second, or a clock set back: the next look has another name for it.
    if ((await logFiles.sizeOf(rotated)).ok) return ok();
    const renamed = await logFiles.rename(running.path, rotated);
    if (!renamed.ok) return fail(renamed.fault.message);
    const reopened = await runtime.reopenLog(id);
    if (!reopened.ok && !(await logFiles.sizeOf(running.path)).ok) {
      // The runtime still writes to the old file: it gets its name back, so that nothing it writes is out of sight.
      await logFiles.rename(rotated, running.path);
      return fail(reopened.fault.message);
    }
    bus.publish('log.rotated', { pod, container, rotated, sizeBytes });
    return ok();
  }

  async #tidy(running: Running, before: 'rotating' | 'looking'): Done {
    const { files, policy } = this.#deps;
    const { directory, name } = split(running.path);
    const listed = await files.list(directory);
    if (!listed.ok) return fail(listed.fault.message);
    const plan = planRotated(name, listed.value.map((entry) => entry.name), policy.filesMax, before);
    return this.#carryOut(directory, plan);
  }

  /** What is compressed is whole under its last name before the plain one goes. */
  async #carryOut(directory: string, { remove, compress }: RotatedPlan): Done {
    const { files, logFiles } = this.#deps;
    for (const name of remove) {
      const removed = await files.removeFile(`${directory}/${name}`);
      if (!removed.ok) return fail(removed.fault.message);
    }
    for (const name of compress) {
      if (this.#stopped) return ok();
      const plain = `${directory}/${name}`;
      const temporary = `${plain}${temporarySuffix}`;
      const packed = await logFiles.compress(plain, temporary);
      if (!packed.ok) return fail(packed.fault.message);
      const renamed = await logFiles.rename(temporary, `${plain}${compressedSuffix}`);
      if (!renamed.ok) return fail(renamed.fault.message);
      await files.removeFile(plain);
    }
    return ok();
  }
}

function split(path: string): { readonly directory: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { directory: path.slice(0, slash), name: path.slice(slash + 1) };
}

export function startLogRotation(deps: LogRotationDeps): Stoppable {
  return new LogRotation(deps);
}
