// A pod's objects as the page compares them, and the moments worth comparing with. Pure.
import type { PodDetails } from '../../protocol.ts';

export interface PodObjects {
  readonly metadata: unknown;
  readonly spec: unknown;
  readonly status: unknown;
  readonly plan: unknown;
}

export function podObjects({ pod: { metadata, spec, status }, plan }: PodDetails): PodObjects {
  return { metadata, spec, status, plan: plan?.steps };
}

export interface ObjectMoment {
  readonly n: number;
  readonly atMs: number;
  /** `when it came to running.settled`. */
  readonly what: string;
}

/** Moments offered for comparison. */
const momentsMax = 60;

/** The pod's moves, newest first, without the one it stands in. */
export function objectMoments({ visits, n }: PodDetails): readonly ObjectMoment[] {
  return visits.filter((visit) => visit.n < n).slice(-momentsMax - 1, -1).reverse()
    .map((visit) => ({ n: visit.n, atMs: visit.enteredAtMs, what: visit.state }));
}
