// In what order and time pods end when the machine goes down, from either way to say it.
import { type ShutdownGroup, systemCriticalPriority } from '../ports/eviction.ts';
import { showDuration } from './kinds.ts';
import type { SettingValues } from './settings.ts';
import type { Findings } from './sources.ts';

type ShutdownValues = Pick<SettingValues, 'shutdownGracePeriodMs' | 'shutdownGracePeriodCriticalPodsMs' | 'shutdownGracePeriodByPodPriority'>;

/** Shorter is no time to end in. */
const periodMsMin = 1_000;

/** Lowest priority first; empty where pods are left to the machine. */
export function shutdownGroups(values: ShutdownValues, { faults }: Pick<Findings, 'faults'>): readonly ShutdownGroup[] {
  const { shutdownGracePeriodMs: wholeMs, shutdownGracePeriodCriticalPodsMs: criticalMs, shutdownGracePeriodByPodPriority: byPriority } = values;
  for (const [flag, periodMs] of [['--shutdown-grace-period', wholeMs], ['--shutdown-grace-period-critical-pods', criticalMs]] as const) {
    if (periodMs > 0 && periodMs < periodMsMin) faults.push(`${flag} must be 0 or at least ${showDuration(periodMsMin)}, not ${showDuration(periodMs)}`);
  }
  if (criticalMs > wholeMs) faults.push(`--shutdown-grace-period-critical-pods (${showDuration(criticalMs)}) must not be longer than --shutdown-grace-period (${showDuration(wholeMs)}), of which it is a part`);
  if (byPriority.length > 0 && wholeMs > 0) faults.push('--shutdown-grace-period-by-pod-priority and --shutdown-grace-period say the same in two ways: give one of them');
  if (new Set(byPriority.map(({ priority }) => priority)).size < byPriority.length) faults.push('--shutdown-grace-period-by-pod-priority names a priority twice');
  if (byPriority.length > 0) return byPriority.toSorted((a, b) => a.priority - b.priority);
  if (wholeMs === 0) return [];
  return [{ priority: 0, periodMs: wholeMs - criticalMs }, { priority: systemCriticalPriority, periodMs: criticalMs }];
}
