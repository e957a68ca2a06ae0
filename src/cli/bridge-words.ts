// The words of `mqlet bridge`, read once. Says what is wrong in one line.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { LOG_LEVELS, type LogLevel } from '../adapters/json-log.ts';
import { readSettingsFile } from '../adapters/settings-file.ts';
import { type ServedDialect, servedDialects } from '../bridge/cloud-side.ts';
import { defaultLimits } from '../bridge/bridge.ts';
import { parseConfig } from '../config.ts';
import type { MqttConfig } from '../config/mqtt-config.ts';
import type { Address, SiteApi, SiteEndpoint } from './bridge-site.ts';
import { brokerAddress } from './broker-url.ts';
import { Refusal, wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

export const bridgeUsage = `Usage: mqlet bridge --mqtt-url URL --mqtt-root-topic TOPIC [flags]

The cloud side of nodes that reach a broker only: shows them in a Kubernetes API, and brings them their pods.

Which API:
  (nothing)                    one of its own, for one machine or a small site
  --kubeconfig FILE            that of a cluster
  --in-cluster                 that of the cluster this runs in, as the account of its pod
Broker, as to mqlet run: --mqtt-url, --mqtt-root-topic, --mqtt-username, --mqtt-password-file, --mqtt-ca-file, --mqtt-cert-file,
  --mqtt-key-file, --mqtt-server-name
      --dialects LIST          of nodes: mqlet, lite. Default: mqlet,lite
      --name NAME              marks the nodes that register here, as their label mqlet.bridge/name. Default: mqlet
      --share-as ID            others of the same --name serve nodes of this API too; ID is its own among them, the same after a restart
      --share-namespace NAME   of the leases by which they know of each other. Default: mqlet-system
      --data-dir DIR           of the API of its own. Default: /var/lib/mqlet-bridge
      --api-listen ADDRESS     of the API of its own. Default: 127.0.0.1:6443
      --api-host NAME          further names or addresses by which it is reached; may be repeated
      --kubelet-listen ADDRESS where API servers find logs and exec of all nodes. Default: 127.0.0.1:10250 with an API of its own, else none
      --kubelet-address IP     by which they reach it. Default: the one it listens on
      --kubelet-client-ca-file FILE     of their client certificates; needed in front of a cluster's API
      --kubelet-cert-file FILE, --kubelet-key-file FILE   shown to them. Default: made at each start
      --health-listen ADDRESS  /healthz, /readyz and /metrics, in the clear. Default: none
      --join-url URL           lets devices join with tokens: mqtts://HOST:PORT of the broker where they need no certificate (docs/join.md)
      --join-node-url URL      where nodes connect with the certificate they get. Default: that of --join-url
      --join-ca-file FILE      whom they shall trust as the broker. Default: --mqtt-ca-file
      --api-qps N              calls a second on the API for all nodes. Default: ${defaultLimits.perSecond}
      --api-burst N            calls at once after a quiet time. Default: ${defaultLimits.burst}
      --log-level LEVEL        error, warn, info, debug. Default: info
  -h, --help                   this text
`;

export interface JoinWords {
  readonly dataDirectory: string;
  readonly joinUrl: string;
  readonly nodeUrl: string;
  /** PEM. */
  readonly brokerAuthority: string;
}

export interface BridgeWords {
  readonly api: SiteApi;
  readonly endpoint: SiteEndpoint | undefined;
  readonly broker: MqttConfig;
  readonly dialects: readonly ServedDialect[];
  readonly name: string;
  readonly sharing: { readonly id: string; readonly namespace: string } | undefined;
  readonly healthListen: Address | undefined;
  /** Absent: nobody can join here. */
  readonly join?: JoinWords;
  readonly perSecond: number;
  readonly burst: number;
  readonly logLevel: LogLevel;
}

const text = { type: 'string' } as const;
const ownFlags = {
  kubeconfig: text, 'in-cluster': { type: 'boolean' }, dialects: text, name: text, 'share-as': text, 'share-namespace': text, 'data-dir': text, 'api-listen': text, 'api-host': { type: 'string', multiple: true },
  'kubelet-listen': text, 'kubelet-address': text, 'kubelet-client-ca-file': text, 'kubelet-cert-file': text, 'kubelet-key-file': text, 'health-listen': text, 'join-url': text, 'join-node-url': text, 'join-ca-file': text, 'api-qps': text, 'api-burst': text, 'log-level': text, help: { type: 'boolean', short: 'h' },
} as const;
const brokerFlags = [
  'mqtt-url', 'mqtt-root-topic', 'mqtt-username', 'mqtt-password-file', 'mqtt-ca-file', 'mqtt-cert-file', 'mqtt-key-file', 'mqtt-server-name', 'mqtt-keepalive',
] as const;
/** As a label's value must be. */
const namePattern = /^[a-zA-Z0-9]([-a-zA-Z0-9_.]{0,61}[a-zA-Z0-9])?$/;

/** @throws Refusal */
export function readBridgeWords(argv: readonly string[], terminal: Terminal): BridgeWords | 'help' {
  const values = parsed(argv);
  if (values.help === true) return 'help';
  if (values.kubeconfig !== undefined && values['in-cluster'] === true) throw wrongUsage('--kubeconfig and --in-cluster name two APIs; give one of them');
  const name = values.name ?? 'mqlet';
  if (!namePattern.test(name)) throw wrongUsage(`--name must be letters, digits, "-", "_" and ".", at most 63, not "${name}"`);
  const logLevel = LOG_LEVELS.find((level) => level === (values['log-level'] ?? 'info'));
  if (logLevel === undefined) throw wrongUsage(`--log-level must be one of ${LOG_LEVELS.join(', ')}, not "${values['log-level']}"`);
  const api = apiOf(values);
  const join = joinOf(values);
  return {
    api, endpoint: endpointOf(values, api), name, sharing: sharingOf(values), logLevel, broker: brokerOf(values, terminal), dialects: dialectsOf(values.dialects ?? servedDialects.join(',')),
    healthListen: values['health-listen'] === undefined ? undefined : addressOf(values['health-listen'], '--health-listen'),
    perSecond: positive(values['api-qps'] ?? String(defaultLimits.perSecond), '--api-qps'), burst: positive(values['api-burst'] ?? String(defaultLimits.burst), '--api-burst'),
    ...(join === undefined ? {} : { join }),
  };
}

type Values = { readonly [name in Exclude<keyof typeof ownFlags, 'in-cluster' | 'api-host' | 'help'> | (typeof brokerFlags)[number]]?: string } & {
  readonly 'in-cluster'?: boolean;
  readonly 'api-host'?: string[];
  readonly help?: boolean;
};

function parsed(argv: readonly string[]): Values {
  const options = { ...ownFlags, ...Object.fromEntries(brokerFlags.map((flag) => [flag, text])) };
  try {
    // Every option is named above with its type.
    return parseArgs({ args: [...argv], options, allowPositionals: false }).values as Values;
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw wrongUsage(`${line.replace(/\.$/, '')} (see mqlet bridge --help)`);
  }
}

function apiOf(values: Values): SiteApi {
  if (values.kubeconfig !== undefined || values['in-cluster'] === true) return { kind: 'cluster', kubeconfig: values.kubeconfig };
  const directory = path.join(dataDirectoryOf(values), 'api');
  return { kind: 'embedded', directory, address: addressOf(values['api-listen'] ?? '127.0.0.1:6443', '--api-listen'), hosts: values['api-host'] ?? [] };
}

function sharingOf(values: Values): BridgeWords['sharing'] {
  const id = values['share-as'];
  if (id === undefined) return undefined;
  // It becomes part of a lease's name and of a client id.
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(id)) throw wrongUsage(`--share-as must be small letters, digits and "-", at most 63, not "${id}"`);
  return { id, namespace: values['share-namespace'] ?? 'mqlet-system' };
}

