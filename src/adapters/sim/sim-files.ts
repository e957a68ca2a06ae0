// FilesPort in memory, on a ClockPort, and LogFilesPort beside it: the twins of both for tests and simulations. Deterministic; it knows no real file.
// Paths are absolute. Links exist as LogFilesPort makes them. Faults are set from outside and stay until they are taken away.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FileFault } from '../../ports/faults.ts';
import type { DirectoryEntry, FilesPort, TreeUsage } from '../../ports/files-port.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import { fail, ok, type Result, type Stoppable } from '../../ports/result.ts';
import { failed, missing, normal, parentOf, refusal, type SimDiskFaults } from './sim-disk-faults.ts';
import { SimLogFiles } from './sim-log-files.ts';
import { entryOf, SimTree, usageOf } from './sim-tree.ts';
import { UnsyncedChanges } from './unsynced-changes.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

export interface SimFilesOptions {
  readonly clock: ClockPort;
}

export class SimFiles implements FilesPort {
  readonly faults: SimDiskFaults = { noSpace: false, readOnly: false, forbidden: new Set(), noWatches: false, latencyMs: 0 };
  readonly #clock: ClockPort;
  readonly #tree: SimTree;
  /** LogFilesPort over the same tree. */
  readonly logs: SimLogFiles;
  readonly #watches = new Set<{ readonly path: string; readonly changed: () => void }>();
  /** Writes that have begun and not been renamed. */
  readonly #inFlight = new Set<{ readonly temporary: string; readonly bytes: Uint8Array }>();
  /** Appends that have begun and not been done. */
  readonly #appending = new Set<{ readonly path: string; readonly bytes: Uint8Array; readonly mode: number }>();
  readonly #unsynced = new UnsyncedChanges();
  #temporaries = 0;
  /** Calls begun before a crash never answer. */
  #epoch = 0;

