// Keeps on disk the events that wait for the cloud, so that they survive a restart or a power cut. What is delivered within a moment never
// gets there: lines are written together, at most every few seconds, with one fsync, and the file goes when nothing waits.
// It decides nothing about delivery: the API writer tells it what waits and what has gone.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FileFault } from '../../ports/faults.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import type { BusPort } from '../bus.ts';
import { clearLeftovers } from '../disk/record-files.ts';
import { troubleOf, type StorageTrouble } from '../disk/storage-trouble.ts';
import { type EventWrite, type Journal, journalLine, type JournalRecord, type KeptEvent, readJournal } from './outbox-journal.ts';

/** An event that has waited so long is written. */
export const lingerMs = 1_000;
/** Between two writes: what a power cut may take. */
export const batchMs = 5_000;
/** Of the lines of all that waits; beyond, the oldest are dropped. */
export const outboxBytesMax = 1_024 * 1_024;
/** Events older than this are dropped: an API server keeps its own for an hour. */
export const ageMsMax = 24 * 3_600_000;
/** A greater age is the clock's: it was wrong then or is now, and tells nothing. */
const ageMsBelieved = 30 * 24 * 3_600_000;
/** The file is written anew when it is larger than this and than twice what waits. */
const compactBytes = 256 * 1_024;
/** Read at the start; larger is damage. */
const fileBytesMax = 4 * outboxBytesMax;
const retryMs = 15_000;
const fileMode = 0o600;
const directoryMode = 0o700;

export interface OutboxDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly log: LogPort;
  /** `<root>/outbox`. */
  readonly directory: string;
  /** Identities that are too old, or too many to be kept, oldest first. */
  overflow(ids: readonly string[]): void;
}

interface Waiting extends KeptEvent {
  /** Characters of its line, which are about its bytes; 0 until it is on disk. */
  bytes: number;
  /** On disk under this identity, as it was before it counted on. */
  base: string | undefined;
}

