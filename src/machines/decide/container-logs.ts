// Where the logs of containers lie and how they and the links to them are called. Pure: names in, names out.
import type { ContainerId, DesiredPod, PodStatus, PodUid } from '../../ports/pod-types.ts';
import { containerLogDirectory } from './cri-config.ts';
import type { NodeSettings } from './node-settings.ts';

const nameCharsMax = 255;
const linkSuffix = /-([0-9a-f]{64})\.log$/;
const podDirectory = /^[^_]+_[^_]+_([^_]+)$/;

/** Beside the pods' logs: `/var/log/containers` for `/var/log/pods`. */
export function containerLinksDirectory(podLogsDirectory: string): string {
  return `${podLogsDirectory.slice(0, podLogsDirectory.lastIndexOf('/'))}/containers`;
}

/** What log collectors look for: pod, namespace, container and its ID; the words are cut where the name grows too long. */
export function containerLinkName(pod: { readonly namespace: string; readonly name: string }, container: string, id: string): string {
  const ending = `-${id}.log`;
  return `${`${pod.name}_${pod.namespace}_${container}`.slice(0, nameCharsMax - ending.length)}${ending}`;
}

/** @returns undefined for a name that is none of ours */
export function linkedContainer(linkName: string): ContainerId | undefined {
  return linkSuffix.exec(linkName)?.[1] as ContainerId | undefined; // The ID a link was made for.
}

/** @returns undefined for a directory that is no pod's */
export function podOfLogDirectory(name: string): PodUid | undefined {
  return podDirectory.exec(name)?.[1] as PodUid | undefined; // The UID a directory was made for.
}

/** Of the names beside it, those that belong to the log `N.log`: itself and its rotated ones. */
export function logFilesOf(logName: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => name === logName || name.startsWith(`${logName}.`));
}

/** The log of one instance of a container. */
export interface ContainerLog {
  readonly id: ContainerId;
  readonly container: string;
  readonly path: string;
  readonly isRunning: boolean;
}

type ContainerStatuses = NonNullable<PodStatus['containerStatuses']>;

/** Of the instances that a status shows: the present one of each container and the one before. */
export function containerLogsOf(desired: DesiredPod, status: PodStatus, settings: NodeSettings): readonly ContainerLog[] {
  const all: ContainerStatuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])];
  return all.flatMap(({ name, containerID, restartCount, state, lastState }) => {
    const before = lastState?.terminated?.containerID;
    const logOf = (id: string | undefined, number: number, isRunning: boolean): ContainerLog[] => {
      const bare = id?.slice(id.indexOf('://') + 3) ?? '';
      if (bare === '' || number < 0) return [];
      return [{ id: bare as ContainerId, container: name, path: `${containerLogDirectory(desired, name, settings)}/${number}.log`, isRunning }]; // As the runtime named it.
    };
    return [...logOf(containerID, restartCount, state?.running !== undefined), ...(before === containerID ? [] : logOf(before, restartCount - 1, false))];
  });
}
