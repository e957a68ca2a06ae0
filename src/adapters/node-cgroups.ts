// CgroupsPort on the machine's own tree. Making and setting is a handful of quick system calls, done at once; removing may wait for
// processes to end. No memory of what was done: it looks.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rmdir } from 'node:fs/promises';
import path from 'node:path';
import type { CgroupDriver, CgroupFault, CgroupLimits, CgroupsPort } from '../ports/cgroups-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { findHierarchies, type Hierarchies } from './cgroups/hierarchies.ts';
import { type LimitFile, limitFiles } from './cgroups/limit-files.ts';
import { checkSystemd, setSlice, stopSlice, type SystemdOptions, usualSystemd } from './cgroups/systemd-slices.ts';
import { errorCode } from './files/node-file-faults.ts';

type Answer<T> = Promise<Result<T, CgroupFault>>;

/** How often the processes of a cgroup are killed before it is left; kubelet's. */
const killRoundsMax = 5;
const killPauseMs = 20;
const cgroupMode = 0o755;

export interface NodeCgroupsOptions {
  /** Those of this machine where absent. */
  readonly hierarchies?: Hierarchies | undefined;
  readonly systemd?: SystemdOptions;
}

export class NodeCgroups implements CgroupsPort {
  readonly #hierarchies: Hierarchies | undefined;
  readonly #systemd: SystemdOptions;

  constructor(options: NodeCgroupsOptions = {}) {
    this.#hierarchies = 'hierarchies' in options ? options.hierarchies : findHierarchies(mountTable());
    this.#systemd = options.systemd ?? usualSystemd;
  }

