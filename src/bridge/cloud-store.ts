// What the dialects need of an API, whichever it is: what is known of it in memory, and calls that change it.
// Two things implement it: a store in memory (memory-calls.ts), and a Kubernetes API (kube/).
import type { JsonObject } from '../bus/dialects/json-value.ts';
import type { Status } from '../ports/pod-types.ts';
import type { Result } from '../ports/result.ts';
import type { ObjectReference } from '../ports/stored-object.ts';
import type { Kind, ObjectKey, StoreChange, StoredObject } from './memory-store.ts';

/** Objects as they were seen last. They never change in place. */
export interface ObjectsView {
  /** Grows with what is seen; text of a decimal number. */
  readonly version: string;
  list(kind: Kind): readonly StoredObject[];
  /** From memory; NotFound says only that it is not there. */
  get(key: ObjectKey): Result<StoredObject, Status>;
  podsOf(nodeName: string): readonly StoredObject[];
  /** Nodes that have a pod which uses it. */
  nodesUsing(reference: ObjectReference): readonly string[];
  /** Called after each change, in order. @returns how to stop it */
  onChange(listener: (change: StoreChange) => void): () => void;
}

/** On whose behalf a call is made: its effect is marked so in `StoreChange.by`. */
export interface CallOptions {
  readonly by: string;
}

export interface DeleteWish {
  readonly graceSeconds?: number;
  /** A precondition. */
  readonly uid?: string;
}

/** Answers are the API's own; a refusal is its Status, unchanged. An API that is away is a Status 503 or 504. */
export interface ApiCalls {
  /** Everything of the node is in memory from here on; only then is it told what it shall hold. */
  known(nodeName: string): Promise<Result<void, Status>>;
  get(key: ObjectKey, options: CallOptions): Promise<Result<StoredObject, Status>>;
  create(key: ObjectKey, object: JsonObject, options: CallOptions): Promise<Result<StoredObject, Status>>;
  update(key: ObjectKey, object: JsonObject, options: CallOptions): Promise<Result<StoredObject, Status>>;
  /** A strategic merge patch; `metadata.uid` in it is a precondition. */
  patch(key: ObjectKey, patch: JsonObject, options: CallOptions & { readonly subResource?: 'status' }): Promise<Result<StoredObject, Status>>;
  delete(key: ObjectKey, wish: DeleteWish, options: CallOptions): Promise<Result<StoredObject, Status>>;
  /** @returns the request with its status. Absent: no tokens are issued */
  readonly requestToken?: (account: { readonly namespace: string; readonly name: string }, request: JsonObject) => Promise<Result<JsonObject, Status>>;
}
