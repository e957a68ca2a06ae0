// `mqlet support-bundle`: what somebody far away needs to see of a node, in one file: findings, state, log, settings. Values of secrets
// are taken out, and what could not be had is named. It changes nothing on the node.
import { chmodSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { examine } from '../../doctor/examine.ts';
import { reportJson, reportText } from '../../doctor/report.ts';
import { tar } from '../../demo/oci-archive.ts';
import { lookAround } from '../doctor/doctor.ts';
import { Refusal, wrongUsage } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { gatherPapers } from './papers.ts';
import { secretsOfNode } from './secrets.ts';

const folder = 'mqlet-support';
const recordingFlag = '--with-recording';
/** It tells much of a machine: nobody else's. */
const mode = 0o600;

export const supportBundleHelp = `Usage: mqlet support-bundle [--output FILE] [--no-broker] [--with-recording] [flags of mqlet run]

Packs into one .tar.gz what mqlet doctor finds, the node's pods, events and metrics, the service's log and the settings. Values of secrets this
node knows and of environment variables are taken out; look into it before you give it away.

      --output FILE   default: mqlet-support-NODE.tar.gz in this directory
      --no-broker     do not speak to the broker
      --with-recording  the newest part of the file of --record too: values of environment variables stay in it
`;

/** @param argv what was typed after `mqlet support-bundle` */
export async function runSupportBundle(argv: readonly string[], terminal: Terminal, options: { readonly systemRoot?: string } = {}): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    terminal.print(supportBundleHelp);
    return 0;
  }
  const withRecording = argv.includes(recordingFlag);
  const { output, rest } = outputOf(argv.filter((word) => word !== recordingFlag));
  const looked = await lookAround(rest, terminal, options);
  if (looked === 'help') throw wrongUsage('see mqlet support-bundle --help');
  const { facts, config, configFile } = looked;
  const findings = examine(facts);
  const mask = await secretsOfNode(config);
  const { papers, missing } = await gatherPapers({ config, configFile, environmentPath: terminal.environment['PATH'] ?? '', mask, withRecording });
  const about = [
    `Of the node ${facts.names.nodeName}, made at ${new Date(terminal.nowMs()).toISOString()}.`, `Values of secrets this node knows and of environment variables are taken out${withRecording ? '; recording.jsonl still holds those of environment variables' : ''}.`, '',
    ...missing.map((line) => `left out: ${line}`), '',
  ];
  const texts = [{ name: 'README.txt', text: about.join('\n') }, { name: 'doctor.txt', text: reportText(findings) }, { name: 'doctor.json', text: reportJson(findings) }, ...papers];
  const file = output ?? `mqlet-support-${facts.names.nodeName}.tar.gz`;
  const bytes = gzipSync(tar(texts.map(({ name, text }) => ({ kind: 'file', path: `${folder}/${name}`, mode, content: mask.text(text) }))));
  try {
    writeFileSync(file, bytes, { mode });
    // A file that was there keeps its mode otherwise.
    chmodSync(file, mode);
  } catch (error) {
    throw new Refusal(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  terminal.print(`${file}: ${texts.length} files, ${Math.ceil(bytes.length / 1_024)} KiB\n${missing.map((line) => `  left out: ${line}\n`).join('')}`);
  return 0;
}

function outputOf(argv: readonly string[]): { readonly output: string | undefined; readonly rest: readonly string[] } {
  const at = argv.findIndex((word) => word === '--output' || word.startsWith('--output='));
  const word = argv[at];
  if (word === undefined) return { output: undefined, rest: argv };
  const apart = word === '--output';
  const output = apart ? argv[at + 1] : word.slice('--output='.length);
  if (output === undefined || output === '') throw wrongUsage('--output needs the path of a file');
  return { output, rest: argv.filter((_, index) => index !== at && !(apart && index === at + 1)) };
}
