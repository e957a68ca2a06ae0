// Why a pod is where it is, in one sentence for a person. Pure; the first thing that keeps it back is the one that is named.
import type { ContainerStatus, DesiredPod, PodStatus } from '../../ports/pod-types.ts';

export interface PodWhyInput {
  readonly desired: DesiredPod;
  readonly status: PodStatus | undefined;
  readonly state: string;
  /** Empty when the runtime and its network are ready. */
  readonly runtimeTrouble: string;
}

export function podWhy({ desired, status, state, runtimeTrouble }: PodWhyInput): string {
  const { metadata, spec } = desired.pod;
  if (metadata.deletionTimestamp !== undefined) return deletionWhy(status, metadata.deletionGracePeriodSeconds ?? 0);
  if (status?.phase === 'Succeeded') return 'All its containers have ended with success, and its restart policy does not start them again.';
  if (status?.phase === 'Failed') return failureWhy(status);
  if (state.startsWith('termina')) return 'The node is stopping it, although its source still wants it.';
  if (runtimeTrouble !== '') return runtimeWhy(runtimeTrouble);
  if (state === '' || state === 'pending') return 'It waits to begin: the runtime has not been listed yet, or an older pod of this name has to go first.';
  const inits = status?.initContainerStatuses ?? [];
  const blocked = [...inits, ...(status?.containerStatuses ?? [])].find(({ state: now }) => now?.waiting !== undefined && now.waiting.reason !== 'PodInitializing');
  if (blocked !== undefined) return waitingWhy(blocked);
  const initializing = inits.find(({ state: now }) => now?.running !== undefined);
  if (initializing !== undefined) return `Init container ${initializing.name} is running; the containers start when it has ended with success.`;
  const containers = status?.containerStatuses ?? [];
  const ended = containers.find(({ state: now }) => now?.terminated !== undefined);
  if (ended !== undefined) return `Container ${ended.name} has ${endText(ended)}; restart policy ${spec.restartPolicy ?? 'Always'} decides what follows.`;
  const unready = containers.find(({ ready }) => !ready);
  if (unready !== undefined) return `Container ${unready.name} runs but is not ready yet.`;
  if (containers.length === 0) return 'It has been taken in; its sandbox is being made.';
  return containers.length === 1 ? 'Its container runs and is ready.' : `All ${containers.length} containers run and are ready.`;
}

function runtimeWhy(trouble: string): string {
  return trouble.startsWith('container runtime ') ? `The ${trouble}.` : `The container runtime is not ready: ${trouble}.`;
}

function deletionWhy(status: PodStatus | undefined, graceSeconds: number): string {
  const running = (status?.containerStatuses ?? []).filter(({ state }) => state?.running !== undefined).map(({ name }) => name);
  if (running.length === 0) return 'It is being deleted; its containers have stopped and what is left of it is being removed.';
  return `It is being deleted; ${running.join(', ')} may take up to ${graceSeconds} s to stop.`;
}

function failureWhy({ reason, message, containerStatuses = [], initContainerStatuses = [] }: PodStatus): string {
  if (reason !== undefined && reason !== '') return `It failed: ${reason}${message === undefined || message === '' ? '' : `: ${message}`}.`.replace(/\.\.$/, '.');
  const failed = [...initContainerStatuses, ...containerStatuses].find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  return failed === undefined ? 'It failed.' : `It failed: container ${failed.name} has ${endText(failed)}, and its restart policy does not start it again.`;
}

function waitingWhy({ name, state, lastState, restartCount }: ContainerStatus): string {
  const { reason = 'Waiting', message = '' } = state?.waiting ?? {};
  if (reason === 'ContainerCreating') return `Container ${name} is being created.`;
  if (reason === 'CrashLoopBackOff') {
    const end = lastState?.terminated;
    const how = end === undefined ? 'has ended again and again' : `has ended ${restartCount + 1} times, last with exit code ${end.exitCode}`;
    return `Container ${name} ${how}; the next start waits for its back-off.`;
  }
  return `Container ${name} waits: ${reason}${message === '' ? '' : `: ${message}`}.`.replace(/\.\.$/, '.');
}

function endText({ state }: ContainerStatus): string {
  const { exitCode = 0, reason = '', message = '' } = state?.terminated ?? {};
  if (reason === '' || reason === 'Completed' || reason === 'Error') return `ended with exit code ${exitCode}`;
  // The runtime's own words about a start that went wrong; what a program left as its last message is its own business.
  return reason === 'StartError' && message !== '' ? `not been started (${message})` : `ended with exit code ${exitCode} (${reason})`;
}
