// Keeps the links by which log collectors find containers' logs: one for each instance a pod's status shows, beside the pods' logs.
// A link that cannot be made harms nobody: it is logged once, and the pod goes on.
import type { BusPort } from '../bus/bus.ts';
import { containerLinkName, containerLinksDirectory } from '../machines/decide/container-logs.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { FileFault } from '../ports/faults.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogFilesPort } from '../ports/log-files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Result, Stoppable } from '../ports/result.ts';
import { ContainerLogs, type LogOwner } from './container-logs.ts';

const directoryMode = 0o755;

export interface LogLinksDeps {
  readonly bus: BusPort;
  readonly files: FilesPort;
  readonly logFiles: LogFilesPort;
  readonly log: LogPort;
  readonly settings: NodeSettings;
}

class LogLinks implements Stoppable {
  readonly #deps: LogLinksDeps;
  readonly #logs: ContainerLogs;
  readonly #linked = new Set<string>();
  /** One change after another, so that a link is not made after it was removed. */
  #work: Promise<unknown> = Promise.resolve();
  #hasDirectory = false;
  #hasFailed = false;
  #stopped = false;

  constructor(deps: LogLinksDeps) {
    this.#deps = deps;
    this.#logs = new ContainerLogs({
      bus: deps.bus, settings: deps.settings,
      shown: (owner) => {
        if (this.#linked.has(owner.log.id)) return;
        this.#linked.add(owner.log.id);
        this.#then(() => this.#link(owner));
      },
      gone: (owner) => {
        this.#linked.delete(owner.log.id);
        this.#then(() => deps.files.removeFile(this.#pathOf(owner)));
      },
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#logs.stop();
  }

  #then(change: () => Promise<Result<void, FileFault>>): void {
    this.#work = this.#work.then(async () => {
      if (this.#stopped) return;
      const changed = await change();
      if (!changed.ok && !this.#hasFailed) this.#deps.log.warn('log-links.failed', { fault: changed.fault.message });
      this.#hasFailed = !changed.ok;
    });
  }

  async #link(owner: LogOwner): Promise<Result<void, FileFault>> {
    const { files, logFiles, settings } = this.#deps;
    if (!this.#hasDirectory) {
      const made = await files.makeDirectory(containerLinksDirectory(settings.podLogsDirectory), { mode: directoryMode });
      if (!made.ok) return made;
      this.#hasDirectory = true;
    }
    return logFiles.link(owner.log.path, this.#pathOf(owner));
  }

  #pathOf({ pod, log }: LogOwner): string {
    return `${containerLinksDirectory(this.#deps.settings.podLogsDirectory)}/${containerLinkName(pod, log.container, log.id)}`;
  }
}

export function startLogLinks(deps: LogLinksDeps): Stoppable {
  return new LogLinks(deps);
}
