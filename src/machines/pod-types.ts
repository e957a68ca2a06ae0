// What the pod machine remembers, hears and asks for. Types only.
import type { ContainerId, DesiredPod } from '../ports/pod-types.ts';
import type { ObservedPod } from '../ports/runtime-port.ts';
import type { Backoff } from './decide/backoff.ts';
import type { ProbeResults } from './decide/probe-effects.ts';

/** Why a container is waiting: `reason` is what users see in its state. */
export interface StartFailure {
  readonly reason: string;
  readonly message: string;
}

/** What to look at before the next plan: nothing, the objects named, or the whole pod. */
export type Looks = 'none' | 'all' | ReadonlySet<string>;

/** What a pod that is stopped by its node is shown with. */
export interface KillStatus {
  readonly reason: string;
  readonly message: string;
  /** It goes for the node's sake, not its own: the condition DisruptionTarget says so. */
  readonly disruption?: boolean;
}

/** A demand to stop the pod. The shortest grace period of all demands counts. */
export interface PodKill {
  /** Milliseconds; undefined takes the pod's own. */
  readonly graceMs: number | undefined;
  /** The source no longer has the pod: clean up when it has stopped, publish nothing more. */
  readonly removed?: boolean;
  /** Status to show, for evictions and the like. */
  readonly status?: KillStatus;
}

export interface PodContext {
  readonly desired: DesiredPod;
  readonly observed: ObservedPod;
  readonly failures: ReadonlyMap<string, StartFailure>;
  readonly backoffs: ReadonlyMap<string, Backoff>;
  readonly probes: ProbeResults;
  /** Asked for, for the next sync. */
  readonly looks: Looks;
  /** What the running sync was asked to look at. */
  readonly looking: Looks;
  /** Something outside asks for a sync: an event, a changed desired pod. Doubts of our own wait for the timer instead. */
  readonly asked: boolean;
  readonly kill: PodKill | undefined;
  /** Nothing runs and nothing will be started again. */
  readonly complete: boolean;
  readonly started: boolean;
  /** The last sync did what it wanted. */
  readonly settledWell: boolean;
  /** Why the last sync fell short, one line; empty when it did not. */
  readonly trouble: string;
  /** Milliseconds from now to the next sync nobody asked for. */
  readonly wakeInMs: number;
}

export interface PodInput {
  readonly desired: DesiredPod;
  readonly observed: ObservedPod;
  readonly looks: Looks;
  /** What is known of startup probes from before; none where absent. */
  readonly probes?: ProbeResults;
  /** The API already shows a terminal phase: only what is left over is cleaned up. */
  readonly complete: boolean;
}

export type PodEvent =
  /** The supervisor lets it begin: its name is free, the runtime answers. */
  | { readonly type: 'pod.admit' }
  | { readonly type: 'pod.desired'; readonly desired: DesiredPod }
  | { readonly type: 'pod.kill'; readonly kill: PodKill }
  /** Something may have changed in the runtime: one object, or anything. */
  | { readonly type: 'pod.look'; readonly id?: string }
  /** A probe has decided: what is shown changes, and the container may have to be restarted. */
  | {
      readonly type: 'pod.probed';
      readonly containerId: ContainerId;
      readonly probe: 'startup' | 'readiness' | 'liveness';
      readonly result: 'success' | 'failure';
    }
  /** What stood in the way may be gone (the runtime is back). */
  | { readonly type: 'pod.retry' }
  /** From the running sync: what it has seen so far. */
  | { readonly type: 'pod.observed'; readonly observed: ObservedPod; readonly failures: ReadonlyMap<string, StartFailure> };

/** What a sync leaves behind. */
export interface SyncOutcome {
  readonly observed: ObservedPod;
  readonly failures: ReadonlyMap<string, StartFailure>;
  readonly backoffs: ReadonlyMap<string, Backoff>;
  readonly complete: boolean;
  readonly started: boolean;
  readonly settledWell: boolean;
  readonly trouble: string;
  readonly wakeInMs: number;
  /** The outcome of a call is unknown: look before planning again. */
  readonly lookAgain: boolean;
}

export interface StopInput {
  readonly desired: DesiredPod;
  readonly observed: ObservedPod;
  readonly graceMs: number;
  /** The observation may be behind the runtime. */
  readonly look: boolean;
}

export interface StopOutcome {
  readonly observed: ObservedPod;
  /** Every container is confirmed stopped and every sandbox torn down. */
  readonly stopped: boolean;
  readonly trouble: string;
}
