// One line of `get pods`: the same words for the same situations as kubectl. Pure.
import type { PodRow } from '../../ports/admin-answers.ts';
import type { ContainerState, ContainerStatus, DesiredPod, PodStatus } from '../../ports/pod-types.ts';
import { parseRfc3339 } from '../../ports/rfc3339.ts';

export function podRow(desired: DesiredPod, status: PodStatus | undefined, state: string, firstSeenMs: number): PodRow {
  const { metadata, spec } = desired.pod;
  const statuses = status?.containerStatuses ?? [];
  const inits = status?.initContainerStatuses ?? [];
  const initializing = isInitializing(status);
  const counted = initializing ? inits : statuses;
  return {
    namespace: desired.namespace,
    name: desired.name,
    uid: desired.uid,
    source: desired.source,
    origin: desired.origin,
    readyContainers: statuses.filter(({ ready, state: now }) => ready && now?.running !== undefined).length,
    containers: spec.containers.length,
    status: statusWord(desired, status, initializing),
    restarts: counted.reduce((sum, { restartCount }) => sum + restartCount, 0),
    lastRestartAtMs: Math.max(0, ...counted.filter(({ restartCount }) => restartCount > 0).map(({ lastState }) => timeOf(lastState?.terminated?.finishedAt))),
    createdAtMs: timeOf(metadata.creationTimestamp) || timeOf(status?.startTime) || firstSeenMs,
    ip: status?.podIP ?? '',
    node: spec.nodeName ?? '',
    state,
  };
}

function timeOf(text: string | undefined): number {
  return text === undefined ? 0 : (parseRfc3339(text) ?? 0);
}

function isInitializing(status: PodStatus | undefined): boolean {
  const condition = status?.conditions?.find(({ type }) => type === 'Initialized');
  return condition !== undefined && condition.status !== 'True' && (status?.initContainerStatuses?.length ?? 0) > 0;
}

function statusWord({ pod }: DesiredPod, status: PodStatus | undefined, initializing: boolean): string {
  const phase = status?.reason || status?.phase || 'Pending';
  const reason = initializing ? initWord(status?.initContainerStatuses ?? [], pod.spec.initContainers?.length ?? 0) : containersWord(status?.containerStatuses ?? [], phase, status);
  if (pod.metadata.deletionTimestamp !== undefined) return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? phase : 'Terminating';
  return reason ?? phase;
}

/** Where init containers stand: `Init:1/3`, or why the present one does not get on. */
function initWord(inits: readonly ContainerStatus[], total: number): string | undefined {
  const current = inits.findIndex(({ state }) => state?.terminated?.exitCode !== 0);
  const state = inits[current]?.state;
  if (state?.terminated !== undefined) return `Init:${endedWord(state.terminated)}`;
  const waiting = state?.waiting?.reason;
  if (waiting !== undefined && waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
  return current < 0 ? undefined : `Init:${current}/${total}`;
}

/** The reason of the first container that has one, as kubectl, which reads them from the last to the first. */
function containersWord(containers: readonly ContainerStatus[], phase: string, status: PodStatus | undefined): string | undefined {
  let word: string | undefined;
  let running = false;
  for (const { state, ready } of [...containers].reverse()) {
    if (state?.waiting?.reason) word = state.waiting.reason;
    else if (state?.terminated !== undefined) word = endedWord(state.terminated);
    else if (ready && state?.running !== undefined) running = true;
  }
  if (word !== 'Completed' || !running) return word;
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true ? phase : 'NotReady';
}

function endedWord({ reason, signal, exitCode }: NonNullable<ContainerState['terminated']>): string {
  if (reason) return reason;
  return signal !== undefined && signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}
