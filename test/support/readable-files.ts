// Which files below a directory others than its owner can read, and what is in them: a mode counts only where every directory on the
// way lets them through.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

export interface SeenFile {
  readonly path: string;
  readonly mode: number;
  /** Whether the group's or anybody's rights are enough to read it, from the directory given on. */
  readonly open: boolean;
  readonly content: string;
}

/** Regular files of at most `bytesMax`; sockets, devices and larger files are left out. Links are not followed. */
export function filesBelow(directory: string, bytesMax = 4 * 2 ** 20): readonly SeenFile[] {
  return below(directory, { others: true, group: true }, bytesMax);
}

function below(directory: string, way: { readonly others: boolean; readonly group: boolean }, bytesMax: number): readonly SeenFile[] {
  const { mode: own } = statSync(directory);
  const through = { others: way.others && (own & 0o001) !== 0, group: way.group && (own & 0o010) !== 0 };
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry): readonly SeenFile[] => {
    const place = path.join(directory, entry.name);
    if (entry.isDirectory()) return below(place, through, bytesMax);
    if (!entry.isFile()) return [];
    const { mode, size } = statSync(place);
    if (size > bytesMax) return [];
    const open = (through.others && (mode & 0o004) !== 0) || (through.group && (mode & 0o040) !== 0);
    return [{ path: place, mode: mode & 0o777, open, content: readFileSync(place, 'latin1') }];
  });
}
