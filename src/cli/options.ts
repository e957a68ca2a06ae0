// The words of the everyday verbs, read once. Says what is wrong in one line.
import { parseArgs } from 'node:util';
import { wrongUsage } from './refusal.ts';

/** What was typed after the verb. */
export interface VerbOptions {
  readonly words: readonly string[];
  readonly namespace: string;
  readonly allNamespaces: boolean;
  readonly output: 'table' | 'wide' | 'json' | 'yaml';
  readonly watch: boolean;
  readonly files: readonly string[];
  readonly dryRun: boolean;
  readonly explain: boolean;
  /** Name of the node that a dry run is for; undefined is this host's. */
  readonly nodeName: string | undefined;
  readonly gracePeriodSeconds: number | undefined;
  readonly force: boolean;
  readonly wait: boolean;
  readonly help: boolean;
  readonly socket: string | undefined;
  readonly rootDir: string | undefined;
}

const known = {
  namespace: { type: 'string', short: 'n' },
  'all-namespaces': { type: 'boolean', short: 'A' },
  output: { type: 'string', short: 'o' },
  watch: { type: 'boolean', short: 'w' },
  filename: { type: 'string', short: 'f', multiple: true },
  'dry-run': { type: 'boolean' },
  explain: { type: 'boolean' },
  'hostname-override': { type: 'string' },
  'grace-period': { type: 'string' },
  force: { type: 'boolean' },
  'no-wait': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  socket: { type: 'string' },
  'root-dir': { type: 'string' },
} as const;

type OptionName = keyof typeof known;

/** Flags of every verb. */
const common: readonly OptionName[] = ['help', 'socket', 'root-dir'];

/** @throws Refusal for flags the verb does not have, and for values that are none */
export function readOptions(verb: string, argv: readonly string[], allowed: readonly OptionName[]): VerbOptions {
  const options = Object.fromEntries([...common, ...allowed].map((name) => [name, known[name]])) as Partial<typeof known>; // a part of it
  let parsed: ReturnType<typeof parseArgs<{ options: typeof known; allowPositionals: true }>>;
  try {
    // The verb's flags are some of the known ones; those left out are simply absent from the values.
    parsed = parseArgs({ args: [...argv], options: options as typeof known, allowPositionals: true });
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw wrongUsage(`${line.replace(/\.$/, '')} (see mqlet ${verb} --help)`);
  }
  const { values, positionals } = parsed;
  return {
    words: positionals,
    namespace: values.namespace ?? 'default',
    allNamespaces: values['all-namespaces'] ?? false,
    output: outputOf(values.output),
    watch: values.watch ?? false,
    files: values.filename ?? [],
    dryRun: values['dry-run'] ?? false,
    explain: values.explain ?? false,
    nodeName: values['hostname-override'],
    gracePeriodSeconds: wholeSeconds(values['grace-period']),
    force: values.force ?? false,
    wait: !(values['no-wait'] ?? false),
    help: values.help ?? false,
    socket: values.socket,
    rootDir: values['root-dir'],
  };
}

/** `pod/NAME`, as apply prints it, means the same as `pod NAME`. */
export function kindAndName(words: readonly string[]): readonly string[] {
  return words.flatMap((word, index) => (index === 0 && /^[a-z]+\/[^/]+$/.test(word) ? word.split('/') : [word]));
}

function outputOf(given: string | undefined): VerbOptions['output'] {
  if (given === undefined) return 'table';
  if (given === 'wide' || given === 'json' || given === 'yaml') return given;
  throw wrongUsage(`-o must be wide, json or yaml, not "${given}"`);
}

function wholeSeconds(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^\d{1,5}$/.test(given)) return Number(given);
  throw wrongUsage(`--grace-period must be whole seconds, not "${given}"`);
}
