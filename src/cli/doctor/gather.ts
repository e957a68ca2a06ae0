// Gathers what the doctor judges: the composition of all that looks at this machine, with the settings that mqlet run would have.
import path from 'node:path';
import { readCniFacts } from '../../adapters/doctor/cni-facts.ts';
import { readKernelFacts } from '../../adapters/doctor/kernel-facts.ts';
import { readMirrorFacts } from '../../adapters/doctor/mirror-facts.ts';
import { portsTaken, readAgents, readServices, type WantedPort } from '../../adapters/doctor/neighbour-facts.ts';
import { newestFileBelow, readCertificateFile, readPlace, readSecretFiles } from '../../adapters/doctor/place-facts.ts';
import { readRuntimeFacts } from '../../adapters/doctor/runtime-facts.ts';
import { SystemTree } from '../../adapters/doctor/system-tree.ts';
import { createHostFacts } from '../../adapters/host-facts.ts';
import { readResolver } from '../../adapters/resolver-file.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { SystemRandom } from '../../adapters/system-random.ts';
import type { Config } from '../../config.ts';
import type { NodeAnswer } from '../../ports/admin-answers.ts';
import type { CertificateFileFacts, ClockFacts, DoctorFacts, NameFacts, ProgramFacts, RuntimeFacts, SettingsFacts } from '../../ports/doctor-facts.ts';
import type { LogPort } from '../../ports/log-port.ts';
import { adminClient } from '../admin-client.ts';
import { isRefusal } from '../refusal.ts';
import { askBroker } from './ask-broker.ts';
import { readManifestFacts } from './manifest-facts.ts';

const silent: LogPort = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const resolvedFile = '/run/systemd/resolve/resolv.conf';

export interface GatherOptions {
  readonly config: Config;
  readonly settings: SettingsFacts;
  /** Files that hold secrets beside those that settings name, such as the configuration. */
  readonly secretFiles: readonly { readonly setting: string; readonly path: string }[];
  /** Whether to speak to the broker. */
  readonly broker: boolean;
  readonly environmentPath: string;
  /** Prefix of /proc, /sys, /etc and programs; empty for this machine. */
  readonly systemRoot?: string;
  /** Time at which this program was made, wall milliseconds. */
  readonly builtAtMs: number;
}

export async function gatherFacts(options: GatherOptions): Promise<DoctorFacts> {
  const { config, settings, environmentPath, systemRoot = '' } = options;
  const tree = new SystemTree(systemRoot);
  const clock = new SystemClock();
  const own = await runningNode(config.adminSocket);
  const nodeName = config.nodeName ?? (await createHostFacts({ rootDirectory: config.rootDir }).facts()).hostname;
  const runtime = await readRuntimeFacts({ endpoint: config.containerRuntimeEndpoint, cgroupDriver: config.cgroupDriver, tree, clock, log: silent, environmentPath });
  const wantedCgroups = config.cgroupsPerQos === false ? undefined : { driver: runtime.cgroupDriver ?? config.cgroupDriver, root: config.cgroupRoot };
  const services = await readServices(tree, config.containerRuntimeEndpoint, environmentPath);
  const { mqtt } = config;
  return {
    program: programFacts(tree),
    settings,
    kernel: await readKernelFacts(tree, wantedCgroups),
    runtime,
    cni: await readCniFacts({ tree, confDirectory: runtime.setup?.cniConfDirectory, binDirectories: runtime.setup?.cniBinDirectories, environmentPath }),
    mirrors: await readMirrorFacts(tree, runtime.setup?.registryDirectories ?? []),
    places: placesOf(config, runtime),
    secrets: readSecretFiles([...options.secretFiles, ...secretsOf(config)]),
    certificates: certificatesOf(config),
    ...(config.staticPodPath === '' ? {} : { manifests: await readManifestFacts(config.staticPodPath, { nodeName, rootDirectory: config.rootDir }) }),
    clock: clockFacts(tree, { nowMs: clock.nowMs(), builtAtMs: options.builtAtMs, rootDir: config.rootDir }),
    names: nameFacts(tree, config, nodeName),
    neighbours: {
      ...(own === undefined ? {} : { own: { version: own.version } }),
      agents: readAgents(tree, { endpoint: config.containerRuntimeEndpoint, rootDir: config.rootDir }),
      portsTaken: own === undefined ? await portsTaken(portsOf(config)) : [],
      ...(services === undefined ? {} : { services }),
    },
    ...(mqtt === undefined ? {} : { broker: options.broker ? await askBroker({ mqtt, nodeName, clock, random: new SystemRandom(), ownLink: own?.link }) : 'not-asked' }),
  };
}

