// Facts of who else is on the machine: processes of other agents, ports in use, units of systemd. Disturbs nobody.
import net from 'node:net';
import path from 'node:path';
import type { NeighbourFacts, ServiceFacts } from '../../ports/doctor-facts.ts';
import { errorCode } from '../files/node-file-faults.ts';
import { runProgram } from './run-program.ts';
import type { SystemTree } from './system-tree.ts';

const commandLengthMax = 120;
const endpointFlag = '--container-runtime-endpoint';
const endpointDefault = 'unix:///run/containerd/containerd.sock';
const endpointOfK3s = 'unix:///run/k3s/containerd/containerd.sock';

/** An agent as a process: what it was started with. */
interface AgentProcess {
  readonly processId: number;
  readonly program: string;
  readonly words: readonly string[];
}

/** @param own.rootDir of ours: the mqlet of this directory is no neighbour */
export function readAgents(tree: SystemTree, own: { readonly endpoint: string; readonly rootDir: string }): NeighbourFacts['agents'] {
  return processesOf(tree).filter((found) => sharesRuntime(found, own.endpoint) && !(found.program === 'mqlet' && rootDirOf(found.words) === own.rootDir))
    .map(({ processId, program, words }) => ({ processId, program, command: shownCommand(words).slice(0, commandLengthMax) }));
}

/** The program, what it is told to be, and the names of its flags: a value may be a secret. */
function shownCommand(words: readonly string[]): string {
  return words.flatMap((word, index) => (index < 2 && !word.startsWith('-') ? [word] : (/^(?:--[a-z0-9][a-z0-9.-]*|-[a-z])/i.exec(word)?.slice(0, 1) ?? []))).join(' ');
}

function processesOf(tree: SystemTree): readonly AgentProcess[] {
  return (tree.names('/proc') ?? []).filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    const words = (tree.text(`/proc/${name}/cmdline`) ?? '').split('\0').filter((word) => word !== '');
    const program = agentName(words);
    return program === undefined ? [] : [{ processId: Number(name), program, words }];
  });
}

function agentName(words: readonly string[]): string | undefined {
  const first = path.basename(words[0] ?? '');
  if (first === 'kubelet' || first === 'lite-kubelet' || first === 'kubelite') return first;
  if (first === 'k3s' && (words[1] === 'server' || words[1] === 'agent')) return first;
  return first.startsWith('node') && words.some((word) => /(^|\/)dist\/agent\.cjs$/.test(word)) ? 'mqlet' : undefined;
}

function sharesRuntime({ program, words }: AgentProcess, endpoint: string): boolean {
  // Its runtime is set elsewhere; the pods' ports, cgroups and labels are the same in any case.
  if (program === 'lite-kubelet' || program === 'kubelite') return true;
  const theirs = flagOf(words, endpointFlag) ?? (program === 'k3s' ? endpointOfK3s : endpointDefault);
  return plainPath(theirs) === plainPath(endpoint);
}

function rootDirOf(words: readonly string[]): string {
  return flagOf(words, '--root-dir') ?? '/var/lib/mqlet';
}

function flagOf(words: readonly string[], flag: string): string | undefined {
  const at = words.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const word = words[at];
  return word === undefined ? undefined : word === flag ? words[at + 1] : word.slice(flag.length + 1);
}

function plainPath(endpoint: string): string {
  return endpoint.replace(/^unix:\/\//, '').replace(/^\/var\/run\//, '/run/');
}

export interface WantedPort {
  readonly setting: string;
  readonly host: string;
  readonly port: number;
}

export async function portsTaken(wanted: readonly WantedPort[]): Promise<NeighbourFacts['portsTaken']> {
  const taken = await Promise.all(wanted.map(async (one) => ({ one, taken: await isTaken(one) })));
  return taken.filter((each) => each.taken).map(({ one: { setting, host, port } }) => ({ setting, address: `${host}:${port}` }));
}

function isTaken({ host, port }: WantedPort): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error) => resolve(errorCode(error) === 'EADDRINUSE'));
    server.listen({ host, port }, () => server.close(() => resolve(false)));
  });
}

/** @returns undefined where systemd does not run */
export async function readServices(tree: SystemTree, endpoint: string, environmentPath: string): Promise<readonly ServiceFacts[] | undefined> {
  if (!tree.exists('/run/systemd/system')) return undefined;
  const program = tree.program('systemctl', environmentPath);
  if (program === undefined) return undefined;
  const units: readonly (readonly [string, ServiceFacts['role']])[] = [['mqlet.service', 'agent'], ...runtimeUnit(endpoint).map((unit) => [unit, 'runtime'] as const)];
  const shown = await Promise.all(units.map(async ([unit, role]) => {
    const { code, output } = await runProgram(tree.at(program), ['show', '--property=LoadState,ActiveState,Result,UnitFileState', unit]);
    const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(output)?.[1] ?? '';
    return code === 0 ? { unit, role, load: value('LoadState'), active: value('ActiveState'), result: value('Result'), enabled: value('UnitFileState') } : undefined;
  }));
  return shown.filter((one) => one !== undefined);
}

/** A runtime on a socket of its own is nobody's unit that we know. */
function runtimeUnit(endpoint: string): readonly string[] {
  switch (plainPath(endpoint)) {
    case '/run/containerd/containerd.sock': return ['containerd.service'];
    case '/run/crio/crio.sock': return ['crio.service'];
    default: return [];
  }
}
