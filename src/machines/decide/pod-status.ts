// The status of a pod as the API shows it, from what is desired, what is observed and what was shown before.
import type { DesiredPod, PodStatus } from '../../ports/pod-types.ts';
import { rfc3339Seconds } from '../../ports/rfc3339.ts';
import type { RuntimeHandlerFacts } from '../../ports/runtime-handlers.ts';
import type { ObservedPod } from '../../ports/runtime-port.ts';
import { containerStatuses } from './container-statuses.ts';
import type { Actuated } from './granted.ts';
import { jsonEqual } from './json-equal.ts';
import { usableSandbox } from './plan-pod.ts';
import { asContainer } from './plan-ephemeral.ts';
import { disruptionConditionType, ownConditionTypes, podConditions } from './pod-conditions.ts';
import { type ContainerStatusLists, hasEverRun, withMissingEnded } from './pod-end.ts';
import { endedAtSource, isTerminalPhase, type PodPhase, podPhase } from './pod-phase.ts';
import { qosClass } from './qos.ts';
import { resizeConditionTypes, resizeVerdicts } from './resize-status.ts';
import { restartPolicyOf } from './restart-policy.ts';
import { handlerOf } from './runtime-abilities.ts';

/** Termination messages of all containers together. */
const messagesBytesMax = 12 * 1_024;

export interface PodStatusInput {
  readonly desired: DesiredPod;
  readonly observed: ObservedPod;
  /** As last shown; of a pod just taken over, the API's. */
  readonly previous: PodStatus | undefined;
  /** Waiting reason of the last failed start, by container name. */
  readonly failures: ReadonlyMap<string, { readonly reason: string; readonly message: string }>;
  /** Results of probes by container name; a running container without an entry is started and ready. */
  readonly readiness?: ReadonlyMap<string, { readonly ready: boolean; readonly started: boolean }>;
  /** Primary first. */
  readonly hostIps: readonly string[];
  readonly runtimeName: string;
  /** What the runtime's handlers can do; nothing where it does not tell. */
  readonly handlers?: readonly RuntimeHandlerFacts[];
  /** What running containers were given last. */
  readonly actuated?: Actuated;
  /** By container name: why it could not be given what the pod was granted. */
  readonly resizeErrors?: ReadonlyMap<string, string> | undefined;
  readonly nowMs: number;
  readonly deleting: boolean;
  /** Every container is confirmed stopped and none will start again. */
  readonly finished: boolean;
  /** The pod came to its end by itself; a static pod that was only stopped has not. */
  readonly completed?: boolean;
  /** The pod has been refused or given up by the node. */
  readonly override?: { readonly phase: 'Failed'; readonly reason: string; readonly message: string; readonly disruption?: boolean };
}

/**
 * A terminal phase is withheld until `finished`, and then stays. Lists are in a fixed order and times in whole seconds,
 * so that equal situations give equal records.
 * @see kubelet behaviour, "Pod status"
 */
export function podStatus(input: PodStatusInput): PodStatus {
  const { desired, previous, override, finished } = input;
  const { spec, status: apiStatus } = desired.pod;
  const now = rfc3339Seconds(input.nowMs);
  const found = listsOf(input);
  // Stopping does not end a static pod: only its own rules and what its containers did by themselves can.
  const finalised = finished && (desired.source !== 'file' || input.completed === true);
  const lists = finished ? withMissingEnded(spec, found) : found;
  const truth = truePhase(input, lists, finalised);
  const shown = shownPhase(input, truth);
  const conditions = podConditions({
    spec,
    ...lists,
    phase: truth,
    sandboxUsable: usableSandbox(input) !== undefined,
    foreign: apiStatus?.conditions ?? [],
    previous: previous?.conditions ?? [],
    resize: finished ? [] : resizeVerdicts(input),
    override: isTerminalPhase(shown.phase) ? override : undefined,
    now,
  });
  // Of a pod that was refused there is nothing to tell about containers.
  const toldNothing = isTerminalPhase(previous?.phase) && previous.containerStatuses === undefined;
  const refused = finished && !hasEverRun(found) && (override !== undefined || toldNothing);
  return {
    ...shown,
    ...addresses(input),
    startTime: previous?.startTime ?? now,
    conditions,
    ...(refused || lists.initStatuses.length === 0 ? {} : { initContainerStatuses: [...lists.initStatuses] }),
    ...(refused ? {} : { containerStatuses: [...lists.statuses] }),
    ...(refused || lists.ephemeralStatuses.length === 0 ? {} : { ephemeralContainerStatuses: [...lists.ephemeralStatuses] }),
    qosClass: previous?.qosClass ?? qosClass(spec),
  };
}

