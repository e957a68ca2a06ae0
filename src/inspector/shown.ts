// What the inspector's page shows: entries, pods, actors and the node as plain data, secrets masked. Types only.
import type { PodRow } from '../ports/admin-answers.ts';
import type { Event, Node, Pod } from '../ports/pod-types.ts';

/** Number of an entry: its place in the order of all that happened, from 1, never used twice. 0 stands for none. */
export type EntryNumber = number;

export type Entry = MessageEntry | StepEntry;

export type Severity = 'info' | 'warning' | 'error';

/** A message of the bus. */
export interface MessageEntry {
  readonly k: 'message';
  readonly n: EntryNumber;
  /** The bus's own number. */
  readonly seq: number;
  /** Wall milliseconds. */
  readonly at: number;
  readonly topic: string;
  /** Name of the actor. */
  readonly from: string;
  /** The message that led to it; 0 where none did or where it has left the buffer. */
  readonly cause: EntryNumber;
  /** UID of the pod it concerns; empty where it concerns none. */
  readonly pod: string;
  readonly summary: string;
  readonly severity: Severity;
}

/** A machine took an event. */
export interface StepEntry {
  readonly k: 'step';
  readonly n: EntryNumber;
  readonly at: number;
  /** `id` of its description. */
  readonly machine: string;
  /** Name of the actor. */
  readonly actor: string;
  readonly cause: EntryNumber;
  readonly pod: string;
  readonly event: string;
  /** Paths of states, equal where the machine did not move. */
  readonly from: string;
  readonly to: string;
  /** Ids of the transitions taken, in order, those without a target too. */
  readonly transitions: readonly string[];
  readonly severity: Severity;
}

export interface EntryDetails {
  readonly entry: Entry;
  /** JSON with two spaces, secrets masked; text of a packet where it is text. */
  readonly payload: string;
  /** Characters that were cut off the end; 0 for none. */
  readonly cut: number;
}

/** Of the table: kubectl's words and ours. Times are wall milliseconds, 0 when unknown. */
export interface PodSummary extends PodRow {
  readonly phase: string;
  /** When its machine came to `state`. */
  readonly sinceMs: number;
  /** The last reason that was told of it. */
  readonly reason: string;
  /** What keeps it from where it should be, one line; empty where nothing does. */
  readonly trouble: string;
  /** When something is tried again: a start after a back-off, a sync, a removal; 0 for never. */
  readonly nextAttemptAtMs: number;
  readonly ready: boolean;
  readonly severity: Severity;
}

export interface PodDetails {
  readonly uid: string;
  readonly n: EntryNumber;
  readonly atMs: number;
  readonly row: PodSummary;
  /** As the API would show it: metadata, spec, status; secrets masked. */
  readonly pod: Pod;
  readonly plan: { readonly atMs: number; readonly steps: readonly string[] } | undefined;
  readonly why: Why;
  /** Oldest first; the last one has no `leftAtMs`. */
  readonly visits: readonly Visit[];
  readonly lastStep: StepEntry | undefined;
  readonly containers: readonly ContainerDetails[];
  /** Invocations of its machine that are under way: `syncPod`. */
  readonly doing: readonly string[];
  /** What the machine remembers, for people: back-offs, failures, what it is asked to look at. Secrets masked. */
  readonly memory: Readonly<Record<string, unknown>>;
  /** Kubernetes events of it that were written within the range. */
  readonly events: readonly Event[];
}

/** One stay in one state of a machine. */
export interface Visit {
  readonly n: EntryNumber;
  readonly state: string;
  readonly enteredAtMs: number;
  readonly leftAtMs?: number;
  /** The event that brought it there. */
  readonly on: string;
}

/** Why a pod or the node is as it is. */
export interface Why {
  /** What it waits for, since when, which condition is false, what happens next and when. */
  readonly sentence: string;
  /** The same as it reads later: for `sentenceAt` of `src/ports/why.ts`. */
  readonly template: string;
  /** 0 where unknown or not fitting. */
  readonly sinceMs: number;
  /** Guard or condition that is false, by name; empty for none. */
  readonly condition: string;
  /** What happens next; empty where nothing will by itself. */
  readonly next: string;
  readonly nextAtMs: number;
}

export interface ContainerDetails {
  readonly name: string;
  readonly kind: 'init' | 'sidecar' | 'app' | 'ephemeral';
  readonly image: string;
  readonly state: 'waiting' | 'running' | 'terminated' | 'unknown';
  readonly reason: string;
  readonly message: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restarts: number;
  /** Of the present state. */
  readonly sinceMs: number;
  readonly exitCode?: number;
  readonly backoff?: { readonly delayMs: number; readonly nextAttemptAtMs: number };
  readonly probes: readonly ProbeDetails[];
}

export interface ProbeDetails {
  readonly kind: 'startup' | 'readiness' | 'liveness';
  /** What it asks: `http-get http://:80/healthz every 10s`. */
  readonly asks: string;
  readonly result: 'success' | 'failure' | 'undecided';
  readonly message: string;
  readonly atMs: number;
}

export interface NodeFacts {
  readonly name: string;
  readonly version: string;
  readonly why: Why;
  /** Of the node object, when it was last computed. */
  readonly conditions: NonNullable<NonNullable<Node['status']>['conditions']>;
  readonly registered: boolean;
  /** Undefined where the node runs alone. */
  readonly link: { readonly state: string; readonly reason: string; readonly sinceMs: number; readonly nextAttemptAtMs: number } | undefined;
  readonly runtime: { readonly ready: boolean; readonly networkReady: boolean; readonly streaming: boolean; readonly message: string; readonly sinceMs: number } | undefined;
  readonly relist: { readonly atMs: number; readonly sandboxes: number; readonly containers: number; /** Of the last one; empty when it went well. */ readonly fault: string };
  readonly lease: { readonly renewedAtMs: number; readonly trouble: string };
  /** Writes to the API that have not been settled, and how the last ones ended. */
  readonly outbox: { readonly waiting: number; readonly accepted: number; readonly refused: number; readonly oldestAtMs: number };
  readonly bus: { readonly messages: number; readonly queued: number; readonly queuedMax: number; readonly failures: number };
  /** The newest faults of our own code. */
  readonly faults: readonly { readonly atMs: number; readonly actor: string; readonly message: string; readonly action: string }[];
}

/** An actor in the tree. */
export interface ActorRow {
  /** Its name on the bus. */
  readonly id: string;
  /** Empty for those at the top. */
  readonly parent: string;
  /** Of its machine; empty where it has none. */
  readonly state: string;
  /** `id` of its machine's description; empty where it has none. */
  readonly machine: string;
  /** UID; empty where it is no pod's. */
  readonly pod: string;
  /** Messages it published. */
  readonly sent: number;
  readonly lastAtMs: number;
  /** Events that wait in its mailbox now, and the most that ever did. */
  readonly mailbox: number;
  readonly mailboxMax: number;
  readonly restarts: number;
  readonly faults: number;
  readonly lastFault: string;
  /** Invocations under way. */
  readonly doing: readonly string[];
}
