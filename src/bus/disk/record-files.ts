// Records on disk, one file each in one directory that only root reads: written behind the caller's back, atomically, one after the
// other, and never when nothing changed. It knows bytes and names; what a record means is its owner's business.
import { createHash } from 'node:crypto';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FileFault } from '../../ports/faults.ts';
import type { DirectoryEntry, FilesPort } from '../../ports/files-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import { ok, type Result, type Stoppable } from '../../ports/result.ts';
import type { BusPort } from '../bus.ts';
import { type JsonObject, jsonObjectIn } from '../dialects/json-value.ts';
import { type StorageArea, type StorageTrouble, troubleOf } from './storage-trouble.ts';

/** After a write that failed. The timer runs only while there is one. */
export const writeRetryMs = 15_000;
const directoryMode = 0o700;
const fileMode = 0o600;
const suffix = '.json';
const asideSuffix = '.damaged';
/** Damaged files kept in a directory for a person to look at; the oldest go. */
export const asideMax = 10;

export interface RecordFilesDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly log: LogPort;
  /** Made when something is to be written. */
  readonly directory: string;
  readonly area: StorageArea;
  /** Of one record; a larger file is damaged. */
  readonly bytesMax: number;
  /** Files read at the start; the others are left alone. */
  readonly recordsMax: number;
}

/** A change to be made: the text at the time of writing, or undefined where the file is to go. */
type Change = (() => string) | undefined;

export class RecordFiles implements Stoppable {
  readonly #deps: RecordFilesDeps;
  /** Digests of what the files hold, by record. As many as there are files. */
  readonly #held = new Map<string, string>();
  /** Newest change of each record that is not on disk yet. */
  readonly #due = new Map<string, Change>();
  readonly #urgent = new Set<string>();
  #writing: Promise<void> | undefined;
  #stopped = false;
  #loaded = false;
  #timer: unknown;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #trouble: StorageTrouble | undefined;

  constructor(deps: RecordFilesDeps) {
    this.#deps = deps;
  }

