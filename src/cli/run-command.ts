// Every command but the daemon: picks the verb, prints refusals, gives the exit code. Heavy parts are loaded only when they are used.
import { nearest } from '../config/suggest.ts';
import { runApply, runDelete } from './apply-delete.ts';
import { adminClient, socketPath } from './admin-client.ts';
import { runDescribe } from './describe.ts';
import { runGet, type VerbWorld } from './get.ts';
import { generalHelp, verbHelp } from './help.ts';
import { readOptions, type VerbOptions } from './options.ts';
import { exitRefused, exitUsage, isRefusal, Refusal } from './refusal.ts';
import type { Terminal } from './terminal.ts';
import { runVersion } from './version.ts';

interface Verb {
  readonly flags: Parameters<typeof readOptions>[2];
  run(options: VerbOptions, world: VerbWorld): Promise<number>;
}

const verbs: Readonly<Record<string, Verb>> = {
  get: { flags: ['namespace', 'all-namespaces', 'output', 'watch'], run: runGet },
  describe: { flags: ['namespace'], run: runDescribe },
  apply: { flags: ['filename', 'dry-run', 'explain', 'hostname-override', 'output'], run: runApply },
  delete: { flags: ['filename', 'namespace', 'grace-period', 'force', 'no-wait'], run: runDelete },
};

/**
 * @param argv what was typed after `mqlet`
 * @returns the exit code: 0 done, 1 refused or failed, 2 wrong usage
 */
export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [word, ...rest] = argv;
  try {
    return await dispatch(word, rest, terminal);
  } catch (error) {
    if (isAbsentPart(error)) {
      terminal.complain(`mqlet ${word ?? ''}: this command is not part of this installation; the Debian package and a checkout have all of them`);
      return exitRefused;
    }
    if (!isRefusal(error)) throw error;
    terminal.complain(`mqlet${word === undefined ? '' : ` ${word}`}: ${error.message}`);
    return error.exitCode;
  }
}

/** Images bring the bundles they are for. */
function isAbsentPart(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND' && /'\.\/[\w-]+\.cjs'/.test(error.message);
}

/** Commands that are parts of their own, loaded when they are called. */
const loaded: Readonly<Record<string, (rest: readonly string[], terminal: Terminal) => Promise<number>>> = {
  demo: async (rest) => (await import('../demo/demo.ts')).runDemo(rest),
  join: async (rest, terminal) => (await import('./join.ts')).runJoin(rest, terminal),
  bridge,
  'fleet-sim': async (rest, terminal) => (await import('../fleet/fleet-sim.ts')).runFleetSim(rest, terminal, interruption()),
  record: async (rest, terminal) => (await import('./record.ts')).runRecord(rest, terminal, interruption()),
  replay: async (rest, terminal) => (await import('./replay.ts')).runReplay(rest, terminal),
  inspect: async (rest, terminal) => (await import('./inspect.ts')).runInspect(rest, terminal, interruption()),
  doctor: async (rest, terminal) => (await import('./doctor/doctor.ts')).runDoctor(rest, terminal),
  'support-bundle': async (rest, terminal) => (await import('./support-bundle/support-bundle.ts')).runSupportBundle(rest, terminal),
  migrate: async (rest, terminal) => (await import('./migrate/migrate.ts')).runMigrate(rest, terminal),
  install: async (rest, terminal) => (await import('./deploy/install.ts')).runInstall(rest, terminal),
  uninstall: async (rest, terminal) => (await import('./deploy/uninstall.ts')).runUninstall(rest, terminal),
  reset: async (rest, terminal) => (await import('./deploy/reset.ts')).runReset(rest, terminal),
  'install-cni': async (rest, terminal) => (await import('./deploy/cni.ts')).runInstallCni(rest, terminal),
  'sim-runtime': async (rest, terminal) => (await import('./sim-runtime.ts')).runSimRuntime(rest, simTerminal(terminal)),
};

async function dispatch(word: string | undefined, rest: readonly string[], terminal: Terminal): Promise<number> {
  const verb = word === undefined || !Object.hasOwn(verbs, word) ? undefined : verbs[word];
  if (word !== undefined && verb !== undefined) {
    const options = readOptions(word, rest, verb.flags);
    if (options.help) return print(terminal, verbHelp[word] ?? generalHelp);
    return verb.run(options, { client: adminClient(socketPath(options, terminal.environment)), terminal });
  }
  const part = word === undefined || !Object.hasOwn(loaded, word) ? undefined : loaded[word];
  if (part !== undefined) return part(rest, terminal);
  switch (word) {
    case undefined:
      terminal.complain(generalHelp.trimEnd());
      return exitUsage;
    case 'help':
    case '--help':
    case '-h':
      return help(rest[0], terminal);
    case 'version':
    case '--version':
      return runVersion(rest, terminal);
    case 'run':
      throw new Refusal('the daemon has an entry of its own: start it with bin/mqlet run');
    default:
      throw new Refusal(`there is no command "${word}"; ${meant(word)}`, exitUsage);
  }
}

/** The cloud side of a fleet, and who may join it. */
async function bridge(rest: readonly string[], terminal: Terminal): Promise<number> {
  if (rest[0] === 'token' || rest[0] === 'node') {
    const { runBridgeTokens } = await import('./bridge-tokens.ts');
    return runBridgeTokens(rest, terminal);
  }
  const { runBridge } = await import('./bridge.ts');
  return runBridge(rest, terminal, interruption());
}

function meant(word: string): string {
  const command = nearest(word, [...Object.keys(verbs), ...Object.keys(loaded), 'run', 'version', 'help']);
  return command === undefined ? 'mqlet help lists them' : `did you mean ${command}?`;
}

async function help(word: string | undefined, terminal: Terminal): Promise<number> {
  if (word === 'run') {
    const { runHelp } = await import('../config/describe-settings.ts');
    return print(terminal, runHelp());
  }
  return print(terminal, (word === undefined ? undefined : verbHelp[word]) ?? generalHelp);
}

function print(terminal: Terminal, text: string): number {
  terminal.print(text);
  return 0;
}

function interruption(): Promise<void> {
  return new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

function simTerminal(terminal: Terminal) {
  const interrupted = interruption();
  return { print: (line: string) => terminal.print(`${line}\n`), complain: (line: string) => terminal.complain(line), interrupted };
}
