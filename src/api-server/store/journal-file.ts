// The store's file: read once, then appended to in batches, and written anew when most of it is history. One write at a time.
// It knows records and bytes; what they mean is the store's business.
import type { FileFault } from '../../ports/faults.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { type JournalContent, journalLine, type JournalRecord, readJournal } from './journal.ts';

/** Larger than any file this writes, see `liveBytesMax`. A larger one is refused and left alone. */
const fileBytesMax = 512 * 1_024 * 1_024;
/** What a file may have beside what lives before it is written anew, in bytes; and at least as much again as lives. */
const historyBytesMin = 4 * 1_024 * 1_024;
const directoryMode = 0o700;
const fileMode = 0o600;
const fileName = 'objects.journal';

export interface JournalFileDeps {
  readonly files: FilesPort;
  readonly log: LogPort;
  readonly directory: string;
}

export class JournalFile {
  readonly #deps: JournalFileDeps;
  #bytes = 0;
  /** The end of the file is not known to be whole: nothing may be put behind it. */
  #broken = false;

  constructor(deps: JournalFileDeps) {
    this.#deps = deps;
  }

  get path(): string {
    return `${this.#deps.directory}/${fileName}`;
  }

  /** A file with damaged lines is set aside whole, and what could be read of it is used. */
  async load(): Promise<Result<JournalContent, FileFault>> {
    const { files, directory, log } = this.#deps;
    const made = await files.makeDirectory(directory, { mode: directoryMode });
    if (!made.ok) return made;
    const read = await files.read(this.path, { bytesMax: fileBytesMax });
    if (!read.ok && read.fault.kind !== 'not-found') return read;
    const bytes = read.ok ? read.value : new Uint8Array();
    const content = readJournal(bytes);
    if (content.damaged > 0) {
      const aside = await files.writeAtomic(`${this.path}.damaged`, bytes, { mode: fileMode });
      log.error('api-store.damaged', { path: this.path, lines: content.damaged, aside: aside.ok });
      if (!aside.ok) return aside;
    }
    this.#bytes = bytes.byteLength;
    // Appending behind a torn or damaged line would lose what is appended.
    this.#broken = content.torn || content.damaged > 0;
    return ok(content);
  }

  /**
   * On disk when it answers. After a fault nothing of the batch counts.
   * @param live all that is in the store after the batch, for a file written anew
   * @param live.bytes about what its lines take
   */
  async write(batch: readonly JournalRecord[], live: { readonly bytes: number; readonly version: number; records(): Iterable<JournalRecord> }): Promise<Result<void, FileFault>> {
    const text = batch.map(journalLine).join('');
    if (this.#broken || this.#bytes > live.bytes * 2 + historyBytesMin) return this.#anew(live);
    const appended = await this.#deps.files.append(this.path, text, { mode: fileMode });
    if (appended.ok) this.#bytes += Buffer.byteLength(text);
    else this.#broken = true;
    return appended;
  }

  async #anew(live: { readonly version: number; records(): Iterable<JournalRecord> }): Promise<Result<void, FileFault>> {
    const chunks = [Buffer.from(journalLine({ kind: 'version', version: live.version }))];
    for (const record of live.records()) chunks.push(Buffer.from(journalLine(record)));
    const bytes = Buffer.concat(chunks);
    const written = await this.#deps.files.writeAtomic(this.path, bytes, { mode: fileMode });
    if (!written.ok) return fail(written.fault);
    this.#bytes = bytes.byteLength;
    this.#broken = false;
    return ok();
  }
}
