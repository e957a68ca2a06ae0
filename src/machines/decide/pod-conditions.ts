// The conditions of a pod that its node owns: can containers start, have the init containers done their part, is it ready.
import type { ContainerStatus, PodCondition, PodSpec } from '../../ports/pod-types.ts';
import { resizeConditionTypes, type ResizeVerdict } from './resize-status.ts';
import { hasStarted, isSidecar, type PodPhase } from './pod-phase.ts';

/** In the order in which they are listed. */
export const ownConditionTypes = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'] as const;
/** Others may set it too. */
export const disruptionConditionType = 'DisruptionTarget';

export interface ConditionsInput {
  readonly spec: PodSpec;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  /** As the containers have it, shown or not. */
  readonly phase: PodPhase;
  readonly sandboxUsable: boolean;
  /** Of the API object: conditions of others, and the readiness gates among them. */
  readonly foreign: readonly PodCondition[];
  /** Status last shown: what has not changed keeps its time. */
  readonly previous: readonly PodCondition[];
  /** How far a change of resources has come; nothing when none is under way. */
  readonly resize?: readonly ResizeVerdict[];
  readonly override: { readonly reason: string; readonly message: string; readonly disruption?: boolean } | undefined;
  /** RFC 3339. */
  readonly now: string;
}

type Verdict = { readonly status: 'True' | 'False'; readonly reason?: string; readonly message?: string };

const isTrue: Verdict = { status: 'True' };

/** Foreign conditions first, then ours. */
export function podConditions(input: ConditionsInput): PodCondition[] {
  const containersReady = containersReadyVerdict(input);
  const verdicts: Record<(typeof ownConditionTypes)[number], Verdict> = {
    PodReadyToStartContainers: { status: input.sandboxUsable ? 'True' : 'False' },
    Initialized: initializedVerdict(input),
    Ready: readyVerdict(input, containersReady),
    ContainersReady: containersReady,
    PodScheduled: isTrue,
  };
  const own = ownConditionTypes.map((type) => condition(type, verdicts[type], input));
  const resizing = (input.resize ?? []).map(({ type, ...verdict }) => condition(type, { ...isTrue, ...verdict }, input));
  return [...foreignConditions(input), ...own, ...resizing];
}

function foreignConditions(input: ConditionsInput): PodCondition[] {
  const owned = new Set<string>([...ownConditionTypes, ...resizeConditionTypes]);
  const foreign = input.foreign.filter(({ type }) => !owned.has(type) && type !== disruptionConditionType);
  const { override } = input;
  if (override?.disruption === true) {
    const verdict: Verdict = { status: 'True', reason: 'TerminationByKubelet', message: override.message };
    return [...foreign, condition(disruptionConditionType, verdict, input)];
  }
  const disruption = [...input.foreign, ...input.previous].find(({ type }) => type === disruptionConditionType);
  return disruption === undefined ? foreign : [...foreign, disruption];
}

function condition(type: string, verdict: Verdict, { previous, now }: ConditionsInput): PodCondition {
  const last = previous.find((each) => each.type === type);
  const lastTransitionTime = last?.status === verdict.status ? (last.lastTransitionTime ?? now) : now;
  return { type, status: verdict.status, lastTransitionTime, ...reasons(verdict) };
}

function reasons({ reason, message }: Verdict): Pick<PodCondition, 'reason' | 'message'> {
  return { ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
}

function initializedVerdict({ spec, initStatuses, statuses, phase }: ConditionsInput): Verdict {
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of spec.initContainers ?? []) {
    const status = initStatuses.find(({ name }) => name === container.name);
    if (status === undefined) unknown.push(container.name);
    else if (isSidecar(container) ? status.started !== true : !status.ready) incomplete.push(container.name);
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' };
  if (hasStarted(statuses)) return isTrue;
  return shortOf({ unknown, incomplete }, 'ContainersNotInitialized');
}

function containersReadyVerdict({ spec, initStatuses, statuses, phase }: ConditionsInput): Verdict {
  const unknown: string[] = [];
  const unready: string[] = [];
  const all = [...initStatuses, ...statuses];
  for (const container of [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers]) {
    const status = all.find(({ name }) => name === container.name);
    if (status === undefined) unknown.push(container.name);
    else if (!status.ready) unready.push(container.name);
  }
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  return shortOf({ unknown, unready }, 'ContainersNotReady');
}

/** True when every list is empty; else the reason, and a message that names the containers list by list. */
function shortOf(lists: Readonly<Record<string, readonly string[]>>, reason: string): Verdict {
  const message = Object.entries(lists)
    .filter(([, names]) => names.length > 0)
    .map(([word, names]) => `containers with ${word} status: [${names.join(' ')}]`)
    .join(', ');
  return message === '' ? isTrue : { status: 'False', reason, message };
}

function readyVerdict({ spec, foreign }: ConditionsInput, containersReady: Verdict): Verdict {
  if (containersReady.status === 'False') return containersReady;
  const messages: string[] = [];
  for (const { conditionType } of spec.readinessGates ?? []) {
    const gate = foreign.find(({ type }) => type === conditionType);
    if (gate === undefined) messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (gate.status !== 'True') messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`);
  }
  return messages.length === 0 ? isTrue : { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}
