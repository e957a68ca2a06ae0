// What passes between the inspector's server and its page: every message both ways, as JSON text frames on one WebSocket.
// Types and the numbers both sides agree on; no code, nothing that only one side has.
import type { MachineDescription } from './machine-description.ts';
import type { ActorRow, Entry, EntryDetails, EntryNumber, NodeFacts, PodDetails, PodSummary } from './shown.ts';

export type * from './machine-description.ts';
export type * from './shown.ts';

export const protocolVersion = 1;

/** A page that follows gets one batch in so many milliseconds, where anything happened. */
export const batchPeriodMs = 100;
/** Entries in one batch; what is beyond is counted in `leftOut` and can be asked for. */
export const entriesPerBatchMax = 500;
/** Entries in one answer. */
export const entriesPerAnswerMax = 1_000;
/** Longest payload shown; the rest is cut off and said to be. */
export const payloadCharactersMax = 262_144;
/** Longest frame a page may send; a longer one closes the connection. */
export const askBytesMax = 16_384;
/** Pages at once; a further one is refused with close code 4429. */
export const pagesMax = 8;
/** Moves of one pod that are remembered. */
export const visitsMax = 200;

// ---- server to page -------------------------------------------------------------------------------------------------------

/** First `hello`, then `snapshot`, then batches and answers. After a pause, or where a page was too slow, a new snapshot. */
export type ServerMessage = Hello | Progress | Snapshot | Batch | Answer | Ended;

export interface Hello {
  readonly t: 'hello';
  readonly protocol: number;
  /** `recording`: nothing new comes; the range is all there is. */
  readonly mode: 'live' | 'recording';
  readonly node: string;
  readonly version: string;
  /** Of a recording: its file's name; empty when live. */
  readonly file: string;
  readonly machines: readonly MachineDescription[];
  /** Every topic of the bus, for filters. */
  readonly topics: readonly string[];
}

/** While a recording is read. */
export interface Progress {
  readonly t: 'progress';
  readonly done: number;
  readonly of: number;
}

/** The entries that can be asked for: what is older has left the buffer. */
export interface Range {
  readonly first: EntryNumber;
  readonly last: EntryNumber;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** Everything as it was after entry `n`. */
export interface Moment {
  readonly n: EntryNumber;
  /** Wall milliseconds of that entry; of a snapshot that follows, the server's time. */
  readonly atMs: number;
  readonly node: NodeFacts;
  readonly pods: readonly PodSummary[];
  readonly actors: readonly ActorRow[];
}

export interface Snapshot extends Moment {
  readonly t: 'snapshot';
  readonly range: Range;
}

/** What has changed since the snapshot or batch before it. Rows replace those of the same `uid` or `id`. */
export interface Batch {
  readonly t: 'batch';
  /** The last entry it takes in, shown or not. */
  readonly n: EntryNumber;
  /** The server's time. */
  readonly atMs: number;
  readonly range: Range;
  /** Those that pass the page's filter, oldest first. */
  readonly entries: readonly Entry[];
  /** Entries that pass the filter and are not in `entries`: too many for a batch, or for a page that is slow. */
  readonly leftOut: number;
  readonly pods: readonly PodSummary[];
  /** UIDs of pods that are forgotten. */
  readonly gonePods: readonly string[];
  readonly actors: readonly ActorRow[];
  readonly goneActors: readonly string[];
  /** Absent where nothing in it has changed. */
  readonly node?: NodeFacts;
  /** Of the pod the page follows, where it has changed. */
  readonly details?: PodDetails;
}

/** `value` is what `Asks` says the question gives. */
export type Answer =
  | { readonly t: 'answer'; readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly t: 'answer'; readonly id: number; readonly ok: false; readonly message: string };

/** The server is about to go; the page may try again. */
export interface Ended {
  readonly t: 'ended';
  readonly reason: string;
}

// ---- page to server -------------------------------------------------------------------------------------------------------

/** A question; every one is answered, in any order, under its `id`, which is the page's to choose. */
export type PageMessage = { [K in keyof Asks]: { readonly ask: K; readonly id: number } & Asks[K]['with'] }[keyof Asks];

/** Each question: what it comes with and what it gives. None of them changes anything on the node. */
export interface Asks {
  /** What the batches hold from now on. At the start everything passes and no pod is followed. */
  follow: {
    with: { readonly filter: Filter; /** False: batches without entries. */ readonly entries: boolean; /** UID, or empty. */ readonly pod: string };
    gives: Record<string, never>;
  };
  /** No batches while it is on; when it goes off, a snapshot comes. */
  pause: { with: { readonly on: boolean }; gives: Record<string, never> };
  /** A pod after entry `n`; without it, now. */
  pod: { with: { readonly uid: string; readonly n?: EntryNumber }; gives: PodDetails };
  /** The whole page after entry `n`. */
  moment: { with: { readonly n: EntryNumber }; gives: Moment };
  /** The last entry at or before a wall time. */
  find: { with: { readonly atMs: number }; gives: { readonly n: EntryNumber } };
  /** Entries that pass the filter: the newest up to and with `before`, or the oldest from and with `after`; oldest first in both. */
  entries: {
    with: { readonly filter: Filter; readonly before?: EntryNumber; readonly after?: EntryNumber; readonly limit: number };
    gives: { readonly entries: readonly Entry[]; /** Where to go on in that direction, as `before` or `after`; 0 at the end. Entries may be few although it goes on. */ readonly next: EntryNumber };
  };
  /** One entry with its payload. */
  entry: { with: { readonly n: EntryNumber }; gives: EntryDetails };
  /** What led to an entry, back to the file or packet it came from, and what it led to. Oldest first; at most 500. */
  causes: { with: { readonly n: EntryNumber }; gives: { readonly entries: readonly Entry[]; readonly cut: boolean } };
  /** How much happened when, for the slider: at most 500 equal spans of time over the whole range. */
  timeline: { with: { readonly spans: number; /** Only what concerns this pod. */ readonly pod?: string }; gives: Timeline };
}

/** What an ask named `K` gives. */
export type Gives<K extends keyof Asks> = Asks[K]['gives'];

/** Every field that is not empty must hold. */
export interface Filter {
  readonly topics: readonly string[];
  /** UIDs. */
  readonly pods: readonly string[];
  /** Names of actors. */
  readonly actors: readonly string[];
  /** Anywhere in topic, actor, pod or summary, in lower case. */
  readonly text: string;
  /** Steps of machines beside messages. */
  readonly steps: boolean;
}

export interface Timeline {
  readonly firstAtMs: number;
  readonly spanMs: number;
  readonly counts: readonly number[];
  /** Warnings and errors among them. */
  readonly troubles: readonly number[];
}
