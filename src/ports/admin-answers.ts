// What the node's admin API answers, in JSON over its unix socket. The contract between the daemon and the command line.
import type { Event, Node, Pod } from './pod-types.ts';
import type { Why } from './why.ts';

/** A pod in a table. Times are wall milliseconds, 0 when unknown. */
export interface PodRow {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly source: string;
  readonly origin: string;
  readonly readyContainers: number;
  readonly containers: number;
  /** kubectl's STATUS: the phase, or the more telling reason. */
  readonly status: string;
  readonly restarts: number;
  readonly lastRestartAtMs: number;
  readonly createdAtMs: number;
  readonly ip: string;
  readonly node: string;
  /** State of the pod's machine; empty before it moved. */
  readonly state: string;
}

/** One move of a pod's machine. */
export interface Transition {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly on: string;
}

/** `GET /v1/pods`. */
export interface PodsAnswer {
  /** Grows with every change; `?after=REVISION&waitSeconds=N` waits for one beyond it. */
  readonly revision: number;
  /** In order of namespace and name. */
  readonly items: readonly PodRow[];
  /** With `?full`: the objects, in the same order. */
  readonly objects?: readonly Pod[];
  /** With `?why`: why each is where it is, in the same order. */
  readonly whys?: readonly Why[];
}

/** `GET /v1/pods/NAMESPACE/NAME`: more than one while a pod ends and its successor of the same name waits; newest first. */
export interface PodDetailsAnswer {
  readonly items: readonly PodDetails[];
}

export interface PodDetails {
  readonly row: PodRow;
  readonly pod: Pod;
  readonly why: Why;
  readonly transitions: readonly Transition[];
  readonly lastPlan?: { readonly atMs: number; readonly steps: readonly string[] } | undefined;
  readonly events: readonly Event[];
}

/** `GET /v1/node`. */
export interface NodeAnswer {
  readonly revision: number;
  readonly why: Why;
  readonly nodeName: string;
  readonly version: string;
  /** Absent until the first status has been computed. */
  readonly node?: Node | undefined;
  /** Whether the API has taken it in. */
  readonly registered: boolean;
  /** Absent where the node runs alone. */
  readonly link?: { readonly state: string; readonly reason: string } | undefined;
  readonly runtime?: { readonly runtimeReady: boolean; readonly networkReady: boolean; readonly streaming: boolean; readonly message: string } | undefined;
  readonly pods: number;
}

/** `GET /v1/events`, oldest first. */
export interface EventsAnswer {
  readonly revision: number;
  readonly items: readonly Event[];
  readonly refusals: readonly { readonly atMs: number; readonly severity: string; readonly line: string }[];
}

/** `POST /v1/pods` and `DELETE /v1/pods/NAMESPACE/NAME`. */
export interface AppliedAnswer {
  readonly applied: readonly { readonly namespace: string; readonly name: string; readonly uid: string; readonly result: 'created' | 'configured' | 'unchanged' | 'deleted' }[];
  readonly faults: readonly { readonly severity: string; readonly line: string }[];
}

/** `GET /v1/inspector`; 404 where the node runs without it. The URL holds the token. */
export interface InspectorAnswer {
  readonly url: string;
}

/** Every answer that is no success. */
export interface RefusalAnswer {
  readonly message: string;
}
