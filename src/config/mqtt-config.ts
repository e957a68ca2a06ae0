// The MQTT settings, checked together: which broker, who we are there, whom we trust. Reads the files they name.
import type { Findings, ReadFile } from './sources.ts';
import type { SettingValues } from './settings.ts';

/** Who the node is at the broker. */
export type MqttIdentity =
  /** Alibaba's scheme, as lite-kubelet uses it: the client ID signed with the secret key. */
  | { readonly kind: 'signature'; readonly accessKey: string; readonly secretKey: string; readonly instance: string }
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'anonymous' };

export interface MqttConfig {
  readonly host: string;
  readonly port: number;
  /** Absent: in the clear. Texts are PEM. */
  readonly tls?: { readonly serverName: string; readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Absolute paths of what was read at the start, to be read again when it is renewed. */
  readonly files: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly password?: string };
  /** The node gets its next certificates by itself, into the file it has the first in. */
  readonly renewsCertificate: boolean;
  readonly dialect: 'lite' | 'mqlet' | 'kole';
  readonly rootTopic: string;
  /** First part of the client ID; undefined: the client ID is the node's name alone. */
  readonly clientGroup: string | undefined;
  readonly identity: MqttIdentity;
  readonly keepAliveSeconds: number;
  /** Otherwise the cloud side renews the node's lease while it hears of the node. */
  readonly renewsLease: boolean;
  /** Between two heartbeats, where the dialect has them. */
  readonly heartbeatMs: number;
}

const portPlain = 1_883;
const portTls = 8_883;
const groupWithoutSignature = 'mqlet';

/** Settings that mean nothing without a broker. */
const needBroker = {
  mqttRootTopic: '--mqtt-root-topic', mqttAccessKey: '--mqtt-access-key', mqttSecretKey: '--mqtt-secret-key', mqttSecretKeyFile: '--mqtt-secret-key-file',
  mqttInstance: '--mqtt-instance', mqttGroup: '--mqtt-group', mqttUsername: '--mqtt-username', mqttPasswordFile: '--mqtt-password-file',
  mqttBrokerPort: '--mqtt-broker-port', mqttCaFile: '--mqtt-ca-file', mqttCertFile: '--mqtt-cert-file', mqttKeyFile: '--mqtt-key-file', mqttServerName: '--mqtt-server-name',
} as const;

/** @returns undefined when no broker is named: then the node runs alone. Faults are added to the findings. */
export function mqttConfig(values: SettingValues, readFile: ReadFile, findings: Findings): MqttConfig | undefined {
  const { faults, warnings } = findings;
  checkDialect(values.mqttDialect, faults);
  if (values.mqttUrl === undefined && values.mqttBroker === undefined) {
    const given = Object.entries(needBroker).filter(([name]) => values[name as keyof typeof needBroker] !== undefined).map(([, flag]) => flag); // its own keys
    if (given.length > 0) faults.push(`${given.join(', ')}: no broker is named; give --mqtt-url, or --mqtt-broker and --mqtt-broker-port`);
    return undefined;
  }
  const broker = brokerOf(values, faults);
  const files = new SecretFiles(readFile, findings);
  const identity = identityOf(values, files, faults);
  const dialect = dialectOf(values, identity);
  const rootTopic = values.mqttRootTopic ?? '';
  if (dialect === 'kole') {
    if (values.mqttRootTopic !== undefined) warnings.push('--mqtt-root-topic has no effect with --mqtt-dialect kole: its topics are fixed');
  } else if (rootTopic.replaceAll('/', '') === '') faults.push('need set --mqtt-root-topic: the first levels of all topics');
  if (/[+#\0]/.test(rootTopic)) faults.push('--mqtt-root-topic must not hold the wildcards + and #');
  const clientGroup = values.mqttGroup ?? (dialect === 'lite' && identity.kind !== 'signature' ? groupWithoutSignature : undefined);
  const keepAliveSeconds = values.mqttKeepAliveMs / 1_000;
  if (!Number.isInteger(keepAliveSeconds) || keepAliveSeconds > 65_535) faults.push('--mqtt-keepalive must be whole seconds, at most 65535s');
  const tls = broker.secure ? tlsOf(values, broker.host, files, faults) : undefined;
  if (values.mqttRenewCertificate) checkRenewal(values, dialect, faults);
  if (!broker.secure) {
    const useless = [values.mqttCaFile && '--mqtt-ca-file', values.mqttCertFile && '--mqtt-cert-file', values.mqttKeyFile && '--mqtt-key-file', values.mqttServerName && '--mqtt-server-name'].filter(Boolean);
    if (useless.length > 0) faults.push(`${useless.join(', ')}: only for TLS; write --mqtt-url mqtts://…`);
    if (identity.kind === 'password' && !isLoopback(broker.host)) warnings.push('--mqtt-url mqtt:// sends the password in the clear; mqtts:// does not');
  }
  return { host: broker.host, port: broker.port, ...(tls === undefined ? {} : { tls }), files: filesOf(values), renewsCertificate: values.mqttRenewCertificate, dialect, rootTopic, clientGroup, identity, keepAliveSeconds, renewsLease: values.mqttNodeLease, heartbeatMs: values.mqttHeartbeatIntervalMs };
}

function filesOf({ mqttCaFile: ca, mqttCertFile: cert, mqttKeyFile: key, mqttPasswordFile: password }: SettingValues): MqttConfig['files'] {
  return {
    ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }), ...(password === undefined ? {} : { password }),
  };
}

