// What results of probes do to a pod: which containers are ready and started, and which have to be restarted.
import type { Container, ContainerId, ContainerStatus, DesiredPod, PodStatus } from '../../ports/pod-types.ts';
import type { ObservedPod } from '../../ports/runtime-port.ts';
import { containerIdOf, type ProbeResult } from './probe.ts';
import type { ProbeKind } from './probe-outcome.ts';

/** Results that stand, by container; a probe without one has not decided anything yet. */
export type ProbeResults = ReadonlyMap<ContainerId, Readonly<Partial<Record<ProbeKind, ProbeResult>>>>;

export const noProbeResults: ProbeResults = new Map();

/** What a status says of startup probes that have succeeded: they are not run again, whoever looks at the pod next. */
export function startedBefore(status: PodStatus | undefined): ProbeResults {
  const results = new Map<ContainerId, Readonly<Partial<Record<ProbeKind, ProbeResult>>>>();
  for (const container of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const id = containerIdOf(container);
    if (id !== undefined && container.started === true) results.set(id, { startup: 'success' });
  }
  return results;
}

/** With one result more, and without those of containers that are no longer there. */
export function withProbeResult(
  results: ProbeResults,
  observed: ObservedPod,
  { containerId, probe, result }: { readonly containerId: ContainerId; readonly probe: ProbeKind; readonly result: ProbeResult },
): ProbeResults {
  const kept = new Map<ContainerId, Readonly<Partial<Record<ProbeKind, ProbeResult>>>>();
  for (const { id } of observed.containers) {
    const found = results.get(id);
    if (found !== undefined) kept.set(id, found);
  }
  return kept.set(containerId, { ...kept.get(containerId), [probe]: result });
}

export interface Readiness {
  readonly ready: boolean;
  readonly started: boolean;
}

/**
 * Of the containers that have probes, by name. Where a probe has not decided yet, what was shown of the same instance stands:
 * a restart of the agent makes no container unready (kubelet since 1.35).
 */
export function probedReadiness(
  { pod: { spec } }: DesiredPod,
  observed: ObservedPod,
  results: ProbeResults,
  previous: PodStatus | undefined,
): ReadonlyMap<string, Readiness> {
  const readiness = new Map<string, Readiness>();
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    if (container.startupProbe === undefined && container.readinessProbe === undefined) continue;
    const newest = observed.containers.find(({ name }) => name === container.name);
    if (newest === undefined) continue;
    const shown = statusOf(previous, container.name);
    const same = containerIdOf(shown) === newest.id ? shown : undefined;
    const { startup, readiness: ready } = results.get(newest.id) ?? {};
    const started = container.startupProbe === undefined || (startup === undefined ? same?.started === true : startup === 'success');
    readiness.set(container.name, {
      started,
      ready: started && (container.readinessProbe === undefined || (ready === undefined ? same?.ready === true : ready === 'success')),
    });
  }
  return readiness;
}

function statusOf(status: PodStatus | undefined, name: string): ContainerStatus | undefined {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find((each) => each.name === name);
}

/**
 * The probe by which a running container has to be killed, if there is one.
 * @returns `graceMs` where the probe has a grace period of its own
 */
export function probeFailure(
  { livenessProbe, startupProbe }: Container,
  containerId: ContainerId,
  results: ProbeResults,
): { readonly probe: 'liveness' | 'startup'; readonly graceMs?: number } | undefined {
  const { liveness, startup } = results.get(containerId) ?? {};
  const failed = startup === 'failure' ? ({ probe: 'startup', of: startupProbe } as const) : liveness === 'failure' ? ({ probe: 'liveness', of: livenessProbe } as const) : undefined;
  if (failed === undefined) return undefined;
  const seconds = failed.of?.terminationGracePeriodSeconds;
  return { probe: failed.probe, ...(seconds === undefined ? {} : { graceMs: seconds * 1_000 }) };
}
