// Why a pod has no place for its containers yet: network, volumes, sandbox, or a call that came to nothing. Pure.
import { parseRfc3339 } from '../../../ports/rfc3339.ts';
import { usableSandbox } from '../plan-pod.ts';
import type { PodWhyFacts } from './facts.ts';
import { type Cause, colon, forText, quoted } from './words.ts';

/** When a settled pod syncs by itself; 0 when it does not rest. */
export function wakeAtMs({ state, stateSinceMs, machine }: PodWhyFacts): number {
  return state.endsWith('.settled') && machine !== undefined && stateSinceMs !== 0 ? stateSinceMs + machine.wakeInMs : 0;
}

/** Beginnings of what the pod's last sync says of itself, and what they mean. */
const troubles: readonly { readonly begins: string; readonly text: string; readonly waitingFor: string; readonly isFalse: string; readonly again: string }[] = [
  { begins: 'network is not ready: ', text: 'The node\'s network has not been ready', waitingFor: 'the network', isFalse: 'NetworkReady', again: 'it is looked at again' },
  { begins: 'Failed to create pod sandbox: ', text: 'No sandbox could be made', waitingFor: 'its sandbox', isFalse: 'PodReadyToStartContainers', again: 'it is tried again' },
  { begins: 'Unable to get pod sandbox status: ', text: 'The runtime does not tell of its new sandbox', waitingFor: 'its sandbox', isFalse: 'PodReadyToStartContainers', again: 'it is looked at again' },
  { begins: 'the sandbox just made cannot be used', text: 'No sandbox that can be used could be made', waitingFor: 'its sandbox', isFalse: 'PodReadyToStartContainers', again: 'another one is made' },
  { begins: 'error making pod data directories: ', text: 'No directories could be made', waitingFor: 'its directories', isFalse: 'PodReadyToStartContainers', again: 'it is tried again' },
];

const volumeTrouble = /^MountVolume\.SetUp failed for volume "([^"]*)" : ([\s\S]*)$/;
const awaitedObject = /^(?:secret|configmap) ".*" not found$/;

/** What the last sync fell short of for the pod as a whole; undefined when it did not, or when it was a container's own trouble. */
export function syncCause(facts: PodWhyFacts): Cause | undefined {
  const { machine } = facts;
  if (machine === undefined || machine.trouble === '' || !facts.state.endsWith('.settled')) return undefined;
  const { trouble, failures } = machine;
  if ([...failures].some(([name, { reason }]) => trouble.includes(`${name}: ${reason}`))) return undefined;
  const volume = volumeTrouble.exec(trouble);
  if (volume !== null) return volumeCause(facts, { name: volume[1] ?? '', message: volume[2] ?? '' });
  const known = troubles.find(({ begins }) => trouble.startsWith(begins));
  const sinceMs = sinceOf(facts, known?.isFalse === 'NetworkReady' ? facts.runtime.sinceMs : 0);
  const next = { what: known?.again ?? 'it is tried again', atMs: wakeAtMs(facts) };
  if (known === undefined) {
    return { says: `Its syncs have come to nothing${forText(sinceMs)}${colon(trouble)}`, waitingFor: 'a sync that succeeds', sinceMs, falseGuardOrCondition: falseOf(facts), next };
  }
  return {
    says: `${known.text}${forText(sinceMs)}${known.isFalse === 'NetworkReady' ? ', and no sandbox is made before it is' : ''}${colon(trouble.slice(known.begins.length))}`,
    waitingFor: known.waitingFor, sinceMs, falseGuardOrCondition: known.isFalse, next,
  };
}

function volumeCause(facts: PodWhyFacts, { name, message }: { readonly name: string; readonly message: string }): Cause {
  const sinceMs = sinceOf(facts, 0);
  const awaited = awaitedObject.test(message);
  return {
    says: `Its volume ${name} has not been there${forText(sinceMs)}: ${quoted(message)}`,
    waitingFor: awaited ? quoted(message).replace(' not found', '') : `volume ${name}`, sinceMs, falseGuardOrCondition: falseOf(facts),
    next: { what: awaited ? 'its containers start when that comes, and it is looked for again' : 'it is tried again', atMs: wakeAtMs(facts) },
  };
}

function falseOf({ state }: PodWhyFacts): string {
  return state.startsWith('creating') ? 'isStarted' : 'isSettled';
}

/** Since the pod lacks what it needs: its condition changed then. */
function sinceOf({ status, stateSinceMs, machine }: PodWhyFacts, otherMs: number): number {
  if (otherMs !== 0) return otherMs;
  const startedAtMs = conditionSinceMs(status, 'PodReadyToStartContainers', 'False') || conditionSinceMs(status, 'ContainersReady', 'False');
  return machine === undefined ? stateSinceMs : startedAtMs || stateSinceMs;
}

/** A sync that makes the sandbox; undefined when there is one or none is being made. */
export function sandboxCause(facts: PodWhyFacts): Cause | undefined {
  const { machine, desired, state, stateSinceMs: sinceMs } = facts;
  if (machine === undefined || !state.endsWith('.syncing') || usableSandbox({ desired, observed: machine.observed }) !== undefined) return undefined;
  const again = machine.observed.sandboxes.length > 0;
  return {
    says: `Its sandbox${again ? ' was lost, and another one' : ''} has been in the making${forText(sinceMs)}`,
    waitingFor: 'its sandbox', sinceMs, falseGuardOrCondition: 'PodReadyToStartContainers', next: { what: 'its containers are started in it', atMs: 0 },
  };
}

/** Wall milliseconds; 0 when the condition is not so. */
export function conditionSinceMs(status: PodWhyFacts['status'], type: string, value: 'True' | 'False'): number {
  const found = status?.conditions?.find((condition) => condition.type === type && condition.status === value);
  return found?.lastTransitionTime === undefined ? 0 : (parseRfc3339(found.lastTransitionTime) ?? 0);
}
