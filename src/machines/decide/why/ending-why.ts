// Why a pod that is to end is where it is: what stops it, whose grace runs, what is still to be removed, who has to let go of it. Pure.
import type { ContainerStatus, DesiredPod, PodStatus } from '../../../ports/pod-types.ts';
import type { PodContext } from '../../pod-types.ts';
import { removeRetryMs, stopRetryMs } from '../retry-periods.ts';
import type { PodWhyFacts } from './facts.ts';
import { agoText, bracketed, type Cause, colon, forText, listText, nothingNext, quoted, spanText } from './words.ts';

const rejected = 'Pod was rejected: ';

/** Whether somebody or something wants the pod to end. */
export function isToEnd({ desired, state, machine }: PodWhyFacts): boolean {
  if (desired.pod.metadata.deletionTimestamp !== undefined || machine?.kill !== undefined) return true;
  return /^(?:terminat|finishing|done)/.test(state);
}

export function endingCause(facts: PodWhyFacts): Cause {
  const { state, stateSinceMs: sinceMs, machine } = facts;
  const why = demandText(facts);
  const base = { waitingFor: 'its end', sinceMs, falseGuardOrCondition: '', next: nothingNext };
  switch (state) {
    case 'terminating.stopping':
      return stoppingCause(facts, why);
    case 'terminating.stopped':
      return {
        ...base, says: `It is being stopped${why}, which has not succeeded${colon(machine?.trouble ?? '')}`, falseGuardOrCondition: 'isSettled',
        next: { what: 'it is tried again', atMs: sinceMs + stopRetryMs },
      };
    case 'terminating.reclaiming':
      return { ...base, says: `It has been stopped${why}, and what it has on the node has been on its way out${forText(sinceMs)}`, next: { what: 'only its status stays', atMs: 0 } };
    case 'terminated':
      return terminatedCause(facts);
    case 'finishing.removing':
      return {
        ...base, says: `It has ended${why}, and what is left of it on the node has been on its way out${forText(sinceMs)}`,
        waitingFor: 'the removal of its containers and volumes', next: { what: 'the node forgets it then', atMs: 0 },
      };
    case 'finishing.waiting':
      return {
        ...base, says: `It has ended${why}, but what is left of it could not be removed${colon(machine?.trouble ?? '')}`,
        waitingFor: 'the removal of its containers and volumes', falseGuardOrCondition: 'removed', next: { what: 'it is tried again', atMs: sinceMs + removeRetryMs },
      };
    case 'done':
      return { ...base, waitingFor: '', says: 'It has ended and nothing of it is left on the node' };
    case '':
    case 'pending':
      return { ...base, says: `It is to end${why} before it has begun` };
    default:
      return { ...base, says: `It is to end${why}, and the runtime call under way comes first`, falseGuardOrCondition: 'isSettled', next: { what: 'its containers are stopped after that', atMs: 0 } };
  }
}

function stoppingCause({ status, machine, uptake: { stop }, stateSinceMs }: PodWhyFacts, why: string): Cause {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? []), ...(status?.ephemeralContainerStatuses ?? [])];
  const alive = all.filter(({ state }) => state?.running !== undefined).map(({ name }) => name);
  const sinceMs = stop?.beganAtMs ?? stateSinceMs;
  const base = { waitingFor: alive.length === 0 ? 'the end of its sandbox' : `the end of ${listText(alive)}`, sinceMs, falseGuardOrCondition: 'isSettled' };
  if (alive.length === 0) {
    return { ...base, says: `It is being stopped${why}: its containers have ended and its sandbox has been on its way out${forText(sinceMs)}`, next: { what: 'its status is final then', atMs: 0 } };
  }
  const hooks = stop?.hooks ?? [];
  const doing = hooks.length > 0 ? `${listText(hooks)} has been running its preStop hook${forText(sinceMs)}` : `${listText(alive)} ${alive.length === 1 ? 'was' : 'were'} asked to end${agoText(sinceMs)}`;
  const says = `It is being stopped${why}: ${doing}`;
  if (stop === undefined) return { ...base, says, next: { what: 'what has not ended by then is killed', atMs: 0 } };
  return {
    ...base, says: `${says}, with a grace period of ${spanText(stop.graceMs)}${machine?.trouble ? bracketed(machine.trouble) : ''}`,
    next: { what: 'what has not ended by then is killed', atMs: sinceMs + stop.graceMs },
  };
}

/** ` because …`, from what demands the end; nothing when the pod came to it by itself. */
function demandText({ desired, machine, status }: PodWhyFacts): string {
  const { metadata } = desired.pod;
  const told = machine?.kill?.status;
  if (told !== undefined) return ` because of ${told.reason}${bracketed(told.message.replace(rejected, ''))}`;
  if (metadata.deletionTimestamp !== undefined) return ' because it was deleted';
  if (machine?.kill?.removed === true) return ` because ${sourceText(desired)} no longer has it`;
  return status?.reason ? ` because of ${status.reason}` : endedByItself(machine) ? ' because all its containers have ended' : '';
}

function endedByItself(machine: PodContext | undefined): boolean {
  return machine?.complete === true;
}

function sourceText({ source, origin }: DesiredPod): string {
  return source === 'file' ? `the manifest ${quoted(origin)}` : source === 'admin' ? 'the admin API' : 'the cloud';
}

function terminatedCause({ desired, status, stateSinceMs }: PodWhyFacts): Cause {
  return {
    says: finalText(desired, status, agoText(stateSinceMs)),
    waitingFor: `its deletion by ${sourceText(desired)}`, sinceMs: stateSinceMs, falseGuardOrCondition: 'isDeleted',
    next: { what: 'it is not started again, and its status stays until its source deletes it', atMs: 0 },
  };
}

function finalText({ pod: { spec } }: DesiredPod, status: PodStatus | undefined, ago: string): string {
  const { phase, reason = '', message = '' } = status ?? {};
  const policy = spec.restartPolicy ?? 'Always';
  if (phase === 'Succeeded') return `All its containers have ended with success, the pod${ago}, under restart policy ${policy}`;
  if (message.startsWith(rejected)) return `The node has refused it for good${ago} with ${reason}: ${quoted(message.slice(rejected.length))}`;
  if (reason === 'Evicted') return `It was evicted${ago}${colon(message)}`;
  if (reason === 'DeadlineExceeded') return `It was stopped${ago}, at its deadline of ${spanText((spec.activeDeadlineSeconds ?? 0) * 1_000)}`;
  if (reason !== '') return `It failed${ago} with ${reason}${colon(message)}`;
  const failed = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  if (failed !== undefined) return `It failed${ago}: container ${failed.name} has ${endText(failed)} under restart policy ${policy}`;
  return phase === 'Failed' ? `It failed${ago}` : `It was stopped${ago}`;
}

/** `ended with exit code 1 (Error)`, or that it was never started. */
export function endText({ state, lastState }: Pick<ContainerStatus, 'state' | 'lastState'>): string {
  const { exitCode = 0, reason = '', message = '', signal } = state?.terminated ?? lastState?.terminated ?? {};
  // The runtime's own words about a start that went wrong; what a program left as its last message is its own business.
  if (reason === 'StartError' && message !== '') return `not been started${bracketed(message)}`;
  const by = signal === undefined || signal === 0 ? `exit code ${exitCode}` : `signal ${signal}`;
  return `ended with ${by}${reason === '' ? '' : ` (${reason})`}`;
}
