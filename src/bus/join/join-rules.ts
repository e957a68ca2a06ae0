// What both sides of a joining device hold each other to. Pure.
import { parseRfc3339, rfc3339Seconds } from '../../ports/rfc3339.ts';

/** Between the two sides' clocks. Certificates begin so long before they are made. */
export const clockSkewMsMax = 10 * 60_000;
/** On every node's certificate, beside its name. */
export const nodeOrganization = 'mqlet:nodes';

export interface TwoClocks {
  readonly nowMs: number;
  /** RFC 3339, as the other side said it. */
  readonly theirs: string;
  /** As in `the cloud side`. */
  readonly us: string;
  readonly them: string;
}

/** Undefined where they agree well enough; else the sentence about both. */
export function clocksDiffer({ nowMs, theirs, us, them }: TwoClocks): string | undefined {
  const theirsMs = parseRfc3339(theirs);
  if (theirsMs !== undefined && Math.abs(theirsMs - nowMs) <= clockSkewMsMax) return undefined;
  return `the clock of ${us} says ${rfc3339Seconds(nowMs)}, that of ${them} ${theirsMs === undefined ? 'no time at all' : rfc3339Seconds(theirsMs)}; the token was not used`;
}
