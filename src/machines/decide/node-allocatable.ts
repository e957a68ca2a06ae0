// What pods may have of a node, and what the cgroup of all pods is held to, in the units of those who ask. The one place that turns
// the node object's allocatable amounts into numbers for decisions; no reserve is counted anywhere else.
import type { HostFacts } from '../../ports/host-port.ts';
import { nodeAllocatable, nodeCapacity, type NodeIdentity } from './node-object.ts';
import type { NodeAllocatable } from './node-settings.ts';
import type { Amounts } from './pod-requests.ts';

/** `cpu` in thousandths, all others in whole units. @see kubelet behaviour, "Allocatable" */
export function admittedAmounts(identity: NodeIdentity, host: HostFacts): Amounts {
  // Pods are counted apart.
  const { cpu = 0, pods: _pods, ...others } = nodeAllocatable(identity, nodeCapacity(identity, host));
  return { cpu: cpu * 1_000, ...others };
}

/** What a container without a limit is told it may have. */
export function shownAllocatable(identity: NodeIdentity, host: HostFacts): NodeAllocatable {
  const { cpu = 0, memory = 0, 'ephemeral-storage': storage = 0 } = admittedAmounts(identity, host);
  return { cpuMillis: cpu, memoryBytes: memory, ephemeralStorageBytes: storage };
}

/**
 * What the cgroup of all pods together is held to. What eviction keeps free is not taken off, so that eviction acts before the kernel
 * does, and huge pages are limits of their own.
 */
export function enforcedAmounts(identity: NodeIdentity, host: HostFacts): Amounts {
  const { cpu = 0, memory = 0, pods: _pods, 'ephemeral-storage': _storage, ...hugePages } =
    nodeAllocatable({ ...identity, evictionHard: {} }, { ...nodeCapacity(identity, host) });
  const pagesBytes = Object.values(hugePages).reduce((sum, bytes) => sum + bytes, 0);
  return { cpu: cpu * 1_000, memory: memory + pagesBytes, ...hugePages };
}
