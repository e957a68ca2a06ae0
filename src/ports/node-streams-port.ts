// Streams between the cloud side and nodes that accept no connection: logs, exec, attach, port-forward, and a node's own facts.
// Only the cloud side opens them. Reading and writing are pulled by their callers, so that whoever is slow slows nobody else.
import type { Result } from './result.ts';

/** A pod by its API name, and one of its containers: regular, init or ephemeral. */
export interface ContainerPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface LogRequest extends ContainerPlace {
  readonly kind: 'logs';
  readonly follow?: boolean;
  /** Of the instance before the one that runs. */
  readonly previous?: boolean;
  /** Each line with the time at which the runtime read it. */
  readonly timestamps?: boolean;
  /** RFC 3339. */
  readonly sinceTime?: string;
  readonly sinceSeconds?: number;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  /** Which of the container's streams; both where absent. */
  readonly stream?: 'All' | 'Stdout' | 'Stderr';
}

/** With `tty` there is no stream of its own for standard error. */
export interface ExecRequest extends ContainerPlace {
  readonly kind: 'exec';
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface AttachRequest extends Omit<ExecRequest, 'kind' | 'command'> {
  readonly kind: 'attach';
}

/** One TCP connection to a port of the pod. */
export interface PortForwardRequest {
  readonly kind: 'portForward';
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** `pods`: a v1 PodList. `summary`: kubelet's stats/summary. `resource`: kubelet's metrics/resource, in Prometheus' text. */
export interface NodeFactsRequest {
  readonly kind: 'facts';
  readonly what: 'pods' | 'summary' | 'resource';
}

export type StreamRequest = LogRequest | ExecRequest | AttachRequest | PortForwardRequest | NodeFactsRequest;

/**
 * What bytes are, beside each other in one stream; numbers as in Kubernetes' remote command protocol. Logs, facts and what comes from a
 * forwarded port are `stdout`; what goes to it is `stdin`. A message of `resize` is the JSON `{"Width":80,"Height":24}`.
 */
export const lanes = { stdin: 0, stdout: 1, stderr: 2, resize: 4 } as const;
export type Lane = keyof typeof lanes;

/** Why a stream was not opened or did not come to its end; `code` as an HTTP status, `reason` as in a metav1.Status. */
export interface StreamFault {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

export type StreamEvent =
  | { readonly kind: 'data'; readonly lane: Lane; readonly bytes: Uint8Array }
  /** Nothing more comes in this lane. */
  | { readonly kind: 'finished'; readonly lane: Lane }
  /** Nothing more comes at all. `exitCode` is that of a command; a fault tells of an end that was not wanted. */
  | { readonly kind: 'ended'; readonly exitCode?: number; readonly fault?: StreamFault };

export interface NodeStream {
  /** The next thing that came, in order. After `ended` it answers `ended` again. One caller at a time. */
  read(): Promise<StreamEvent>;
  /** Resolves when there is room for more; false where the stream has ended. */
  write(lane: Lane, bytes: Uint8Array): Promise<boolean>;
  /** Nothing more will be written in this lane. */
  finish(lane: Lane): void;
  /** Whoever wanted it is gone; idempotent. What runs on the node is ended. */
  close(): void;
}

/** What a node allows. */
export interface StreamSettings {
  /** Streams in which nothing passes for so long are ended; kubelet's streamingConnectionIdleTimeout. */
  readonly idleMs: number;
  /** Logs, commands and ports; kubelet's enableDebuggingHandlers. */
  readonly looksInside: boolean;
}

export interface NodeStreamsPort {
  /** Resolves when the node has begun to serve it; a fault is the node's refusal, or that the node cannot be reached. */
  open(nodeName: string, request: StreamRequest): Promise<Result<NodeStream, StreamFault>>;
}
