// `mqlet install`: puts this program, its unit and its settings in place, and starts it. Settings that are there stay as they are.
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Refusal, wrongUsage } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { type Layout, layoutOf, packagePrefix, unitNames, usualPrefix } from './layout.ts';
import { otherAgents } from './other-agents.ts';
import { systemctl, systemdRuns } from './systemd.ts';
import { flagsOf } from './words.ts';

export interface InstallOptions {
  /** Stands for `/`; empty for this machine. */
  readonly root: string;
  readonly prefix: string;
  readonly starts: boolean;
  /** The Node.js to bring along; undefined: the one that runs this is linked to, or the program's own is taken along. */
  readonly node: string | undefined;
  /** Also where another node agent runs. */
  readonly force: boolean;
}

const help = `Usage: mqlet install [flags]

Puts mqlet into ${usualPrefix}/lib/mqlet, its unit into /etc/systemd/system and its settings into /etc/mqlet, and starts it.
Run again with another version, it replaces the program and starts it anew; pods run on.

      --no-start               only put everything in place
      --node FILE              a Node.js to bring along
      --prefix DIRECTORY       default: ${usualPrefix}
      --root DIRECTORY         a directory that stands for /, such as an image that is being made; implies --no-start
      --force                  even where another node agent runs on this machine
`;

const directoryMode = 0o755;
const secretDirectoryMode = 0o750;
const keyDirectoryMode = 0o700;
const settingsMode = 0o640;

/** @throws Refusal */
export function runInstall(argv: readonly string[], terminal: Terminal): number {
  const options = optionsOf(argv);
  if (options === 'help') {
    terminal.print(help);
    return 0;
  }
  // Everybody may read and run the program, whatever files of this user are for.
  process.umask(0o022);
  const home = homeOf(terminal);
  if (options.root === '' && process.getuid?.() !== 0) throw new Refusal('needs root: run it with sudo');
  if (options.starts && !options.force) refuseBeside();
  const layout = layoutOf(options);
  placeProgram(home, layout, options.node);
  placeUnits(home, layout, options.prefix);
  const kept = placeSettings(home, layout);
  terminal.print(`mqlet is in ${layout.program}; its settings are in ${layout.configDirectory}${kept ? ' as they were' : ''}\n`);
  terminal.print(begin(options));
  return 0;
}

function optionsOf(argv: readonly string[]): InstallOptions | 'help' {
  const values = flagsOf('install', argv, {
    'no-start': { type: 'boolean' }, node: { type: 'string' }, prefix: { type: 'string' }, root: { type: 'string' }, force: { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return 'help';
  const root = values.root ?? '';
  const prefix = values.prefix ?? usualPrefix;
  if (!path.isAbsolute(prefix)) throw wrongUsage('--prefix must be an absolute path');
  return { root, prefix, starts: root === '' && values['no-start'] !== true, node: values.node, force: values.force ?? false };
}

function homeOf({ environment }: Terminal): string {
  const home = environment['MQLET_HOME'] ?? path.dirname(path.dirname(process.argv[1] ?? ''));
  if (!existsSync(path.join(home, 'dist', 'agent.cjs'))) throw new Refusal(`there is no built program in ${home}: run npm run build`);
  return realpathSync(home);
}

function refuseBeside(): void {
  const [other] = otherAgents();
  if (other === undefined) return;
  throw new Refusal(`${other.name} runs here (process ${other.pid}): two node agents on one runtime end each other's pods. Stop it first, or say --no-start and give mqlet a runtime of its own; --force starts it all the same`);
}

/** Made beside the one that is there and put in its place at once: a daemon that runs meanwhile is not left without. */
function placeProgram(home: string, layout: Layout, node: string | undefined): void {
  if (existsSync(layout.program) && realpathSync(layout.program) === home) throw new Refusal(`${home} is the installed program itself: run the new version's own mqlet install`);
  const fresh = `${layout.program}.new`;
  const former = `${layout.program}.former`;
  for (const remains of [fresh, former]) rmSync(remains, { recursive: true, force: true });
  for (const name of ['bin', 'dist', 'packaging', 'examples', 'LICENSE']) copyTree(path.join(home, name), path.join(fresh, name));
  placeRuntime(path.join(home, 'runtime'), path.join(fresh, 'runtime'), node);
  if (existsSync(layout.program)) renameSync(layout.program, former);
  renameSync(fresh, layout.program);
  rmSync(former, { recursive: true, force: true });
  mkdirSync(path.dirname(layout.command), { recursive: true, mode: directoryMode });
  rmSync(layout.command, { force: true });
  symlinkSync(path.relative(path.dirname(layout.command), path.join(layout.program, 'bin', 'mqlet')), layout.command);
}

/** Maps of the bundles are for developers. */
function copyTree(from: string, to: string): void {
  if (existsSync(from)) cpSync(from, to, { recursive: true, dereference: true, preserveTimestamps: true, filter: (file) => !file.endsWith('.map') });
}

function placeRuntime(own: string, target: string, node: string | undefined): void {
  if (node === undefined && existsSync(own)) {
    copyTree(own, target);
    return;
  }
  mkdirSync(path.join(target, 'bin'), { recursive: true, mode: directoryMode });
  const program = path.join(target, 'bin', 'node');
  if (node === undefined) symlinkSync(process.execPath, program);
  else {
    copyFileSync(node, program);
    chmodSync(program, directoryMode);
  }
}

function placeUnits(home: string, { unitDirectory }: Layout, prefix: string): void {
  mkdirSync(unitDirectory, { recursive: true, mode: directoryMode });
  for (const name of unitNames) {
    const unit = readFileSync(path.join(home, 'packaging', name), 'utf8');
    writeFileSync(path.join(unitDirectory, name), unit.replaceAll(`${packagePrefix}/bin/mqlet`, `${prefix}/bin/mqlet`), { mode: 0o644 });
  }
}

/** @returns whether there were settings before */
function placeSettings(home: string, { configDirectory, defaultsFile }: Layout): boolean {
  makeDirectory(configDirectory, secretDirectoryMode);
  makeDirectory(path.join(configDirectory, 'manifests'), secretDirectoryMode);
  makeDirectory(path.join(configDirectory, 'pki'), keyDirectoryMode);
  mkdirSync(path.dirname(defaultsFile), { recursive: true, mode: directoryMode });
  const placed = [['config.yaml', path.join(configDirectory, 'config.yaml')], ['default', defaultsFile]] as const;
  const kept = placed.filter(([, file]) => existsSync(file));
  for (const [name, file] of placed) {
    if (!existsSync(file)) writeFileSync(file, readFileSync(path.join(home, 'packaging', name)), { mode: settingsMode });
  }
  return kept.length > 0;
}

function makeDirectory(directory: string, mode: number): void {
  if (existsSync(directory)) return;
  mkdirSync(directory, { recursive: true, mode: directoryMode });
  chmodSync(directory, mode);
}

/** @returns what there is to do next */
function begin({ starts, root }: InstallOptions): string {
  const next = 'start it with: systemctl enable --now mqlet\n';
  if (root !== '') return '';
  if (!systemdRuns()) return 'systemd does not run this machine: start `mqlet run --config /etc/mqlet/config.yaml` by your own service manager\n';
  systemctl('daemon-reload');
  if (!starts) return next;
  systemctl('enable', '--quiet', 'mqlet.service');
  systemctl('restart', 'mqlet.service');
  return 'it runs: mqlet get node tells how it is, journalctl -u mqlet what it says\n';
}
