// Samples to figures. Pure; knows nothing of what was measured.

/** What a report says of a series. All in the unit of the samples. */
export interface Figure {
  readonly samples: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** @returns undefined for no samples: nothing was measured, which is not zero */
export function figureOf(samples: readonly number[]): Figure | undefined {
  const sorted = [...samples].sort((left, right) => left - right);
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  return { samples: sorted.length, min, median: medianOf(sorted), p95: nearestRank(sorted, 0.95), max };
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** The smallest sample that at least this share of all samples does not exceed: never a value that was not measured. */
function nearestRank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** The median of the differences' two sides: drift of the machine hits both, for they were measured by turns. */
export function overhead(measured: Figure | undefined, floor: Figure | undefined): number | undefined {
  return measured === undefined || floor === undefined ? undefined : measured.median - floor.median;
}
