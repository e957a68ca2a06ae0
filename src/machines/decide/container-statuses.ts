// What users see of each container: state, last state, readiness, restarts. From the runtime's instances, from what was shown
// before where instances are missing, and from failed starts.
import type { Container, ContainerState, ContainerStatus } from '../../ports/pod-types.ts';
import type { RuntimeHandlerFacts } from '../../ports/runtime-handlers.ts';
import type { ObservedContainer } from '../../ports/runtime-port.ts';
import { rfc3339Seconds } from '../../ports/rfc3339.ts';
import { type Actuated, nothingActuated } from './granted.ts';
import { isSidecar } from './pod-phase.ts';
import { resourceStatus } from './resize-status.ts';
import { mayRestart, type RestartPolicy } from './restart-policy.ts';
import { mountStatuses } from './runtime-abilities.ts';
import { restartCountOf } from './runtime-labels.ts';

export interface StatusesInput {
  readonly containers: readonly Container[];
  readonly kind: 'init' | 'app' | 'ephemeral';
  /** Of the whole pod, newest first. */
  readonly observed: readonly ObservedContainer[];
  readonly previous: readonly ContainerStatus[];
  /** Waiting reason of the last failed start, by container name. */
  readonly failures: ReadonlyMap<string, { readonly reason: string; readonly message: string }>;
  readonly readiness: ReadonlyMap<string, { readonly ready: boolean; readonly started: boolean }> | undefined;
  readonly policy: RestartPolicy;
  readonly runtimeName: string;
  /** Of the pod; undefined where the runtime tells of none. */
  readonly handler?: RuntimeHandlerFacts | undefined;
  readonly hasInitContainers: boolean;
  readonly deleting: boolean;
  readonly actuated?: Actuated;
  /** Nothing will be started any more. */
  readonly finished: boolean;
  /** Bytes of a termination message that are kept. */
  readonly messageBytesMax: number;
}

type Status = ContainerStatus & { state: ContainerState; lastState: ContainerState };

const lostExitCode = 137;
const lostReason = 'ContainerStatusUnknown';
export const lostAtEnd = { exitCode: lostExitCode, reason: lostReason, message: 'The container could not be located when the pod was terminated' };
const lostWhileRunning = {
  exitCode: lostExitCode,
  reason: lostReason,
  message: 'The container could not be located when the pod was deleted.  The container used to be Running',
};

