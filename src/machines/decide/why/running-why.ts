// Why a pod whose containers run is not ready, or what goes on with one that is. Pure.
import type { ContainerStatus } from '../../../ports/pod-types.ts';
import { parseRfc3339 } from '../../../ports/rfc3339.ts';
import { activeDeadlineMs } from '../active-deadline.ts';
import { falseOf, type ShownContainer, shownContainers } from './container-why.ts';
import type { PodWhyFacts, ProbeFacts } from './facts.ts';
import { conditionSinceMs } from './sandbox-why.ts';
import { type Cause, colon, forText, listText, nothingNext, quoted, timesText } from './words.ts';

/** An init container at work, a start that its probe has not seen yet, a container that is not ready. */
export function runningCause(facts: PodWhyFacts, container: ShownContainer): Cause | undefined {
  const { status, role, title, spec } = container;
  const running = status.state?.running;
  if (running === undefined) return undefined;
  const startedAtMs = parseRfc3339(running.startedAt ?? '') ?? 0;
  if (role === 'init') {
    const regular = facts.desired.pod.spec.initContainers ?? [];
    const place = regular.length > 1 ? ` (${regular.findIndex(({ name }) => name === spec.name) + 1} of ${regular.length})` : '';
    return {
      says: `${title}${place} has been running${forText(startedAtMs)}`, waitingFor: `the end of init container ${spec.name}`, sinceMs: startedAtMs,
      falseGuardOrCondition: 'Initialized', next: { what: 'the next container starts when it has ended with success', atMs: 0 },
    };
  }
  if (isInHook(facts, container, startedAtMs)) {
    return {
      says: `${title} has been running its postStart hook${forText(startedAtMs)}`, waitingFor: `the postStart hook of ${spec.name}`, sinceMs: startedAtMs,
      falseGuardOrCondition: falseOf(container), next: { what: 'the pod goes on when the hook has ended', atMs: 0 },
    };
  }
  if (status.ready && status.started !== false) return undefined;
  return probeCause(facts, container, startedAtMs);
}

/** The sync that started it waits for the hook. */
function isInHook({ state, stateSinceMs }: PodWhyFacts, { spec }: ShownContainer, startedAtMs: number): boolean {
  return spec.lifecycle?.postStart !== undefined && state.endsWith('.syncing') && startedAtMs + 1_000 > stateSinceMs;
}

function probeCause(facts: PodWhyFacts, container: ShownContainer, startedAtMs: number): Cause {
  const { status, title, spec } = container;
  const kind = spec.startupProbe !== undefined && status.started !== true ? 'startup' : 'readiness';
  const sinceMs = conditionSinceMs(facts.status, 'ContainersReady', 'False') || startedAtMs;
  const probe = facts.probes.find((each) => each.container === spec.name && each.kind === kind);
  const state = kind === 'startup' ? 'runs but has not been started' : 'runs but has not been ready';
  const says = `${title} ${state}${forText(Math.max(sinceMs, startedAtMs))}`;
  const base = { waitingFor: kind === 'startup' ? `start of ${spec.name}` : `readiness of ${spec.name}`, sinceMs: Math.max(sinceMs, startedAtMs), falseGuardOrCondition: falseOf(container) };
  if (probe === undefined) return { ...base, says, next: { what: `its ${kind} probe decides`, atMs: 0 } };
  return { ...base, says: `${says}: its ${kind} probe (${probe.asks}) ${probeText(probe)}`, next: probeNext(probe) };
}

/** What a probe has said so far. */
function probeText({ kind, last, times, successThreshold, failureThreshold }: ProbeFacts): string {
  if (last === undefined) return 'has not been asked yet';
  if (last.outcome === 'error') return `could not be asked${colon(last.message)}`;
  if (last.outcome !== 'failure') return `has succeeded ${timesText(times)} of the ${successThreshold} it needs`;
  const effect = kind === 'readiness' ? `threshold ${failureThreshold}` : `${failureThreshold} restart the container`;
  const words = quoted(last.message);
  return `has failed ${timesText(times)} in a row (${effect})${words === '' ? '' : `, last with "${words}"`}`;
}

