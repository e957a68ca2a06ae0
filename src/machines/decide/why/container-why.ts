// Why a container of a pod does not run: its image, its configuration, its back-off, those before it. Pure.
import type { Container, ContainerStatus } from '../../../ports/pod-types.ts';
import { parseRfc3339 } from '../../../ports/rfc3339.ts';
import { newestOf, planPod } from '../plan-pod.ts';
import { isSidecar } from '../pod-phase.ts';
import { mayRestart, restartPolicyOf } from '../restart-policy.ts';
import { endText } from './ending-why.ts';
import type { PodWhyFacts, PullFacts } from './facts.ts';
import { wakeAtMs } from './sandbox-why.ts';
import { agoText, bracketed, type Cause, colon, forText, nothingNext, quoted, spanText } from './words.ts';

/** A container as it is specified and as it is shown. */
export interface ShownContainer {
  readonly spec: Container;
  readonly status: ContainerStatus;
  /** `Container web`, `Init container setup`, `Sidecar proxy`. */
  readonly title: string;
  readonly role: 'init' | 'sidecar' | 'app';
}

/** Of containers that have a status, in the order in which they start. */
export function shownContainers({ desired, status }: PodWhyFacts): readonly ShownContainer[] {
  const { initContainers = [], containers } = desired.pod.spec;
  const inits = initContainers.map((spec) => ({ spec, role: isSidecar(spec) ? 'sidecar' as const : 'init' as const, of: status?.initContainerStatuses }));
  return [...inits, ...containers.map((spec) => ({ spec, role: 'app' as const, of: status?.containerStatuses }))].flatMap(({ spec, role, of }) => {
    const shown = of?.find(({ name }) => name === spec.name);
    const kind = { init: 'Init container', sidecar: 'Sidecar', app: 'Container' }[role];
    return shown === undefined ? [] : [{ spec, role, status: shown, title: `${kind} ${spec.name}` }];
  });
}

export function falseOf({ role }: ShownContainer): string {
  return role === 'app' ? 'ContainersReady' : 'Initialized';
}

/** Reasons that mean no more than that its turn has not come. */
const turnReasons = new Set(['PodInitializing', 'ContainerCreating']);

/** The trouble of a container that waits; undefined for one that does not, or whose turn has not come. */
export function waitingCause(facts: PodWhyFacts, container: ShownContainer): Cause | undefined {
  const { reason = '', message = '' } = container.status.state?.waiting ?? {};
  if (container.status.state?.waiting === undefined || turnReasons.has(reason) || reason === '') return undefined;
  const pull = facts.pulls.find((each) => each.container === container.spec.name);
  if (pull !== undefined && pull.phase !== 'failed') return pullingCause(container, pull);
  switch (reason) {
    case 'CrashLoopBackOff':
      return crashCause(facts, container);
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
    case 'SignatureValidationFailed':
      return failedPullCause(facts, container, pull);
    case 'ErrImageNeverPull':
      return retried(facts, container, { says: `${container.title} lacks its image ${quoted(container.spec.image ?? '')}, and its pull policy Never forbids fetching it`, waitingFor: `image of ${container.spec.name}`, what: 'it is looked for again' });
    case 'InvalidImageName':
      return retried(facts, container, { says: `${container.title} cannot start, for its image has no valid name${bracketed(message)}`, waitingFor: 'another image name', what: 'it stays so until the pod is changed, and is looked at again' });
    case 'CreateContainerConfigError':
      return configCause(facts, container, message);
    default:
      return retried(facts, container, { says: `${container.title} could not be started with ${quoted(reason)}${colon(message)}`, waitingFor: `start of ${container.spec.name}`, what: 'it is tried again' });
  }
}

function retried(facts: PodWhyFacts, container: ShownContainer, { says, waitingFor, what }: { readonly says: string; readonly waitingFor: string; readonly what: string }): Cause {
  const settled = wakeAtMs(facts);
  return {
    says, waitingFor, sinceMs: facts.stateSinceMs, falseGuardOrCondition: falseOf(container),
    next: settled === 0 ? { what: `${what} now`, atMs: 0 } : { what, atMs: settled },
  };
}

function configCause(facts: PodWhyFacts, container: ShownContainer, message: string): Cause {
  const missing = /^(secret|configmap) .*not found/.test(message);
  return retried(facts, container, {
    says: `${container.title} cannot be made${colon(message)}`, waitingFor: missing ? quoted(message).replace(/ not found.*$/, '') : `configuration of ${container.spec.name}`,
    what: missing ? 'it is made when that comes, and is tried again' : 'it is tried again',
  });
}

