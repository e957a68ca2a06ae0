// Where values come from: the command line, the environment, the KubeletConfiguration file. Collects faults, never stops at the first.
import { LineCounter, parseDocument } from 'yaml';
import type { FileFault } from '../ports/faults.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { inertFields, inertFlags } from './inert.ts';
import { isRecord, type Kind } from './kinds.ts';
import { type Setting, type SettingName, settingRows } from './settings.ts';
import { nearest } from './suggest.ts';

export type ReadFile = (path: string) => Result<string, FileFault>;

/** Values as found so far, and what a person must be told. */
export interface Findings {
  readonly faults: string[];
  readonly warnings: string[];
}

export type Found = Map<SettingName, unknown>;

const byFlag = new Map(settingRows.flatMap(([name, row]) => row.flags.map((flag) => [flag, [name, row] as const])));
const byField = new Map(settingRows.map(([name, row]) => [row.field, [name, row] as const]));
/** Aliases in a configuration file; more is an attempt to blow it up. */
const aliasCountMax = 100;

/** What the command line says beside settings. */
export interface CommandLine {
  readonly values: Found;
  readonly configFile: string | undefined;
  readonly help: boolean;
}

export function readFlags(argv: readonly string[], findings: Findings): CommandLine {
  const values: Found = new Map();
  const waiting = [...argv];
  let configFile: string | undefined;
  let help = false;
  for (let argument = waiting.shift(); argument !== undefined; argument = waiting.shift()) {
    if (argument === '--help' || argument === '-h') {
      help = true;
      continue;
    }
    const at = argument.indexOf('=');
    const flag = at < 0 ? argument : argument.slice(0, at);
    const given = at < 0 ? undefined : argument.slice(at + 1);
    if (!flag.startsWith('-')) {
      findings.faults.push(`"${argument}" is not a flag; flags begin with --`);
    } else if (flag === '--config') {
      configFile = given ?? waiting.shift();
      if (configFile === undefined || configFile === '') findings.faults.push('--config needs the path of a file');
    } else if (inertFlags.has(flag)) {
      if (inertFlags.get(flag) === 'value' && given === undefined) waiting.shift();
      findings.warnings.push(`${flag} has no effect in mqlet`);
    } else {
      const row = byFlag.get(flag);
      if (row === undefined) {
        findings.faults.push(unknown(flag));
        // Its value, most likely: one mistake is one line.
        if (given === undefined && waiting[0]?.startsWith('-') === false) waiting.shift();
      } else takeFlag(values, row, { flag, given, waiting }, findings);
    }
  }
  return { values, configFile, help };
}

function unknown(flag: string): string {
  const meant = nearest(flag, [...byFlag.keys(), '--config', '--help']);
  return meant === undefined ? `${flag} is not a flag of mqlet run; see mqlet run --help` : `${flag} is not a flag of mqlet run; did you mean ${meant}?`;
}

function takeFlag(
  values: Found,
  [name, { kind }]: readonly [SettingName, Setting<unknown>],
  argument: { readonly flag: string; readonly given: string | undefined; readonly waiting: string[] },
  { faults }: Findings,
): void {
  const { flag, given, waiting } = argument;
  const read = given === undefined ? nextValue(kind, waiting) : kind.fromText(given);
  if (!read.ok) {
    faults.push(`${flag} ${read.fault}`);
    return;
  }
  const before = values.get(name);
  values.set(name, before !== undefined && kind.merge !== undefined ? kind.merge(before, read.value) : read.value);
}

/** As the kubelet's flags: a truth flag takes no next argument, unless that is plainly meant. */
function nextValue(kind: Kind<unknown>, waiting: string[]): Result<unknown, string> {
  if (kind.bare !== undefined && waiting[0] !== 'true' && waiting[0] !== 'false') return ok(kind.bare);
  const next = waiting.shift();
  return next === undefined ? fail('needs a value') : kind.fromText(next);
}

export function readEnvironment(environment: Readonly<Record<string, string | undefined>>, findings: Findings): Found {
  const values: Found = new Map();
  for (const [name, row] of settingRows) {
    const given = row.environment === undefined ? undefined : environment[row.environment];
    if (given === undefined || given === '') continue;
    const read = row.kind.fromText(given);
    if (read.ok) values.set(name, read.value);
    else findings.faults.push(`environment ${row.environment} ${read.fault}`);
  }
  return values;
}

export function readConfigFile(path: string, readFile: ReadFile, findings: Findings): Found {
  const values: Found = new Map();
  const content = readFile(path);
  if (!content.ok) {
    findings.faults.push(`--config ${path}: ${content.fault.message}`);
    return values;
  }
  const lines = new LineCounter();
  const document = parseDocument(content.value, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors) findings.faults.push(`${path}:${lines.linePos(error.pos[0]).line}: ${error.message}`);
  if (document.errors.length > 0) return values;
  let tree: unknown;
  try {
    tree = document.toJS({ maxAliasCount: aliasCountMax });
  } catch (error) {
    findings.faults.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    return values;
  }
  if (!isRecord(tree)) findings.faults.push(`${path}: must be a KubeletConfiguration, a map of fields`);
  else takeFields(values, tree, path, findings);
  return values;
}

function takeFields(values: Found, tree: Readonly<Record<string, unknown>>, path: string, { faults, warnings }: Findings): void {
  const { apiVersion, kind, ...fields } = tree;
  if (kind !== 'KubeletConfiguration') faults.push(`${path}: kind: must be KubeletConfiguration`);
  if (apiVersion !== 'kubelet.config.k8s.io/v1beta1') faults.push(`${path}: apiVersion: must be kubelet.config.k8s.io/v1beta1`);
  for (const [field, value] of Object.entries(fields)) {
    if (value === null) continue;
    const row = byField.get(field);
    if (row !== undefined) {
      const read = row[1].kind.fromYaml(value);
      if (read.ok) values.set(row[0], read.value);
      else faults.push(`${path}: ${field}: ${read.fault}`);
    } else if (inertFields.has(field)) {
      warnings.push(`${path}: ${field} has no effect in mqlet`);
    } else {
      const meant = nearest(field, [...byField.keys()]);
      warnings.push(`${path}: ${field} is not known${meant === undefined ? '' : `; did you mean ${meant}?`}`);
    }
  }
}