function listsOf(input: PodStatusInput): ContainerStatusLists {
  const { desired, observed, previous, readiness } = input;
  const { spec } = desired.pod;
  const { containers, initContainers = [], ephemeralContainers = [] } = spec;
  const common = {
    ...input,
    observed: observed.containers,
    readiness,
    policy: restartPolicyOf(spec),
    handler: handlerOf(desired, input.handlers ?? []),
    hasInitContainers: initContainers.length > 0,
    messageBytesMax: Math.floor(messagesBytesMax / (containers.length + initContainers.length + ephemeralContainers.length)),
  };
  return {
    initStatuses: containerStatuses({ ...common, kind: 'init', containers: initContainers, previous: previous?.initContainerStatuses ?? [] }),
    statuses: containerStatuses({ ...common, kind: 'app', containers, previous: previous?.containerStatuses ?? [] }),
    ephemeralStatuses: ephemeralContainers.length === 0 ? []
      : containerStatuses({ ...common, kind: 'ephemeral', containers: ephemeralContainers.map(asContainer), previous: previous?.ephemeralContainerStatuses ?? [] }),
  };
}

/** What has become of the pod, whether it may be shown yet or not. */
function truePhase({ desired, previous, override }: PodStatusInput, lists: ContainerStatusLists, finalised: boolean): PodPhase {
  if (isTerminalPhase(previous?.phase)) return previous.phase;
  const ended = endedAtSource(desired);
  if (ended !== undefined) return ended.phase;
  if (override !== undefined) return override.phase;
  const phase = podPhase({ spec: desired.pod.spec, ...lists, finalised });
  // A pod that is stopped for good has failed unless it is known to have succeeded.
  return finalised && !isTerminalPhase(phase) ? 'Failed' : phase;
}

/** Phase, reason and message as the API may see them. Reason and message stay as long as the phase does. */
function shownPhase({ desired, previous, override, finished }: PodStatusInput, truth: PodPhase): Pick<PodStatus, 'phase' | 'reason' | 'message'> {
  const last = previous?.phase ?? 'Pending';
  if (last === truth || (isTerminalPhase(truth) && !finished)) {
    return { phase: last, ...(previous?.reason ? { reason: previous.reason } : {}), ...(previous?.message ? { message: previous.message } : {}) };
  }
  const { reason, message } = endedAtSource(desired) ?? override ?? {};
  return { phase: truth, ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
}

function addresses(input: PodStatusInput): Pick<PodStatus, 'hostIP' | 'hostIPs' | 'podIP' | 'podIPs'> {
  const [hostIp] = input.hostIps;
  const [podIp, ...others] = podIpsOf(input);
  return {
    ...(hostIp === undefined ? {} : { hostIP: hostIp, hostIPs: input.hostIps.map((ip) => ({ ip })) }),
    ...(podIp === undefined ? {} : { podIP: podIp, podIPs: [podIp, ...others].map((ip) => ({ ip })) }),
  };
}

/** At most one address of each family, the node's primary family first. A pod that has lost its sandbox keeps what it had. */
function podIpsOf({ desired, observed, previous, hostIps }: PodStatusInput): readonly string[] {
  const shown = (previous?.podIPs ?? []).map(({ ip }) => ip ?? '').filter((ip) => ip !== '');
  const candidates = desired.pod.spec.hostNetwork === true ? hostIps : (observed.sandboxes.find(({ state }) => state === 'ready')?.ips ?? shown);
  if (desired.pod.spec.hostNetwork === true && shown.length > 0) return shown;
  const byFamily = [candidates.find((ip) => !isIpv6(ip)), candidates.find(isIpv6)];
  if (isIpv6(hostIps[0] ?? '')) byFamily.reverse();
  return byFamily.filter((ip) => ip !== undefined);
}

function isIpv6(ip: string): boolean {
  return ip.includes(':');
}

/** Whether the API would see no difference. Conditions of others are not compared; null and absent fields are the same. */
export function samePodStatus(a: PodStatus, b: PodStatus): boolean {
  return a === b || jsonEqual(comparable(a), comparable(b));
}

const comparedConditions = new Set<string>([...ownConditionTypes, ...resizeConditionTypes, disruptionConditionType]);

function comparable(status: PodStatus): PodStatus {
  return { ...status, conditions: (status.conditions ?? []).filter(({ type }) => comparedConditions.has(type)) };
}
