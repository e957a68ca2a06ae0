// What the "why" of a pod and of the node is made from: everything their parts know at one moment. Types only.
import type { DesiredPod, Node, PodStatus } from '../../../ports/pod-types.ts';
import type { PodContext } from '../../pod-types.ts';
import type { ProbeKind } from '../probe-outcome.ts';

/** Wall milliseconds throughout, 0 when unknown. */
export interface PodWhyFacts {
  readonly nowMs: number;
  readonly desired: DesiredPod;
  /** As last shown. */
  readonly status: PodStatus | undefined;
  /** Of the pod's machine, `creating.settled`; empty while nobody has taken it up. */
  readonly state: string;
  readonly stateSinceMs: number;
  /** What the machine remembers; absent while nobody has taken the pod up. */
  readonly machine?: PodContext | undefined;
  readonly uptake: UptakeFacts;
  readonly runtime: RuntimeFacts;
  /** Absent: the node runs alone. */
  readonly link?: LinkFacts | undefined;
  readonly pulls: readonly PullFacts[];
  readonly probes: readonly ProbeFacts[];
  /** The write that the API has not accepted yet; absent when it knows all. */
  readonly report?: ReportFacts | undefined;
}

/** How far the supervisor is with a pod. */
export interface UptakeFacts {
  /** The runtime has told what it has. */
  readonly listed: boolean;
  /** An older pod of the same name has to end first. */
  readonly nameTaken: boolean;
  /** Its actor broke and is made anew. */
  readonly failure?: { readonly message: string; readonly againAtMs: number } | undefined;
  /** The stop under way. */
  readonly stop?: StopFacts | undefined;
}

export interface StopFacts {
  readonly beganAtMs: number;
  readonly graceMs: number;
  /** Names of the containers whose preStop hook runs. */
  readonly hooks: readonly string[];
}

export interface RuntimeFacts {
  readonly ready: boolean;
  readonly networkReady: boolean;
  /** Empty when both are. */
  readonly message: string;
  /** Since it is as it is. */
  readonly sinceMs: number;
}

export interface LinkFacts {
  readonly state: 'down' | 'connecting' | 'up' | 'backingOff';
  /** Empty when up. */
  readonly reason: string;
  /** Since it is up, or since it is not. */
  readonly sinceMs: number;
  /** Only in `backingOff`. */
  readonly nextAttemptAtMs: number;
  /** It has been up since the agent started. */
  readonly everUp: boolean;
}

/** A pod's image that is pulled, waits for its turn, or failed. */
export interface PullFacts {
  readonly container: string;
  readonly image: string;
  readonly phase: 'waiting' | 'pulling' | 'failed';
  readonly sinceMs: number;
  /** Pulls under way at once, for who waits; 0 where nobody tells. */
  readonly pullsMax: number;
  /** Without progress for so long the pull is ended; 0 where nobody tells. */
  readonly progressDeadlineMs: number;
  /** Of what failed: the registry's or runtime's words, and before when it is not tried again. */
  readonly message: string;
  readonly notBeforeMs: number;
}

/** A probe of a running container. */
export interface ProbeFacts {
  readonly container: string;
  readonly kind: ProbeKind;
  /** What it asks, `HTTP GET :8080/healthz`. */
  readonly asks: string;
  /** How the last run ended; absent before the first. */
  readonly last?: { readonly outcome: 'success' | 'warning' | 'failure' | 'error'; readonly message: string } | undefined;
  /** How often the last answer has come in a row. */
  readonly times: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
  /** 0 while a run is under way. */
  readonly nextAtMs: number;
}

export interface ReportFacts {
  readonly what: 'status' | 'deletion';
  /** Since when the API is behind. */
  readonly sinceMs: number;
  /** Sent, its answer is awaited. */
  readonly inFlight: boolean;
  /** Why the last attempt came to nothing; empty before there was one. */
  readonly fault: string;
  /** When it is tried again; 0 when that waits for something else. */
  readonly nextAtMs: number;
}

export interface NodeWhyFacts {
  readonly nowMs: number;
  readonly nodeName: string;
  readonly node: Node | undefined;
  /** The cloud keeps an object of the node, and this node makes it; not so in every dialect. */
  readonly registers: boolean;
  readonly registered: boolean;
  readonly goesDown: boolean;
  readonly runtime: RuntimeFacts;
  readonly link?: LinkFacts | undefined;
  readonly pods: number;
  /** Pods of which the API is behind, and since when the first of them is. */
  readonly unreported: { readonly pods: number; readonly sinceMs: number };
}
