// `mqlet doctor`: what stands between this machine and a node that works, each with what was found, what is needed and the mend.
import { statSync } from 'node:fs';
import { readSettingsFile } from '../../adapters/settings-file.ts';
import { type Config, parseConfig } from '../../config.ts';
import { examine } from '../../doctor/examine.ts';
import { isGood, reportJson, reportText } from '../../doctor/report.ts';
import type { DoctorFacts } from '../../ports/doctor-facts.ts';
import { exitRefused } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { builtAtMs, gatherFacts } from './gather.ts';

/** Where the packages put it; read when no other is named. */
const usualConfigFile = '/etc/mqlet/config.yaml';

export const doctorHelp = `Usage: mqlet doctor [--json] [--no-broker] [flags of mqlet run]

  --json                       findings for programs: {good, findings: [{check, title, outcome, found, needed, mend}]}
  --no-broker                  do not speak to the broker
  --config FILE, …             as mqlet run gets them; without --config ${usualConfigFile} is read where it is there

Looks at the machine, the container runtime, the network of pods, disks, other agents and the way to the broker, and changes nothing.
While the node does not run, it logs in at the broker under the node's name for some seconds.
Exit codes: 0 nothing stands in the way, 1 there are faults, 2 wrong usage.
`;

/** @param argv what was typed after `mqlet doctor` */
export async function runDoctor(argv: readonly string[], terminal: Terminal, options: { readonly systemRoot?: string } = {}): Promise<number> {
  const looked = await lookAround(argv.filter((word) => word !== '--json'), terminal, options);
  if (looked === 'help') {
    terminal.print(doctorHelp);
    return 0;
  }
  const findings = examine(looked.facts);
  terminal.print(argv.includes('--json') ? reportJson(findings) : reportText(findings));
  return isGood(findings) ? 0 : exitRefused;
}

export interface LookedAround {
  readonly facts: DoctorFacts;
  /** Where settings are wrong, what the good ones come to. Holds secrets. */
  readonly config: Config;
  readonly configFile: string | undefined;
}

/** @param argv flags of mqlet run, and --no-broker */
export async function lookAround(argv: readonly string[], terminal: Pick<Terminal, 'environment'>, options: { readonly systemRoot?: string } = {}): Promise<LookedAround | 'help'> {
  const flags = withConfigFile(argv.filter((word) => word !== '--no-broker'));
  const parsed = parseConfig(flags, terminal.environment, readSettingsFile);
  if (parsed.kind === 'help') return 'help';
  const configFile = fileOf(flags);
  const config = parsed.kind === 'config' ? parsed.config : parsed.rest;
  const facts = await gatherFacts({
    config,
    settings: {
      ...(configFile === undefined ? {} : { file: configFile }), faults: parsed.kind === 'faults' ? parsed.faults : [], warnings: parsed.kind === 'config' ? parsed.warnings : [],
    },
    secretFiles: configFile !== undefined && holdsSecret(configFile) ? [{ setting: '--config', path: configFile }] : [],
    broker: !argv.includes('--no-broker'),
    environmentPath: terminal.environment['PATH'] ?? '',
    builtAtMs: builtAtMs(process.argv[1] ?? '', (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs),
    ...options,
  });
  return { facts, config, configFile };
}

function withConfigFile(flags: readonly string[]): readonly string[] {
  return fileOf(flags) === undefined && statSync(usualConfigFile, { throwIfNoEntry: false }) !== undefined ? ['--config', usualConfigFile, ...flags] : flags;
}

function fileOf(flags: readonly string[]): string | undefined {
  const at = flags.findLastIndex((word) => word === '--config' || word.startsWith('--config='));
  return at < 0 ? undefined : flags[at] === '--config' ? flags[at + 1] : flags[at]?.slice('--config='.length);
}

function holdsSecret(file: string): boolean {
  const text = readSettingsFile(file);
  return text.ok && /^\s*(mqttSecretKey|mqttPassword)\s*:/m.test(text.value);
}
