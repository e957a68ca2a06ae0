// What a tree of files takes of its file system: blocks and inodes, as du(1) counts them. Reads names and attributes, never content.
import { constants, promises as fs } from 'node:fs';
import path from 'node:path';
import type { TreeUsage } from '../../ports/files-port.ts';
import { errorCode } from './node-file-faults.ts';

/** stat(2) counts blocks of this size, whatever the file system's own. */
const blockBytes = 512;
/** Entries asked for at once: more would only fill the thread pool's queue. */
const statsAtOnce = 16;

interface Walk {
  readonly device: number;
  readonly entriesMax: number;
  /** Files with more than one name that have been counted. */
  readonly linked: Set<number>;
  bytes: number;
  inodes: number;
  /** Something was left out because there is too much of it. */
  cut: boolean;
}

/** @throws what node:fs throws when the path itself cannot be read; what is below it and vanishes meanwhile is not counted */
export async function treeUsage(root: string, { entriesMax }: { readonly entriesMax: number }): Promise<TreeUsage> {
  const status = await fs.lstat(root).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (status === undefined) return { bytes: 0, inodes: 0, complete: true };
  const walk: Walk = { device: status.dev, entriesMax, linked: new Set(), bytes: status.blocks * blockBytes, inodes: 1, cut: false };
  if (!status.isDirectory()) return { bytes: walk.bytes, inodes: 1, complete: true };
  // A stack of its own: a pod chooses how deep its trees are.
  const waiting = [root];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    if (!walk.cut) waiting.push(...await addDirectory(directory, walk));
  }
  return { bytes: walk.bytes, inodes: walk.inodes, complete: !walk.cut };
}

/** @returns the directories in it that are still to be added up */
async function addDirectory(directory: string, walk: Walk): Promise<readonly string[]> {
  const found: string[] = [];
  // By way of the open directory: were it swapped for a link to elsewhere meanwhile, nothing of elsewhere would be counted.
  const handle = await fs.open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(() => undefined);
  if (handle === undefined) return found;
  try {
    const held = `/proc/self/fd/${handle.fd}`;
    const names = await fs.readdir(held).catch(() => []);
    for (let start = 0; start < names.length && !walk.cut; start += statsAtOnce) {
      const some = names.slice(start, start + statsAtOnce);
      const statuses = await Promise.all(some.map((name) => fs.lstat(`${held}/${name}`).catch(() => undefined)));
      for (const [index, status] of statuses.entries()) {
        if (status === undefined || status.dev !== walk.device) continue;
        if (status.isDirectory()) found.push(path.join(directory, some[index] ?? ''));
        else if (status.nlink > 1 && !firstSight(walk, status.ino)) continue;
        if (walk.inodes >= walk.entriesMax) walk.cut = true;
        if (walk.cut) break;
        walk.bytes += status.blocks * blockBytes;
        walk.inodes += 1;
      }
    }
  } finally {
    await handle.close();
  }
  return found;
}

function firstSight({ linked }: Walk, inode: number): boolean {
  if (linked.has(inode)) return false;
  linked.add(inode);
  return true;
}
