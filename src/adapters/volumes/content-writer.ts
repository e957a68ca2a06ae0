// Brings a directory to a set of files so that a reader sees either all old or all new ones: the files live in a dated directory,
// `..data` leads to it, and every visible name leads through `..data`. Kubelet's layout, which programs rely on.
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { ContentFile } from '../../ports/volumes-port.ts';

const dataLink = '..data';
const newDataLink = '..data_tmp';
const volumeMode = 0o777;
const directoryMode = 0o755;
/** For the group: search directories, and let new entries be the group's. */
const groupDirectoryBits = 0o2550;

/** @throws what node:fs throws; a volume that is half written is as it was before for its readers */
export async function writeContent(directory: string, files: readonly ContentFile[], gid: number | undefined): Promise<'written' | 'same'> {
  const before = await fs.readlink(path.join(directory, dataLink)).catch(() => undefined);
  if (before !== undefined && (await isSame(path.join(directory, before), files))) return 'same';
  if (before === undefined) {
    await fs.mkdir(directory, { recursive: true });
    await fs.chmod(directory, volumeMode | (gid === undefined ? 0 : groupDirectoryBits));
    if (gid !== undefined) await fs.lchown(directory, -1, gid);
  }
  const fresh = await fs.mkdtemp(path.join(directory, `..${stampOf(new Date())}.`));
  await fillDirectory(fresh, files, gid);
  await fs.rm(path.join(directory, newDataLink), { force: true });
  await fs.symlink(path.basename(fresh), path.join(directory, newDataLink));
  await fs.rename(path.join(directory, newDataLink), path.join(directory, dataLink));
  await linkNames(directory, files, path.basename(fresh));
  return 'written';
}

/** As Go would write 2006_01_02_15_04_05. */
function stampOf(now: Date): string {
  return now.toISOString().slice(0, 19).replace(/[-:T]/g, '_');
}

async function fillDirectory(fresh: string, files: readonly ContentFile[], gid: number | undefined): Promise<void> {
  const directories = new Set([fresh]);
  for (const { path: name } of files) {
    for (let parent = path.dirname(name); parent !== '.'; parent = path.dirname(parent)) directories.add(path.join(fresh, parent));
  }
  for (const made of [...directories].sort()) {
    if (made !== fresh) await fs.mkdir(made, { recursive: true });
    if (gid !== undefined) await fs.lchown(made, -1, gid);
    await fs.chmod(made, directoryMode | (gid === undefined ? 0 : groupDirectoryBits));
  }
  await Promise.all(files.map(async ({ path: name, content, mode, uid }) => {
    const file = path.join(fresh, name);
    await fs.writeFile(file, content, { flag: 'wx', mode: 0o600 });
    if (gid !== undefined || uid !== undefined) await fs.lchown(file, uid ?? -1, gid ?? -1);
    await fs.chmod(file, mode);
  }));
}

async function linkNames(directory: string, files: readonly ContentFile[], fresh: string): Promise<void> {
  const wanted = new Set(files.map(({ path: name }) => name.split('/')[0] ?? name));
  const there = new Set(await fs.readdir(directory));
  for (const name of wanted) {
    if (!there.has(name)) await fs.symlink(`${dataLink}/${name}`, path.join(directory, name));
  }
  for (const name of there) {
    const old = path.join(directory, name);
    if (name.startsWith('..')) {
      if (name !== dataLink && name !== fresh) await fs.rm(old, { recursive: true, force: true });
    } else if (!wanted.has(name) && (await fs.readlink(old).catch(() => '')) === `${dataLink}/${name}`) {
      await fs.unlink(old);
    }
  }
}

async function isSame(directory: string, files: readonly ContentFile[]): Promise<boolean> {
  try {
    const there = await filesBelow(directory, '');
    if (there.length !== files.length) return false;
    const same = await Promise.all(files.map(async ({ path: name, content, mode }) => {
      const [found, status] = await Promise.all([fs.readFile(path.join(directory, name)), fs.lstat(path.join(directory, name))]);
      return (status.mode & 0o7777) === mode && found.equals(content);
    }));
    return same.every(Boolean);
  } catch {
    return false;
  }
}

async function filesBelow(directory: string, prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await fs.readdir(path.join(directory, prefix), { withFileTypes: true })) {
    const name = path.join(prefix, entry.name);
    if (entry.isDirectory()) found.push(...(await filesBelow(directory, name)));
    else found.push(name);
  }
  return found;
}
