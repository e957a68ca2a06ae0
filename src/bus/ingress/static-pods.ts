// Pods from manifest files: watches a directory, or one file, and says the whole content whenever it has changed.
// A file that is broken keeps the pods it gave before; no file harms another.
import type { FileFault, InputFault } from '../../ports/faults.ts';
import type { DirectoryEntry, FilesPort } from '../../ports/files-port.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import { type DesiredPod, podFullName, podName } from '../../ports/pod-types.ts';
import { ok, type Result, type Stoppable } from '../../ports/result.ts';
import type { BusPort } from '../bus.ts';
import { manifestBytesMax } from './decode-pod.ts';
import { beforeReading, lookAtManifest, type ManifestFile } from './manifest-file.ts';
import { isManifestName } from './manifest-names.ts';
import { ToldReasons } from './told-reasons.ts';

/** Files looked at in one directory, in order of name. Those behind are left out, and that is said. */
export const manifestFilesMax = 1_000;
/** How long the first content may wait for files that are being written. Then it is said without them. */
const firstContentMsMax = 5_000;

/** Editors take a file away and put a new one in its place; a renamed one is read under its new name first. So long its pods stay. */
const goneMs = 150;

export interface StaticPodsDeps {
  readonly bus: BusPort;
  readonly files: FilesPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  /** Directory of manifests, or a single one. It need not exist. */
  readonly directory: string;
  readonly nodeName: string;
  /** Between looks when the watch says nothing: it may have missed something. */
  readonly scanMs: number;
}

/**
 * Publishes `source.updated` with kind `set`: at first in any case, then when the content has changed; and `input.refused`,
 * once for each content of a bad file.
 */
export function startStaticPods(deps: StaticPodsDeps): Stoppable {
  return new StaticPods(deps);
}

interface Gone {
  readonly file: ManifestFile;
  readonly sinceMs: number;
}

/** `waitMs` is there when a file has to be looked at again soon. */
interface Looked {
  readonly files: ReadonlyMap<string, ManifestFile>;
  readonly gone: ReadonlyMap<string, Gone>;
  readonly waitMs: number | undefined;
}

class StaticPods implements Stoppable {
  readonly #deps: StaticPodsDeps;
  readonly #root: string;
  readonly #watch: Stoppable;
  readonly #startedAtMs: number;
  readonly #told = new ToldReasons();
  #files: ReadonlyMap<string, ManifestFile> = new Map();
  /** Files that have just gone, with the monotonic time since when. */
  #gone: ReadonlyMap<string, Gone> = new Map();
  /** Undefined until the first content has been said. */
  #said: readonly DesiredPod[] | undefined;
  #timer: unknown;
  #scanning = false;
  #missing = false;
  #again = false;
  #stopped = false;

  constructor(deps: StaticPodsDeps) {
    this.#deps = deps;
    this.#root = deps.directory.replace(/(?<=.)\/+$/, '');
    this.#startedAtMs = deps.clock.monotonicMs();
    this.#watch = deps.files.watch(this.#root, () => void this.#scan());
    void this.#scan();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#watch.stop();
  }