/** What mqlet join writes, or the same by hand. */
function checkRenewal({ mqttCaFile, mqttCertFile, mqttKeyFile }: SettingValues, dialect: MqttConfig['dialect'], faults: string[]): void {
  const oneFile = mqttCaFile !== undefined && mqttCertFile !== undefined && mqttCertFile === mqttKeyFile;
  if (!oneFile) faults.push('--mqtt-renew-certificate needs --mqtt-ca-file, and certificate and key in one file: --mqtt-cert-file and --mqtt-key-file with the same path, as mqlet join writes them');
  if (dialect !== 'mqlet') faults.push(`--mqtt-renew-certificate needs --mqtt-dialect mqlet, not ${dialect}`);
}

function checkDialect(dialect: string | undefined, faults: string[]): void {
  if (dialect === undefined || dialect === 'lite' || dialect === 'mqlet' || dialect === 'kole') return;
  faults.push(`--mqtt-dialect must be mqlet, lite or kole, not "${dialect}"`);
}

/** lite-kubelet's own flags mean its dialect, so that its command line needs no other word. */
function dialectOf({ mqttDialect, mqttGroup }: SettingValues, identity: MqttIdentity): MqttConfig['dialect'] {
  if (mqttDialect === 'lite' || mqttDialect === 'mqlet' || mqttDialect === 'kole') return mqttDialect;
  return identity.kind === 'signature' || mqttGroup !== undefined ? 'lite' : 'mqlet';
}

