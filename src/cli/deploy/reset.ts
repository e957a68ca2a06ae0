// `mqlet reset`: ends all pods of this node, with what they have on it. For whoever takes mqlet off a machine; the daemon must not run.
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { readSettingsFile } from '../../adapters/settings-file.ts';
import { type Config, parseConfig } from '../../config.ts';
import { takeDown } from '../../daemon/take-down.ts';
import { containerLinksDirectory } from '../../machines/decide/container-logs.ts';
import type { LogPort } from '../../ports/log-port.ts';
import { exitUsage, Refusal } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { otherAgents } from './other-agents.ts';

const help = `Usage: mqlet reset [--all] [--force] [--grace-period SECONDS] [flags of mqlet run]

Ends every pod of this node as the flags of mqlet run name it (--config, --root-dir, --container-runtime-endpoint): containers,
sandboxes, volumes, logs and cgroups. Images stay. The daemon must not run.

      --all                    remove the root directory too: what is remembered of the cloud, pods that were applied, events on their way
      --force                  also where mqlet never ran, or another node agent runs: every pod of the runtime goes, whosever it is
      --grace-period SECONDS   no container gets more, whatever its pod says; default: 30
`;

const graceSecondsDefault = 30;
const connectMsMax = 2_000;

/** @throws Refusal */
export async function runReset(argv: readonly string[], terminal: Terminal): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    terminal.print(help);
    return 0;
  }
  const { all, force, graceMsMax, rest } = wordsOf(argv);
  const parsed = parseConfig(rest, terminal.environment, readSettingsFile);
  if (parsed.kind !== 'config') throw new Refusal(parsed.kind === 'faults' ? parsed.faults.join('\n') : 'see mqlet reset --help', exitUsage);
  if (mayEndPods(parsed.config, { force, terminal })) await endPods(parsed.config, { graceMsMax, terminal });
  if (all) removeState(parsed.config.rootDir);
  return 0;
}

function wordsOf(argv: readonly string[]): { readonly all: boolean; readonly force: boolean; readonly graceMsMax: number; readonly rest: readonly string[] } {
  const rest: string[] = [];
  let all = false;
  let force = false;
  let seconds = String(graceSecondsDefault);
  const waiting = [...argv];
  for (let word = waiting.shift(); word !== undefined; word = waiting.shift()) {
    if (word === '--all') all = true;
    else if (word === '--force') force = true;
    else if (word === '--grace-period') seconds = waiting.shift() ?? '';
    else if (word.startsWith('--grace-period=')) seconds = word.slice('--grace-period='.length);
    else rest.push(word);
  }
  if (!/^\d{1,5}$/.test(seconds)) throw new Refusal(`--grace-period must be whole seconds, not "${seconds}"`, exitUsage);
  return { all, force, graceMsMax: Number(seconds) * 1_000, rest };
}

/**
 * Pods in the runtime do not say whose they are. Where mqlet never ran none is its own.
 * @param options.procDirectory where processes are listed
 * @returns whether there may be pods of ours
 * @throws Refusal where another agent runs, whose pods they may be
 */
export function mayEndPods(
  { rootDir }: Pick<Config, 'rootDir'>,
  { force, terminal, procDirectory }: { readonly force: boolean; readonly terminal: Pick<Terminal, 'print'>; readonly procDirectory?: string },
): boolean {
  if (force) return true;
  if (!existsSync(rootDir)) {
    terminal.print(`mqlet never ran here: there is no ${rootDir}; no pods are ended\n`);
    return false;
  }
  const [other] = otherAgents(procDirectory);
  if (other === undefined) return true;
  throw new Refusal(`${other.name} runs here (process ${other.pid}), and the runtime's pods may be its own: none was ended. Stop it first; --force ends them all the same`);
}

/** @throws Refusal when the daemon runs, or something resists */
export async function endPods(config: Config, { graceMsMax, terminal }: { readonly graceMsMax: number; readonly terminal: Terminal }): Promise<void> {
  if (await answers(config.adminSocket)) throw new Refusal(`mqlet run still runs (${config.adminSocket} answers): stop it first`);
  const ended = await takeDown({ config, graceMsMax, log: saying(terminal) });
  if (!ended.ok) throw new Refusal(ended.fault);
  removeDeadLinks(config.podLogsDir);
  removeIfEmpty(config.podLogsDir);
  terminal.print(`${ended.value} pods ended\n`);
}

/** What is worth a line for a person. */
function saying(terminal: Terminal): LogPort {
  const quiet = () => undefined;
  const say: LogPort['warn'] = (event, fields) => {
    if (event === 'pod.orphan') terminal.print(`ending pod ${String(fields?.['pod'] ?? fields?.['podUid'])}\n`);
    else terminal.complain(`${event}: ${JSON.stringify(fields ?? {})}`);
  };
  return { debug: quiet, info: quiet, warn: say, error: say };
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection({ path: socket, timeout: connectMsMax });
    const settle = (answer: boolean) => {
      connection.destroy();
      resolve(answer);
    };
    connection.once('connect', () => settle(true)).once('error', () => settle(false)).once('timeout', () => settle(false));
  });
}

/** Links of containers' logs that lead to pods' logs that are no more. */
function removeDeadLinks(podLogsDirectory: string): void {
  const directory = containerLinksDirectory(podLogsDirectory);
  for (const name of namesIn(directory)) {
    const link = path.join(directory, name);
    if (!lstatSync(link).isSymbolicLink()) continue;
    const target = readlinkSync(link);
    if (target.startsWith(`${podLogsDirectory}/`) && namesIn(path.dirname(target)).length === 0) unlinkSync(link);
  }
  removeIfEmpty(directory);
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Others have something in it, or it is not there.
  }
}

/** @throws Refusal where something is mounted below: removing would reach into what is mounted */
export function removeState(rootDirectory: string): void {
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4] ?? '').find((point) => point.startsWith(`${rootDirectory}/`));
  if (mounted !== undefined) throw new Refusal(`${mounted} is mounted: pods still have volumes there; end them first`);
  for (const name of namesIn(rootDirectory)) rmSync(path.join(rootDirectory, name), { recursive: true, force: true });
  // A mount point of the machine stays.
  removeIfEmpty(rootDirectory);
}
