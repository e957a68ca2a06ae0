// Measures the pods that set themselves limits on local storage, and only those. A long walk makes the next one wait: limits are kept
// with a small part of one CPU.
import { type LimitExceeded, hasLocalStorageLimits, limitExceeded, limitsContainers } from '../machines/decide/local-storage-limits.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { PodUsage } from '../machines/decide/eviction-ranking.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { DesiredPod } from '../ports/pod-types.ts';
import { type PodUsageDeps, usageOfPods, volumesOf } from './pod-usage.ts';

/** A walk may take this part of the time at most. */
const shareOfTime = 0.02;
/** However long the walk: kubelet looks at volumes once a minute. */
const pauseMsMax = 60_000;

export interface LocalLimitsDeps extends Omit<PodUsageDeps, 'settings'> {
  readonly clock: ClockPort;
  readonly settings: NodeSettings;
}

export class LocalLimits {
  readonly #deps: LocalLimitsDeps;
  #dueMs = 0;

  constructor(deps: LocalLimitsDeps) {
    this.#deps = deps;
  }

  /** @returns the pods that are over a limit; none while the next look is not due */
  async look(active: readonly DesiredPod[], options: { readonly separateImages: boolean }): Promise<readonly { readonly desired: DesiredPod; readonly exceeded: LimitExceeded }[]> {
    const { clock } = this.#deps;
    const limited = active.filter(hasLocalStorageLimits);
    if (limited.length === 0 || clock.monotonicMs() < this.#dueMs) return [];
    const startedMs = clock.monotonicMs();
    const found: { desired: DesiredPod; exceeded: LimitExceeded }[] = [];
    for (const [desired, usage] of await this.#usageOf(limited)) {
      const exceeded = limitExceeded(desired, usage, options);
      if (exceeded !== undefined) found.push({ desired, exceeded });
    }
    const tookMs = clock.monotonicMs() - startedMs;
    this.#dueMs = startedMs + Math.min(pauseMsMax, tookMs / shareOfTime);
    return found;
  }

  /** The runtime is asked only for pods whose containers have limits: a volume is measured without it. */
  async #usageOf(limited: readonly DesiredPod[]): Promise<readonly (readonly [DesiredPod, PodUsage])[]> {
    const whole = limited.filter(limitsContainers);
    const answer = whole.length === 0 ? undefined : await usageOfPods(this.#deps, whole, { disk: true, processes: false });
    const measured = answer?.ok === true ? answer.value : new Map<string, PodUsage>();
    const usages: (readonly [DesiredPod, PodUsage])[] = [];
    for (const desired of limited) {
      usages.push([desired, measured.get(desired.uid) ?? { containers: [], volumes: await volumesOf(this.#deps, desired) }]);
    }
    return usages;
  }
}
