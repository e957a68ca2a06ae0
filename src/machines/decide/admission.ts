// Whether the node may take a pod at all. The first reason counts; a refused pod fails for good, as kubelet has it.
import type { DesiredPod } from '../../ports/pod-types.ts';
import { isCriticalPod, podsToPreempt, type Shortage } from './critical-pods.ts';
import { matchesNode } from './node-affinity.ts';
import type { NodeTaint } from './node-object.ts';
import { type Amounts, podRequests } from './pod-requests.ts';
import { qosClass } from './qos.ts';
import { appArmorAnnotation } from './security-context.ts';
import { sysctlFault } from './sysctls.ts';
import { type NodeAbilities, unsupportedFeature } from './unsupported-features.ts';

export interface AdmissionFault {
  readonly reason: string;
  readonly message: string;
}

/** The node as a pod finds it. */
export interface AdmittingNode extends NodeAbilities {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  /** What all pods together may ask for; a resource that is not named is not counted. */
  readonly allocatable: Amounts;
  readonly podsMax: number;
  readonly allowedUnsafeSysctls: readonly string[];
  /** Whether the kernel enforces AppArmor profiles. */
  readonly appArmor: boolean;
  /** Conditions such as `MemoryPressure` that are true. */
  readonly pressures: readonly string[];
  /** The machine goes down; absent is no. */
  readonly shuttingDown?: boolean;
}

/** `preempted` pods have to go for it; they are no longer counted. */
export type Admission =
  | { readonly kind: 'admitted'; readonly preempted: readonly DesiredPod[] }
  | { readonly kind: 'refused'; readonly fault: AdmissionFault };

const memoryPressureTaint: NodeTaint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' };

/**
 * @param active all pods, but the one asked about, that have or will have containers
 * @see kubelet behaviour, "Node admission"
 */
export function admitPod(desired: DesiredPod, node: AdmittingNode, active: readonly DesiredPod[]): Admission {
  const first = pressureFault(desired, node) ?? sysctlsFault(desired, node) ?? operatingSystemFault(desired, node);
  if (first !== undefined) return { kind: 'refused', fault: first };
  const missing = resourcesMissing(desired, node, active);
  const other = placeFault(desired, node, active) ?? profileFault(desired, node) ?? unsupportedFeature(desired, node) ?? shutdownFault(node);
  const [short] = missing;
  if (short !== undefined) {
    // Only a pod that lacks nothing but room may have others go for it.
    const preempted = other === undefined && isCriticalPod(desired) ? podsToPreempt(desired, active, shortageOf(missing)) : undefined;
    return preempted === undefined ? { kind: 'refused', fault: shortFault(short) } : { kind: 'admitted', preempted };
  }
  return other === undefined ? { kind: 'admitted', preempted: [] } : { kind: 'refused', fault: other };
}

function shutdownFault({ shuttingDown = false }: AdmittingNode): AdmissionFault | undefined {
  return shuttingDown ? { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' } : undefined;
}

function pressureFault(desired: DesiredPod, { pressures }: AdmittingNode): AdmissionFault | undefined {
  if (pressures.length === 0 || isCriticalPod(desired)) return undefined;
  const { spec } = desired.pod;
  const onlyMemory = pressures.every((type) => type === 'MemoryPressure');
  if (onlyMemory && (qosClass(spec) !== 'BestEffort' || tolerates(desired, memoryPressureTaint))) return undefined;
  return { reason: 'Evicted', message: `The node had condition: [${pressures.join(' ')}]. ` };
}

function sysctlsFault({ pod }: DesiredPod, { allowedUnsafeSysctls }: AdmittingNode): AdmissionFault | undefined {
  const message = sysctlFault(pod.spec, allowedUnsafeSysctls);
  return message === undefined ? undefined : { reason: 'SysctlForbidden', message };
}

function operatingSystemFault({ pod: { spec } }: DesiredPod, { labels }: AdmittingNode): AdmissionFault | undefined {
  const wanted = spec.nodeSelector?.['kubernetes.io/os'];
  const own = labels['kubernetes.io/os'] ?? 'linux';
  if (wanted !== undefined && wanted !== own) {
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message: 'Failed to admit pod as the `kubernetes.io/os` label doesn\'t match node label' };
  }
  if (spec.os === undefined || spec.os.name === 'linux') return undefined;
  return { reason: 'PodOSNotSupported', message: 'Failed to admit pod as the OS field doesn\'t match node OS' };
}

