// Where the logs of containers lie and how they and the links to them are called. Pure: names in, names out.
import type { ContainerId, PodUid } from '../../ports/pod-types.ts';

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
