// When the node is short of something: thresholds against observations, over time. Pure; one reducer per round.
import type { EvictionSignal, EvictionThreshold, ThresholdValue } from '../../ports/eviction.ts';

/** Bytes or pieces. A signal that could not be observed is not there, and crosses nothing. */
export interface Observation {
  readonly available: number;
  readonly capacity: number;
}
export type Observations = Readonly<Partial<Record<EvictionSignal, Observation>>>;

export type Pressure = 'memory' | 'disk' | 'pid';

/** What is remembered from round to round. Times are of a clock that never goes back. */
export interface EvictionMemory {
  /** Since when each threshold has been crossed without a break. */
  readonly crossedSinceMs: ReadonlyMap<EvictionThreshold, number>;
  /** Crossed for their grace period: they count until their minimum reclaim is reached. */
  readonly due: readonly EvictionThreshold[];
  readonly pressureSeenMs: Readonly<Partial<Record<Pressure, number>>>;
}

export const nothingRemembered: EvictionMemory = { crossedSinceMs: new Map(), due: [], pressureSeenMs: {} };

export interface EvictionRound {
  readonly memory: EvictionMemory;
  /** In the order of the node's conditions. */
  readonly pressures: readonly Pressure[];
  /** Thresholds that call for action now: memory first, then in the order of the settings. */
  readonly due: readonly EvictionThreshold[];
}

const pressureOf: Readonly<Record<EvictionSignal, Pressure>> = {
  'memory.available': 'memory',
  'nodefs.available': 'disk', 'nodefs.inodesFree': 'disk', 'imagefs.available': 'disk', 'imagefs.inodesFree': 'disk',
  'pid.available': 'pid',
};
const pressures: readonly Pressure[] = ['memory', 'disk', 'pid'];

/**
 * One look at the node.
 * @param options.holdMs how long a pressure is shown after it was last seen
 * @see kubelet behaviour, "A round"
 */
export function evictionRound(
  before: EvictionMemory,
  thresholds: readonly EvictionThreshold[],
  observations: Observations,
  options: { readonly nowMs: number; readonly holdMs: number },
): EvictionRound {
  const { nowMs, holdMs } = options;
  const crossed = thresholds.filter((threshold) =>
    isCrossed(threshold, observations) || (before.due.includes(threshold) && isCrossed(threshold, observations, { withReclaim: true })));
  const crossedSinceMs = new Map(crossed.map((threshold) => [threshold, before.crossedSinceMs.get(threshold) ?? nowMs]));
  const pressureSeenMs: Partial<Record<Pressure, number>> = { ...before.pressureSeenMs };
  for (const { signal } of crossed) pressureSeenMs[pressureOf[signal]] = nowMs;
  const due = crossed.filter((threshold) => nowMs - (crossedSinceMs.get(threshold) ?? nowMs) >= threshold.graceMs);
  const isMemory = ({ signal }: EvictionThreshold) => signal === 'memory.available';
  return {
    memory: { crossedSinceMs, due, pressureSeenMs },
    pressures: pressures.filter((pressure) => {
      const seenMs = pressureSeenMs[pressure];
      // What is seen now counts, however short the period.
      return seenMs !== undefined && (seenMs === nowMs || nowMs - seenMs < holdMs);
    }),
    due: [...due.filter(isMemory), ...due.filter((threshold) => !isMemory(threshold))],
  };
}

/** Whether nothing is short any more, minimum reclaims included: what is asked after room was made on the node itself. */
export function isRelieved(thresholds: readonly EvictionThreshold[], observations: Observations): boolean {
  return !thresholds.some((threshold) => isCrossed(threshold, observations, { withReclaim: true }));
}

function isCrossed({ signal, value, minimumReclaim }: EvictionThreshold, observations: Observations, { withReclaim = false } = {}): boolean {
  const observed = observations[signal];
  // A file system without inodes of its own has none to run out of.
  if (observed === undefined || observed.capacity <= 0) return false;
  const reclaim = withReclaim && minimumReclaim !== undefined ? thresholdQuantity(minimumReclaim, observed.capacity) : 0;
  return observed.available < thresholdQuantity(value, observed.capacity) + reclaim;
}

/** In whole bytes or pieces. */
export function thresholdQuantity(value: ThresholdValue, capacity: number): number {
  return value.kind === 'percent' ? Math.trunc((capacity * value.percent) / 100) : value.amount;
}
