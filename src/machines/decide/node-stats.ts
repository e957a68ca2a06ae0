// What a kubelet tells of the use of its node, pods and containers: stats/summary as JSON, metrics/resource as Prometheus' text. Pure.
// Figures that nobody measured are left out, never made up. @see kubelet behaviour, "Summary stats" and "Metrics users scrape"
import type { ContainerStats } from '../../ports/container-stats.ts';
import type { NodeUsage } from '../../ports/node-usage-port.ts';
import { rfc3339Seconds } from '../../ports/rfc3339.ts';

export interface MeasuredPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** RFC 3339; absent while it has not begun. */
  readonly startTime?: string;
  readonly containers: readonly MeasuredContainer[];
}

export interface MeasuredContainer extends Omit<ContainerStats, 'podUid' | 'id'> {
  readonly startedAtMs?: number;
}

export interface Measured {
  readonly nodeName: string;
  readonly node: NodeUsage;
  readonly pods: readonly MeasuredPod[];
}

type Fields = Readonly<Record<string, unknown>>;

export function statsSummary({ nodeName, node, pods }: Measured): Fields {
  const { memoryBytes, memoryAvailableBytes, filesystem, startedAtMs } = node;
  const time = rfc3339Seconds(node.atMs);
  return {
    node: {
      nodeName,
      ...(startedAtMs === undefined ? {} : { startTime: rfc3339Seconds(startedAtMs) }),
      ...cpuOf(node.cpuNanoSeconds, node.atMs),
      ...(memoryBytes === undefined || memoryAvailableBytes === undefined ? {} : {
        memory: { time, availableBytes: memoryAvailableBytes, usageBytes: memoryBytes - memoryAvailableBytes, workingSetBytes: memoryBytes - memoryAvailableBytes },
      }),
      ...(filesystem === undefined ? {} : { fs: {
        time, availableBytes: filesystem.availableBytes, capacityBytes: filesystem.capacityBytes, usedBytes: filesystem.capacityBytes - filesystem.availableBytes,
        inodes: filesystem.inodes, inodesFree: filesystem.inodesFree, inodesUsed: filesystem.inodes - filesystem.inodesFree,
      } }),
    },
    pods: pods.map((pod) => ({
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      startTime: pod.startTime ?? null,
      containers: pod.containers.map((container) => ({
        name: container.name,
        startTime: container.startedAtMs === undefined ? null : rfc3339Seconds(container.startedAtMs),
        ...cpuOf(container.cpuNanoSeconds, container.cpuAtMs ?? node.atMs),
        ...memoryOf(container, time),
        ...(container.layerBytes === undefined ? {} : { rootfs: { time, usedBytes: container.layerBytes, inodesUsed: container.layerInodes ?? 0 } }),
      })),
      ...cpuOf(sumOf(pod, 'cpuNanoSeconds'), node.atMs),
      ...(sumOf(pod, 'workingSetBytes') === undefined ? {} : { memory: { time, workingSetBytes: sumOf(pod, 'workingSetBytes') } }),
    })),
  };
}

function cpuOf(nanoSeconds: number | undefined, atMs: number): Fields {
  return nanoSeconds === undefined ? {} : { cpu: { time: rfc3339Seconds(atMs), usageCoreNanoSeconds: nanoSeconds } };
}

function memoryOf({ workingSetBytes, memoryBytes, rssBytes }: MeasuredContainer, time: string): Fields {
  if (workingSetBytes === undefined) return {};
  return { memory: { time, workingSetBytes, ...(memoryBytes === undefined ? {} : { usageBytes: memoryBytes }), ...(rssBytes === undefined ? {} : { rssBytes }) } };
}

/** Of its containers; absent where none was measured. */
function sumOf({ containers }: MeasuredPod, field: 'cpuNanoSeconds' | 'workingSetBytes'): number | undefined {
  const values = containers.flatMap((container) => container[field] ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | undefined;
  readonly atMs?: number;
}

export function resourceMetrics({ node, pods }: Measured): string {
  const ofContainers = (read: (container: MeasuredContainer) => Omit<Sample, 'labels'>): readonly Sample[] =>
    pods.flatMap(({ namespace, name, containers }) => containers.map((container) => ({ labels: { container: container.name, namespace, pod: name }, ...read(container) })));
  const ofPods = (field: 'cpuNanoSeconds' | 'workingSetBytes', scale: number): readonly Sample[] => pods.map((pod) => {
    const value = sumOf(pod, field);
    return { labels: { namespace: pod.namespace, pod: pod.name }, value: value === undefined ? undefined : value / scale, atMs: node.atMs };
  });
  const used = node.memoryBytes === undefined || node.memoryAvailableBytes === undefined ? undefined : node.memoryBytes - node.memoryAvailableBytes;
  return [
    family('container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the container in core-seconds',
      ofContainers(({ cpuNanoSeconds, cpuAtMs = node.atMs }) => ({ value: seconds(cpuNanoSeconds), atMs: cpuAtMs }))),
    family('container_memory_working_set_bytes', 'gauge', 'Current working set of the container in bytes', ofContainers(({ workingSetBytes }) => ({ value: workingSetBytes, atMs: node.atMs }))),
    family('container_start_time_seconds', 'gauge', 'Start time of the container since unix epoch in seconds', ofContainers(({ startedAtMs }) => ({ value: startedAtMs === undefined ? undefined : startedAtMs / 1_000 }))),
    family('node_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the node in core-seconds', [{ labels: {}, value: seconds(node.cpuNanoSeconds), atMs: node.atMs }]),
    family('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes', [{ labels: {}, value: used, atMs: node.atMs }]),
    family('pod_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the pod in core-seconds', ofPods('cpuNanoSeconds', 1e9)),
    family('pod_memory_working_set_bytes', 'gauge', 'Current working set of the pod in bytes', ofPods('workingSetBytes', 1)),
    family('resource_scrape_error', 'gauge', '1 if there was an error while getting container metrics, 0 otherwise', [{ labels: {}, value: 0 }]),
  ].join('');
}

function seconds(nanoSeconds: number | undefined): number | undefined {
  return nanoSeconds === undefined ? undefined : nanoSeconds / 1e9;
}

/** Names of pods and containers need no escapes. */
function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  const rows = samples.filter(({ value }) => value !== undefined).map(({ labels, value, atMs }) => {
    const inner = Object.entries(labels).map(([label, text]) => `${label}="${text}"`).join(',');
    return `${name}${inner === '' ? '' : `{${inner}}`} ${value}${atMs === undefined ? '' : ` ${atMs}`}\n`;
  });
  return rows.length === 0 ? '' : `# HELP ${name} [STABLE] ${help}\n# TYPE ${name} ${type}\n${rows.join('')}`;
}
