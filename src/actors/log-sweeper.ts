// Removes what is left of logs when their pods and containers are gone: directories of pods nobody knows, links that lead nowhere.
import { containerLinksDirectory, linkedContainer, podOfLogDirectory } from '../machines/decide/container-logs.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { PodUid } from '../ports/pod-types.ts';

export interface LogSweep {
  readonly files: FilesPort;
  readonly podLogsDirectory: string;
  /** Whether a pod is in somebody's hands, or the runtime has something of it. */
  isKnown(uid: PodUid): boolean;
  /** Whether a container may still be writing. */
  isAlive(id: string): boolean;
  removed(directory: string): void;
}

/** @returns what could not be removed, one line each */
export async function sweepLogs({ files, podLogsDirectory, isKnown, isAlive, removed }: LogSweep): Promise<readonly string[]> {
  const troubles: string[] = [];
  const directories = await files.list(podLogsDirectory);
  for (const { name, kind } of directories.ok ? directories.value : []) {
    const uid = podOfLogDirectory(name);
    if (kind !== 'directory' || uid === undefined || isKnown(uid)) continue;
    const gone = await files.removeTree(`${podLogsDirectory}/${name}`);
    if (gone.ok) removed(name);
    else troubles.push(gone.fault.message);
  }
  const linksDirectory = containerLinksDirectory(podLogsDirectory);
  const links = await files.list(linksDirectory);
  for (const { name, kind } of links.ok ? links.value : []) {
    const id = linkedContainer(name);
    // A file that is there, or would be there again in a moment, keeps its link.
    if (kind !== 'other' || id === undefined || isAlive(id)) continue;
    const gone = await files.removeFile(`${linksDirectory}/${name}`);
    if (!gone.ok) troubles.push(gone.fault.message);
  }
  return troubles;
}
