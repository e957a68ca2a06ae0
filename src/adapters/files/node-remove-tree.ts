// Removes a directory with all below it, whoever may have filled it. Never leaves it through a link or a mount.
import { constants, promises as fs } from 'node:fs';
import { errorCode } from './node-file-faults.ts';

/** Nested directories, each of which is held open meanwhile. Deeper trees are left and reported. */
const depthMax = 256;

/** @throws what node:fs throws, and an Error for a tree that has mounts in it or is too deep; a missing path is success */
export async function removeTree(path: string): Promise<void> {
  const mount = await mountAtOrBelow(path);
  if (mount !== undefined) throw new Error(`${mount} is mounted there; unmount it first`);
  await removeEntry(path, { depth: 0, device: undefined });
}

async function removeEntry(path: string, within: { readonly depth: number; readonly device: number | undefined }): Promise<void> {
  try {
    const status = await fs.lstat(path);
    if (!status.isDirectory()) return await fs.unlink(path);
    if (within.device !== undefined && status.dev !== within.device) throw new Error('another file system is mounted there; unmount it first');
    if (within.depth >= depthMax) throw new Error(`directories nested deeper than ${depthMax}`);
    await emptyDirectory(path, { depth: within.depth + 1, device: status.dev });
    await fs.rmdir(path);
  } catch (error) {
    // Somebody else removed it meanwhile: that is what was wanted.
    if (errorCode(error) !== 'ENOENT' && !(errorCode(error) === 'ENOTDIR' && within.depth === 0)) throw error;
  }
}

async function emptyDirectory(path: string, within: { readonly depth: number; readonly device: number }): Promise<void> {
  // By way of the open directory: were it swapped for a link to elsewhere meanwhile, names would still be looked up in this one.
  const directory = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const held = `/proc/self/fd/${directory.fd}`;
    for (const name of await fs.readdir(held)) await removeEntry(`${held}/${name}`, within);
  } finally {
    await directory.close();
  }
}

/** A bind mount within one file system shows no other device number: only the kernel's list tells. */
async function mountAtOrBelow(path: string): Promise<string | undefined> {
  const [mounts, real] = await Promise.all([
    fs.readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
    fs.realpath(path).catch(() => path),
  ]);
  if (!mounts.includes(real)) return undefined;
  for (const line of mounts.split('\n')) {
    // proc(5): the fifth field is the mount point, with blanks and the like in octal.
    const point = line.split(' ')[4]?.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (point !== undefined && (point === real || point.startsWith(`${real}/`))) return point;
  }
  return undefined;
}
