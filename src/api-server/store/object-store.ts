// The objects of the API, in memory and in one file. A change is seen by readers and watches when it is on disk, not before; writers see
// what waits to be written, so that two of them never both succeed on the same version. It knows keys and versions, not kinds.
import type { FileFault } from '../../ports/faults.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { ApiKey, ApiObject } from '../objects.ts';
import { keyText } from '../objects.ts';
import { internalError, type Refusal } from '../refusals.ts';
import { apiVersionOf, type Resource, resources } from '../resources.ts';
import { History, type StoreChange } from './history.ts';
import type { JournalRecord } from './journal.ts';
import { JournalFile, type JournalFileDeps } from './journal-file.ts';

/** Of all objects as JSON. Beyond, nothing grows any more: writes are refused, deletions are not. */
export const liveBytesMax = 64 * 1_024 * 1_024;
/** Writes that wait for the disk; more are refused. */
export const waitingMax = 5_000;

/** What a writer decides to do with the object it was shown. */
export type Decision =
  | { readonly kind: 'put'; readonly object: ApiObject }
  | { readonly kind: 'delete' }
  /** All is as it should be; the answer waits for what it was decided on. */
  | { readonly kind: 'keep'; readonly object: ApiObject };

type Stored = ReadonlyMap<string, ApiObject>;

interface Waiting {
  readonly change: StoreChange | undefined;
  readonly record: JournalRecord | undefined;
  settle(written: Result<void, FileFault>): void;
}

interface Pending {
  readonly object: ApiObject | undefined;
  readonly version: number;
}

export class ObjectStore {
  readonly #file: JournalFile;
  readonly #objects = new Map<string, Map<string, ApiObject>>(resources.map(({ resource }) => [resource, new Map()]));
  /** What is being written, by resource and key. */
  readonly #pending = new Map<string, Pending>();
  readonly #listeners = new Set<(change: StoreChange) => void>();
  readonly #sizes = new Map<string, number>();
  #history = new History(0);
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #liveBytes = 0;
  /** The newest given out. */
  #version = 0;
  /** The newest on disk: what readers are told. */
  #committed = 0;

  private constructor(file: JournalFile) {
    this.#file = file;
  }

  static async open(deps: JournalFileDeps): Promise<Result<ObjectStore, FileFault>> {
    const file = new JournalFile(deps);
    const loaded = await file.load();
    if (!loaded.ok) return loaded;
    const store = new ObjectStore(file);
    for (const [bucket, objects] of loaded.value.objects) {
      for (const [key, object] of objects) {
        // The checksum held: it is what this store wrote, and it writes nothing else.
        store.#apply(bucket, key, object as ApiObject);
      }
    }
    store.#version = Math.max(1, loaded.value.version);
    store.#committed = store.#version;
    store.#history = new History(store.#version);
    return ok(store);
  }

  get version(): number {
    return this.#committed;
  }

  get(key: ApiKey): ApiObject | undefined {
    return this.#objects.get(key.resource.resource)?.get(keyText(key));
  }

  /** All of a resource, by key; not in order. */
  all({ resource }: Resource): Stored {
    return this.#objects.get(resource) ?? new Map();
  }

