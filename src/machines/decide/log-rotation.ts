// How the files of one container's log are kept: what is left over, what goes, what is compressed, and how a rotated one is called.
// Pure: names in, names out. @see kubelet behaviour, "Container log rotation"

export interface LogRotationPolicy {
  /** Bytes from which a log is rotated. */
  readonly sizeMax: number;
  /** Files of a container's log, with the one being written; at least 2. */
  readonly filesMax: number;
  /** Rotations at once. */
  readonly workersMax: number;
  /** Between two looks at the sizes. */
  readonly periodMs: number;
}

export const compressedSuffix = '.gz';
export const temporarySuffix = '.tmp';

export interface RotatedPlan {
  /** Left by a crash, or beyond what may stay: the oldest. */
  readonly remove: readonly string[];
  readonly compress: readonly string[];
}

/**
 * What to do with the rotated files beside a log.
 * @param logName `N.log`; names that do not begin with it are nobody's business here
 * @param before `rotating`: room is made for one more, and all that stay are compressed. `looking`: the newest stays as it is, since
 *   readers may still follow it
 */
export function planRotated(logName: string, names: readonly string[], filesMax: number, before: 'rotating' | 'looking'): RotatedPlan {
  const beside = names.filter((name) => name.startsWith(`${logName}.`));
  const unfinished = beside.filter((name) => name.endsWith(temporarySuffix));
  const complete = beside.filter((name) => !name.endsWith(temporarySuffix));
  const twice = complete.filter((name) => complete.includes(`${name}${compressedSuffix}`));
  // Their time is in their names.
  const rotated = complete.filter((name) => !twice.includes(name)).sort((a, b) => (stampOf(a) < stampOf(b) ? -1 : 1));
  const stays = Math.max(0, filesMax - (before === 'rotating' ? 2 : 1));
  const surplus = rotated.slice(0, Math.max(0, rotated.length - stays));
  const kept = rotated.slice(surplus.length);
  const settled = before === 'rotating' ? kept : kept.slice(0, -1);
  return { remove: [...unfinished, ...twice, ...surplus], compress: settled.filter((name) => !name.endsWith(compressedSuffix)) };
}

function stampOf(name: string): string {
  return name.endsWith(compressedSuffix) ? name.slice(0, -compressedSuffix.length) : name;
}

/** `N.log.20260131-235959`, in UTC. */
export function rotatedName(logName: string, now: string): string {
  return `${logName}.${now.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}`;
}
