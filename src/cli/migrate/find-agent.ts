// Finds the other agent's command line: given, of a process, of a unit, or of the one kubelet that runs.
import { SystemTree } from '../../adapters/doctor/system-tree.ts';
import { agentOf, kindOf, type OtherAgent, readUnit } from '../../migrate/other-agent.ts';
import { Refusal } from '../refusal.ts';
import type { MigrateOptions } from './options.ts';

export interface FoundAgent {
  readonly agent: OtherAgent;
  /** Where it was found, for people. */
  readonly origin: string;
}

/** @throws Refusal */
export function findAgent({ pid, units, flags }: MigrateOptions): FoundAgent {
  const tree = new SystemTree();
  if (flags !== undefined) return { agent: agentOf(flags) ?? { kind: kindOf(flags), flags }, origin: 'the command line' };
  if (units.length > 0) return fromUnits(tree, units);
  return pid === undefined ? fromProcesses(tree) : fromProcess(tree, pid);
}

function fromUnits(tree: SystemTree, units: readonly string[]): FoundAgent {
  const texts = units.map((unit) => {
    const text = tree.text(unit);
    if (text === undefined) throw new Refusal(`${unit}: cannot be read`);
    return text;
  });
  const { words, missing } = readUnit(texts, (file) => tree.text(file));
  if (missing[0] !== undefined) throw new Refusal(`${units.join(', ')}: the environment file ${missing[0]} cannot be read`);
  const agent = agentOf(words);
  if (agent === undefined) throw new Refusal(`${units.join(', ')}: starts ${words[0] ?? 'nothing'}, which is no kubelet`);
  return { agent, origin: units.join(', ') };
}

function fromProcess(tree: SystemTree, pid: number): FoundAgent {
  const words = wordsOf(tree, String(pid));
  if (words.length === 0) throw new Refusal(`there is no process ${pid}, or it may not be read`);
  const agent = agentOf(words);
  if (agent === undefined) throw new Refusal(`process ${pid} is ${words[0] ?? ''}, which is no kubelet`);
  return { agent, origin: `process ${pid}` };
}

function fromProcesses(tree: SystemTree): FoundAgent {
  const found = (tree.names('/proc') ?? []).filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    const agent = agentOf(wordsOf(tree, name));
    return agent === undefined ? [] : [{ agent, origin: `process ${name}` }];
  });
  const [first, second] = found;
  if (first === undefined) throw new Refusal('no kubelet runs here: name its unit with --unit FILE, or give its flags behind --');
  if (second !== undefined) throw new Refusal(`several kubelets run here (${found.map(({ origin }) => origin).join(', ')}): choose one with --pid`);
  return first;
}

function wordsOf(tree: SystemTree, pid: string): readonly string[] {
  // The last argument ends in a zero byte too.
  return (tree.text(`/proc/${pid}/cmdline`) ?? '').replace(/\0+$/, '').split('\0').filter((word, index) => index > 0 || word !== '');
}