  /** As it was at a version; undefined when that is forgotten or still to come. */
  at(resource: Resource, version: number): Stored | undefined {
    if (version > this.#committed) return undefined;
    if (version === this.#committed) return this.all(resource);
    const changes = this.#history.after(version);
    if (changes === undefined) return undefined;
    const then = new Map(this.all(resource));
    for (const change of [...changes].reverse()) {
      if (change.resource !== resource.resource) continue;
      if (change.before === undefined) then.delete(change.key);
      else then.set(change.key, change.before);
    }
    return then;
  }

  /** Undefined when some are forgotten. */
  changesAfter(version: number): readonly StoreChange[] | undefined {
    return this.#history.after(version);
  }

  /** Called for each change that is on disk, in order. @returns how to stop it */
  onChange(listener: (change: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * The one way to change an object. `decide` is called at once, with the newest state there is; the answer comes when it is on disk.
   * @returns the object as it is then; for a removal its last state
   */
  write(key: ApiKey, decide: (current: ApiObject | undefined) => Result<Decision, Refusal>): Promise<Result<ApiObject, Refusal>> {
    if (this.#queue.length >= waitingMax) return Promise.resolve(fail(internalError('too many writes wait for the disk')));
    const current = this.#newest(key);
    const decided = decide(current);
    if (!decided.ok) return Promise.resolve(decided);
    const { value } = decided;
    if (value.kind === 'keep') return this.#enqueue(value.object, { change: undefined, record: undefined });
    if (value.kind === 'delete') return current === undefined ? Promise.resolve(fail(internalError('nothing to delete'))) : this.#remove(key, current);
    return this.#put(key, current, value.object);
  }

  async stop(): Promise<void> {
    await this.#writing;
  }

  #newest(key: ApiKey): ApiObject | undefined {
    const pending = this.#pending.get(pendingKey(key));
    return pending === undefined ? this.get(key) : pending.object;
  }

  #put(key: ApiKey, before: ApiObject | undefined, given: ApiObject): Promise<Result<ApiObject, Refusal>> {
    const version = this.#nextVersion();
    const { resource } = key;
    const { resourceVersion: _given, ...metadata } = given.metadata;
    const after: ApiObject = {
      ...given, apiVersion: apiVersionOf(resource), kind: resource.kind,
      metadata: { ...metadata, name: key.name, ...(resource.namespaced ? { namespace: key.namespace } : {}), resourceVersion: String(version) } as ApiObject['metadata'], // uid and time came with it
    };
    const bytes = JSON.stringify(after).length;
    const grows = bytes - (this.#sizes.get(pendingKey(key)) ?? 0);
    if (grows > 0 && this.#liveBytes + grows > liveBytesMax) return Promise.resolve(fail(internalError(`the store is full: it holds at most ${liveBytesMax} bytes`)));
    const change: StoreChange = { version, resource: resource.resource, key: keyText(key), before, after, bytes };
    this.#pending.set(pendingKey(key), { object: after, version });
    return this.#enqueue(after, { change, record: { kind: 'put', version, bucket: resource.resource, key: change.key, object: after } });
  }

  #remove(key: ApiKey, before: ApiObject): Promise<Result<ApiObject, Refusal>> {
    const version = this.#nextVersion();
    const { resource } = key.resource;
    const removed: ApiObject = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
    const change: StoreChange = { version, resource, key: keyText(key), before, after: undefined, removed, bytes: this.#sizes.get(pendingKey(key)) ?? 0 };
    this.#pending.set(pendingKey(key), { object: undefined, version });
    return this.#enqueue(removed, { change, record: { kind: 'delete', version, bucket: resource, key: change.key } });
  }

  #nextVersion(): number {
    this.#version += 1;
    return this.#version;
  }

  #enqueue(answer: ApiObject, { change, record }: Pick<Waiting, 'change' | 'record'>): Promise<Result<ApiObject, Refusal>> {
    if (record === undefined && this.#queue.length === 0 && this.#writing === undefined) return Promise.resolve(ok(answer));
    return new Promise((resolve) => {
      this.#queue.push({ change, record, settle: (written) => resolve(written.ok ? ok(answer) : fail(internalError(`the store cannot write: ${written.fault.message}`))) });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Everything that has come while the last batch was written is the next one. */
  async #writeAll(): Promise<void> {
    // What is decided in this turn of the loop goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      const records = batch.flatMap(({ record }) => (record === undefined ? [] : [record]));
      const written = records.length === 0 ? ok() : await this.#file.write(records, this.#live(batch));
      if (written.ok) for (const { change } of batch) if (change !== undefined) this.#commit(change);
      // Later ones were decided on what is not there now.
      const settled = written.ok ? batch : [...batch, ...this.#queue.splice(0)];
      if (!written.ok) this.#pending.clear();
      for (const { settle } of settled) settle(written);
    }
    this.#writing = undefined;
  }

  #commit(change: StoreChange): void {
    const at = `${change.resource} ${change.key}`;
    if (this.#pending.get(at)?.version === change.version) this.#pending.delete(at);
    this.#committed = change.version;
    this.#apply(change.resource, change.key, change.after, change.bytes);
    this.#history.add(change);
    for (const listener of [...this.#listeners]) listener(change);
  }

  #apply(resource: string, key: string, object: ApiObject | undefined, bytes = JSON.stringify(object ?? '').length): void {
    const at = `${resource} ${key}`;
    this.#liveBytes -= this.#sizes.get(at) ?? 0;
    if (object === undefined) {
      this.#objects.get(resource)?.delete(key);
      this.#sizes.delete(at);
      return;
    }
    this.#objects.get(resource)?.set(key, object);
    this.#sizes.set(at, bytes);
    this.#liveBytes += bytes;
  }

  /** What there is after a batch. */
  #live(batch: readonly Waiting[]): Parameters<JournalFile['write']>[1] {
    const changes = batch.flatMap(({ change }) => (change === undefined ? [] : [change]));
    const newest = new Map(changes.map((change) => [`${change.resource} ${change.key}`, change]));
    const objects = this.#objects;
    const recordOf = (bucket: string, key: string, object: ApiObject): JournalRecord => ({ kind: 'put', version: Number(object.metadata.resourceVersion), bucket, key, object });
    return {
      bytes: this.#liveBytes,
      version: changes.at(-1)?.version ?? this.#committed,
      *records() {
        for (const [bucket, all] of objects) {
          for (const [key, object] of all) if (!newest.has(`${bucket} ${key}`)) yield recordOf(bucket, key, object);
        }
        for (const { resource, key, after } of newest.values()) if (after !== undefined) yield recordOf(resource, key, after);
      },
    };
  }
}

function pendingKey(key: ApiKey): string {
  return `${key.resource.resource} ${keyText(key)}`;
}
