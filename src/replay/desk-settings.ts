// How a replayed agent is set up where the recording does not hold its settings: as the recorded node told of itself, else as a small machine.
import type { AgentSettings } from '../agent/agent-world.ts';
import { garbageDefaults } from '../agent/garbage.ts';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import type { HostFacts } from '../ports/host-port.ts';
import { parseQuantity } from '../ports/quantity.ts';
import { manifestDirectory } from './desk.ts';
import type { RecordingHeader } from './entries.ts';
import { decodeValue } from './values.ts';
import type { Transcript } from './transcript.ts';

const gibi = 1024 ** 3;

export type DeskSettings = Omit<AgentSettings, 'escalate'>;

/** @param options.version shown as the node's where the recording names none */
export function deskSettings(
  { nodeName, transcript, header }: { readonly nodeName: string; readonly transcript: Transcript; readonly header: RecordingHeader | undefined }, options: { readonly version: string },
): DeskSettings {
  const settings = header?.agent?.settings;
  // What another version wrote may lack something: whoever starts the agent with it says so.
  if (settings !== undefined) return { ...(decodeValue(settings, () => () => undefined) as DeskSettings), manifestPath: manifestDirectory, manifestScanMs: 20_000 };
  const told = toldNode(transcript, nodeName);
  const facts = hostFactsOf(told, nodeName);
  const { kubeletVersion } = fieldsOf(fieldsOf(told.status).nodeInfo);
  return {
    node: {
      nodeName, rootDirectory: '/var/lib/mqlet', podLogsDirectory: '/var/log/pods', clusterDns: [], clusterDomain: 'cluster.local', memoryBytes: facts.memoryBytes,
      allocatable: { cpuMillis: facts.cpus * 1_000, memoryBytes: facts.memoryBytes, ephemeralStorageBytes: facts.rootFilesystemBytes },
    },
    identity: {
      name: nodeName, ips: [], labels: labelsOf(told), taints: undefined, providerId: '', maxPods: 110, podsPerCore: 0, maxImages: 50, systemReserved: {}, kubeReserved: {},
      evictionHard: {}, version: typeof kubeletVersion === 'string' ? kubeletVersion : options.version,
    },
    hostIps: facts.addresses,
    hostFacts: facts,
    allowedUnsafeSysctls: [],
    cgroups: { root: '', driver: 'cgroupfs', enforcesPods: true, podPidsMax: -1 },
    podsMax: 110,
    pullsMax: 8,
    pullProgressDeadlineMs: 300_000,
    manifestPath: manifestDirectory,
    manifestScanMs: 20_000,
    registerNode: asked(transcript, /^(?:create|patch|patchStatus) Node /),
    nodeUpdatePeriodMs: 10_000,
    nodeReportPeriodMs: 300_000,
    eviction: { thresholds: [], evicts: false, limitsLocalStorage: false, softGraceMsMax: 0, pressureHoldMs: 300_000 },
    leaseDurationSeconds: 40,
    garbage: garbageDefaults,
    renewsLease: asked(transcript, / Lease /),
  };
}

/** What the recorded agent called itself, where its dialect has words for it. */
export function recordedSoftware({ steps }: Transcript): string | undefined {
  for (const step of steps) {
    if (step.kind !== 'told') continue;
    for (const { object, value } of step.facts.said) if (object.startsWith('Presence ') && typeof value.software === 'string') return value.software;
  }
  return undefined;
}

function asked({ steps }: Transcript, request: RegExp): boolean {
  return steps.some((step) => step.kind === 'told' && request.test(step.facts.request));
}

/** The fullest thing the node said of itself. */
function toldNode({ steps }: Transcript, nodeName: string): JsonObject {
  let told: JsonObject = {};
  for (const step of steps) {
    if (step.kind !== 'told') continue;
    for (const { object, verb, value } of step.facts.said) if (object === `Node ${nodeName}` && verb === 'whole') told = value;
  }
  return told;
}

function labelsOf({ metadata, labels }: JsonObject): Readonly<Record<string, string>> {
  const given = Object.entries(fieldsOf(labels ?? fieldsOf(metadata).labels));
  return Object.fromEntries(given.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}

function hostFactsOf({ status: given }: JsonObject, nodeName: string): HostFacts {
  const status = fieldsOf(given);
  const info = fieldsOf(status.nodeInfo);
  const capacity = fieldsOf(status.capacity);
  const text = (field: string): string => (typeof info[field] === 'string' ? info[field] : '');
  const amount = (name: string, otherwise: number): number => (typeof capacity[name] === 'string' ? parseQuantity(capacity[name]) : undefined) ?? otherwise;
  const addresses = (Array.isArray(status.addresses) ? status.addresses : []).filter(isJsonObject)
    .flatMap(({ type, address }) => (type === 'InternalIP' && typeof address === 'string' ? [address] : []));
  return {
    hostname: nodeName, architecture: text('architecture'), kernelVersion: text('kernelVersion'), osImage: text('osImage'),
    machineId: text('machineID'), systemUuid: text('systemUUID'), bootId: text('bootID'),
    cpus: amount('cpu', 4), memoryBytes: amount('memory', 4 * gibi), rootFilesystemBytes: amount('ephemeral-storage', 100 * gibi), hugePages: {},
    addresses: addresses.length > 0 ? addresses : ['192.0.2.1'],
  };
}

function fieldsOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