function crashCause(facts: PodWhyFacts, container: ShownContainer): Cause {
  const { spec: { name }, status, title } = container;
  const { nowMs, machine, desired } = facts;
  // The status shows whole seconds.
  const endedAtMs = (machine && newestOf(machine.observed, name)?.finishedAtMs) || (parseRfc3339(status.lastState?.terminated?.finishedAt ?? '') ?? 0);
  const plan = machine === undefined ? undefined : planPod({ desired, observed: machine.observed, backoffs: machine.backoffs, probes: machine.probes, nowMs });
  const wait = plan?.waits.find((each) => each.name === name);
  const often = status.restartCount === 0 ? '' : ` ${status.restartCount + 1} times, last`;
  const ended = status.lastState?.terminated === undefined ? 'ended again and again' : endText(status).replace(/^ended with/, `ended${often} with`);
  const over = wait === undefined ? 'its back-off is over' : `waits out its back-off of ${spanText(wait.delayMs)}`;
  return {
    says: `${title} has ${ended}${agoText(endedAtMs)}, and ${over} (CrashLoopBackOff)`,
    waitingFor: `restart ${status.restartCount + 1} of ${name}`, sinceMs: endedAtMs, falseGuardOrCondition: falseOf(container),
    next: { what: `restart ${status.restartCount + 1} comes`, atMs: wait?.untilMs ?? nowMs },
  };
}

function failedPullCause(facts: PodWhyFacts, container: ShownContainer, pull: PullFacts | undefined): Cause {
  const { spec, status, title } = container;
  const { reason = '', message = '' } = status.state?.waiting ?? {};
  const wakeMs = wakeAtMs(facts);
  const words = pull?.message ?? message.replace(/^Back-off pulling image ".*": ErrImagePull: /, '');
  const sinceMs = pull?.sinceMs ?? facts.stateSinceMs;
  const notBeforeMs = pull?.notBeforeMs ?? 0;
  const what = notBeforeMs > wakeMs ? 'the next pull comes, at the earliest,' : 'the next pull comes';
  return {
    says: `${title} lacks its image ${quoted(spec.image ?? '')}, whose pull failed${agoText(sinceMs)} (${reason})${colon(words)}`,
    waitingFor: `image of ${spec.name}`, sinceMs, falseGuardOrCondition: falseOf(container),
    next: wakeMs === 0 && notBeforeMs === 0 ? nothingNext : { what, atMs: Math.max(notBeforeMs, wakeMs) },
  };
}

/** A pull under way or in line. */
export function pullingCause(container: ShownContainer, { image, phase, sinceMs, pullsMax, progressDeadlineMs }: PullFacts): Cause {
  const { spec: { name }, title } = container;
  const allowed = pullsMax === 0 ? '' : `, for ${pullsMax} pull${pullsMax === 1 ? ' is' : 's are'} allowed at once`;
  const ended = progressDeadlineMs === 0 ? '' : `, and a pull without progress for ${spanText(progressDeadlineMs)} is ended`;
  const base = { waitingFor: `image of ${name}`, sinceMs, falseGuardOrCondition: falseOf(container) };
  if (phase === 'waiting') {
    return { ...base, says: `${title} has been in line to pull its image ${quoted(image)}${forText(sinceMs)}${allowed}`, next: { what: 'its turn comes when another pull ends', atMs: 0 } };
  }
  return { ...base, says: `${title} has been pulling its image ${quoted(image)}${forText(sinceMs)}`, next: { what: `it starts when the image is there${ended}`, atMs: 0 } };
}

/** A container that has ended while its pod goes on; undefined for an init container that has done its part. */
export function endedCause(facts: PodWhyFacts, container: ShownContainer): Cause | undefined {
  const { spec: { name }, status, title, role } = container;
  const ended = status.state?.terminated;
  if (ended === undefined || (role === 'init' && ended.exitCode === 0)) return undefined;
  const policy = role === 'sidecar' ? 'Always' : restartPolicyOf(facts.desired.pod.spec);
  const sinceMs = parseRfc3339(ended.finishedAt ?? '') ?? 0;
  const says = `${title} has ${endText(status)}${agoText(sinceMs)}`;
  if (mayRestart(policy, { state: 'exited', exitCode: ended.exitCode })) {
    return { says, waitingFor: `restart ${status.restartCount + 1} of ${name}`, sinceMs, falseGuardOrCondition: falseOf(container), next: { what: 'it is started again', atMs: facts.nowMs } };
  }
  return {
    says: `${says}, and its restart policy ${policy} does not start it again`, waitingFor: 'the end of the other containers', sinceMs,
    falseGuardOrCondition: 'isComplete', next: { what: 'the pod ends when its other containers have ended', atMs: 0 },
  };
}

/** A container whose turn is now, or that has been made and not started yet. */
export function startingCause(facts: PodWhyFacts, container: ShownContainer): Cause | undefined {
  if (container.status.state?.running !== undefined || container.status.state?.terminated !== undefined) return undefined;
  const pull = facts.pulls.find((each) => each.container === container.spec.name);
  if (pull !== undefined && pull.phase !== 'failed') return pullingCause(container, pull);
  const { stateSinceMs: sinceMs } = facts;
  const syncing = facts.state.endsWith('.syncing');
  return {
    says: `${container.title} has been about to start${forText(sinceMs)}`, waitingFor: `start of ${container.spec.name}`, sinceMs,
    falseGuardOrCondition: falseOf(container), next: syncing ? nothingNext : { what: 'the next sync starts it', atMs: wakeAtMs(facts) },
  };
}
