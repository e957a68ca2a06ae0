// Removes everything a private containerd leaves on the host: containers, shims, mounts, network, cgroups, files.
// Works from the directory and the host alone, so it serves an orderly stop and the remains of a crash alike.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, readlink, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { runCommand, waitUntil } from './child-process.ts';
import type { ContainerdLayout } from './containerd-config.ts';
import { removeCgroups, removeNetwork, type HostBefore } from './host-leftovers.ts';

/** Containers deleted at once: each `runc delete` is a short burst of CPU. */
const deletionsAtOnce = 8;
/** Time a killed process may take to be gone. */
const deathMsMax = 5_000;

/**
 * Ends and removes all that belongs to this containerd, in the order that lets nothing come back.
 * @returns what could not be removed, one line each; empty when the host is clean. The log file is left in place.
 */
export async function removeLeftovers(layout: ContainerdLayout): Promise<readonly string[]> {
  if (!existsSync(layout.directory)) return [];
  const problems: string[] = [];
  const before = hostBefore(layout);
  const shimSockets = await socketsOfShims(layout);
  await killAll(await processesWith(layout, 'containerd'), problems);
  await deleteContainers(layout);
  await killAll(await processesWith(layout, 'shim'), problems);
  problems.push(...await unmountBelow(layout.directory));
  problems.push(...await removeNetwork({ layout, before }));
  await removeCgroups({ before, own: layout.cgroup });
  for (const socket of shimSockets) await rm(socket, { force: true });
  for (const directory of ['/run/containerd/s', '/run/containerd']) await rmdir(directory).catch(() => undefined);
  if (problems.length > 0) return problems;
  const cni = path.join(layout.directory, 'cni');
  for (const own of [layout.root, layout.state, cni, layout.configFile, layout.hostFile]) {
    await rm(own, { recursive: true, force: true }).catch((error: Error) => problems.push(error.message));
  }
  return problems;
}

/**
 * Unmounts everything below a directory, deepest first.
 * @returns the mounts that stayed; nothing below the directory may be deleted then, it could be somebody's data
 */
export async function unmountBelow(directory: string): Promise<readonly string[]> {
  const mounts = mountsBelow(directory).sort((left, right) => right.length - left.length);
  for (let start = 0; start < mounts.length; start += 100) {
    await runCommand('umount', ['--lazy', '--no-canonicalize', ...mounts.slice(start, start + 100)]);
  }
  return mountsBelow(directory).map((mount) => `still mounted: ${mount}`);
}

function mountsBelow(directory: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8))))
    .filter((mount) => mount.startsWith(`${directory}/`));
}

function hostBefore(layout: ContainerdLayout): HostBefore | undefined {
  try {
    // Our own file; a damaged one is treated as a missing one, which only leaves shared settings alone.
    return JSON.parse(readFileSync(layout.hostFile, 'utf8')) as HostBefore;
  } catch {
    return undefined;
  }
}

/** Processes by what their command line says: the daemon names our configuration file, a shim our socket. */
async function processesWith(layout: ContainerdLayout, kind: 'containerd' | 'shim'): Promise<readonly number[]> {
  const argument = kind === 'containerd' ? layout.configFile : layout.socket;
  const program = kind === 'containerd' ? /^containerd$/ : /^containerd-shim/;
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const words = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (program.test(path.basename(words[0] ?? '')) && words.includes(argument)) found.push(Number(name));
  }
  return found;
}

async function killAll(pids: readonly number[], problems: string[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It went by itself in the meantime.
    }
  }
  const gone = await waitUntil({
    timeoutMs: deathMsMax,
    everyMs: 10,
    ask: async () => {
      const alive = await Promise.all(pids.map(isAlive));
      return alive.includes(true) ? undefined : true;
    },
  });
  if (gone === undefined) problems.push(`processes do not die: ${pids.join(', ')}`);
}

/** A zombie has no executable any more: it holds nothing but its number. */
async function isAlive(pid: number): Promise<boolean> {
  return (await readlink(`/proc/${pid}/exe`).catch(() => undefined)) !== undefined;
}

async function deleteContainers(layout: ContainerdLayout): Promise<void> {
  const namespaces = await readdir(layout.runcRoot).catch(() => []);
  const waiting: (readonly string[])[] = [];
  for (const namespace of namespaces) {
    const root = path.join(layout.runcRoot, namespace);
    for (const id of await readdir(root).catch(() => [])) waiting.push(['--root', root, 'delete', '--force', id]);
  }
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await runCommand('runc', next);
  };
  await Promise.all(Array.from({ length: deletionsAtOnce }, worker));
}

/** A shim's socket lies in /run/containerd/s under a hash; a shim that was killed leaves it there. */
async function socketsOfShims(layout: ContainerdLayout): Promise<readonly string[]> {
  const tasks = path.join(layout.state, 'io.containerd.runtime.v2.task', 'k8s.io');
  const sockets: string[] = [];
  for (const id of await readdir(tasks).catch(() => [])) {
    const address = await readFile(path.join(tasks, id, 'address'), 'utf8').catch(() => '');
    sockets.push(address.trim().replace(/^unix:\/\//, ''));
    // Where the file is gone already: containerd's own rule for the name.
    const hash = createHash('sha256').update(path.join(layout.socket, 'k8s.io', id)).digest('hex');
    sockets.push(`/run/containerd/s/${hash}`);
  }
  return sockets.filter((socket) => socket.startsWith('/run/containerd/s/'));
}
