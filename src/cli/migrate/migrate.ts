// `mqlet migrate`: another agent's flags, file, manifests, cache and running pods, as a configuration of ours. It writes files and stops nobody.
import path from 'node:path';
import { NodeFiles } from '../../adapters/node-files.ts';
import { readSettingsFile } from '../../adapters/settings-file.ts';
import { type CarriedSettings, carrySettings, configText } from '../../migrate/carry-settings.ts';
import { type CarriedCache, carryLiteCache, liteCacheDirectory } from '../../migrate/lite-cache.ts';
import type { OtherAgent } from '../../migrate/other-agent.ts';
import { carryManifest, planTakeOver, type TakeOver, type WantedPod } from '../../migrate/take-over.ts';
import { type AdoptedFile, adoptedFileName } from '../../ports/adopted-containers.ts';
import { exitRefused, Refusal } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';
import { findAgent } from './find-agent.ts';
import { type MigrateOptions, readMigrateOptions } from './options.ts';
import { liteCacheFiles, manifestFiles, type NamedText, runningWorld } from './read-world.ts';

/** Manifests and settings of another agent may hold secrets, as the file of its secret key does. */
const secretMode = 0o600;
const secretDirectoryMode = 0o700;
const secretKeyFile = 'mqtt-secret-key';

/** A file that is to be written. */
interface Writing {
  readonly path: string;
  readonly text: string;
}

interface Migration {
  readonly origin: string;
  readonly carried: CarriedSettings;
  readonly cache: CarriedCache;
  readonly takeOver: TakeOver;
  /** Why what runs could not be seen. */
  readonly blind: string | undefined;
  readonly writings: readonly Writing[];
}

/** @param argv what was typed after `mqlet migrate` */
export async function runMigrate(argv: readonly string[], terminal: Terminal): Promise<number> {
  const options = readMigrateOptions(argv);
  if (options === 'help') {
    terminal.print(migrateHelp);
    return 0;
  }
  const { agent, origin } = findAgent(options);
  const migration = await plan(agent, origin, options);
  const configFile = path.join(options.to, 'config.yaml');
  terminal.print(reportText(migration, options, configFile));
  if (options.dryRun) return 0;
  const files = new NodeFiles();
  const kept = await files.read(configFile, { bytesMax: 1_048_576 });
  if (kept.ok && !options.force) throw new Refusal(`${configFile} is there already; --force keeps it as ${configFile}.before and writes the new one`);
  if (kept.ok) await write(files, { path: `${configFile}.before`, text: new TextDecoder().decode(kept.value) });
  for (const writing of migration.writings) await write(files, writing);
  return migration.blind === undefined ? 0 : exitRefused;
}

async function write(files: NodeFiles, { path: file, text }: Writing): Promise<void> {
  const made = await files.makeDirectory(path.dirname(file), { mode: secretDirectoryMode });
  const written = made.ok ? await files.writeAtomic(file, text, { mode: secretMode }) : made;
  if (!written.ok) throw new Refusal(`${file}: ${written.fault.message}`);
}

async function plan(agent: OtherAgent, origin: string, options: MigrateOptions): Promise<Migration> {
  const carried = carrySettings(agent, readSettingsFile);
  const nodeName = carried.nodeName ?? options.hostname;
  const world = await runningWorld(carried.endpoint);
  const running = world.ok ? world.value : { sandboxes: [], containers: [] };
  const manifests = (await manifestFiles(carried.staticPodPath)).map(({ name, text }) => ({ name, ...carryManifest(text, nodeName, running) }));
  const cache = carryLiteCache(agent.kind === 'lite-kubelet' ? await liteCacheFiles(options.cache ?? liteCacheDirectory) : [], nodeName);
  const wanted: readonly WantedPod[] = [...manifests.flatMap(({ pods }) => pods), ...cache.pods];
  const takeOver = planTakeOver(wanted, running);
  return { origin, carried, cache, takeOver, blind: world.ok ? undefined : world.fault, writings: writingsOf({ carried, cache, takeOver, manifests, origin, to: options.to }) };
}

interface Parts {
  readonly carried: CarriedSettings;
  readonly cache: CarriedCache;
  readonly takeOver: TakeOver;
  readonly manifests: readonly NamedText[];
  readonly origin: string;
  readonly to: string;
}

/** The configuration comes last: without it nothing of the rest is used. */
function writingsOf({ carried, cache, takeOver, manifests, origin, to }: Parts): readonly Writing[] {
  const adopted: AdoptedFile = { version: 1, containers: takeOver.adopted };
  const own = {
    ...(carried.staticPodPath === '' ? {} : { staticPodPath: path.join(to, 'manifests') }),
    ...(carried.secretKey === undefined ? {} : { mqttSecretKeyFile: path.join(to, secretKeyFile) }),
  };
  return [
    ...manifests.map(({ name, text }) => ({ path: path.join(to, 'manifests', name), text })),
    ...(carried.secretKey === undefined ? [] : [{ path: path.join(to, secretKeyFile), text: `${carried.secretKey}\n` }]),
    ...cache.records.map((record) => ({ path: path.join(carried.rootDir, record.path), text: record.text })),
    ...(adopted.containers.length === 0 ? [] : [{ path: path.join(carried.rootDir, adoptedFileName), text: `${JSON.stringify(adopted)}\n` }]),
    { path: path.join(to, 'config.yaml'), text: configText(carried, own, origin) },
  ];
}

function reportText({ origin, carried, cache, takeOver, blind, writings }: Migration, options: MigrateOptions, configFile: string): string {
  const part = (title: string, lines: readonly string[]): string => (lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`);
  return [
    `from ${origin}\n`,
    part(options.dryRun ? 'would write' : 'writes', writings.map((writing) => writing.path)),
    part('cannot be carried over', [...carried.left, ...cache.left]),
    blind === undefined ? '' : part('what runs cannot be seen, so that running pods are made anew', [blind]),
    part('taken over as they run', takeOver.kept),
    part('taken over with a restart of', takeOver.restarted),
    part('not running now, will be started', takeOver.absent),
    part('in no manifest and no cache: they end once the cloud side has been heard, unless it names them with the same UID', takeOver.unknown),
    part('next', [
      `mqlet doctor --config ${configFile}`,
      'end the other agent and keep it from coming back: systemctl disable --now kubelet',
      'start this one: systemctl enable --now mqlet, or mqlet run --config '.concat(configFile),
      'the other agent\'s files stay as they are, but for its root directory, where volumes are: to go back, start it again instead',
    ]),
  ].join('');
}

export const migrateHelp = `Usage: mqlet migrate [--pid N | --unit FILE… | -- FLAGS…] [options]

Makes a configuration of mqlet from that of a kubelet or lite-kubelet: its flags, its KubeletConfiguration, its manifests, lite-kubelet's cache.
Running pods that carry the labels of a kubelet are taken over as they run, where they can be. Says what it cannot carry over. Stops nobody.

      --pid N            flags of this process; without any source, of the kubelet that runs
      --unit FILE        flags of a systemd unit; again for each of its drop-ins, in order
      -- FLAGS…          flags as the other agent has them
      --to DIRECTORY     where config.yaml, manifests and the secret key go (default /etc/mqlet)
      --cache DIRECTORY  lite-kubelet's cache (default ${liteCacheDirectory})
      --dry-run          write nothing
      --force            replace a config.yaml that is there; it is kept as config.yaml.before
`;