export class Outbox implements Stoppable {
  readonly #deps: OutboxDeps;
  readonly #file: string;
  /** By identity, in order of arrival. The API writer bounds their number. */
  readonly #waiting = new Map<string, Waiting>();
  /** Identities that the file says wait. */
  readonly #onDisk = new Set<string>();
  #dropped = 0;
  #droppedOnDisk = 0;
  #fileBytes = 0;
  #loaded = false;
  #timer: unknown;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;
  #stopped = false;
  #trouble: StorageTrouble | undefined;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#file = `${deps.directory}/events.journal`;
  }

  /** Events dropped that nobody has been told of, those of earlier lives among them. */
  get dropped(): number {
    return this.#dropped;
  }

  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** What earlier lives left, oldest first, under its identities. Once, before anything else is asked of it. */
  async recall(): Promise<readonly EventWrite[]> {
    const { files, log, directory } = this.#deps;
    const listed = await files.list(directory);
    await clearLeftovers(files, directory, listed.ok ? listed.value : []);
    const read = await files.read(this.#file, { bytesMax: fileBytesMax });
    if (this.#stopped) return [];
    this.#loaded = true;
    if (!read.ok) {
      if (read.fault.kind === 'not-found') return [];
      log.error('outbox.unreadable', { file: this.#file, fault: read.fault.message });
      this.#tell(troubleOf(read.fault));
      // It is in the way: what waits from now on shall be read by the next life.
      this.#fileBytes = Number.POSITIVE_INFINITY;
      return [];
    }
    const journal = readJournal(read.value);
    this.#fileBytes = read.value.byteLength;
    this.#takeUp(journal);
    if (journal.damaged > 0) log.warn('outbox.damaged', { file: this.#file, lines: journal.damaged, kept: journal.kept.size });
    // A torn line has no end: the next one would stand in it.
    if (journal.damaged > 0) this.#fileBytes = Number.POSITIVE_INFINITY;
    log.info('outbox.recalled', { events: this.#waiting.size, dropped: this.#dropped });
    this.#flushWithin(lingerMs);
    return [...this.#waiting.values()].map(({ write }) => write);
  }

  #takeUp({ kept, dropped }: Journal): void {
    this.#dropped += dropped;
    this.#droppedOnDisk = dropped;
    for (const [id, event] of kept) {
      this.#waiting.set(id, { ...event, bytes: journalLine({ kind: 'waits', kept: event }).length, base: undefined });
      this.#onDisk.add(id);
    }
  }

  /** @param instead identity of the same event, before it counted on; it has not been sent */
  waits(write: EventWrite, { instead }: { readonly instead: string | undefined }): void {
    const before = instead === undefined ? undefined : this.#waiting.get(instead);
    if (instead !== undefined) this.#waiting.delete(instead);
    const base = instead !== undefined && this.#onDisk.has(instead) ? instead : before?.base;
    this.#waiting.set(write.id, { write, atMs: before?.atMs ?? this.#deps.clock.nowMs(), bytes: 0, base });
    this.#flushWithin(lingerMs);
  }

  /** Delivered, refused for good, or dropped. */
  gone(id: string): void {
    const known = this.#waiting.get(id);
    if (known === undefined) return;
    this.#waiting.delete(id);
    if (this.#onDisk.size > 0) this.#flushWithin(batchMs);
  }

  /** Some were dropped, or somebody has been told of all that were. */
  countDropped(count: number): void {
    this.#dropped = count;
    if (this.#onDisk.size > 0 || count !== this.#droppedOnDisk) this.#flushWithin(batchMs);
  }

  #surplus(): readonly string[] {
    const nowMs = this.#deps.clock.nowMs();
    const surplus: string[] = [];
    let bytes = 0;
    for (const each of this.#waiting.values()) bytes += each.bytes;
    for (const [id, { atMs, bytes: size }] of this.#waiting) {
      const ageMs = nowMs - atMs;
      const isOld = ageMs > ageMsMax && ageMs < ageMsBelieved;
      if (!isOld && bytes <= outboxBytesMax) continue;
      surplus.push(id);
      bytes -= size;
    }
    return surplus;
  }

  /** Drops what is too old or too much. */
  limit(): void {
    const surplus = this.#surplus();
    if (surplus.length > 0) this.#deps.overflow(surplus);
  }

  /** Writes what waits at once: nothing that was said is lost with the process. */
  async stop(): Promise<void> {
    this.#deps.clock.clearTimeout(this.#timer);
    await this.#writing;
    if (this.#loaded && this.#isDue()) await this.#write();
    this.#stopped = true;
    this.#deps.clock.clearTimeout(this.#timer);
  }

  // ---- the file ----------------------------------------------------------------------------------------------------

  #flushWithin(withinMs: number): void {
    if (!this.#loaded || this.#stopped) return;
    const { clock } = this.#deps;
    const dueMs = Math.max(clock.monotonicMs() + withinMs, this.#writtenAtMs + batchMs);
    if (this.#timerDueMs <= dueMs) return;
    clock.clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    this.#timer = clock.setTimeout(() => {
      this.#timerDueMs = Number.POSITIVE_INFINITY;
      if (this.#writing !== undefined) return;
      // What could not be written has been delivered meanwhile.
      if (!this.#isDue()) return this.#tell(undefined);
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#trouble === undefined && this.#isDue()) this.#flushWithin(batchMs);
      });
    }, dueMs - clock.monotonicMs());
  }

  #isDue(): boolean {
    if (this.#dropped !== this.#droppedOnDisk) return true;
    for (const id of this.#onDisk) if (!this.#waiting.has(id)) return true;
    for (const { bytes } of this.#waiting.values()) if (bytes === 0) return true;
    return this.#fileBytes === Number.POSITIVE_INFINITY;
  }

  async #write(): Promise<void> {
    const { clock, files, directory } = this.#deps;
    this.#writtenAtMs = clock.monotonicMs();
    const made = this.#fileBytes > 0 ? undefined : await files.makeDirectory(directory, { mode: directoryMode });
    const written = made?.ok === false ? made : await this.#bringInStep();
    if (written.ok) {
      this.#tell(undefined);
      return this.limit();
    }
    this.#tell(troubleOf(written.fault));
    this.#flushWithin(retryMs);
  }

  async #bringInStep(): Promise<Result<void, FileFault>> {
    const { files } = this.#deps;
    if (this.#waiting.size === 0 && this.#dropped === 0) {
      const removed = await files.removeFile(this.#file, { durable: true });
      if (removed.ok) this.#settle({ gone: [...this.#onDisk], saved: [], fileBytes: 0, dropped: 0 });
      return removed;
    }
    const changes = this.#changes();
    const size = changes.lines.reduce((sum, { text }) => sum + text.length, 0);
    let liveBytes = size;
    for (const { bytes } of this.#waiting.values()) liveBytes += bytes;
    if (this.#fileBytes + size > Math.max(compactBytes, 2 * liveBytes)) return this.#rewrite();
    const appended = await files.append(this.#file, changes.lines.map(({ text }) => text).join(''), { mode: fileMode });
    if (appended.ok) this.#settle({ ...changes, saved: changes.lines, fileBytes: this.#fileBytes + size });
    return appended;
  }

  /** The lines that lead from what the file says to what is. */
  #changes() {
    const replaced = new Set<string>();
    const lines: { readonly id: string; readonly text: string }[] = [];
    for (const [id, { write, atMs, bytes, base }] of this.#waiting) {
      if (bytes > 0) continue;
      const counts = base !== undefined && this.#onDisk.has(base);
      if (counts) replaced.add(base);
      const { count, lastTimestamp } = write.object;
      const record: JournalRecord = counts ? { kind: 'counts', from: base, id, fields: { count, lastTimestamp } } : { kind: 'waits', kept: { write, atMs } };
      lines.push({ id, text: journalLine(record) });
    }
    const gone = [...this.#onDisk].filter((id) => !this.#waiting.has(id));
    for (const id of gone) if (!replaced.has(id)) lines.push({ id: '', text: journalLine({ kind: 'gone', id }) });
    const dropped = this.#dropped;
    if (dropped !== this.#droppedOnDisk) lines.push({ id: '', text: journalLine({ kind: 'dropped', count: dropped }) });
    return { gone, lines, dropped };
  }

  async #rewrite(): Promise<Result<void, FileFault>> {
    const lines = [...this.#waiting].map(([id, kept]) => ({ id, text: journalLine({ kind: 'waits', kept }) }));
    const dropped = this.#dropped;
    const text = [...lines.map((line) => line.text), ...(dropped === 0 ? [] : [journalLine({ kind: 'dropped', count: dropped })])].join('');
    const gone = [...this.#onDisk].filter((id) => !this.#waiting.has(id));
    const written = await this.#deps.files.writeAtomic(this.#file, text, { mode: fileMode });
    if (written.ok) this.#settle({ gone, saved: lines, fileBytes: text.length, dropped });
    return written;
  }

  #settle({ gone, saved, fileBytes, dropped }: {
    readonly gone: readonly string[]; readonly saved: readonly { readonly id: string; readonly text: string }[]; readonly fileBytes: number; readonly dropped: number;
  }): void {
    for (const id of gone) this.#onDisk.delete(id);
    for (const { id, text } of saved) {
      if (id === '') continue;
      this.#onDisk.add(id);
      const kept = this.#waiting.get(id);
      if (kept === undefined) continue;
      kept.bytes = text.length;
      kept.base = undefined;
    }
    this.#fileBytes = fileBytes;
    this.#droppedOnDisk = dropped;
  }

  #tell(trouble: StorageTrouble | undefined): void {
    if (this.#trouble?.reason === trouble?.reason) return;
    this.#trouble = trouble;
    this.#deps.bus.publish('storage.health', { area: 'outbox', trouble });
  }
}

