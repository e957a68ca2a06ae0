// The words of `mqlet fleet-sim`. Says what is wrong in one line.
import { parseArgs } from 'node:util';
import { wrongUsage } from '../cli/refusal.ts';

export const fleetUsage = `Usage: mqlet fleet-sim [flags]

A fleet on this machine: a broker, a bridge with an API of its own, and nodes that are whole agents but for their containers. Brings it up,
lets pods come and go, and reports what that took. Nothing of it stays.

      --nodes N             Default: 100
      --pods-per-node N     before the churn begins. Default: 2
      --churn N             pods made, and as many removed, a second. Default: 10
      --seconds N           of churn. Default: 20
      --rest N              seconds of rest before it. Default: 10
      --cuts N              links broken a second, of the whole fleet, while pods come and go. Default: 0
      --starts N            nodes started a second. Default: 50
      --workers N           processes for the nodes. Default: 2
      --seed TEXT           of what the runtimes and the churn do. Default: 1
  -o, --output json         the report as JSON, beside progress on standard error
  -h, --help                this text
`;

export interface FleetWords {
  readonly nodes: number;
  readonly podsPerNode: number;
  readonly churnPerSecond: number;
  readonly seconds: number;
  readonly restSeconds: number;
  readonly cutsPerSecond: number;
  readonly startsPerSecond: number;
  readonly workers: number;
  readonly seed: string;
  readonly json: boolean;
}

const text = { type: 'string' } as const;
const flags = {
  nodes: text, 'pods-per-node': text, churn: text, seconds: text, rest: text, cuts: text, starts: text, workers: text, seed: text, output: { type: 'string', short: 'o' }, help: { type: 'boolean', short: 'h' }, worker: text,
} as const;

/** @throws Refusal */
export function readFleetWords(argv: readonly string[]): FleetWords | 'help' | { readonly worker: string } {
  const values = parsed(argv);
  if (values.help === true) return 'help';
  if (values.worker !== undefined) return { worker: values.worker };
  if (values.output !== undefined && values.output !== 'json') throw wrongUsage(`--output is json or nothing, not "${values.output}"`);
  const count = (flag: 'nodes' | 'pods-per-node' | 'churn' | 'seconds' | 'rest' | 'cuts' | 'starts' | 'workers', otherwise: number, min: number): number => {
    const given = values[flag];
    const value = given === undefined ? otherwise : Number(given);
    if (!Number.isFinite(value) || value < min) throw wrongUsage(`--${flag} must be a number from ${min} on, not "${given}"`);
    return value;
  };
  return {
    nodes: count('nodes', 100, 1), podsPerNode: count('pods-per-node', 2, 0), churnPerSecond: count('churn', 10, 0), seconds: count('seconds', 20, 1), restSeconds: count('rest', 10, 1), cutsPerSecond: count('cuts', 0, 0), startsPerSecond: count('starts', 50, 1),
    workers: count('workers', 2, 1), seed: values.seed ?? '1', json: values.output === 'json',
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, allowPositionals: false }).values;
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw wrongUsage(`${line.replace(/\.$/, '')} (see mqlet fleet-sim --help)`);
  }
}
