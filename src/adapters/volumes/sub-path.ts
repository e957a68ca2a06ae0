// Paths inside volumes, whose content belongs to pods: walked name by name through open directories, so that no symbolic link,
// however it is moved meanwhile, leads out of the volume.
import { constants, promises as fs } from 'node:fs';
import path from 'node:path';
import type { SubPathRequest } from '../../ports/volumes-port.ts';
import { errorCode } from '../files/node-file-faults.ts';
import { runMount, unmountBelow } from './mounts.ts';

type Handle = Awaited<ReturnType<typeof fs.open>>;

/** open(2): a place in the tree, not the thing itself; Node.js has no name for it. */
const O_PATH = 0o10000000;
const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const targetDirectoryMode = 0o750;
/** Parts of secrets hang below, with the modes of the secret's own files: containers come there by their mounts, nobody else shall. */
const placeMode = 0o700;
const targetFileMode = 0o640;

/** @throws what node:fs and mount say */
export async function bindSubPath({ root, subPath, target }: SubPathRequest): Promise<void> {
  const found = await openInside(root, await namesInside(root, subPath));
  try {
    const status = await found.stat();
    if (await isBoundTo(target, status)) return;
    await unmountBelow(target);
    await fs.mkdir(path.dirname(target), { recursive: true, mode: placeMode });
    if (status.isDirectory()) await fs.mkdir(target, { recursive: true, mode: targetDirectoryMode });
    else await (await fs.open(target, 'a', targetFileMode)).close();
    // The open place itself is bound, not its name: whatever the name leads to by now.
    await runMount('mount', ['--no-canonicalize', '--bind', `/proc/${process.pid}/fd/${found.fd}`, target]);
  } finally {
    await found.close();
  }
}

/** Links that stay inside count: the files of a configMap are such. What this finds is only a proposal; the walk believes no link. */
async function namesInside(root: string, subPath: string): Promise<readonly string[]> {
  const names = (place: string) => place.split('/').filter((name) => name !== '' && name !== '.');
  const [realRoot, real] = await Promise.all([fs.realpath(root), fs.realpath(path.join(root, subPath)).catch(() => undefined)]);
  if (real === undefined) return names(subPath);
  const inside = path.relative(realRoot, real);
  // More than two dots: the dated directories of a configMap begin with them as well.
  if (inside === '..' || inside.startsWith('../')) throw new Error('leads out of the volume');
  return names(inside);
}

/** The root may be reached through links: the node's administrator chose it. Nothing below it may. */
async function openInside(root: string, names: readonly string[]): Promise<Handle> {
  let place = await fs.open(root, names.length === 0 ? O_PATH : constants.O_RDONLY | constants.O_DIRECTORY);
  const { mode } = await place.stat();
  for (const [index, name] of names.entries()) {
    const last = index === names.length - 1;
    try {
      const next = await openNext(`/proc/self/fd/${place.fd}/${name}`, { last, mode: mode & 0o7777 });
      await place.close();
      place = next;
    } catch (error) {
      await place.close();
      throw error;
    }
  }
  return place;
}

async function openNext(name: string, { last, mode }: { readonly last: boolean; readonly mode: number }): Promise<Handle> {
  const open = async (): Promise<Handle> => {
    const handle = await fs.open(name, last ? O_PATH | constants.O_NOFOLLOW : directoryFlags);
    if (!(await handle.stat()).isSymbolicLink()) return handle;
    await handle.close();
    throw new Error('a symbolic link is not followed');
  };
  try {
    return await open();
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await fs.mkdir(name).catch((made: unknown) => {
      if (errorCode(made) !== 'EEXIST') throw made;
    });
    const made = await fs.open(name, directoryFlags);
    try {
      await made.chmod(mode);
    } finally {
      await made.close();
    }
    return open();
  }
}

async function isBoundTo(target: string, { dev, ino }: { readonly dev: number; readonly ino: number }): Promise<boolean> {
  const there = await fs.lstat(target).catch(() => undefined);
  return there !== undefined && there.dev === dev && there.ino === ino;
}
