// Calls on the store in memory: done at once, so that a whole cloud side can run under virtual time.
import type { Status } from '../ports/pod-types.ts';
import { ok, type Result } from '../ports/result.ts';
import type { ApiCalls } from './cloud-store.ts';
import type { MemoryStore, StoredObject } from './memory-store.ts';

export function memoryCalls(store: MemoryStore): ApiCalls {
  const done = (by: string, change: () => Result<StoredObject, Status>): Promise<Result<StoredObject, Status>> => Promise.resolve(store.by(by, change));
  return {
    known: () => Promise.resolve(ok()),
    get: (key) => Promise.resolve(store.get(key)),
    create: (key, object, { by }) => done(by, () => store.create(key, object)),
    update: (key, object, { by }) => done(by, () => store.update(key, object)),
    patch: (key, patch, { by, ...options }) => done(by, () => store.patch(key, patch, options)),
    delete: (key, wish, { by }) => done(by, () => store.delete(key, wish)),
  };
}
