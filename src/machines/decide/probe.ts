// When probes run, and when their answers count: delays, periods, thresholds, and which probes of a pod are due at all.
import type { Container, ContainerId, ContainerStatus, DesiredPod, PodStatus } from '../../ports/pod-types.ts';
import { parseRfc3339 } from '../../ports/rfc3339.ts';
import type { ContainerProbe } from './handler-question.ts';
import { isSidecar } from './pod-phase.ts';
import type { ProbeKind } from './probe-outcome.ts';

export type ProbeResult = 'success' | 'failure';

/** A probe's timings in milliseconds and its thresholds in runs, with the API's defaults. */
export function probeTimings(probe: ContainerProbe) {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1_000,
    periodMs: Math.max(1, probe.periodSeconds ?? 10) * 1_000,
    timeoutMs: Math.max(1, probe.timeoutSeconds ?? 1) * 1_000,
    successThreshold: Math.max(1, probe.successThreshold ?? 1),
    failureThreshold: Math.max(1, probe.failureThreshold ?? 3),
  };
}

/** How often the same answer has come in a row. */
export interface ProbeTally {
  readonly last: ProbeResult;
  readonly times: number;
}

export function countAnswer(tally: ProbeTally | undefined, answer: ProbeResult): ProbeTally {
  return { last: answer, times: tally?.last === answer ? tally.times + 1 : 1 };
}

/** What the answers so far amount to; `undefined` while they are too few to change anything. */
export function resultOf({ last, times }: ProbeTally, probe: ContainerProbe): ProbeResult | undefined {
  const { successThreshold, failureThreshold } = probeTimings(probe);
  return times >= (last === 'success' ? successThreshold : failureThreshold) ? last : undefined;
}

/** A probe that is to run now. */
export interface DueProbe {
  readonly kind: ProbeKind;
  readonly probe: ContainerProbe;
  readonly container: Container;
  readonly containerId: ContainerId;
  /** Wall milliseconds, whole seconds: the container started within the second that begins here. */
  readonly startedAtMs: number;
  readonly role: 'init' | 'app';
}

export interface DueInput {
  readonly desired: DesiredPod;
  readonly status: PodStatus;
  /** The pod is being stopped: only readiness is still of interest. */
  readonly ending: boolean;
}

/** Init containers that end by themselves have no probes. */
function probedContainers({ pod: { spec } }: DesiredPod): readonly Container[] {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar);
  return sidecars.length === 0 ? spec.containers : [...sidecars, ...spec.containers];
}

function isProbed({ startupProbe, readinessProbe, livenessProbe }: Container): boolean {
  return startupProbe !== undefined || readinessProbe !== undefined || livenessProbe !== undefined;
}

export function hasProbes(desired: DesiredPod): boolean {
  return probedContainers(desired).some(isProbed);
}

/** Until a container has started by its startup probe, no other probe of it runs; afterwards, that one does not. */
export function dueProbes({ desired, status, ending }: DueInput): readonly DueProbe[] {
  const due: DueProbe[] = [];
  for (const container of probedContainers(desired)) {
    if (!isProbed(container)) continue;
    const init = status.initContainerStatuses?.find(({ name }) => name === container.name);
    const seen = init ?? status.containerStatuses?.find(({ name }) => name === container.name);
    const startedAt = seen?.state?.running?.startedAt;
    const containerId = containerIdOf(seen);
    if (seen === undefined || startedAt === undefined || containerId === undefined) continue;
    const { startupProbe, readinessProbe, livenessProbe } = container;
    const add = (kind: ProbeKind, probe: ContainerProbe | undefined): void => {
      if (probe === undefined || (ending && kind !== 'readiness')) return;
      due.push({ kind, probe, container, containerId, startedAtMs: parseRfc3339(startedAt) ?? 0, role: init === undefined ? 'app' : 'init' });
    };
    if (startupProbe !== undefined && seen.started !== true) {
      add('startup', startupProbe);
      continue;
    }
    add('readiness', readinessProbe);
    add('liveness', livenessProbe);
  }
  return due;
}

/** Of `containerd://<id>`, the ID. */
export function containerIdOf(status: Pick<ContainerStatus, 'containerID'> | undefined): ContainerId | undefined {
  const text = status?.containerID?.split('://')[1];
  // The scheme is ours; what stands behind it came from the runtime.
  return text === undefined || text === '' ? undefined : (text as ContainerId);
}

export interface FirstRunInput {
  readonly probe: ContainerProbe;
  readonly startedAtMs: number;
  readonly nowMs: number;
  /** When the agent began: of containers that are older, the first runs are spread over a period. */
  readonly agentStartedAtMs: number;
  /** From 0 up to, not including, 1. */
  readonly fraction: number;
}

/** Milliseconds from now to a probe's first run. A wall clock that was set back makes it no longer than the whole delay. */
export function firstRunInMs({ probe, startedAtMs, nowMs, agentStartedAtMs, fraction }: FirstRunInput): number {
  const { initialDelayMs, periodMs } = probeTimings(probe);
  // Times of status are cut to seconds; a run must not come before its time.
  const startedByMs = Math.min(nowMs, startedAtMs + 999);
  const restMs = Math.min(initialDelayMs, Math.max(0, startedByMs + initialDelayMs - nowMs));
  return startedAtMs < agentStartedAtMs - 1_000 ? Math.max(restMs, Math.floor(fraction * periodMs)) : restMs;
}
