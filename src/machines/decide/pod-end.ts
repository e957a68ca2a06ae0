// Statuses of containers at the very end of their pod: what nobody can tell any more counts as failed.
import type { ContainerStatus, PodSpec } from '../../ports/pod-types.ts';
import { lostAtEnd } from './container-statuses.ts';
import { isSidecar } from './pod-phase.ts';

export interface ContainerStatusLists {
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  /** Shown, and otherwise of no account. */
  readonly ephemeralStatuses: readonly ContainerStatus[];
}

type CountedLists = Omit<ContainerStatusLists, 'ephemeralStatuses'>;

/**
 * Containers of an initialised pod, and init containers up to the last one that ever ran, are terminated when they are not so already.
 * @see kubelet behaviour, "Phase": containers missing at the end
 */
export function withMissingEnded(spec: PodSpec, { initStatuses, statuses, ephemeralStatuses }: ContainerStatusLists): ContainerStatusLists {
  const lastRan = initStatuses.findLastIndex(hasRun);
  return {
    initStatuses: initStatuses.map((status, index) => (index <= lastRan ? ended(status) : status)),
    statuses: isInitialised(spec, { initStatuses, statuses }) ? statuses.map(ended) : statuses,
    ephemeralStatuses: ephemeralStatuses.map((status) => (hasRun(status) ? ended(status) : status)),
  };
}

/** Whether any container of the pod ever got beyond waiting. */
export function hasEverRun({ initStatuses, statuses }: CountedLists): boolean {
  return [...initStatuses, ...statuses].some(hasRun);
}

function hasRun({ state, lastState }: ContainerStatus): boolean {
  return state?.running !== undefined || state?.terminated !== undefined || lastState?.terminated !== undefined;
}

function ended(status: ContainerStatus): ContainerStatus {
  return status.state?.terminated === undefined ? { ...status, state: { terminated: lostAtEnd }, ready: false, started: false } : status;
}

function isInitialised({ initContainers = [] }: PodSpec, { initStatuses, statuses }: CountedLists): boolean {
  const last = initContainers.at(-1);
  // One that was only created counts too: its turn had come.
  if (last === undefined || statuses.some((status) => hasRun(status) || status.containerID !== undefined)) return true;
  const status = initStatuses.find(({ name }) => name === last.name);
  if (isSidecar(last)) return status?.started === true;
  return (status?.state?.terminated ?? status?.lastState?.terminated)?.exitCode === 0;
}
