// The one directory a demo lives in, and what an earlier demo that was killed left in its own.
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import { unmountBelow } from './containerd-leftovers.ts';
import { removeHostPods } from './demo-containerd.ts';
import { removeImages } from './demo-images.ts';
import type { BuiltImage } from './oci-archive.ts';
import { cleanUpPrivateContainerd } from './private-containerd.ts';

const prefix = 'mqlet-demo-';
/** Socket paths are short; a long TMPDIR would not leave room for them. */
const baseCharsMax = 40;

export interface DemoDirectory {
  readonly base: string;
  readonly broker: string;
  /** Of the Kubernetes API: its store, identities, kubeconfigs. */
  readonly cloud: string;
  readonly containerd: string;
  readonly node: string;
  readonly manifests: string;
  readonly podLogs: string;
  readonly agentLog: string;
  readonly demoLog: string;
  /** Who lives here: process, and the runtime in use. */
  readonly ownerFile: string;
}

interface Owner {
  readonly pid: number;
  /** Start of the process in clock ticks since boot: tells it from a later process of the same number. */
  readonly startedTicks: string;
  readonly runtime?: RuntimeInUse;
}

/** What a later demo must know to remove ours from a containerd of the host. */
export interface RuntimeInUse {
  readonly kind: 'private' | 'host';
  readonly endpoint: string;
  readonly broughtImages: readonly BuiltImage[];
}

export function layOut(base: string): DemoDirectory {
  const at = (name: string): string => path.join(base, name);
  return {
    base, broker: at('broker'), cloud: at('cloud'), containerd: at('c'), node: at('node'), manifests: at('manifests'), podLogs: at('pods'),
    agentLog: at('agent.log'), demoLog: at('demo.log'), ownerFile: at('owner.json'),
  };
}

export async function makeDemoDirectory(): Promise<DemoDirectory> {
  const places = layOut(await mkdtemp(path.join(temporaryBase(), prefix)));
  for (const directory of [places.broker, places.cloud, places.containerd, places.node, places.manifests, places.podLogs]) {
    await mkdir(directory, { mode: 0o700 });
  }
  await nameOwner(places);
  return places;
}

/** Notes the runtime in use, so that a later demo can remove our pods from it should we be killed. */
export async function nameOwner(places: DemoDirectory, inUse?: RuntimeInUse): Promise<void> {
  const owner: Owner = { pid: process.pid, startedTicks: startedTicks(process.pid), ...(inUse === undefined ? {} : { runtime: inUse }) };
  await writeFile(places.ownerFile, JSON.stringify(owner));
}

/**
 * Removes the directory, but for the logs when they are to be kept.
 * @returns what stayed against our will, one line each; nothing is deleted where a mount could not be removed
 */
export async function removeDemoDirectory(places: DemoDirectory, options: { readonly keepLogs: boolean }): Promise<readonly string[]> {
  const mounted = await unmountBelow(places.base);
  if (mounted.length > 0) return mounted;
  const goes = options.keepLogs ? [places.node, places.manifests, places.cloud, places.ownerFile] : [places.base];
  for (const name of goes) await rm(name, { recursive: true, force: true });
  return [];
}

/** Removes the remains of demos whose process is gone. @returns one line for each demo removed */
export async function removeEarlierDemos(deps: { readonly clock: ClockPort; readonly log: LogPort }): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const name of await readdir(temporaryBase()).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const places = layOut(path.join(temporaryBase(), name));
    const owner = await readOwner(places.ownerFile);
    // Without an owner file it is a directory of logs that were kept on purpose.
    if (owner === undefined || startedTicks(owner.pid) === owner.startedTicks) continue;
    const problems = await removeRemains(places, owner, deps);
    lines.push(problems.length === 0 ? `removed the remains of an earlier demo in ${places.base}` : `${places.base}: ${problems.join('; ')}`);
  }
  return lines;
}

async function removeRemains(places: DemoDirectory, owner: Owner, deps: { readonly clock: ClockPort; readonly log: LogPort }): Promise<readonly string[]> {
  killProcessesNaming(`${places.base}/`, /^(mosquitto|node|mqlet|sh)$/);
  if (owner.runtime?.kind === 'host') {
    await removeHostPods({ endpoint: owner.runtime.endpoint, podsDirectory: path.join(places.node, 'pods'), ...deps });
    await removeImages(owner.runtime.endpoint, owner.runtime.broughtImages);
  }
  const problems = await cleanUpPrivateContainerd(places.containerd);
  return problems.length > 0 ? problems : removeDemoDirectory(places, { keepLogs: false });
}

/** The broker and the agent of a demo have its directory in their command lines. */
function killProcessesNaming(directory: string, program: RegExp): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (program.test(path.basename(words[0] ?? '')) && words.some((word) => word.startsWith(directory))) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Processes come and go while we look.
    }
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    // Only we write this file, and whole; a half-written one is no JSON.
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/PID/stat, counted from behind the program's name, which may hold blanks; empty for a process that is gone. */
function startedTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function temporaryBase(): string {
  return tmpdir().length <= baseCharsMax ? tmpdir() : '/tmp';
}