interface Missing {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

/** Those kubelet names first come first. */
const countedFirst = ['cpu', 'memory', 'ephemeral-storage'];

/** Why an admitted pod cannot have what it asks for beside the others; undefined when it can. */
export function resourceShortage(desired: DesiredPod, node: AdmittingNode, others: readonly DesiredPod[]): AdmissionFault | undefined {
  const short = resourcesMissing(desired, { ...node, podsMax: Number.POSITIVE_INFINITY }, others)[0];
  return short && shortFault(short);
}

function resourcesMissing({ pod }: DesiredPod, { allocatable, podsMax }: AdmittingNode, active: readonly DesiredPod[]): readonly Missing[] {
  const missing: Missing[] = [];
  const used = active.length;
  if (used + 1 > podsMax) missing.push({ resource: 'pods', requested: 1, used, capacity: podsMax });
  const requests = podRequests(pod.spec);
  const names = [...countedFirst, ...Object.keys(requests).filter((name) => !countedFirst.includes(name)).sort()];
  const others = names.some((name) => (requests[name] ?? 0) > 0) ? active.map((other) => podRequests(other.pod.spec)) : [];
  for (const resource of names) {
    const requested = requests[resource] ?? 0;
    const capacity = allocatable[resource];
    if (requested === 0 || capacity === undefined) continue;
    const taken = others.reduce((sum, other) => sum + (other[resource] ?? 0), 0);
    if (requested + taken > capacity) missing.push({ resource, requested, used: taken, capacity: Math.floor(capacity) });
  }
  return missing;
}

function shortageOf(missing: readonly Missing[]): Shortage {
  return Object.fromEntries(missing.map(({ resource, requested, used, capacity }) => [resource, requested + used - capacity]));
}

function shortFault({ resource, requested, used, capacity }: Missing): AdmissionFault {
  return { reason: `OutOf${resource}`, message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}` };
}

function placeFault(desired: DesiredPod, node: AdmittingNode, active: readonly DesiredPod[]): AdmissionFault | undefined {
  const { spec } = desired.pod;
  const fault = (reason: string, message: string) => ({ reason, message: `Predicate ${reason} failed: ${message}` });
  if (!matchesNode(spec, node)) return fault('NodeAffinity', 'node(s) didn\'t match Pod\'s node affinity/selector');
  if (spec.nodeName && spec.nodeName !== node.name) return fault('NodeName', 'node(s) didn\'t match the requested node name');
  if (portTaken(desired, active)) return fault('NodePorts', 'node(s) didn\'t have free ports for the requested pod ports');
  const untolerated = node.taints.some((taint) => taint.effect === 'NoExecute' && !tolerates(desired, taint));
  // Taints are the API's word; a pod of this machine must start when the API thinks the node unreachable.
  if (untolerated && desired.source === 'mqtt') return fault('TaintToleration', 'node(s) had taints that the pod didn\'t tolerate');
  return undefined;
}

interface HostPort {
  readonly port: number;
  readonly protocol: string;
  readonly ip: string;
}

function hostPorts({ pod: { spec } }: DesiredPod): readonly HostPort[] {
  return spec.containers.flatMap(({ ports = [] }) => ports)
    .filter(({ hostPort = 0 }) => hostPort > 0)
    .map(({ hostPort = 0, protocol = 'TCP', hostIP = '' }) => ({ port: hostPort, protocol, ip: hostIP === '' ? '0.0.0.0' : hostIP }));
}

function portTaken(desired: DesiredPod, active: readonly DesiredPod[]): boolean {
  const wanted = hostPorts(desired);
  if (wanted.length === 0) return false;
  const everywhere = '0.0.0.0';
  return active.flatMap(hostPorts).some((taken) => wanted.some(({ port, protocol, ip }) =>
    port === taken.port && protocol === taken.protocol && (ip === taken.ip || ip === everywhere || taken.ip === everywhere)));
}

function tolerates({ pod: { spec } }: DesiredPod, taint: NodeTaint): boolean {
  return (spec.tolerations ?? []).some(({ key = '', operator = 'Equal', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false;
    if (key !== '' && key !== taint.key) return false;
    // An empty key goes with Exists only, and then stands for every taint.
    return operator === 'Exists' || (key !== '' && value === (taint.value ?? ''));
  });
}

/** A pod that names a profile, even the runtime's default, insists on it; one that says nothing takes what there is. */
function profileFault({ pod: { metadata, spec } }: DesiredPod, { appArmor }: AdmittingNode): AdmissionFault | undefined {
  if (appArmor) return undefined;
  const contexts = [spec, ...spec.containers, ...(spec.initContainers ?? [])].map(({ securityContext }) => securityContext);
  const byField = contexts.some((context) => context?.appArmorProfile !== undefined && context.appArmorProfile.type !== 'Unconfined');
  const byAnnotation = Object.entries(metadata.annotations ?? {}).some(([key, value]) => key.startsWith(appArmorAnnotation) && value !== 'unconfined' && value !== '');
  if (!byField && !byAnnotation) return undefined;
  return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' };
}
