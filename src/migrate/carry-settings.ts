// The settings of another agent as a configuration of ours: what means the same is carried, what does not is named with the reason. Pure.
import { stringify } from 'yaml';
import { type Kind, showDuration } from '../config/kinds.ts';
import { type Setting, type SettingName, settings } from '../config/settings.ts';
import { type Findings, type Found, type ReadFile, readConfigFile, readFlags } from '../config/sources.ts';
import type { AgentKind, OtherAgent } from './other-agent.ts';

export interface CarriedSettings {
  /** In the order of our table; texts, numbers, lists and maps as the file has them. Without secrets. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Goes into a file of its own. */
  readonly secretKey?: string;
  /** What could not be carried, each with the reason. */
  readonly left: readonly string[];
  /** Directory of manifests, root directory and socket, as the other agent has them. */
  readonly staticPodPath: string;
  readonly rootDir: string;
  readonly endpoint: string;
  readonly nodeName: string | undefined;
}

/** Where an agent of this kind keeps things when nothing is said. */
const rootDirOf: Readonly<Record<AgentKind, string>> = { kubelet: '/var/lib/kubelet', 'lite-kubelet': '/var/lib/kubelet' };

/** Why a name has no effect here, for those that somebody may miss; by flag or field without case and dashes. */
const reasons: Readonly<Record<string, string>> = {
  kubeconfig: 'this node speaks MQTT: mqlet bridge --kubeconfig carries between the broker and that API server',
  bootstrapkubeconfig: 'this node joins by mqlet join, not by the API server',
  containerruntime: 'only CRI is spoken; pods that dockershim made are not containerd\'s and cannot be taken over',
  networkplugin: 'the runtime makes the network of pods',
  cniconfdir: 'the runtime makes the network of pods: conf_dir in its own configuration',
  cnibindir: 'the runtime makes the network of pods: bin_dir in its own configuration',
  featuregates: 'there are none to switch',
  cpumanagerpolicy: 'exclusive CPUs are not managed',
  memorymanagerpolicy: 'memory is not bound to NUMA nodes',
  topologymanagerpolicy: 'devices are not managed',
  seccompdefault: 'pods say so themselves: securityContext.seccompProfile.type RuntimeDefault',
  failswapon: 'the node starts with swap on, and mqlet doctor says so',
  authentication: 'no port is open to the outside; the bridge asks who may come in', authorization: 'no port is open to the outside; the bridge asks who may come in',
  anonymousauth: 'no port is open to the outside', authorizationmode: 'no port is open to the outside', clientcafile: 'no port is open to the outside',
  tlscertfile: 'no port is open to the outside', tlsprivatekeyfile: 'no port is open to the outside', port: 'no port is open to the outside', readonlyport: 'no port is open to the outside', address: 'no port is open to the outside',
  rotatecertificates: 'mqlet join renews the node\'s certificate', servertlsbootstrap: 'no port is open to the outside',
  cloudprovider: 'nodes have no cloud provider', volumeplugindir: 'volumes of plugins are refused with UnsupportedPodFeature',
  imagecredentialproviderconfig: 'credentials come from imagePullSecrets and the runtime\'s own configuration', manifesturl: 'pods come from files and MQTT',
};

export function carrySettings({ kind, flags }: OtherAgent, readFile: ReadFile): CarriedSettings {
  const findings: Findings = { faults: [], warnings: [] };
  const given = readFlags(flags, findings);
  const file: Found = given.configFile === undefined || given.configFile === '' ? new Map() : readConfigFile(given.configFile, readFile, findings);
  const found: Found = new Map([...file, ...given.values]);
  // Two agents, two defaults.
  if (!found.has('rootDir')) found.set('rootDir', rootDirOf[kind]);
  if (kind === 'kubelet' && !found.has('registerWithTaints')) found.set('registerWithTaints', []);
  if (kind === 'lite-kubelet') found.set('mqttDialect', 'lite');
  const secretKey = textOf(found, 'mqttSecretKey');
  found.delete('mqttSecretKey');
  return {
    fields: fieldsOf(found),
    ...(secretKey === undefined ? {} : { secretKey }),
    left: [...findings.faults.map(faultLine), ...findings.warnings.map(withReason)],
    staticPodPath: textOf(found, 'staticPodPath') ?? '',
    rootDir: textOf(found, 'rootDir') ?? rootDirOf[kind],
    endpoint: textOf(found, 'containerRuntimeEndpoint') ?? settings.containerRuntimeEndpoint.fallback,
    nodeName: textOf(found, 'nodeName'),
  };
}

function textOf(found: Found, name: SettingName): string | undefined {
  const value = found.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function fieldsOf(found: Found): Readonly<Record<string, unknown>> {
  // Object.entries loses the names' type; each value was read by the kind of its own row.
  const rows = Object.entries(settings) as unknown as readonly (readonly [SettingName, Setting<unknown>])[];
  return Object.fromEntries(rows.filter(([name]) => found.has(name)).map(([name, row]) => [row.field, yamlValue(row.kind, found.get(name))]));
}

/** As the kind reads it from a file. */
export function yamlValue(kind: Kind<unknown>, value: unknown): unknown {
  if (kind.type === 'duration') return showDuration(Number(value));
  if (kind.type === 'size' || kind.type === 'HH:MM-HH:MM') return kind.show(value);
  if (kind.type === 'priority=seconds,…' && Array.isArray(value)) {
    return kind.show(value).split(',').filter((one) => one !== '').map((one) => ({ priority: Number(one.split('=')[0]), shutdownGracePeriodSeconds: Number(one.split('=')[1]) }));
  }
  return value;
}

/** `--x has no effect in mqlet`, `FILE: x has no effect in mqlet` */
function withReason(warning: string): string {
  const name = /(?:^|: )(?:--)?([\w-]+) (?:has no effect|is not known)/.exec(warning)?.[1] ?? '';
  const reason = reasons[name.toLowerCase().replaceAll('-', '')];
  return reason === undefined ? warning : `${warning}: ${reason}`;
}

function faultLine(fault: string): string {
  return fault.replace(/ of mqlet run; .*$/, ' that mqlet knows').replace(/ of mqlet run$/, ' that mqlet knows');
}

/** @param more fields that replace or join the carried ones */
export function configText(carried: CarriedSettings, more: Readonly<Record<string, unknown>>, origin: string): string {
  const content = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', ...carried.fields, ...more };
  const left = carried.left.map((line) => `# left out: ${line.replaceAll('\n', ' ')}\n`).join('');
  return `# Made by mqlet migrate from ${origin}. docs/operating.md lists all fields.\n${left}${stringify(content, { lineWidth: 0 })}`;
}
