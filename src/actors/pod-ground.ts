// What a pod and its containers need on disk. It is made while the runtime makes the sandbox, and is there before a container is created.
import { containerLogDirectory, podDirectories } from '../machines/decide/cri-config.ts';
import { terminationLog } from '../machines/decide/termination-message.ts';
import type { FileFault } from '../ports/faults.ts';
import type { Container, DesiredPod } from '../ports/pod-types.ts';
import { ok, type Result } from '../ports/result.ts';
import type { PodDeps } from './pod-deps.ts';

/** Whatever user the container runs as shall be able to write. */
const terminationLogMode = 0o666;

export interface ContainerGround {
  /** How often the container has run before. */
  readonly restartCount: number;
  /** A file for its last words; undefined where it asks for none or it could not be made. */
  readonly terminationLog: string | undefined;
}

/** Of one sync: each thing is made once, and `settled` waits for what was begun. */
export class PodGround {
  readonly #deps: PodDeps;
  readonly #desired: DesiredPod;
  readonly #containers = new Map<string, Promise<ContainerGround>>();
  #directories: Promise<Result<void, FileFault>> | undefined;

  constructor(deps: PodDeps, desired: DesiredPod) {
    this.#deps = deps;
    this.#desired = desired;
  }

  /** The pod's directories, those of its volumes and logs. */
  directories(): Promise<Result<void, FileFault>> {
    this.#directories ??= this.#makeDirectories();
    return this.#directories;
  }

  /** @param restartCount counted by the log files when nobody knows it: without any instance left they still tell how often a container has run */
  ofContainer(container: Container, restartCount: number | undefined): Promise<ContainerGround> {
    const known = this.#containers.get(container.name);
    if (known !== undefined) return known;
    const made = this.#layFor(container, restartCount);
    this.#containers.set(container.name, made);
    return made;
  }

  async settled(): Promise<void> {
    await Promise.all([this.#directories, ...this.#containers.values()]);
  }

  async #makeDirectories(): Promise<Result<void, FileFault>> {
    const { files, settings } = this.#deps;
    const [first, ...others] = podDirectories(this.#desired, settings);
    // The pod's own before all else: it would be made as a parent, with a parent's mode, and by it what is left is found.
    const own = first === undefined ? ok() : await files.makeDirectory(first.path, { mode: first.mode });
    if (!own.ok) return own;
    const made = await Promise.all(others.map(({ path, mode }) => files.makeDirectory(path, { mode })));
    return made.find((result) => !result.ok) ?? ok();
  }

  async #layFor(container: Container, known: number | undefined): Promise<ContainerGround> {
    const directories = await this.directories();
    const restartCount = known ?? (await this.#restartsFromLogs(container.name));
    return { restartCount, terminationLog: directories.ok ? await this.#makeTerminationLog(container, restartCount) : undefined };
  }

  async #restartsFromLogs(name: string): Promise<number> {
    const listed = await this.#deps.files.list(containerLogDirectory(this.#desired, name, this.#deps.settings));
    if (!listed.ok) return 0;
    const numbers = listed.value.map((entry) => /^(\d{1,9})\.log/.exec(entry.name)?.[1]).filter((text) => text !== undefined);
    return numbers.length === 0 ? 0 : Math.max(...numbers.map(Number)) + 1;
  }

  /** Worth having, but no reason to keep a container from running. */
  async #makeTerminationLog({ name, terminationMessagePath = '' }: Container, restartCount: number): Promise<string | undefined> {
    if (terminationMessagePath === '') return undefined;
    const { files, settings, log } = this.#deps;
    const { directory, path } = terminationLog({ podUid: this.#desired.uid, container: name, restartCount }, settings);
    const place = await files.makeDirectory(directory, { mode: 0o750 });
    const made = place.ok ? await files.makeFile(path, { mode: terminationLogMode }) : place;
    if (made.ok) return path;
    log.warn('container.no-termination-log', { podUid: this.#desired.uid, container: name, fault: made.fault.message });
    return undefined;
  }
}
