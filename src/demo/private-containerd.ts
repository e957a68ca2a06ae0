// A containerd of our own as a child process: own directories, socket and network, nothing of the host's is touched.
// Used by the demo, the benchmarks and the tests against a real runtime.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LogPort } from '../ports/log-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { logTail, runCommand, startLongRunning, waitUntil, type LongRunning } from './child-process.ts';
import { cniNetwork, containerdConfig, containerdLayout, freeSubnet, socketPathBytesMax, type ContainerdLayout } from './containerd-config.ts';
import { removeLeftovers } from './containerd-leftovers.ts';
import { criProblem } from './cri-probe.ts';
import { pauseImage } from './demo-images.ts';
import { lookAtHost } from './host-leftovers.ts';
import type { PartFault } from './part-fault.ts';

/** From the start of the process to the first CRI answer. */
const readyMsMax = 20_000;
/** Time for an orderly end; shims and containers outlive it either way. */
const endGraceMs = 5_000;
const tailLines = 15;

const cniBinDirectories = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];
const cniPlugins = ['bridge', 'host-local', 'portmap', 'loopback'];

export interface PrivateContainerd extends Stoppable {
  /** `unix:///…`, for any CRI client. */
  readonly endpoint: string;
  /** `overlayfs`, or `native` where the file system cannot carry an overlay. */
  readonly snapshotter: string;
  readonly logPath: string;
  /** For `--cgroup-root` of its agent; removed with it. */
  readonly cgroupRoot: string;
  /** Of the daemon now running; changes with `restart`. */
  readonly pid: number;
  /** Removes everything but the log file: containers, shims, mounts, network, directories. Rejects with what it could not remove. */
  stop(): Promise<void>;
  /** Ends the daemon alone and starts it again: shims and containers go on meanwhile, as with a host's containerd. */
  restart(options?: { readonly signal?: 'SIGTERM' | 'SIGKILL' }): Promise<Result<void, PartFault>>;
}

/**
 * Starts containerd and waits until CRI answers.
 * @param options.directory short and ours alone; made when missing. What an earlier crash left in it is removed first
 */
export async function startPrivateContainerd(options: {
  readonly directory: string;
  readonly log: LogPort;
}): Promise<Result<PrivateContainerd, PartFault>> {
  const layout = containerdLayout(path.resolve(options.directory));
  const reason = await missingOnHost(layout);
  if (reason !== undefined) return fail(fault(reason));
  await mkdir(layout.directory, { recursive: true, mode: 0o700 });
  const leftovers = await removeLeftovers(layout);
  if (leftovers.length > 0) return fail(fault(`cannot remove the remains of an earlier run: ${leftovers.join('; ')}`));
  const snapshotter = await prepare(layout);
  const daemon = await startDaemon(layout);
  if (!daemon.ok) {
    await removeLeftovers(layout);
    return daemon;
  }
  options.log.info('containerd.started', { pid: daemon.value.pid, socket: layout.socket, snapshotter });
  return ok(handle({ layout, log: options.log, snapshotter, daemon: daemon.value }));
}

/** Removes what a private containerd left in a directory, whoever started it. For the remains of a crash. */
export async function cleanUpPrivateContainerd(directory: string): Promise<readonly string[]> {
  return removeLeftovers(containerdLayout(path.resolve(directory)));
}

/** Why a private containerd cannot run on this host; undefined when it can. */
export async function privateContainerdProblem(directory: string): Promise<string | undefined> {
  return missingOnHost(containerdLayout(path.resolve(directory)));
}

function handle(parts: {
  readonly layout: ContainerdLayout;
  readonly log: LogPort;
  readonly snapshotter: string;
  readonly daemon: LongRunning;
}): PrivateContainerd {
  const { layout, log, snapshotter } = parts;
  let daemon = parts.daemon;
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await daemon.end({ graceMs: endGraceMs });
    const problems = await removeLeftovers(layout);
    if (problems.length > 0) throw new Error(`the private containerd in ${layout.directory} left behind: ${problems.join('; ')}`);
    log.info('containerd.stopped', { directory: layout.directory });
  };
  return {
    endpoint: `unix://${layout.socket}`,
    snapshotter,
    logPath: layout.logFile,
    cgroupRoot: layout.cgroup,
    get pid() {
      return daemon.pid;
    },
    stop: () => (stopping ??= stop()),
    restart: async ({ signal = 'SIGTERM' } = {}) => {
      await daemon.end({ graceMs: signal === 'SIGTERM' ? endGraceMs : 0 });
      const started = await startDaemon(layout);
      if (!started.ok) return started;
      daemon = started.value;
      log.info('containerd.restarted', { pid: daemon.pid });
      return ok();
    },
  };
}