  /** One scan at a time; what is noticed meanwhile makes one more. */
  async #scan(): Promise<void> {
    this.#again = true;
    if (this.#scanning) return;
    this.#scanning = true;
    let waitMs = this.#deps.scanMs;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        waitMs = await this.#scanOnce();
      }
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#deps.bus.publish('actor.failed', { actor: 'static-pods', message, action: 'looks again at the next scan' });
    }
    this.#scanning = false;
    if (this.#stopped) return;
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = this.#deps.clock.setTimeout(() => void this.#scan(), waitMs);
  }

  /** @returns milliseconds until the next look is due */
  async #scanOnce(): Promise<number> {
    const { scanMs } = this.#deps;
    this.#told.beginRound();
    const listed = await this.#list();
    if (this.#stopped) return scanMs;
    if (!listed.ok) {
      // Nothing is said: what cannot be seen has not gone.
      this.#report({ origin: this.#root, message: `cannot be listed: ${listed.fault.message}`, severity: 'error' });
      this.#told.endRound();
      return scanMs;
    }
    const { files, gone, waitMs } = await this.#look(listed.value);
    if (this.#stopped) return scanMs;
    this.#files = files;
    this.#gone = gone;
    if (this.#said !== undefined || waitMs === undefined || !this.#mayWait()) this.#say();
    this.#told.endRound();
    return Math.min(waitMs ?? scanMs, scanMs);
  }

  #mayWait(): boolean {
    return this.#deps.clock.monotonicMs() - this.#startedAtMs < firstContentMsMax;
  }

  /** Manifests by path, in order of name. Neither directory nor file: none. */
  async #list(): Promise<Result<ReadonlyMap<string, DirectoryEntry>, FileFault>> {
    const { files } = this.#deps;
    const inside = await files.list(this.#root);
    if (inside.ok) {
      this.#noteMissing(false);
      const entries = inside.value.filter((entry) => entry.kind === 'file' && isManifestName(entry.name));
      for (const entry of entries.slice(manifestFilesMax, manifestFilesMax + 1)) {
        this.#report({ origin: `${this.#root}/${entry.name}`, message: `left out with all behind it: more than ${manifestFilesMax} files in the directory`, severity: 'error' });
      }
      return ok(new Map(entries.slice(0, manifestFilesMax).map((entry) => [`${this.#root}/${entry.name}`, entry])));
    }
    if (inside.fault.kind !== 'not-found') return inside;
    const slash = this.#root.lastIndexOf('/');
    const beside = await files.list(this.#root.slice(0, slash) || '/');
    const entry = beside.ok ? beside.value.find(({ name, kind }) => kind === 'file' && name === this.#root.slice(slash + 1)) : undefined;
    this.#noteMissing(entry === undefined);
    return ok(new Map(entry === undefined ? [] : [[this.#root, entry]]));
  }

  /** Allowed, and often a slip: without the directory every static pod that runs is stopped. */
  #noteMissing(missing: boolean): void {
    if (missing && !this.#missing) this.#deps.log.warn('staticPods.missing', { directory: this.#root, message: 'there is no such directory or file, so there are no static pods' });
    this.#missing = missing;
  }

  /** Reads what has changed. */
  async #look(entries: ReadonlyMap<string, DirectoryEntry>): Promise<Looked> {
    const files = new Map<string, ManifestFile>();
    const waits: number[] = [];
    for (const [path, entry] of entries) {
      const known = this.#files.get(path) ?? this.#gone.get(path)?.file;
      const look = await this.#lookAt(path, entry, known);
      if (this.#stopped) break;
      if (look.file !== undefined) files.set(path, look.file);
      if (look.waitMs !== undefined) waits.push(look.waitMs);
    }
    const gone = this.#goneFrom(files);
    if (gone.size > 0) waits.push(goneMs);
    return { files, gone, waitMs: waits.length === 0 ? undefined : Math.min(...waits) };
  }

  #goneFrom(files: ReadonlyMap<string, ManifestFile>): ReadonlyMap<string, Gone> {
    const nowMs = this.#deps.clock.monotonicMs();
    const gone = new Map<string, Gone>();
    for (const [path, file] of this.#files) if (!files.has(path)) gone.set(path, { file, sinceMs: nowMs });
    for (const [path, one] of this.#gone) if (!files.has(path) && nowMs - one.sinceMs < goneMs) gone.set(path, one);
    return gone;
  }

  async #lookAt(
    path: string, entry: DirectoryEntry, known: ManifestFile | undefined,
  ): Promise<{ readonly file?: ManifestFile | undefined; readonly waitMs?: number }> {
    const { clock, files, nodeName } = this.#deps;
    const sight = () => ({ path, entry, nowMs: clock.nowMs(), nodeName });
    const need = beforeReading(known, sight());
    if (need === 'same') return { file: known };
    if (need !== 'read') return { file: known, waitMs: need.waitMs };
    const read = await files.read(path, { bytesMax: manifestBytesMax });
    // Gone since it was listed: as if it had not been.
    if (!read.ok && read.fault.kind === 'not-found') return {};
    const look = lookAtManifest(known, read, sight());
    if (look.kind === 'waiting') return { file: known, waitMs: look.waitMs };
    for (const fault of look.faults) this.#deps.bus.publish('input.refused', { fault });
    return { file: look.file };
  }

  #say(): void {
    const { bus, log } = this.#deps;
    const pods = this.#podsOfAll();
    const same = this.#said !== undefined && pods.length === this.#said.length && pods.every((pod, index) => pod === this.#said?.[index]);
    if (same) return;
    this.#said = pods;
    log.info('staticPods.changed', { directory: this.#root, files: this.#files.size, pods: pods.length });
    bus.publish('source.updated', { kind: 'set', source: 'file', pods });
  }

  /** Of two pods of one name the last in order of file name counts, as for kubelet. */
  #podsOfAll(): readonly DesiredPod[] {
    const byName = new Map<string, DesiredPod>();
    for (const { pods } of this.#files.values()) {
      for (const pod of pods) {
        const other = byName.get(podFullName(pod));
        if (other !== undefined) {
          const why = `Duplicate value: "${podName(pod)}": ${pod.origin} has it too, and the last in order of name counts`;
          this.#report({ origin: other.origin, field: 'metadata.name', message: why, severity: 'error' });
        }
        byName.set(podFullName(pod), pod);
      }
    }
    // What has just gone may have moved: then it is among the others under its new path.
    const presentNames = new Set(byName.keys());
    for (const { file } of this.#gone.values()) {
      for (const pod of file.pods) if (!presentNames.has(podFullName(pod))) byName.set(podFullName(pod), pod);
    }
    return [...byName.values()];
  }

  /** For what is found anew with every scan. */
  #report(fault: InputFault): void {
    if (this.#told.isNew(`${fault.origin} ${fault.field ?? ''}`, fault.message)) this.#deps.bus.publish('input.refused', { fault });
  }
}
