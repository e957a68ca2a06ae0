// Facts and settings to the Node object as the API shall see it. Pure: the same facts give the same object.
import type { HostFacts } from '../../ports/host-port.ts';
import type { Node } from '../../ports/pod-types.ts';
import { parseQuantity } from '../../ports/quantity.ts';
import type { RuntimeHandlerFacts } from '../../ports/runtime-handlers.ts';
import type { ImageFacts, RuntimeVersion } from '../../ports/runtime-port.ts';

type NodeStatus = NonNullable<Node['status']>;
export type NodeCondition = NonNullable<NodeStatus['conditions']>[number];
export type NodeTaint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

/** What is decided before the node starts. */
export interface NodeIdentity {
  readonly name: string;
  /** Addresses to show; the host's own when empty. */
  readonly ips: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: lite-kubelet's own taint. An empty list: none. */
  readonly taints: readonly NodeTaint[] | undefined;
  readonly providerId: string;
  readonly maxPods: number;
  /** 0: no bound by CPU. */
  readonly podsPerCore: number;
  readonly maxImages: number;
  /** By resource, as quantities that have been checked. */
  readonly systemReserved: Readonly<Record<string, string>>;
  readonly kubeReserved: Readonly<Record<string, string>>;
  /** By signal: a quantity, or per cent of capacity. */
  readonly evictionHard: Readonly<Record<string, string>>;
  /** Version shown as kubeletVersion. */
  readonly version: string;
}

/** Everything the object is made of. */
export interface NodeFactsNow {
  readonly identity: NodeIdentity;
  readonly host: HostFacts;
  /** Undefined until the runtime has answered once. */
  readonly runtime: RuntimeVersion | undefined;
  /** Absent or empty where the runtime tells of none. */
  readonly handlers?: readonly RuntimeHandlerFacts[];
  readonly images: readonly ImageFacts[];
  readonly conditions: readonly NodeCondition[];
}

export const liteKubeletTaint: NodeTaint = { key: 'type', value: 'lite-kubelet', effect: 'NoSchedule' };
const namesPerImageMax = 5;
const kibi = 1_024;

/** @see lite dialect, "Node object"; kubelet behaviour, "Registration" */
export function nodeObject(facts: NodeFactsNow): Node {
  const { identity } = facts;
  const taints = identity.taints ?? [liteKubeletTaint];
  return {
    metadata: {
      name: identity.name,
      labels: nodeLabels(identity, facts.host),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: {
      ...(taints.length === 0 ? {} : { taints: taints.map(({ key, value, effect }) => ({ key, effect, ...(value ? { value } : {}) })) }),
      ...(identity.providerId === '' ? {} : { providerID: identity.providerId }),
    },
    status: nodeStatus(facts),
  };
}

export function nodeLabels({ name, labels }: NodeIdentity, { architecture }: HostFacts): Record<string, string> {
  return {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': architecture,
    type: 'lite-kubelet',
    ...labels,
  };
}

export function nodeStatus({ identity, host, runtime, handlers = [], images, conditions }: NodeFactsNow): NodeStatus {
  const capacity = nodeCapacity(identity, host);
  return {
    capacity: capacityText(capacity),
    allocatable: allocatableText(identity, capacity),
    conditions: [...conditions],
    addresses: nodeAddresses(identity, host),
    // No port is served yet; a port that nobody answers on would be a promise not kept.
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
    nodeInfo: {
      machineID: host.machineId,
      systemUUID: host.systemUuid,
      bootID: host.bootId,
      kernelVersion: host.kernelVersion,
      osImage: host.osImage,
      containerRuntimeVersion: runtime === undefined ? '' : `${runtime.runtimeName}://${runtime.runtimeVersion.replace(/^v(?=\d)/, '')}`,
      kubeletVersion: identity.version,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: host.architecture,
    },
    images: nodeImages(images, identity.maxImages),
    ...(handlers.length === 0 ? {} : { runtimeHandlers: handlers.map(({ name, ...features }) => ({ name, features })) }),
  };
}

/** Numbers in base units by resource name. */
type Amounts = Readonly<Record<string, number>>;

/** Cpus, bytes, pieces. */
export function nodeCapacity({ maxPods, podsPerCore }: NodeIdentity, host: HostFacts): Amounts {
  const pods = podsPerCore > 0 ? Math.min(maxPods, podsPerCore * host.cpus) : maxPods;
  return {
    cpu: host.cpus,
    memory: host.memoryBytes,
    'ephemeral-storage': host.rootFilesystemBytes,
    pods,
    ...Object.fromEntries(Object.entries(host.hugePages).map(([size, bytes]) => [`hugepages-${size}`, bytes])),
  };
}

const signalOf: Readonly<Record<string, string>> = { memory: 'memory.available', 'ephemeral-storage': 'nodefs.available' };

/** Capacity less what is reserved and what eviction keeps free; memory also less all huge pages. Never below 0. */
export function nodeAllocatable(identity: NodeIdentity, capacity: Amounts): Amounts {
  const hugePages = Object.entries(capacity).filter(([name]) => name.startsWith('hugepages-')).reduce((sum, [, bytes]) => sum + bytes, 0);
  return Object.fromEntries(Object.entries(capacity).map(([name, amount]) => {
    if (name === 'pods' || name.startsWith('hugepages-')) return [name, amount];
    const reserved = quantityOr0(identity.systemReserved[name]) + quantityOr0(identity.kubeReserved[name]);
    const kept = thresholdAmount(identity.evictionHard[signalOf[name] ?? ''], amount);
    return [name, Math.max(0, amount - reserved - kept - (name === 'memory' ? hugePages : 0))];
  }));
}

/** @param threshold a quantity or per cent of `capacity`; absent is 0 */
export function thresholdAmount(threshold: string | undefined, capacity: number): number {
  // As eviction has it: both switch a threshold off.
  if (threshold === undefined || threshold === '100%') return 0;
  if (!threshold.endsWith('%')) return quantityOr0(threshold);
  const percent = Number(threshold.slice(0, -1));
  return Number.isFinite(percent) ? (capacity * percent) / 100 : 0;
}

function quantityOr0(text: string | undefined): number {
  return text === undefined ? 0 : (parseQuantity(text) ?? 0);
}

function capacityText(amounts: Amounts): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, amountText(name, amount, { storageUnit: 'Ki' })]));
}