/** @throws Refusal where API servers could not find it, or could not come in */
function endpointOf(values: Values, { kind }: SiteApi): SiteEndpoint | undefined {
  const listen = values['kubelet-listen'] ?? (kind === 'embedded' ? '127.0.0.1:10250' : undefined);
  if (listen === undefined) return undefined;
  const address = addressOf(listen, '--kubelet-listen');
  const shown = values['kubelet-address'] ?? address.host;
  if (isIP(shown) === 0 || shown === '0.0.0.0' || shown === '::') throw wrongUsage(`--kubelet-address must be an IP address by which API servers reach ${listen}, not "${shown}"`);
  const clientCa = fileOf(values, 'kubelet-client-ca-file');
  if (kind === 'cluster' && clientCa === undefined) throw wrongUsage('--kubelet-listen in front of a cluster\'s API needs --kubelet-client-ca-file: the authority of the certificate with which the API server comes');
  const [cert, key] = [fileOf(values, 'kubelet-cert-file'), fileOf(values, 'kubelet-key-file')];
  if ((cert === undefined) !== (key === undefined)) throw wrongUsage('--kubelet-cert-file and --kubelet-key-file belong together; give both');
  return { address, shown, ...(clientCa === undefined ? {} : { clientCa }), ...(cert === undefined || key === undefined ? {} : { pair: { cert, key } }) };
}