async function missingOnHost(layout: ContainerdLayout): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'containerd needs Linux';
  if (process.getuid?.() !== 0) return 'containerd needs root: run as root or with sudo';
  if (Buffer.byteLength(layout.socket) > socketPathBytesMax) {
    return `the directory's name is too long for a unix socket (${layout.socket}): take a shorter one`;
  }
  for (const [program, packageName] of [
    ['containerd', 'containerd'], ['ctr', 'containerd'], ['runc', 'runc'], ['iptables', 'iptables'], ['ip', 'iproute2'],
  ] as const) {
    if (!onPath(program)) return `${program} is not installed: apt-get install ${packageName}`;
  }
  if (cniBinDirectory() === undefined) {
    return `the CNI plugins ${cniPlugins.join(', ')} are in none of ${cniBinDirectories.join(', ')}: apt-get install containernetworking-plugins`;
  }
  return undefined;
}

function onPath(program: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return directories.some((directory) => existsSync(path.join(directory, program)));
}

function cniBinDirectory(): string | undefined {
  return cniBinDirectories.find((directory) => cniPlugins.every((plugin) => existsSync(path.join(directory, plugin))));
}

/** Writes what the daemon reads. @returns the snapshotter that works in this directory */
async function prepare(layout: ContainerdLayout): Promise<string> {
  await writeFile(layout.hostFile, JSON.stringify(await lookAtHost()));
  for (const directory of [layout.root, layout.state, layout.cniConfDirectory, layout.cniDataDirectory]) {
    await mkdir(directory, { recursive: true, mode: 0o711 });
  }
  const snapshotter = await overlayWorks(layout.root) ? 'overlayfs' : 'native';
  await writeFile(path.join(layout.cniConfDirectory, '10-mqlet.conflist'), cniNetwork({ layout, subnet: freeSubnet(layout.directory) }));
  await writeFile(layout.configFile, containerdConfig({
    layout, snapshotter, cniBinDirectory: cniBinDirectory() ?? '', sandboxImage: pauseImage,
  }));
  return snapshotter;
}

/** An overlay on an overlay (a container's own root) is refused by the kernel: try it. */
async function overlayWorks(directory: string): Promise<boolean> {
  const base = path.join(directory, 'overlay-trial');
  const at = (name: string): string => path.join(base, name);
  const [lower, upper, work, merged] = [at('lower'), at('upper'), at('work'), at('merged')];
  for (const made of [lower, upper, work, merged]) await mkdir(made, { recursive: true });
  const mounted = await runCommand('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, merged]);
  if (mounted.code !== 0) return false;
  await runCommand('umount', [merged]);
  return true;
}

async function startDaemon(layout: ContainerdLayout): Promise<Result<LongRunning, PartFault>> {
  const daemon = startLongRunning({ program: 'containerd', args: ['--config', layout.configFile], logPath: layout.logFile });
  let problem = 'no answer';
  const ready = await waitUntil({
    timeoutMs: readyMsMax,
    everyMs: 25,
    stillPossible: daemon.running,
    ask: async () => {
      if (!existsSync(layout.socket)) return undefined;
      const answer = await criProblem(`unix://${layout.socket}`);
      if (answer !== undefined) problem = answer;
      return answer === undefined ? true : undefined;
    },
  });
  if (ready === true) return ok(daemon);
  const ended = daemon.running() ? `CRI is not ready after ${readyMsMax / 1000} s: ${problem}` : `containerd ended at once: ${await daemon.exited}`;
  await daemon.end({ graceMs: endGraceMs });
  return fail(fault(ended, logTail(layout.logFile, tailLines)));
}

function fault(message: string, tail: readonly string[] = []): PartFault {
  return { part: 'containerd', message, tail };
}
