// Facts of the network configuration of pods: the files of a CNI directory as libcni reads them, programs, the NAT table.
import type { CniFacts, CniFile } from '../../ports/doctor-facts.ts';
import { runProgram } from './run-program.ts';
import type { SystemTree } from './system-tree.ts';

const confDirectoryDefault = '/etc/cni/net.d';
const binDirectoryDefault = '/opt/cni/bin';
/** What go-cni looks for, in this one order of names. */
const confNames = /\.(conf|conflist|json)$/;
const iptablesSecondsMax = '5';

export interface CniFactsOptions {
  readonly tree: SystemTree;
  readonly confDirectory: string | undefined;
  readonly binDirectories: readonly string[] | undefined;
  readonly environmentPath: string;
}

export async function readCniFacts(options: CniFactsOptions): Promise<CniFacts> {
  const { tree, confDirectory = confDirectoryDefault, binDirectories = [binDirectoryDefault], environmentPath } = options;
  const names = tree.names(confDirectory);
  const iptables = await natTable(tree, environmentPath);
  return {
    confDirectory,
    confDirectoryExists: names !== undefined,
    files: (names ?? []).filter((name) => confNames.test(name)).map((name) => readCniFile(name, tree.text(`${confDirectory}/${name}`))),
    binDirectories,
    programs: [...new Set(binDirectories.flatMap((directory) => (tree.names(directory) ?? []).filter((name) => tree.program(`${directory}/${name}`, '') !== undefined)))],
    iptables,
  };
}

/** @see https://www.cni.dev/docs/spec/#section-1-network-configuration-format */
function readCniFile(name: string, text: string | undefined): CniFile {
  const bad = (problem: string): CniFile => ({ name, network: '', plugins: [], problem });
  if (text === undefined) return bad('cannot be read');
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    return bad(`is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(content)) return bad('is no JSON object');
  const network = content['name'];
  if (typeof network !== 'string' || network === '') return bad('has no "name"');
  const list = name.endsWith('.conflist') ? content['plugins'] : [content];
  if (!Array.isArray(list) || list.length === 0) return bad('has no "plugins"');
  const plugins: string[] = [];
  for (const [index, plugin] of list.entries()) {
    const type: unknown = isRecord(plugin) ? plugin['type'] : undefined;
    if (typeof type !== 'string' || type === '') return bad(`${name.endsWith('.conflist') ? `plugins[${index}]` : 'it'} has no "type"`);
    plugins.push(type);
    const ipam: unknown = isRecord(plugin) ? plugin['ipam'] : undefined;
    if (isRecord(ipam) && typeof ipam['type'] === 'string') plugins.push(ipam['type']);
  }
  return { name, network, plugins };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function natTable(tree: SystemTree, environmentPath: string): Promise<NonNullable<CniFacts['iptables']>> {
  const program = tree.program('iptables', environmentPath);
  if (program === undefined) return { works: false, message: 'iptables is not installed' };
  const { code, complaint } = await runProgram(tree.at(program), ['-w', iptablesSecondsMax, '-t', 'nat', '-S', 'POSTROUTING']);
  return code === 0 ? { works: true, message: '' } : { works: false, message: `iptables -t nat does not work: ${complaint}` };
}