/** The daemon of this configuration, when it answers. */
async function runningNode(socket: string): Promise<NodeAnswer | undefined> {
  try {
    return await adminClient(socket).node();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

function programFacts(tree: SystemTree): ProgramFacts {
  const meminfo = tree.text('/proc/meminfo') ?? '';
  const bytes = (name: string): number | undefined => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  };
  const [memoryBytes, memoryAvailableBytes] = [bytes('MemTotal'), bytes('MemAvailable')];
  const openFiles = /^Max open files\s+(\d+)/m.exec(tree.text('/proc/self/limits') ?? '')?.[1];
  return {
    nodeVersion: process.versions.node, userId: process.getuid?.() ?? 0,
    ...(memoryBytes === undefined ? {} : { memoryBytes }), ...(memoryAvailableBytes === undefined ? {} : { memoryAvailableBytes }),
    ...(openFiles === undefined ? {} : { openFilesMax: Number(openFiles) }),
  };
}

function placesOf(config: Config, { setup }: RuntimeFacts): DoctorFacts['places'] {
  const places = [
    { what: 'mqlet', setting: '--root-dir', path: config.rootDir },
    { what: 'container logs', setting: '--pod-logs-dir', path: config.podLogsDir },
    { what: 'the runtime', setting: 'root in the runtime\'s configuration', path: setup?.rootDirectory ?? '' },
  ];
  return places.filter((place) => place.path !== '').map(readPlace);
}

function secretsOf({ mqtt }: Config): GatherOptions['secretFiles'] {
  const files = [['--mqtt-key-file', mqtt?.files.key], ['--mqtt-password-file', mqtt?.files.password]] as const;
  return files.flatMap(([setting, file]) => (file === undefined ? [] : [{ setting, path: file }]));
}

function certificatesOf({ mqtt }: Config): readonly CertificateFileFacts[] {
  const { ca, cert, key } = mqtt?.files ?? {};
  return [
    ...(ca === undefined ? [] : [readCertificateFile({ setting: '--mqtt-ca-file', path: ca })]),
    ...(cert === undefined ? [] : [readCertificateFile({ setting: '--mqtt-cert-file', path: cert, key })]),
  ];
}

function clockFacts(tree: SystemTree, { nowMs, builtAtMs, rootDir }: { readonly nowMs: number; readonly builtAtMs: number; readonly rootDir: string }): ClockFacts {
  const newestFile = newestFileBelow(rootDir);
  // systemd-timesyncd makes the directory when it starts and the file when a server has answered.
  const synchronized = tree.exists('/run/systemd/timesync') ? tree.exists('/run/systemd/timesync/synchronized') : undefined;
  return { nowMs, builtAtMs, ...(newestFile === undefined ? {} : { newestFile }), ...(synchronized === undefined ? {} : { synchronized }) };
}

function nameFacts(tree: SystemTree, { nodeName: given, resolvConf }: Config, nodeName: string): NameFacts {
  const resolver = resolvConf === '' ? undefined : readResolver(tree.at(resolvConf));
  return {
    nodeName, nodeNameSetting: given !== undefined,
    resolvConf: resolvConf === '' ? undefined : { path: resolvConf, exists: resolver !== undefined, servers: resolver?.servers ?? [], searches: resolver?.searches ?? [] },
    ...(tree.exists(resolvedFile) ? { resolvedFile } : {}),
  };
}

function portsOf({ healthzPort, healthzBindAddress, inspector }: Config): readonly WantedPort[] {
  const colon = inspector.lastIndexOf(':');
  return [
    { setting: '--healthz-port', host: healthzBindAddress, port: healthzPort },
    ...(inspector === '' ? [] : [{ setting: '--inspector', host: inspector.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(inspector.slice(colon + 1)) }]),
  ].filter(({ port }) => port !== 0);
}

/** When the file that runs now was made; of sources, the source's time. */
export function builtAtMs(file: string, modifiedMs: (file: string) => number | undefined): number {
  return modifiedMs(path.resolve(file)) ?? 0;
}
