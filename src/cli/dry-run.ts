// `mqlet apply --dry-run`: what the node would make of a manifest, on paper. Speaks to no daemon and changes nothing.
import { stringify } from 'yaml';
import { judgeManifest, type JudgedPod, nodeHere } from '../daemon/judge-manifest.ts';
import { inputFaultLine } from '../ports/faults.ts';
import { readManifest } from './apply-delete.ts';
import type { VerbOptions } from './options.ts';
import { exitRefused, wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

const rootDirectoryDefault = '/var/lib/mqlet';

/** @throws Refusal */
export async function runDryRun(options: VerbOptions, terminal: Terminal): Promise<number> {
  if (options.output === 'wide') throw wrongUsage('a dry run prints -o yaml or -o json');
  const node = await nodeHere({
    nodeName: options.nodeName ?? terminal.environment['MQLET_NODE_NAME'],
    rootDirectory: options.rootDir ?? terminal.environment['MQLET_ROOT_DIR'] ?? rootDirectoryDefault,
  });
  const pods: JudgedPod[] = [];
  let failed = false;
  for (const file of options.files) {
    const judged = judgeManifest(await readManifest(file, terminal), file === '-' ? 'standard input' : file, node, options);
    pods.push(...judged.pods);
    for (const fault of judged.faults) terminal.complain(`${fault.severity}: ${inputFaultLine(fault)}`);
    failed ||= judged.faults.some(({ severity }) => severity === 'error');
  }
  const shown = pods.map(({ pod, requests }) => (options.explain ? { pod, runtime: requests } : pod));
  terminal.print(options.output === 'json' ? jsonText(shown) : shown.map(yamlText).join('---\n'));
  return failed ? exitRefused : 0;
}

/** One object as itself, several as a List. */
function jsonText(shown: readonly object[]): string {
  if (shown.length === 0) return '';
  return `${JSON.stringify(shown.length === 1 ? shown[0] : { apiVersion: 'v1', kind: 'List', items: shown }, null, 2)}\n`;
}

function yamlText(shown: object): string {
  return stringify(shown, { aliasDuplicateObjects: false, lineWidth: 0 });
}
