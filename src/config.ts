// Settings, parsed once: flags win over the environment, that over the file, that over the defaults. All problems come back together.
import { showDuration } from './config/kinds.ts';
import { evictionThresholds, hardThresholds } from './config/eviction-config.ts';
import { type MqttConfig, mqttConfig } from './config/mqtt-config.ts';
import { checkCgroups, checkNodeLabels, checkReserved } from './config/node-checks.ts';
import type { EvictionThreshold, ShutdownGroup } from './ports/eviction.ts';
import { shutdownGroups } from './config/shutdown-config.ts';
import { type SettingName, settingRows, type SettingValues } from './config/settings.ts';
import { type Findings, type Found, type ReadFile, readConfigFile, readEnvironment, readFlags } from './config/sources.ts';

type EvictionSetting = 'evictionSoft' | 'evictionSoftGracePeriod' | 'evictionMinimumReclaim' | 'mergeDefaultEvictionSettings';
type ShutdownSetting = 'shutdownGracePeriodMs' | 'shutdownGracePeriodCriticalPodsMs' | 'shutdownGracePeriodByPodPriority';
type MqttSetting = Extract<SettingName, `mqtt${string}`>;

/** Everything the daemon is told, frozen. Times are milliseconds. Holds secrets under `mqtt`: never log it whole. */
export type Config = Readonly<
  Omit<SettingValues, MqttSetting | EvictionSetting | ShutdownSetting | 'adminSocket' | 'logLevel' | 'nodeStatusReportFrequencyMs' | 'verbosity'>
> & {
  /** Absent: the node runs alone, from files and the admin API. */
  readonly mqtt?: MqttConfig;
  readonly adminSocket: string;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  readonly nodeStatusReportFrequencyMs: number;
  /** Hard and soft, those switched off left out. */
  readonly evictionThresholds: readonly EvictionThreshold[];
  /** Lowest priority first; empty: pods are left to a machine that goes down. */
  readonly shutdownGroups: readonly ShutdownGroup[];
};

export type ParsedConfig =
  | { readonly kind: 'config'; readonly config: Config; readonly warnings: readonly string[] }
  /** `--help` was asked for. */
  | { readonly kind: 'help' }
  /** One clear line each; the process shall end with exit code 2. `rest` is what the good settings alone come to, without a broker: to be shown, never to be run. */
  | { readonly kind: 'faults'; readonly faults: readonly string[]; readonly rest: Config };

/** As the kubelet has it. */
const logMonitorMsMin = 3_000;
const verbosityOfDebug = 4;
const reportFrequencyMs = 300_000;

/**
 * @param argv the arguments after `run`
 * @param readFile reads the file of `--config` and the ones that settings name, now
 */
export function parseConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>, readFile: ReadFile): ParsedConfig {
  const findings: Findings = { faults: [], warnings: [] };
  const flags = readFlags(argv, findings);
  if (flags.help) return { kind: 'help' };
  const environment = readEnvironment(env, findings);
  const file: Found = flags.configFile === undefined || flags.configFile === '' ? new Map() : readConfigFile(flags.configFile, readFile, findings);
  const given = new Map([...file, ...environment, ...flags.values]);
  const values = valuesOf(given);
  if (flags.values.has('mqttSecretKey')) findings.warnings.push('--mqtt-secret-key can be seen in the process list; --mqtt-secret-key-file and MQLET_MQTT_SECRET_KEY cannot');
  checkNode(values, findings);
  const mqtt = mqttConfig(values, readFile, findings);
  const decided = { evictionThresholds: evictionThresholds(values, findings), shutdownGroups: shutdownGroups(values, findings) };
  if (findings.faults.length > 0) return { kind: 'faults', faults: findings.faults, rest: freeze(values, given, undefined, decided) };
  return { kind: 'config', config: freeze(values, given, mqtt, decided), warnings: findings.warnings };
}

function valuesOf(given: Found): SettingValues {
  // Each value was read by the kind of its own row, so that the record has the rows' types.
  return Object.fromEntries(settingRows.map(([name, row]) => [name, given.has(name) ? given.get(name) : row.fallback])) as unknown as SettingValues;
}

function checkNode(values: SettingValues, { faults }: Findings): void {
  if (values.nodeName !== undefined && !/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(values.nodeName)) {
    faults.push(`--hostname-override must be a DNS name in lower case, not "${values.nodeName}"`);
  }
  faults.push(...checkCgroups(values));
  if (values.rootDir === '') faults.push('--root-dir must not be empty');
  faults.push(...checkNodeLabels(values.nodeLabels), ...checkReserved('--system-reserved', values.systemReserved), ...checkReserved('--kube-reserved', values.kubeReserved));
  checkGarbage(values, faults);
  const reportMs = values.nodeStatusReportFrequencyMs;
  if (reportMs !== undefined && reportMs < values.nodeStatusUpdateFrequencyMs) {
    faults.push(`--node-status-report-frequency must not be shorter than --node-status-update-frequency (${showDuration(values.nodeStatusUpdateFrequencyMs)})`);
  }
}

function checkGarbage(values: SettingValues, faults: string[]): void {
  const { imageGcHighThresholdPercent: high, imageGcLowThresholdPercent: low, imageMinimumGcAgeMs: young, imageMaximumGcAgeMs: old } = values;
  if (low >= high) faults.push(`--image-gc-low-threshold must be lower than --image-gc-high-threshold (${high}), not ${low}`);
  if (old !== 0 && old <= young) faults.push(`--image-maximum-gc-age must be longer than --minimum-image-ttl-duration (${showDuration(young)}), or 0`);
  if (values.containerLogMonitorIntervalMs < logMonitorMsMin) faults.push(`--container-log-monitor-interval must be at least ${showDuration(logMonitorMsMin)}`);
}

function freeze(values: SettingValues, given: Found, mqtt: MqttConfig | undefined, decided: Pick<Config, 'evictionThresholds' | 'shutdownGroups'>): Config {
  const kept = Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith('mqtt'))) as unknown as Omit<SettingValues, MqttSetting>; // those filtered out
  const { verbosity, evictionSoft, evictionSoftGracePeriod, evictionMinimumReclaim, mergeDefaultEvictionSettings, shutdownGracePeriodMs, shutdownGracePeriodCriticalPodsMs, shutdownGracePeriodByPodPriority, ...rest } = kept;
  return Object.freeze({
    ...rest,
    ...(mqtt === undefined ? {} : { mqtt }),
    evictionHard: hardThresholds(values),
    ...decided,
    adminSocket: values.adminSocket ?? `${values.rootDir}/mqlet.sock`,
    logLevel: values.logLevel ?? (verbosity >= verbosityOfDebug ? 'debug' : 'info'),
    nodeStatusReportFrequencyMs: values.nodeStatusReportFrequencyMs
      ?? (given.has('nodeStatusUpdateFrequencyMs') ? values.nodeStatusUpdateFrequencyMs : reportFrequencyMs),
  });
}