  constructor(options: SimFilesOptions) {
    this.#clock = options.clock;
    this.#tree = new SimTree(() => this.#clock.nowMs());
    this.logs = new SimLogFiles({ tree: this.#tree, call: (path, what, act) => this.#call(path, what, act), notify: (path) => this.#notify(path) });
  }

  // ---- the port ----------------------------------------------------------------------------------------------------

  list(directory: string): Answer<readonly DirectoryEntry[]> {
    return this.#call(directory, 'look', () => {
      const node = this.#tree.find(directory);
      if (node?.kind !== 'directory') return missing(directory);
      const names = [...node.entries.keys()].sort();
      return ok(names.map((name) => entryOf(name, this.#tree.find(`${directory}/${name}`))));
    });
  }

  read(path: string, options: { readonly bytesMax: number }): Answer<Uint8Array> {
    const { bytesMax } = options;
    return this.#call(path, 'look', () => {
      const node = this.#tree.find(path);
      if (node === undefined) return missing(path);
      if (node.kind !== 'file') return failed(path, 'is a directory');
      if (node.bytes.byteLength > bytesMax) {
        return fail({ kind: 'too-large', path, message: `${path}: larger than ${bytesMax} bytes`, bytesMax });
      }
      return ok(node.bytes.slice());
    });
  }

  readEnd(path: string, { bytesMax }: { readonly bytesMax: number }): Answer<Uint8Array> {
    return this.#call(path, 'look', () => {
      const node = this.#tree.find(path);
      if (node === undefined) return missing(path);
      if (node.kind !== 'file') return failed(path, 'is a directory');
      return ok(node.bytes.slice(Math.max(0, node.bytes.byteLength - bytesMax)));
    });
  }

  makeFile(path: string, { mode }: { readonly mode: number }): Answer<void> {
    return this.#call(path, 'write', () => {
      this.#mayBeLost(path);
      const made = this.#tree.writeFile(path, { bytes: new Uint8Array(), mode });
      this.#notify(path);
      return made;
    });
  }

  async append(path: string, content: Uint8Array | string, { mode }: { readonly mode: number }): Answer<void> {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content.slice();
    const append = { path, bytes, mode };
    this.#appending.add(append);
    try {
      return await this.#call(path, 'write', () => {
        const appended = this.#tree.appendFile(path, append);
        if (appended.ok) this.#unsynced.synced();
        this.#notify(path);
        return appended;
      });
    } finally {
      this.#appending.delete(append);
    }
  }

  async writeAtomic(path: string, content: Uint8Array | string, options: { readonly mode: number }): Answer<void> {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content.slice();
    this.#temporaries += 1;
    const temporary = `${parentOf(path)}/.sim-${this.#temporaries}.tmp`;
    const write = { temporary, bytes };
    this.#inFlight.add(write);
    try {
      const begun = await this.#call(path, 'write', () => this.#tree.writeFile(temporary, { bytes: new Uint8Array(), mode: options.mode }));
      if (!begun.ok) return begun;
      return await this.#call(path, 'write', () => {
        const written = this.#tree.writeFile(temporary, { bytes, mode: options.mode });
        const renamed = written.ok ? this.#tree.rename(temporary, path) : written;
        if (renamed.ok) this.#unsynced.synced();
        else this.#tree.remove(temporary);
        this.#notify(path);
        return renamed;
      });
    } finally {
      this.#inFlight.delete(write);
    }
  }

  makeDirectory(path: string, options: { readonly mode: number }): Answer<void> {
    return this.#call(path, 'write', () => {
      this.#mayBeLost(this.#firstMissing(path));
      const made = this.#tree.makeDirectory(path, options.mode);
      this.#notify(path);
      return made;
    });
  }

  removeFile(path: string, options: { readonly durable: boolean } = { durable: false }): Answer<void> {
    return this.#call(path, 'change', () => {
      if (this.#tree.find(path)?.kind === 'directory') return failed(path, 'is a directory');
      this.#mayBeLost(path);
      if (options.durable) this.#unsynced.synced();
      return this.#removed(path);
    });
  }

  removeTree(path: string): Answer<void> {
    return this.#call(path, 'change', () => {
      this.#mayBeLost(path);
      return this.#removed(path);
    });
  }

  usage(path: string, options: { readonly entriesMax: number }): Answer<TreeUsage> {
    return this.#call(path, 'look', () => ok(usageOf(this.#tree.find(path), options)));
  }

  watch(path: string, changed: () => void): Stoppable {
    const watch = { path: normal(path), changed };
    this.#watches.add(watch);
    return { stop: async () => void this.#watches.delete(watch) };
  }

  // ---- the world outside --------------------------------------------------------------------------------------------

  /** Another program writes a file in place, parents made as needed. With `half`, only that share of it yet. */
  put(path: string, content: Uint8Array | string, options: { readonly half?: number; readonly mode?: number } = {}): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    this.#tree.makeDirectory(parentOf(path), 0o755);
    this.#tree.writeFile(path, { bytes: bytes.slice(0, Math.floor(bytes.byteLength * (options.half ?? 1))), mode: options.mode ?? 0o644 });
    this.#notify(path);
  }

  /** Another program makes a directory. */
  putDirectory(path: string): void {
    this.#tree.makeDirectory(path, 0o755);
    this.#notify(path);
  }

  /** Another program removes a file or a whole directory. */
  take(path: string): void {
    this.#removed(path);
  }

  move(from: string, to: string): void {
    this.#tree.rename(from, to);
    this.#notify(from);
    this.#notify(to);
  }

  /** Content and permission bits as they are on the disk; undefined where there is no file. */
  peek(path: string): { readonly bytes: Uint8Array; readonly mode: number } | undefined {
    const node = this.#tree.find(path);
    return node?.kind === 'file' ? { bytes: node.bytes, mode: node.mode } : undefined;
  }

  /** Permission bits; 0 where there is no directory. */
  modeOfDirectory(path: string): number {
    const node = this.#tree.find(path);
    return node?.kind === 'directory' ? node.mode : 0;
  }

  /**
   * Whoever used the files is killed: calls in flight never answer, watches are gone, of each write in flight a torn temporary file may
   * be left, and of each append a first part. What has been answered stays.
   */
  crash(random: RandomPort): void {
    this.#epoch += 1;
    this.#watches.clear();
    for (const append of this.#appending) {
      const { path, bytes, mode } = append;
      this.#tree.appendFile(path, { bytes: bytes.slice(0, Math.floor(random.fraction() * (bytes.byteLength + 1))), mode });
    }
    this.#appending.clear();
    for (const { temporary, bytes } of this.#inFlight) {
      if (this.#tree.find(temporary) === undefined) continue;
      const length = Math.floor(random.fraction() * bytes.byteLength);
      this.#tree.writeFile(temporary, { bytes: bytes.slice(0, length), mode: 0o600 });
    }
    this.#inFlight.clear();
  }

  /** The power goes: as a crash, and changes that were never synced may not have happened. What `writeAtomic` and `append` have answered stays. */
  losePower(random: RandomPort): void {
    this.crash(random);
    this.#unsynced.lose(this.#clock.monotonicMs(), random);
  }

  // ---- inside ------------------------------------------------------------------------------------------------------

  /** Remembers what is at the path now, in case the change about to be made is lost. */
  #mayBeLost(path: string): void {
    const before = this.#tree.find(path);
    this.#unsynced.note(this.#clock.monotonicMs(), () => this.#tree.restore(path, before));
  }

  #firstMissing(path: string): string {
    let missing = normal(path);
    while (missing !== '/' && this.#tree.find(missing) === undefined && this.#tree.find(parentOf(missing)) === undefined) missing = parentOf(missing);
    return missing;
  }

  #removed(path: string): Result<void, FileFault> {
    this.#tree.remove(path);
    this.#notify(path);
    return ok();
  }

  async #call<T>(path: string, what: 'look' | 'write' | 'change', act: () => Result<T, FileFault>): Answer<T> {
    const epoch = this.#epoch;
    const { latencyMs } = this.faults;
    if (latencyMs > 0) await new Promise<void>((resolve) => { this.#clock.setTimeout(resolve, latencyMs); });
    else await Promise.resolve();
    if (epoch !== this.#epoch) return new Promise(() => undefined);
    if (!path.startsWith('/')) return failed(path, 'is not an absolute path');
    return refusal(this.faults, path, what) ?? act();
  }

  /** Tells those who watch the path, its directory, or something in it that came or went with it. */
  #notify(path: string): void {
    if (this.faults.noWatches) return;
    const at = normal(path);
    for (const watch of this.#watches) {
      if (watch.path !== at && watch.path !== parentOf(at) && !watch.path.startsWith(`${at}/`)) continue;
      // As from the kernel: later, not inside the call that made the change.
      void Promise.resolve().then(() => { if (this.#watches.has(watch)) watch.changed(); });
    }
  }
}