interface Broker {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

function brokerOf(values: SettingValues, faults: string[]): Broker {
  const none: Broker = { host: '', port: 0, secure: true };
  if (values.mqttUrl === undefined) {
    const host = values.mqttBroker ?? '';
    if (/[/\s@]/.test(host) || host === '') faults.push('--mqtt-broker must be a host name or address without scheme, such as broker.example');
    if (values.mqttBrokerPort === undefined) faults.push('need set --mqtt-broker-port');
    return { host, port: values.mqttBrokerPort ?? portTls, secure: true };
  }
  if (values.mqttBroker !== undefined || values.mqttBrokerPort !== undefined) faults.push('--mqtt-url and --mqtt-broker name two brokers; give one of them');
  const [, scheme, host6, hostName, portText] = /^(mqtts?):\/\/(?:\[([0-9a-fA-F:.]+)\]|([^\s/:@[\]]+))(?::(\d{1,5}))?\/?$/.exec(values.mqttUrl) ?? [];
  if (scheme === undefined) {
    const hint = values.mqttUrl.includes('@') ? '; user and password have settings of their own' : '';
    faults.push(`--mqtt-url must be mqtt://host[:port] or mqtts://host[:port]${hint}`);
    return none;
  }
  const secure = scheme === 'mqtts';
  const port = portText === undefined ? (secure ? portTls : portPlain) : Number(portText);
  if (port < 1 || port > 65_535) faults.push(`--mqtt-url: port ${port} is not from 1 to 65535`);
  return { host: host6 ?? hostName ?? '', port, secure };
}

function identityOf(values: SettingValues, files: SecretFiles, faults: string[]): MqttIdentity {
  const secretKey = files.either(values.mqttSecretKey, values.mqttSecretKeyFile, '--mqtt-secret-key');
  const password = files.either(values.mqttPassword, values.mqttPasswordFile, '--mqtt-password');
  const parts: readonly (readonly [string, string | undefined])[] = [
    ['--mqtt-access-key', values.mqttAccessKey], ['--mqtt-secret-key', secretKey], ['--mqtt-instance', values.mqttInstance], ['--mqtt-group', values.mqttGroup],
  ];
  const lacking = parts.filter(([, value]) => value === undefined || value === '').map(([flag]) => flag);
  // As lite-kubelet: with --mqtt-broker the Signature scheme is the rule, unless a user name says otherwise.
  const signs = values.mqttAccessKey !== undefined || secretKey !== undefined || values.mqttInstance !== undefined || (values.mqttBroker !== undefined && values.mqttUsername === undefined);
  if (values.mqttUsername !== undefined) {
    if (values.mqttAccessKey !== undefined || secretKey !== undefined) faults.push('--mqtt-username and --mqtt-access-key are two ways to say who we are; give one of them');
    if (password === undefined) faults.push('need set --mqtt-password-file (or MQLET_MQTT_PASSWORD) for --mqtt-username');
    return { kind: 'password', username: values.mqttUsername, password: password ?? '' };
  }
  if (password !== undefined) faults.push('need set --mqtt-username for the password');
  if (!signs) return { kind: 'anonymous' };
  if (lacking.length > 0) faults.push(`need set ${lacking.join(', ')}: the Signature scheme takes access key, secret key, instance and group`);
  return { kind: 'signature', accessKey: values.mqttAccessKey ?? '', secretKey: secretKey ?? '', instance: values.mqttInstance ?? '' };
}

function tlsOf(values: SettingValues, host: string, files: SecretFiles, faults: string[]): NonNullable<MqttConfig['tls']> {
  if ((values.mqttCertFile === undefined) !== (values.mqttKeyFile === undefined)) faults.push('--mqtt-cert-file and --mqtt-key-file belong together');
  const ca = files.pem(values.mqttCaFile, '--mqtt-ca-file');
  const cert = files.pem(values.mqttCertFile, '--mqtt-cert-file');
  const key = files.pem(values.mqttKeyFile, '--mqtt-key-file');
  return { serverName: values.mqttServerName ?? host, ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** Files that settings name, read with the faults in the words of the flag. */
class SecretFiles {
  readonly #readFile: ReadFile;
  readonly #findings: Findings;

  constructor(readFile: ReadFile, findings: Findings) {
    this.#readFile = readFile;
    this.#findings = findings;
  }

  either(value: string | undefined, file: string | undefined, flag: string): string | undefined {
    if (value !== undefined && file !== undefined) this.#findings.faults.push(`${flag} and ${flag}-file say the same; give one of them`);
    return value ?? this.#read(file, `${flag}-file`)?.trim();
  }

  pem(file: string | undefined, flag: string): string | undefined {
    const content = this.#read(file, flag);
    if (content !== undefined && content !== '' && !content.includes('-----BEGIN ')) this.#findings.faults.push(`${flag} ${file}: is no PEM file`);
    return content;
  }

  #read(file: string | undefined, flag: string): string | undefined {
    if (file === undefined) return undefined;
    const content = this.#readFile(file);
    if (content.ok && content.value.trim() !== '') return content.value;
    this.#findings.faults.push(`${flag} ${file}: ${content.ok ? 'is empty' : content.fault.message}`);
    return '';
  }
}
