// Words of eviction that settings, ports and decisions share: signals, thresholds, and the node's own end.

/** What the node watches of itself. */
export const evictionSignals = [
  'memory.available', 'nodefs.available', 'nodefs.inodesFree', 'imagefs.available', 'imagefs.inodesFree', 'pid.available',
] as const;
export type EvictionSignal = (typeof evictionSignals)[number];

/** A part of capacity, or an amount in bytes or pieces with the text it was written as. */
export type ThresholdValue =
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'amount'; readonly amount: number; readonly text: string };

/** Crossed when less than `value` is available. */
export interface EvictionThreshold {
  readonly signal: EvictionSignal;
  readonly value: ThresholdValue;
  /** How long it has to be crossed before pods go; 0 for hard thresholds. */
  readonly graceMs: number;
  /** Once crossed, it counts as crossed until this much more than `value` is available. */
  readonly minimumReclaim?: ThresholdValue;
}

/** Priorities from here on are the system's own. */
export const systemCriticalPriority = 2_000_000_000;

/** Pods of this priority and more, up to the next group, have this long to end when the machine goes down. */
export interface ShutdownGroup {
  readonly priority: number;
  readonly periodMs: number;
}