/** As kubelet: allocatable storage is written in bytes, because the threshold breaks whole kibibytes. */
function allocatableText(identity: NodeIdentity, capacity: Amounts): Record<string, string> {
  return Object.fromEntries(Object.entries(nodeAllocatable(identity, capacity)).map(([name, amount]) => [name, amountText(name, amount, { storageUnit: 'bytes' })]));
}

function amountText(name: string, amount: number, { storageUnit }: { readonly storageUnit: 'Ki' | 'bytes' }): string {
  if (name === 'cpu') return Number.isInteger(amount) ? String(amount) : `${Math.round(amount * 1_000)}m`;
  if (name === 'memory') return `${Math.floor(amount / kibi)}Ki`;
  if (name === 'ephemeral-storage') return storageUnit === 'Ki' ? `${Math.floor(amount / kibi)}Ki` : String(Math.floor(amount));
  return name.startsWith('hugepages-') ? binaryText(amount) : String(amount);
}

function binaryText(bytes: number): string {
  for (const [unit, size] of [['Gi', kibi ** 3], ['Mi', kibi ** 2], ['Ki', kibi]] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

export function nodeAddresses({ name, ips }: NodeIdentity, { addresses }: HostFacts): { address: string; type: string }[] {
  const internal = ips.length > 0 ? ips : addresses;
  return [...internal.map((address) => ({ address, type: 'InternalIP' })), { address: name, type: 'Hostname' }];
}

/** Largest first, at most `max` (-1 is all), up to five names each, digests before tags. */
export function nodeImages(images: readonly ImageFacts[], max: number): { names: string[]; sizeBytes: number }[] {
  const named = images
    .map((image) => ({ names: [...image.repoDigests, ...image.repoTags].slice(0, namesPerImageMax), sizeBytes: image.sizeBytes, id: image.id }))
    .filter(({ names }) => names.length > 0)
    // The ID decides between equals, so that the list does not change from one look to the next.
    .sort((a, b) => b.sizeBytes - a.sizeBytes || (a.id < b.id ? -1 : 1));
  return (max < 0 ? named : named.slice(0, max)).map(({ names, sizeBytes }) => ({ names, sizeBytes }));
}
