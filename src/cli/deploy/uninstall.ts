// `mqlet uninstall`: takes away what `mqlet install` put in place. What becomes of the pods and of the settings is the administrator's word.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { readSettingsFile } from '../../adapters/settings-file.ts';
import { type Config, parseConfig } from '../../config.ts';
import { Refusal, wrongUsage } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { layoutOf, logindDropIn, unitNames, usualPrefix } from './layout.ts';
import { systemctl, systemdRuns } from './systemd.ts';
import { flagsOf } from './words.ts';

const help = `Usage: mqlet uninstall [flags]

Ends the service and takes away the program and its unit.

      --pods stop|leave        what becomes of the pods; default: PODS_ON_REMOVE of /etc/default/mqlet, else stop
      --purge                  take away the settings and everything mqlet keeps too
      --force                  end the pods also where mqlet never ran, or another node agent runs
      --prefix DIRECTORY       as it was installed; default: ${usualPrefix}
      --root DIRECTORY         a directory that stands for /
`;

const graceMsMax = 30_000;

/** @throws Refusal */
export async function runUninstall(argv: readonly string[], terminal: Terminal): Promise<number> {
  const words = wordsOf(argv);
  if (words === 'help') {
    terminal.print(help);
    return 0;
  }
  const { root, prefix, purge, force } = words;
  const layout = layoutOf({ root, prefix });
  if (!existsSync(layout.program)) throw new Refusal(`there is no mqlet in ${layout.program}; was it installed with another --prefix, or as a package (apt-get purge mqlet)?`);
  const here = root === '';
  if (here && process.getuid?.() !== 0) throw new Refusal('needs root: run it with sudo');
  const defaults = defaultsOf(existsSync(layout.defaultsFile) ? readFileSync(layout.defaultsFile, 'utf8') : '');
  const config = here ? settingsOf(layout.configDirectory, { ...terminal.environment, ...defaults }) : undefined;
  const pods = words.pods ?? (defaults['PODS_ON_REMOVE'] === 'leave' ? 'leave' : 'stop');
  const { endPods, mayEndPods, removeState } = await import('./reset.ts');
  const ends = pods === 'stop' && config !== undefined && mayEndPods(config, { force, terminal });
  if (here && systemdRuns()) systemctl('disable', '--now', '--quiet', 'mqlet.service');
  if (ends) await endPods(config, { graceMsMax, terminal });
  for (const name of unitNames) rmSync(path.join(layout.unitDirectory, name), { force: true });
  if (here && systemdRuns()) systemctl('daemon-reload');
  rmSync(layout.command, { force: true });
  rmSync(layout.program, { recursive: true, force: true });
  if (purge) {
    rmSync(layout.configDirectory, { recursive: true, force: true });
    rmSync(layout.defaultsFile, { force: true });
    if (here) rmSync(logindDropIn, { force: true });
    if (config !== undefined && pods === 'stop') removeState(config.rootDir);
  }
  terminal.print(`mqlet is gone from ${layout.program}${purge ? '' : `; its settings stay in ${layout.configDirectory}`}${pods === 'leave' ? '; its pods run on' : ''}\n`);
  return 0;
}

interface Words {
  readonly root: string;
  readonly prefix: string;
  readonly purge: boolean;
  readonly force: boolean;
  readonly pods: 'stop' | 'leave' | undefined;
}

function wordsOf(argv: readonly string[]): Words | 'help' {
  const { help: wantsHelp, pods, root = '', prefix = usualPrefix, purge = false, force = false } = flagsOf('uninstall', argv, {
    pods: { type: 'string' }, purge: { type: 'boolean' }, force: { type: 'boolean' }, prefix: { type: 'string' }, root: { type: 'string' }, help: { type: 'boolean', short: 'h' },
  });
  if (wantsHelp === true) return 'help';
  if (pods !== undefined && pods !== 'stop' && pods !== 'leave') throw wrongUsage(`--pods must be stop or leave, not "${pods}"`);
  return { root, prefix, purge, force, pods };
}

/** As the unit starts the daemon. @throws Refusal for settings that cannot be read: then nobody knows where its pods are */
function settingsOf(configDirectory: string, environment: Terminal['environment']): Config {
  const file = path.join(configDirectory, 'config.yaml');
  const flags = (environment['MQLET_FLAGS'] ?? '').split(/\s+/).filter((word) => word !== '');
  const parsed = parseConfig([...(existsSync(file) ? ['--config', file] : []), ...flags], environment, readSettingsFile);
  if (parsed.kind !== 'config') throw new Refusal(parsed.kind === 'faults' ? `${parsed.faults.join('\n')}; mend it, or say --pods leave` : 'the settings cannot be read');
  return parsed.config;
}

/**
 * The assignments of the service's environment file: a line each, the value bare or in quotes (systemd.exec(5), EnvironmentFile).
 * @returns the last of each name
 */
export function defaultsOf(text: string): Readonly<Record<string, string>> {
  const assignments = text.matchAll(/^[ \t]*([A-Za-z_]\w*)=(?:"([^"\n]*)"|'([^'\n]*)'|([^"'\n]*?))[ \t]*$/gm);
  return Object.fromEntries([...assignments].map(([, name, double, single, bare]) => [name, double ?? single ?? bare ?? '']));
}