  /** Records that have a file, or are about to. */
  names(): readonly string[] {
    const names = new Set(this.#held.keys());
    for (const [name, change] of this.#due) if (change === undefined) names.delete(name); else names.add(name);
    return [...names];
  }

  /**
   * Reads every record. One that cannot be understood is set aside under another name, with a log line and an `input.refused`.
   * @param take gives the reason why a content is no good, one line; it must not throw
   */
  async load(take: (name: string, content: Uint8Array) => string | undefined): Promise<void> {
    const { files, directory, bytesMax, recordsMax, log } = this.#deps;
    const listed = await files.list(directory);
    await clearLeftovers(files, directory, listed.ok ? listed.value : []);
    const found = (listed.ok ? listed.value : []).filter(({ name, kind }) => kind === 'file' && name.endsWith(suffix) && !name.startsWith('.'));
    if (!listed.ok && listed.fault.kind !== 'not-found') log.error('records.unreadable', { directory, fault: listed.fault.message });
    for (const { name: file } of found.slice(0, recordsMax)) {
      if (this.#stopped) return;
      const path = `${directory}/${file}`;
      const read = await files.read(path, { bytesMax });
      if (!read.ok && read.fault.kind === 'not-found') continue;
      const name = file.slice(0, -suffix.length);
      const fault = read.ok ? take(name, read.value) : read.fault.message;
      if (fault === undefined && read.ok) this.#held.set(name, digestOf(read.value));
      else if (!(await this.#setAside(path, fault ?? '', read))) this.#held.set(name, '');
    }
    if (found.length > recordsMax) log.warn('records.too-many', { directory, found: found.length, read: recordsMax });
    this.#loaded = true;
    // What was put while the files were read had no timer.
    for (const name of this.#due.keys()) this.#urgent.add(name);
    this.#start();
  }

  /**
   * The record's content from now on. Nothing is written where the file has it already.
   * @param change read when it is written; undefined removes the file, so that it does not come back
   * @param options.withinMs how long it may wait for others, or for a newer content of its own
   */
  put(name: string, change: Change, options: { readonly withinMs: number } = { withinMs: 0 }): void {
    if (this.#stopped || (change === undefined && this.#loaded && !this.#held.has(name) && !this.#due.has(name) && this.#writing === undefined)) return;
    this.#due.set(name, change);
    if (options.withinMs === 0) this.#urgent.add(name);
    this.#startWithin(options.withinMs);
  }

  /** What was damaged is whole again, in the owner's eyes. */
  repaired(): void {
    if (this.#trouble?.reason === 'FilesDamaged') this.#tell(undefined);
  }

  /** Writes at once what waits, and nothing after it. */
  async stop(): Promise<void> {
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#writing;
    for (const name of this.#due.keys()) this.#urgent.add(name);
    if (this.#loaded && this.#due.size > 0 && this.#trouble === undefined) await this.#write();
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
  }

  #startWithin(withinMs: number): void {
    if (!this.#loaded) return;
    if (withinMs === 0) return this.#start();
    const { clock } = this.#deps;
    const dueMs = clock.monotonicMs() + withinMs;
    if (this.#timerDueMs <= dueMs) return;
    clock.clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    this.#timer = clock.setTimeout(() => {
      this.#timerDueMs = Number.POSITIVE_INFINITY;
      for (const name of this.#due.keys()) this.#urgent.add(name);
      this.#start();
    }, withinMs);
  }

  #start(): void {
    if (this.#writing !== undefined || this.#stopped || this.#urgent.size === 0) return;
    this.#writing = this.#write().then(() => {
      this.#writing = undefined;
      if (this.#trouble === undefined || this.#trouble.reason === 'FilesDamaged') this.#start();
    });
  }

  async #write(): Promise<void> {
    for (const name of this.#urgent) {
      const change = this.#due.get(name);
      const isDue = this.#due.delete(name);
      this.#urgent.delete(name);
      if (!isDue) continue;
      const written = change === undefined ? await this.#remove(name) : await this.#writeOne(name, change());
      if (written.ok) continue;
      // A newer one may have come meanwhile.
      if (!this.#due.has(name)) this.#due.set(name, change);
      this.#tell(troubleOf(written.fault));
      this.#startWithin(writeRetryMs);
      return;
    }
    if (this.#trouble !== undefined && this.#trouble.reason !== 'FilesDamaged') this.#tell(undefined);
  }

  async #writeOne(name: string, text: string): Promise<Result<void, FileFault>> {
    const digest = digestOf(text);
    if (this.#held.get(name) === digest) return ok();
    const { files, directory } = this.#deps;
    const made = await files.makeDirectory(directory, { mode: directoryMode });
    const written = made.ok ? await files.writeAtomic(this.#pathOf(name), text, { mode: fileMode }) : made;
    if (written.ok) this.#held.set(name, digest);
    return written;
  }

  async #remove(name: string): Promise<Result<void, FileFault>> {
    if (!this.#held.has(name)) return ok();
    const removed = await this.#deps.files.removeFile(this.#pathOf(name), { durable: true });
    if (removed.ok) this.#held.delete(name);
    return removed;
  }

  #pathOf(name: string): string {
    return `${this.#deps.directory}/${name}${suffix}`;
  }

  /** So that a person can look at it and the next start does not stumble again. */
  async #setAside(path: string, fault: string, read: Result<Uint8Array, FileFault>): Promise<boolean> {
    const { files, bus, log } = this.#deps;
    const copied = read.ok ? await files.writeAtomic(`${path}${asideSuffix}`, read.value, { mode: fileMode }) : read;
    const moved = copied.ok ? await files.removeFile(path, { durable: true }) : copied;
    log.error('records.damaged', { path, fault, aside: moved.ok });
    bus.publish('input.refused', { fault: { origin: path, message: `${fault.slice(0, 700)}${moved.ok ? ` (set aside as ${path}${asideSuffix})` : ''}`, severity: 'error' } });
    this.#tell({ reason: 'FilesDamaged', message: `${path}: ${fault.slice(0, 300)}` });
    return moved.ok;
  }

  #tell(trouble: StorageTrouble | undefined): void {
    if (this.#trouble?.reason === trouble?.reason) return;
    this.#trouble = trouble;
    this.#deps.bus.publish('storage.health', { area: this.#deps.area, trouble });
  }
}

/** Takes away what writes that were cut off have left in a directory of ours, and all but the newest files that were set aside. */
export async function clearLeftovers(files: FilesPort, directory: string, entries: readonly DirectoryEntry[]): Promise<void> {
  const torn = entries.filter(({ name }) => name.startsWith('.') && name.endsWith('.tmp'));
  const aside = entries.filter(({ name }) => name.endsWith(asideSuffix)).sort((a, b) => b.modifiedAtMs - a.modifiedAtMs).slice(asideMax);
  for (const { name } of [...torn, ...aside]) await files.removeFile(`${directory}/${name}`);
}

/** A record that is one JSON object; undefined for anything else. */
export function recordObject(content: Uint8Array): JsonObject | undefined {
  try {
    return jsonObjectIn(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch {
    return undefined;
  }
}

function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('base64').slice(0, 22);
}
