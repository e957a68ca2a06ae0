// What a kubelet tells of use: what was measured, in the words of its API, and nothing else.
import { describe, expect, it } from 'vitest';
import { type Measured, resourceMetrics, statsSummary } from '../../../src/machines/decide/node-stats.ts';

const atMs = Date.parse('2026-01-31T10:00:00Z');
const measured: Measured = {
  nodeName: 'edge-07',
  node: { atMs, startedAtMs: atMs - 60_000, cpuNanoSeconds: 5e9, memoryBytes: 1_000, memoryAvailableBytes: 400, filesystem: { capacityBytes: 90, availableBytes: 30, inodes: 9, inodesFree: 3 } },
  pods: [
    {
      namespace: 'shop', name: 'web', uid: 'u1', startTime: '2026-01-31T09:00:00Z',
      containers: [
        { name: 'a', cpuNanoSeconds: 1e9, cpuAtMs: atMs - 1, workingSetBytes: 10, memoryBytes: 12, rssBytes: 8, layerBytes: 7, layerInodes: 2, startedAtMs: atMs - 5_000 },
        { name: 'b', cpuNanoSeconds: 5e8, workingSetBytes: 20 },
      ],
    },
    { namespace: 'shop', name: 'new', uid: 'u2', containers: [] },
  ],
};

describe('what is told of the use of a node', () => {
  it('given what was measured, when a summary is made, then it says that and leaves out the rest', () => {
    const time = '2026-01-31T10:00:00Z';
    expect(statsSummary(measured)).toEqual({
      node: {
        nodeName: 'edge-07', startTime: '2026-01-31T09:59:00Z', cpu: { time, usageCoreNanoSeconds: 5e9 },
        memory: { time, availableBytes: 400, usageBytes: 600, workingSetBytes: 600 },
        fs: { time, availableBytes: 30, capacityBytes: 90, usedBytes: 60, inodes: 9, inodesFree: 3, inodesUsed: 6 },
      },
      pods: [
        {
          podRef: { name: 'web', namespace: 'shop', uid: 'u1' }, startTime: '2026-01-31T09:00:00Z', cpu: { time, usageCoreNanoSeconds: 1.5e9 }, memory: { time, workingSetBytes: 30 },
          containers: [
            {
              name: 'a', startTime: '2026-01-31T09:59:55Z', cpu: { time: '2026-01-31T09:59:59Z', usageCoreNanoSeconds: 1e9 },
              memory: { time, workingSetBytes: 10, usageBytes: 12, rssBytes: 8 }, rootfs: { time, usedBytes: 7, inodesUsed: 2 },
            },
            { name: 'b', startTime: null, cpu: { time, usageCoreNanoSeconds: 5e8 }, memory: { time, workingSetBytes: 20 } },
          ],
        },
        { podRef: { name: 'new', namespace: 'shop', uid: 'u2' }, startTime: null, containers: [] },
      ],
    });
  });

  it('given what was measured, when metrics are made, then each has its labels, value and time', () => {
    const rows = resourceMetrics(measured).split('\n').filter((line) => !line.startsWith('#') && line !== '');
    expect(rows).toEqual([
      `container_cpu_usage_seconds_total{container="a",namespace="shop",pod="web"} 1 ${atMs - 1}`,
      `container_cpu_usage_seconds_total{container="b",namespace="shop",pod="web"} 0.5 ${atMs}`,
      `container_memory_working_set_bytes{container="a",namespace="shop",pod="web"} 10 ${atMs}`,
      `container_memory_working_set_bytes{container="b",namespace="shop",pod="web"} 20 ${atMs}`,
      `container_start_time_seconds{container="a",namespace="shop",pod="web"} ${(atMs - 5_000) / 1_000}`,
      `node_cpu_usage_seconds_total 5 ${atMs}`,
      `node_memory_working_set_bytes 600 ${atMs}`,
      `pod_cpu_usage_seconds_total{namespace="shop",pod="web"} 1.5 ${atMs}`,
      `pod_memory_working_set_bytes{namespace="shop",pod="web"} 30 ${atMs}`,
      'resource_scrape_error 0',
    ]);
  });
});
