// Small records as JSON files, whole or not there: one folder of them, read when they are wanted, so that a command and a running bridge
// see the same. What cannot be read is told, never guessed.
import { jsonObjectIn } from '../../bus/dialects/json-value.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

const fileBytesMax = 256 * 1024;
const mode = { folder: 0o700, file: 0o600 } as const;

export interface RecordsDeps<T> {
  readonly files: FilesPort;
  readonly directory: string;
  /** Undefined for what is no such record. */
  read(value: Readonly<Record<string, unknown>>): T | undefined;
}

export class RecordFiles<T> {
  readonly #deps: RecordsDeps<T>;

  constructor(deps: RecordsDeps<T>) {
    this.#deps = deps;
  }

  /** @param name path-safe @returns undefined where there is none; a fault is a line that names the file */
  async get(name: string): Promise<Result<T | undefined, string>> {
    const path = this.#path(name);
    const content = await this.#deps.files.read(path, { bytesMax: fileBytesMax });
    if (!content.ok) return content.fault.kind === 'not-found' ? ok(undefined) : fail(content.fault.message);
    const value = jsonObjectIn(new TextDecoder().decode(content.value));
    const record = value === undefined ? undefined : this.#deps.read(value);
    return record === undefined ? fail(`${path}: cannot be read; move it away where nobody needs it`) : ok(record);
  }

  async put(name: string, record: T): Promise<Result<void, string>> {
    const { files, directory } = this.#deps;
    const made = await files.makeDirectory(directory, { mode: mode.folder });
    if (!made.ok) return fail(made.fault.message);
    const written = await files.writeAtomic(this.#path(name), `${JSON.stringify(record, undefined, 2)}\n`, { mode: mode.file });
    return written.ok ? ok() : fail(written.fault.message);
  }

  async remove(name: string): Promise<Result<void, string>> {
    const removed = await this.#deps.files.removeFile(this.#path(name), { durable: true });
    return removed.ok ? ok() : fail(removed.fault.message);
  }

  /** Sorted by name; those that cannot be read are told beside. */
  async all(): Promise<Result<{ readonly records: readonly (readonly [name: string, record: T])[]; readonly unreadable: readonly string[] }, string>> {
    const listed = await this.#deps.files.list(this.#deps.directory);
    if (!listed.ok) return listed.fault.kind === 'not-found' ? ok({ records: [], unreadable: [] }) : fail(listed.fault.message);
    const records: (readonly [string, T])[] = [];
    const unreadable: string[] = [];
    for (const { name: file } of listed.value) {
      if (file.startsWith('.') || !file.endsWith('.json')) continue;
      const name = file.slice(0, -'.json'.length);
      const record = await this.get(name);
      if (!record.ok) unreadable.push(record.fault);
      else if (record.value !== undefined) records.push([name, record.value]);
    }
    return ok({ records, unreadable });
  }

  #path(name: string): string {
    return `${this.#deps.directory}/${name}.json`;
  }
}
