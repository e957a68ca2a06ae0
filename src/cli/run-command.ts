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

/** How mqlet comes onto a machine and goes from it; each is loaded when it is asked for. */
const deployment: Readonly<Record<string, (words: readonly string[], terminal: Terminal) => Promise<number>>> = {
  install: async (words, terminal) => (await import('./deploy/install.ts')).runInstall(words, terminal),
  uninstall: async (words, terminal) => (await import('./deploy/uninstall.ts')).runUninstall(words, terminal),
  reset: async (words, terminal) => (await import('./deploy/reset.ts')).runReset(words, terminal),
  'install-cni': async (words, terminal) => (await import('./deploy/cni.ts')).runInstallCni(words, terminal),
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

async function dispatch(word: string | undefined, rest: readonly string[], terminal: Terminal): Promise<number> {
  const verb = word === undefined || !Object.hasOwn(verbs, word) ? undefined : verbs[word];
  if (word !== undefined && verb !== undefined) {
    const options = readOptions(word, rest, verb.flags);
    if (options.help) return print(terminal, verbHelp[word] ?? generalHelp);
    return verb.run(options, { client: adminClient(socketPath(options, terminal.environment)), terminal });
  }
  const deploy = word === undefined || !Object.hasOwn(deployment, word) ? undefined : deployment[word];
  if (deploy !== undefined) return deploy(rest, terminal);
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
    case 'demo': {
      const { runDemo } = await import('../demo/demo.ts');
      return runDemo(rest);
    }
    case 'join':
    case 'bridge':
      return fleet(word, rest, terminal);
    case 'record': {
      const { runRecord } = await import('./record.ts');
      return runRecord(rest, terminal, interruption());
    }
    case 'replay': {
      const { runReplay } = await import('./replay.ts');
      return runReplay(rest, terminal);
    }
    case 'inspect': {
      const { runInspect } = await import('./inspect.ts');
      return runInspect(rest, terminal, interruption());
    }
    case 'doctor': {
      const { runDoctor } = await import('./doctor/doctor.ts');
      return runDoctor(rest, terminal);
    }
    case 'support-bundle': {
      const { runSupportBundle } = await import('./support-bundle/support-bundle.ts');
      return runSupportBundle(rest, terminal);
    }
    case 'migrate': {
      const { runMigrate } = await import('./migrate/migrate.ts');
      return runMigrate(rest, terminal);
    }
    case 'sim-runtime': {
      const { runSimRuntime } = await import('./sim-runtime.ts');
      return runSimRuntime(rest, simTerminal(terminal));
    }
    default:
      throw new Refusal(`there is no command "${word}"; ${meant(word)}`, exitUsage);
  }
}

/** Both ends of a fleet: a device that joins it, its cloud side, and who may join. */
async function fleet(word: 'join' | 'bridge', rest: readonly string[], terminal: Terminal): Promise<number> {
  if (word === 'join') {
    const { runJoin } = await import('./join.ts');
    return runJoin(rest, terminal);
  }
  if (rest[0] === 'token' || rest[0] === 'node') {
    const { runBridgeTokens } = await import('./bridge-tokens.ts');
    return runBridgeTokens(rest, terminal);
  }
  const { runBridge } = await import('./bridge.ts');
  return runBridge(rest, terminal, interruption());
}

function meant(word: string): string {
  const command = nearest(word, [...Object.keys(verbs), 'run', 'demo', 'join', 'bridge', 'record', 'replay', 'inspect', 'doctor', 'support-bundle', 'migrate', 'install', 'uninstall', 'reset', 'sim-runtime', 'version', 'help']);
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