function fileOf(values: Values, flag: 'kubelet-client-ca-file' | 'kubelet-cert-file' | 'kubelet-key-file' | 'join-ca-file' | 'mqtt-ca-file'): string | undefined {
  const file = values[flag];
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal(`--${flag}: ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function dataDirectoryOf(values: Values): string {
  return values['data-dir'] ?? '/var/lib/mqlet-bridge';
}

/** @throws Refusal */
function joinOf(values: Values): JoinWords | undefined {
  const joinUrl = values['join-url'];
  if (joinUrl === undefined) {
    const useless = (['join-node-url', 'join-ca-file'] as const).find((flag) => values[flag] !== undefined);
    if (useless !== undefined) throw wrongUsage(`--${useless} has no meaning without --join-url`);
    return undefined;
  }
  const nodeUrl = values['join-node-url'] ?? joinUrl;
  for (const [flag, url] of [['--join-url', joinUrl], ['--join-node-url', nodeUrl]] as const) {
    if (brokerAddress(url) === undefined) throw wrongUsage(`${flag} must be mqtts://host[:port], not "${url}"`);
  }
  const brokerAuthority = fileOf(values, 'join-ca-file') ?? fileOf(values, 'mqtt-ca-file');
  if (brokerAuthority === undefined) throw wrongUsage('--join-url needs --join-ca-file: the certificates of the authority that devices shall trust as the broker\'s');
  return { dataDirectory: dataDirectoryOf(values), joinUrl, nodeUrl, brokerAuthority };
}

/** Broker settings are those of the daemon, read by the same table. */
function brokerOf(values: Values, terminal: Terminal): MqttConfig {
  const argv = brokerFlags.flatMap((flag) => (values[flag] === undefined ? [] : [`--${flag}`, values[flag]]));
  const config = parseConfig(argv, terminal.environment, readSettingsFile);
  if (config.kind === 'faults') throw wrongUsage(config.faults.join('; '));
  if (config.kind === 'help' || config.config.mqtt === undefined) throw wrongUsage('no broker is named; give --mqtt-url mqtt://host or mqtts://host');
  for (const warning of config.warnings) terminal.complain(`mqlet bridge: ${warning}`);
  return config.config.mqtt;
}

function dialectsOf(list: string): readonly ServedDialect[] {
  const names = list.split(',').map((each) => each.trim());
  return names.map((name) => {
    const served = servedDialects.find((each) => each === name);
    if (served === undefined) throw wrongUsage(`--dialects: ${servedDialects.join(' and ')} are served, not "${name}"`);
    return served;
  });
}

function addressOf(given: string, flag: string): Address {
  const [, host6, host, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s/:@[\]]+)):(\d{1,5})$/.exec(given) ?? [];
  if (port === undefined || Number(port) > 65_535) throw wrongUsage(`${flag} must be HOST:PORT, not "${given}"`);
  return { host: host6 ?? host ?? '', port: Number(port) };
}

function positive(given: string, flag: string): number {
  const value = Number(given);
  if (Number.isInteger(value) && value > 0) return value;
  throw wrongUsage(`${flag} must be a whole number above 0, not "${given}"`);
}
