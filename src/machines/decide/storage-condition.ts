// The node's condition about what it keeps on its own disk. Absent as long as there was never anything to say.
import type { NodeCondition } from './node-object.ts';

export const storageConditionType = 'StorageProblem';

/** What is wrong, worst first; empty when all is well. `reason` as a condition has it. */
export type StorageTroubles = readonly { readonly reason: string; readonly message: string }[];

/** @param options.now RFC 3339 @returns undefined where there is no trouble and there was none before */
export function storageCondition(previous: readonly NodeCondition[], troubles: StorageTroubles, options: { readonly now: string }): NodeCondition | undefined {
  const before = previous.find(({ type }) => type === storageConditionType);
  const [first] = troubles;
  if (first === undefined && before === undefined) return undefined;
  const status = first === undefined ? 'False' : 'True';
  const { reason, message } = first ?? { reason: 'StorageWritable', message: 'what the node keeps is on its disk' };
  const since = before?.status === status ? before.lastTransitionTime : undefined;
  return { type: storageConditionType, status, reason, message, lastHeartbeatTime: options.now, lastTransitionTime: since ?? options.now };
}
