// Which pod goes first when the node is short. Pure: the same pods in the same order give the same ranking.
import type { EvictionSignal } from '../../ports/eviction.ts';
import type { DesiredPod } from '../../ports/pod-types.ts';
import { podRequests } from './pod-requests.ts';

/** Bytes and inodes on disk. */
export interface DiskUsage {
  readonly bytes: number;
  readonly inodes: number;
}

/** What one container uses. A figure is absent where nobody could tell. */
export interface ContainerUsage {
  readonly name: string;
  readonly memoryBytes?: number;
  /** Its writable layer. */
  readonly root?: DiskUsage;
  readonly logs?: DiskUsage;
}

export interface PodUsage {
  readonly containers: readonly ContainerUsage[];
  /** Volumes on the node's disk, by name. */
  readonly volumes: ReadonlyMap<string, DiskUsage>;
  readonly processes?: number;
}

export interface RankedPod {
  readonly desired: DesiredPod;
  /** Undefined when nothing at all is known of it. */
  readonly usage: PodUsage | undefined;
}

/** What one pod's part in a shortage is. */
export type DiskPart = 'root' | 'logs' | 'volumes';

/** What reclaiming for a signal frees, in the words of events and messages. */
export type StarvedResource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';

export const starvedResource: Readonly<Record<EvictionSignal, StarvedResource>> = {
  'memory.available': 'memory',
  'nodefs.available': 'ephemeral-storage', 'imagefs.available': 'ephemeral-storage',
  'nodefs.inodesFree': 'inodes', 'imagefs.inodesFree': 'inodes',
  'pid.available': 'pids',
};

/** Smaller goes first. */
type Compare = (a: RankedPod, b: RankedPod) => number;

/**
 * First in the list goes first.
 * @param options.separateImages images and writable layers have a file system of their own
 * @see kubelet behaviour, "Ranking"
 */
export function rankForEviction(signal: EvictionSignal, pods: readonly RankedPod[], options: { readonly separateImages: boolean }): readonly RankedPod[] {
  return pods.toSorted(inOrder(comparesOf(signal, options)));
}

function comparesOf(signal: EvictionSignal, { separateImages }: { readonly separateImages: boolean }): readonly Compare[] {
  const resource = starvedResource[signal];
  switch (resource) {
    case 'memory':
      return [unknownFirst, trueFirst((pod) => memoryOf(pod) > requested(pod, 'memory')), byPriority, largestFirst((pod) => memoryOf(pod) - requested(pod, 'memory'))];
    case 'pids':
      return [byPriority, unknownFirst, largestFirst(({ usage }) => usage?.processes ?? 0)];
    case 'ephemeral-storage':
    case 'inodes': {
      const parts = partsThatCount(signal, separateImages);
      const used = (pod: RankedPod) => diskOf(pod.usage, parts)[resource === 'inodes' ? 'inodes' : 'bytes'];
      // Nobody requests inodes: whoever has any uses more than it asked for.
      const request = (pod: RankedPod) => (resource === 'inodes' ? 0 : requested(pod, 'ephemeral-storage'));
      return [unknownFirst, trueFirst((pod) => used(pod) > request(pod)), byPriority, largestFirst((pod) => used(pod) - request(pod))];
    }
    default:
      return resource satisfies never;
  }
}

function partsThatCount(signal: EvictionSignal, separateImages: boolean): readonly DiskPart[] {
  if (!separateImages) return ['root', 'logs', 'volumes'];
  return signal.startsWith('imagefs') ? ['root'] : ['logs', 'volumes'];
}

export function diskOf(usage: PodUsage | undefined, parts: readonly DiskPart[]): DiskUsage {
  const all: DiskUsage[] = [];
  for (const { root, logs } of usage?.containers ?? []) {
    if (parts.includes('root') && root !== undefined) all.push(root);
    if (parts.includes('logs') && logs !== undefined) all.push(logs);
  }
  if (parts.includes('volumes')) all.push(...(usage?.volumes.values() ?? []));
  return all.reduce((sum, each) => ({ bytes: sum.bytes + each.bytes, inodes: sum.inodes + each.inodes }), { bytes: 0, inodes: 0 });
}

function memoryOf({ usage }: RankedPod): number {
  return (usage?.containers ?? []).reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0);
}

function requested({ desired }: RankedPod, resource: string): number {
  return podRequests(desired.pod.spec)[resource] ?? 0;
}

const unknownFirst: Compare = trueFirst(({ usage }) => usage === undefined);
const byPriority: Compare = (a, b) => (a.desired.pod.spec.priority ?? 0) - (b.desired.pod.spec.priority ?? 0);

function trueFirst(holds: (pod: RankedPod) => boolean): Compare {
  return (a, b) => Number(holds(b)) - Number(holds(a));
}

function largestFirst(amount: (pod: RankedPod) => number): Compare {
  return (a, b) => amount(b) - amount(a);
}

function inOrder(compares: readonly Compare[]): Compare {
  return (a, b) => {
    for (const compare of compares) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}