  async check(driver: CgroupDriver, root: string): Answer<void> {
    const found = this.#found();
    if (!found.ok) return found;
    if (driver === 'systemd') return checkSystemd(this.#systemd);
    for (const controller of ['cpu', 'memory']) {
      const mount = found.value.controllers.get(controller);
      if (mount === undefined) return unsupported(`the cgroup controller ${controller} is not mounted`);
      const trial = path.join(existingPart(mount, root), `mqlet-trial-${process.pid}`);
      const tried = attempt(() => {
        mkdirSync(trial);
        rmdirSync(trial);
      });
      if (!tried.ok) return unsupported(tried.fault.message);
    }
    return ok();
  }

  async apply(cgroup: string, limits: CgroupLimits): Answer<void> {
    const found = this.#found();
    if (!found.ok) return found;
    const { version } = found.value;
    const files = limitFiles(limits, version);
    if (isSlice(cgroup)) {
      const set = await setSlice(path.basename(cgroup), limits, version, this.#systemd);
      // systemd has no word for huge pages.
      const rest = files.filter(({ controller }) => controller === 'hugetlb');
      return set.ok ? attempt(() => this.#write(found.value, cgroup, rest)) : set;
    }
    return attempt(() => this.#write(found.value, cgroup, files));
  }

  /** @throws what the file system throws */
  #write({ version, controllers }: Hierarchies, cgroup: string, files: readonly LimitFile[]): void {
    const made = new Map<string, 'new' | 'old'>();
    for (const controller of isSlice(cgroup) ? [] : ['cpu', 'memory', 'pids', 'hugetlb']) {
      const mount = controllers.get(controller);
      if (mount !== undefined && !made.has(mount)) made.set(mount, makeCgroup(mount, cgroup, version));
    }
    for (const { controller, name, text, isDefault } of files) {
      const mount = controllers.get(controller);
      if (mount === undefined || (isDefault && made.get(mount) === 'new')) continue;
      const file = path.join(mount, cgroup, name);
      // Not every kernel counts huge pages, of every size.
      if (controller === 'hugetlb' && !existsSync(file)) continue;
      writeFileSync(file, text);
    }
  }

  async exists(cgroup: string): Answer<boolean> {
    const found = this.#found();
    return found.ok ? ok(existsSync(path.join(main(found.value), cgroup))) : found;
  }

  async list(cgroup: string): Answer<readonly string[]> {
    const found = this.#found();
    if (!found.ok) return found;
    return ok((await directoriesIn(path.join(main(found.value), cgroup))).sort());
  }

  async processes(cgroup: string): Answer<readonly number[]> {
    const found = this.#found();
    return found.ok ? ok(await processesBelow(path.join(main(found.value), cgroup))) : found;
  }

  async memoryUsed(cgroup: string): Answer<number | undefined> {
    const found = this.#found();
    if (!found.ok) return found;
    const file = found.value.version === 1 ? 'memory.usage_in_bytes' : 'memory.current';
    const text = await readFile(path.join(main(found.value), cgroup, file), 'utf8').catch(() => '');
    return ok(/^\d+\s*$/.test(text) ? Number(text) : undefined);
  }

  async remove(cgroup: string, { processes }: { readonly processes: 'kill' | 'keep' }): Answer<void> {
    const found = this.#found();
    if (!found.ok) return found;
    for (let round = 0; ; round += 1) {
      const inside = await processesBelow(path.join(main(found.value), cgroup));
      if (inside.length === 0) break;
      if (processes === 'keep' || round === killRoundsMax) return fail({ kind: 'busy', message: `cgroup ${cgroup} still has processes: ${inside.slice(0, 5).join(', ')}` });
      for (const pid of inside) kill(pid);
      await new Promise((resolve) => { setTimeout(resolve, killPauseMs); });
    }
    if (isSlice(cgroup)) {
      const stopped = await stopSlice(path.basename(cgroup), this.#systemd);
      if (!stopped.ok) return stopped;
    }
    const resisting = (await Promise.all(found.value.all.map((mount) => removeTree(path.join(mount, cgroup))))).filter((problem) => problem !== undefined);
    return resisting[0] === undefined ? ok() : fail({ kind: 'busy', message: `cgroup ${cgroup} cannot be removed: ${resisting[0]}` });
  }

  #found(): Result<Hierarchies, CgroupFault> {
    return this.#hierarchies === undefined ? unsupported('no cgroups are mounted on this machine') : ok(this.#hierarchies);
  }
}

function mountTable(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

function unsupported(message: string): Result<never, CgroupFault> {
  return fail({ kind: 'unsupported', message });
}

/** The tree by which a cgroup is judged to be there. */
function main({ controllers, all }: Hierarchies): string {
  return controllers.get('memory') ?? all[0] ?? '/nonexistent';
}

function isSlice(cgroup: string): boolean {
  return cgroup.endsWith('.slice');
}

/** The deepest part of a path below a mount point that is there. */
function existingPart(mount: string, root: string): string {
  let place = path.join(mount, root);
  while (place !== mount && !existsSync(place)) place = path.dirname(place);
  return place;
}

/** With its parents; those of v2 hand their controllers down. @throws what the file system throws */
function makeCgroup(mount: string, cgroup: string, version: 1 | 2): 'new' | 'old' {
  const directory = path.join(mount, cgroup);
  if (existsSync(directory)) return 'old';
  const parent = path.dirname(cgroup);
  if (parent !== cgroup && !existsSync(path.join(mount, parent))) makeCgroup(mount, parent, version);
  if (version === 2) handDown(path.join(mount, parent));
  mkdirSync(directory, { mode: cgroupMode });
  return 'new';
}

function handDown(directory: string): void {
  const words = (file: string): readonly string[] => readFileSync(path.join(directory, file), 'utf8').split(/\s+/).filter((word) => word !== '');
  const enabled = new Set(words('cgroup.subtree_control'));
  const missing = words('cgroup.controllers').filter((controller) => !enabled.has(controller));
  if (missing.length > 0) writeFileSync(path.join(directory, 'cgroup.subtree_control'), missing.map((controller) => `+${controller}`).join(' '));
}

function attempt(act: () => void): Result<void, CgroupFault> {
  try {
    act();
    return ok();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    switch (errorCode(error)) {
      case 'EBUSY': return fail({ kind: 'busy', message });
      case 'EACCES':
      case 'EPERM':
      case 'EROFS': return fail({ kind: 'unsupported', message });
      default: return fail({ kind: 'failed', message });
    }
  }
}

async function directoriesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function processesBelow(directory: string): Promise<readonly number[]> {
  const own = await readFile(path.join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
  const below = await Promise.all((await directoriesIn(directory)).map((name) => processesBelow(path.join(directory, name))));
  return [...own.split('\n').filter((line) => line !== '').map(Number), ...below.flat()];
}

/** @returns why it is still there; undefined when it is gone */
async function removeTree(directory: string): Promise<string | undefined> {
  for (const name of await directoriesIn(directory)) await removeTree(path.join(directory, name));
  try {
    await rmdir(directory);
    return undefined;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? undefined : errorCode(error);
  }
}

function kill(pid: number): void {
  try {
    if (pid !== process.pid && pid > 1) process.kill(pid, 'SIGKILL');
  } catch {
    // It went by itself.
  }
}
