// The figures of probes, under the kubelet's names. Told at each run, since the bus hears only of results that change.
import type { PodReference } from '../bus/messages.ts';
import type { MetricsRegistry } from './metrics-registry.ts';

export interface ProbeRun {
  readonly pod: PodReference;
  readonly container: string;
  readonly kind: 'startup' | 'readiness' | 'liveness';
  readonly outcome: 'success' | 'warning' | 'failure' | 'error';
  readonly durationMs: number;
}

/** The kubelet's bounds, in seconds. */
const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const kinds = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' } as const;
const results = { success: 'successful', warning: 'successful', failure: 'failed', error: 'unknown' } as const;

/** Series are as bounded as the registry's are: of many pods the later ones are counted together. */
export function countProbes(registry: MetricsRegistry): (run: ProbeRun) => void {
  const total = registry.counter('prober_probe_total', 'Runs of probes, by container and result.');
  const duration = registry.histogram('prober_probe_duration_seconds', 'Duration of runs of probes.', durationBounds);
  return ({ pod, container, kind, outcome, durationMs }) => {
    const labels = { probe_type: kinds[kind], container, pod: pod.name, namespace: pod.namespace };
    total.add({ ...labels, pod_uid: pod.uid, result: results[outcome] });
    duration.observe(durationMs / 1_000, labels);
  };
}
