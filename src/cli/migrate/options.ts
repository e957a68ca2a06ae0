// The words of `mqlet migrate`, read once.
import os from 'node:os';
import { parseArgs } from 'node:util';
import { wrongUsage } from '../refusal.ts';

export interface MigrateOptions {
  readonly pid: number | undefined;
  readonly units: readonly string[];
  /** What stood behind `--`. */
  readonly flags: readonly string[] | undefined;
  readonly to: string;
  readonly cache: string | undefined;
  readonly dryRun: boolean;
  readonly force: boolean;
  /** Of this machine, lower case: the node's name where nothing else is said. */
  readonly hostname: string;
}

const directoryDefault = '/etc/mqlet';

/** @throws Refusal */
export function readMigrateOptions(argv: readonly string[]): MigrateOptions | 'help' {
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  let values;
  try {
    ({ values } = parseArgs({
      args: [...own],
      options: {
        pid: { type: 'string' }, unit: { type: 'string', multiple: true }, to: { type: 'string', default: directoryDefault }, cache: { type: 'string' },
        'dry-run': { type: 'boolean', default: false }, force: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw wrongUsage(`${(error instanceof Error ? error.message : String(error)).split('. ')[0] ?? ''} (see mqlet migrate --help; the other agent's flags stand behind --)`);
  }
  if (values.help) return 'help';
  const { pid, unit: units = [] } = values;
  if (pid !== undefined && !/^\d{1,10}$/.test(pid)) throw wrongUsage(`--pid must be the number of a process, not "${pid}"`);
  if ([pid !== undefined, units.length > 0, end >= 0].filter(Boolean).length > 1) throw wrongUsage('give one of --pid, --unit and -- FLAGS');
  return {
    pid: pid === undefined ? undefined : Number(pid), units, flags: end < 0 ? undefined : argv.slice(end + 1), to: values.to, cache: values.cache,
    dryRun: values['dry-run'], force: values.force, hostname: os.hostname().trim().toLowerCase(),
  };
}
