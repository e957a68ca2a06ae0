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
  const { root, prefix, purge } = words;
  const layout = layoutOf({ root, prefix });
  if (!existsSync(layout.program)) throw new Refusal(`there is no mqlet in ${layout.program}; was it installed with another --prefix, or as a package (apt-get purge mqlet)?`);
  const here = root === '';
  if (here && process.getuid?.() !== 0) throw new Refusal('needs root: run it with sudo');
  if (here && systemdRuns()) systemctl('disable', '--now', '--quiet', 'mqlet.service');
  const config = here ? settingsOf(layout.configDirectory, terminal) : undefined;
  const pods = words.pods ?? podsOnRemove(layout.defaultsFile);
  const { endPods, removeState } = await import('./reset.ts');
  if (pods === 'stop' && config !== undefined) await endPods(config, { graceMsMax, terminal });
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
  readonly pods: 'stop' | 'leave' | undefined;
}

function wordsOf(argv: readonly string[]): Words | 'help' {
  const { help: wantsHelp, pods, root = '', prefix = usualPrefix, purge = false } = flagsOf('uninstall', argv, {
    pods: { type: 'string' }, purge: { type: 'boolean' }, prefix: { type: 'string' }, root: { type: 'string' }, help: { type: 'boolean', short: 'h' },
  });
  if (wantsHelp === true) return 'help';
  if (pods !== undefined && pods !== 'stop' && pods !== 'leave') throw wrongUsage(`--pods must be stop or leave, not "${pods}"`);
  return { root, prefix, purge, pods };
}

/** As the unit starts the daemon. @throws Refusal for settings that cannot be read: then nobody knows where its pods are */
function settingsOf(configDirectory: string, { environment }: Terminal): Config {
  const file = path.join(configDirectory, 'config.yaml');
  const parsed = parseConfig(existsSync(file) ? ['--config', file] : [], environment, readSettingsFile);
  if (parsed.kind !== 'config') throw new Refusal(parsed.kind === 'faults' ? `${parsed.faults.join('\n')}; mend it, or say --pods leave` : 'the settings cannot be read');
  return parsed.config;
}

function podsOnRemove(defaultsFile: string): 'stop' | 'leave' {
  if (!existsSync(defaultsFile)) return 'stop';
  return /^\s*PODS_ON_REMOVE=["']?leave["']?\s*$/m.test(readFileSync(defaultsFile, 'utf8')) ? 'leave' : 'stop';
}
