// What the node wants written to the Kubernetes API, in no dialect.
import type { Event, Lease, Node, Pod, PodUid, Status, TokenRequest } from '../ports/pod-types.ts';
import type { SecretText } from '../ports/secret-text.ts';

/** Names the writer for `api.settled`; also the lane in which newer writes replace older ones. */
export type ApiWriter = 'status-reporter' | 'mirror-pods' | 'node' | 'lease' | 'events' | 'token-manager' | 'refused-pods';

interface WriteBase {
  /** From RandomPort.uuid; a repeat of the same write keeps it. */
  readonly id: string;
  readonly writer: ApiWriter;
  /**
   * Writes of one lane are sent one after the other; while one waits, a newer one of the same lane replaces it.
   * For example `pod/<uid>`, `node`, `lease`. Events have a lane each.
   */
  readonly lane: string;
}

/** `patch` bodies are strategic merge patches of the status subresource, `metadata.uid` as precondition. */
export type ApiWrite = WriteBase &
  (
    | { readonly verb: 'create'; readonly kind: 'Pod'; readonly namespace: string; readonly name: string; readonly object: Pod }
    | { readonly verb: 'get'; readonly kind: 'Pod'; readonly namespace: string; readonly name: string }
    | {
        readonly verb: 'patchStatus';
        readonly kind: 'Pod';
        readonly namespace: string;
        readonly name: string;
        readonly patch: object;
        /** The patch was made against nothing: it says all of the status that is the node's to say. */
        readonly whole?: true;
      }
    | {
        readonly verb: 'delete';
        readonly kind: 'Pod';
        readonly namespace: string;
        readonly name: string;
        readonly uid: PodUid | undefined;
        readonly gracePeriodSeconds: number;
      }
    | { readonly verb: 'create'; readonly kind: 'Node'; readonly name: string; readonly object: Node }
    | { readonly verb: 'patchStatus'; readonly kind: 'Node'; readonly name: string; readonly patch: object }
    | { readonly verb: 'create' | 'update'; readonly kind: 'Lease'; readonly namespace: string; readonly name: string; readonly object: Lease }
    | { readonly verb: 'get'; readonly kind: 'Lease'; readonly namespace: string; readonly name: string }
    | { readonly verb: 'create' | 'update'; readonly kind: 'Event'; readonly namespace: string; readonly name: string; readonly object: Event }
    | {
        readonly verb: 'patch';
        readonly kind: 'Event';
        readonly namespace: string;
        readonly name: string;
        /** The event as it should look afterwards, beside the patch that leads there. */
        readonly object: Event;
        readonly patch: object;
      }
    /**
     * Asks for a token of a service account, which namespace and name are those of. The answer is the same object with its `status`
     * (IssuedToken). Lost by a restart, it is asked again: no outbox needs to keep it. Not every dialect carries it (Dialect.carries).
     */
    | { readonly verb: 'create'; readonly kind: 'TokenRequest'; readonly namespace: string; readonly name: string; readonly object: TokenRequest }
  );

/** The answer to a TokenRequest, as far as it is read. */
export interface IssuedToken {
  /** As granted, which may be less or more than was asked for. */
  readonly spec?: { readonly expirationSeconds?: number };
  readonly status: {
    readonly token: SecretText;
    /** RFC 3339. */
    readonly expirationTimestamp: string;
  };
}

/** What became of a write. */
export type ApiOutcome =
  /** `object` as the API answered; absent where the dialect gives none (events). */
  | { readonly kind: 'accepted'; readonly object?: Pod | Node | Lease | Event | IssuedToken }
  /** The API's own refusal. Decide on `status.reason` (`NotFound`, `AlreadyExists`, `Conflict`, …). */
  | { readonly kind: 'refused'; readonly status: Status }
  /** No answer in time, or the link broke: it may have happened. */
  | { readonly kind: 'unanswered'; readonly message: string }
  /** A newer write of the same lane took its place before it was sent. */
  | { readonly kind: 'superseded' };

/** An answer as it came over the wire: the object is not yet compared with what was asked. On the bus its token is a SecretText. */
export type ApiAnswer =
  | { readonly kind: 'accepted'; readonly object: { readonly [field: string]: unknown } | undefined }
  | { readonly kind: 'refused'; readonly status: Status };