/** Init containers in the order of the specification, others by name. @see kubelet behaviour, "Container statuses" */
export function containerStatuses(input: StatusesInput): ContainerStatus[] {
  const statuses = input.containers.map((container) => {
    const status = waitingForStart(statusOf(container, input), container, input);
    return { ...status, ...readinessOf(status, container, input), ...mountStatuses(container, input.handler), ...resourceStatus(container, newestOfName(container, input), input.actuated ?? nothingActuated) };
  });
  return input.kind === 'init' ? statuses : statuses.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function newestOfName({ name }: Container, { observed }: StatusesInput): ObservedContainer | undefined {
  return observed.find((instance) => instance.name === name);
}

function statusOf(container: Container, input: StatusesInput): Status {
  const previous = input.previous.find(({ name }) => name === container.name);
  const [newest, second] = input.observed.filter(({ name }) => name === container.name);
  if (newest === undefined) return withoutInstance(container, previous, input);
  const status = ofInstance(newest, previous, input);
  return second === undefined ? status : { ...status, lastState: ofInstance(second, undefined, input).state };
}

/** Never created, or lost: what was shown before tells which. */
function withoutInstance(container: Container, previous: ContainerStatus | undefined, { hasInitContainers, deleting, kind }: StatusesInput): Status {
  const waiting: Status = {
    name: container.name,
    state: { waiting: { reason: hasInitContainers ? 'PodInitializing' : 'ContainerCreating' } },
    lastState: {},
    ready: false,
    restartCount: 0,
    image: container.image ?? '',
    imageID: '',
  };
  if (previous === undefined) return waiting;
  if (previous.state?.terminated !== undefined) return { ...previous, state: previous.state, lastState: previous.lastState ?? {} };
  // It runs once: where its instance is gone, so is its turn.
  if (kind === 'ephemeral' && previous.state?.running !== undefined) return { ...previous, state: { terminated: lostWhileRunning }, lastState: {} };
  const kept = { ...waiting, restartCount: previous.restartCount, lastState: previous.lastState ?? {} };
  if (previous.state?.running === undefined || kept.lastState.terminated !== undefined) return kept;
  return { ...kept, lastState: { terminated: lostWhileRunning }, restartCount: kept.restartCount + (deleting ? 0 : 1) };
}

function ofInstance(instance: ObservedContainer, previous: ContainerStatus | undefined, input: StatusesInput): Status {
  const containerID = `${input.runtimeName}://${instance.id}`;
  const lost = instance.state === 'unknown' && previous?.state?.running !== undefined;
  return {
    name: instance.name,
    state: lost ? { terminated: { ...lostAtEnd, containerID } } : stateOf(instance, containerID, input),
    lastState: {},
    ready: false,
    // An instance taken away before it ever ran does not take back the restart it was made for.
    restartCount: lost ? previous.restartCount + 1 : Math.max(previous?.restartCount ?? 0, restartCountOf(instance)),
    image: instance.image,
    imageID: instance.imageRef,
    containerID,
  };
}

function stateOf(instance: ObservedContainer, containerID: string, { messageBytesMax }: StatusesInput): ContainerState {
  const { state, exitCode, reason, message, startedAtMs, finishedAtMs } = instance;
  switch (state) {
    case 'running':
      return { running: { ...time('startedAt', startedAtMs) } };
    case 'exited':
      return {
        terminated: {
          exitCode,
          ...(reason === '' ? {} : { reason }),
          ...(message === '' ? {} : { message: cutToBytes(message, messageBytesMax) }),
          ...time('startedAt', startedAtMs),
          ...time('finishedAt', finishedAtMs),
          containerID,
        },
      };
    case 'created':
    case 'unknown':
      return { waiting: {} };
    default:
      return state satisfies never;
  }
}

function time<Name extends string>(name: Name, wallMs: number): Partial<Record<Name, string>> {
  // A computed key widens to string; this record has exactly this one.
  return wallMs === 0 ? {} : ({ [name]: rfc3339Seconds(wallMs) } as Record<Name, string>);
}

/** A container that is due but could not be started waits, and says why. */
function waitingForStart(status: Status, container: Container, input: StatusesInput): Status {
  const failure = input.failures.get(container.name);
  if (failure === undefined || input.deleting || input.finished) return status;
  const newest = input.observed.find(({ name }) => name === container.name);
  if (newest?.state === 'running' || (input.kind === 'ephemeral' && newest !== undefined)) return status;
  const doneInit = input.kind === 'init' && !isSidecar(container) && newest?.state === 'exited' && newest.exitCode === 0;
  if (doneInit || !mayRestart(isSidecar(container) ? 'Always' : input.policy, newest)) return status;
  const { terminated } = status.state;
  return { ...status, state: { waiting: { ...failure } }, lastState: terminated === undefined ? status.lastState : { terminated } };
}

function readinessOf(status: Status, container: Container, { kind, readiness }: StatusesInput): { readonly ready: boolean; readonly started?: boolean } {
  const { running, terminated } = status.state;
  if (kind === 'ephemeral') return { ready: false };
  if (kind === 'init' && !isSidecar(container)) return { ready: terminated?.exitCode === 0, started: running !== undefined };
  if (running === undefined) return { ready: false, started: false };
  const { ready, started } = readiness?.get(container.name) ?? { ready: true, started: true };
  return { ready: ready && started, started };
}

/** The text, or as many whole characters of its beginning as fit. */
export function cutToBytes(text: string, bytesMax: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  // Bytes of the form 10xxxxxx continue a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