function probeNext({ nextAtMs }: ProbeFacts): Cause['next'] {
  return nextAtMs === 0 ? { what: 'it is being asked now', atMs: 0 } : { what: 'it is asked again', atMs: nextAtMs };
}

/** Readiness gates, a change of resources that waits, a liveness probe that fails: none of them keeps a container from running. */
export function conditionCause(facts: PodWhyFacts): Cause | undefined {
  const { status } = facts;
  const of = (type: string, reason?: string) => status?.conditions?.find((each) => each.type === type && (reason === undefined || each.reason === reason));
  const gates = of('Ready', 'ReadinessGatesNotReady');
  if (gates !== undefined) {
    const sinceMs = conditionSinceMs(status, 'Ready', 'False');
    return {
      says: `Its containers are ready but the pod has not been so${forText(sinceMs)}${colon(gates.message ?? '')}`, waitingFor: 'its readiness gates', sinceMs,
      falseGuardOrCondition: 'Ready', next: { what: 'it is ready when whoever owns the gate says so', atMs: 0 },
    };
  }
  const failing = facts.probes.find(({ kind, last }) => kind === 'liveness' && last?.outcome === 'failure');
  if (failing !== undefined) {
    return {
      says: `Container ${failing.container} runs, but its liveness probe (${failing.asks}) ${probeText(failing)}`, waitingFor: `an answer of ${failing.container}`,
      sinceMs: 0, falseGuardOrCondition: '', next: probeNext(failing),
    };
  }
  return resizeCause(facts);
}

function resizeCause({ status }: PodWhyFacts): Cause | undefined {
  const pending = status?.conditions?.find(({ type }) => type === 'PodResizePending');
  const underWay = status?.conditions?.find(({ type }) => type === 'PodResizeInProgress');
  const found = pending ?? underWay;
  if (found === undefined) return undefined;
  const sinceMs = conditionSinceMs(status, found.type, 'True');
  const how = pending === undefined ? `is being carried out${found.reason === 'Error' ? ' with errors' : ''}` : found.reason === 'Infeasible' ? 'can never be granted on this node' : 'waits for room on the node';
  const what = found.reason === 'Infeasible' ? 'it stays so until the pod asks for less' : pending === undefined ? 'the next sync goes on with it' : 'it is granted when other pods make room';
  return {
    says: `Its containers run as they were, for the change of their resources ${how}${found.reason === 'Infeasible' ? '' : forText(sinceMs)}${colon(found.message ?? '')}`,
    waitingFor: 'a change of its resources', sinceMs, falseGuardOrCondition: 'resized', next: { what, atMs: 0 },
  };
}

/** Nothing is waited for. */
export function wellCause(facts: PodWhyFacts): Cause {
  const { status, desired } = facts;
  const running = shownContainers(facts).filter(({ role, status: { state } }) => role !== 'init' && state?.running !== undefined);
  const sinceMs = conditionSinceMs(status, 'Ready', 'True') || earliest(running.map((each) => each.status));
  const who = running.length === 1 ? 'Its container runs' : `All ${running.length} containers run`;
  const has = running.length === 1 ? 'has' : 'have';
  const deadlineMs = activeDeadlineMs(desired, status);
  return {
    says: running.length === 0 ? `None of its containers is shown${forText(facts.stateSinceMs)}` : sinceMs === 0 ? `${who} and ${running.length === 1 ? 'is' : 'are'} ready` : `${who} and ${has} been ready${forText(sinceMs)}`,
    waitingFor: '', sinceMs, falseGuardOrCondition: '',
    next: deadlineMs === undefined ? nothingNext : { what: 'its deadline stops it', atMs: deadlineMs },
  };
}

function earliest(statuses: readonly ContainerStatus[]): number {
  return Math.max(0, ...statuses.map(({ state }) => parseRfc3339(state?.running?.startedAt ?? '') ?? 0));
}

/** Names of containers that run, for a sentence. */
export function runningText(facts: PodWhyFacts): string {
  return listText(shownContainers(facts).filter(({ status }) => status.state?.running !== undefined).map(({ spec }) => spec.name));
}
