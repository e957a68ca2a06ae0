// The codec port of a protocol without words for single writes: the node says from time to time how all of it stands, and the cloud
// side answers each such report with what it wants otherwise.
import type { InputFault } from '../../ports/faults.ts';
import type { DesiredPod, Node, PodStatus } from '../../ports/pod-types.ts';
import type { Result } from '../../ports/result.ts';
import type { DialectConnection, UpPacket } from './dialect.ts';
import type { JsonObject } from './json-value.ts';

/** How the node stands. */
export interface NodeReport {
  /** New for each report but for the repetition of one that asks to be registered; what the answer will carry. */
  readonly identity: string;
  /** Grows with each start of the agent. */
  readonly sequence: number;
  /** Unix seconds; grows with each report of one sequence. */
  readonly atSeconds: number;
  /** False: the node asks to be registered, and waits for the answer. */
  readonly registered: boolean;
  readonly node: Node;
  /** Those of the cloud side alone. */
  readonly pods: readonly ReportedPod[];
}

export interface ReportedPod {
  readonly desired: DesiredPod;
  readonly phase: PodStatus['phase'];
}

export type ReportAnswer =
  | { readonly kind: 'registered'; readonly identity: string }
  /** `pod` has no UID: the protocol knows pods by name and `version`. */
  | { readonly kind: 'assigned'; readonly namespace: string; readonly name: string; readonly version: string; readonly pod: JsonObject }
  | { readonly kind: 'withdrawn'; readonly namespace: string; readonly name: string };

export interface ReportingDialect {
  readonly name: 'kole';
  /** Between two reports without a reason, and how long the answer to a registration may take. */
  readonly reportPeriodMs: number;
  connection(): DialectConnection;
  carries(kind: string): false;
  encodeReport(report: NodeReport): UpPacket;
  /** Which version of what was assigned a pod is; undefined for one that was not. */
  versionOf(desired: DesiredPod): string | undefined;
  /** Never throws, whatever the bytes; a fault has severity `error` and names the topic as its origin. */
  decodeDown(topic: string, payload: Uint8Array): Result<ReportAnswer, InputFault>;
}
