// NodeUsagePort from /proc and the file system. Reads when asked, remembers nothing.
import { readFile, statfs } from 'node:fs/promises';
import type { NodeUsage, NodeUsagePort } from '../ports/node-usage-port.ts';

/** Of a tick in /proc/stat: USER_HZ is 100 on every architecture Linux has today. */
const tickNanoSeconds = 10_000_000;
/** user, nice, system, irq, softirq, steal: what is left out is idle, waiting, and what user counts already. */
const busyColumns = [0, 1, 2, 5, 6, 7];

export function nodeUsage({ rootDirectory, systemRoot = '' }: { readonly rootDirectory: string; readonly systemRoot?: string }): NodeUsagePort {
  const read = (name: string): Promise<string> => readFile(`${systemRoot}${name}`, 'utf8').catch(() => '');
  return {
    measure: async (): Promise<NodeUsage> => {
      const [stat, memory, room] = await Promise.all([read('/proc/stat'), read('/proc/meminfo'), statfs(rootDirectory).catch(() => undefined)]);
      const ticks = /^cpu\s+(.+)$/m.exec(stat)?.[1]?.split(/\s+/).map(Number);
      const startedAt = /^btime\s+(\d+)$/m.exec(stat)?.[1];
      const kilobytes = (name: string): number | undefined => {
        const [, value] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(memory) ?? [];
        return value === undefined ? undefined : Number(value) * 1_024;
      };
      const [memoryBytes, memoryAvailableBytes] = [kilobytes('MemTotal'), kilobytes('MemAvailable')];
      return {
        atMs: Date.now(),
        ...(startedAt === undefined ? {} : { startedAtMs: Number(startedAt) * 1_000 }),
        ...(ticks === undefined ? {} : { cpuNanoSeconds: busyColumns.reduce((sum, column) => sum + (ticks[column] ?? 0), 0) * tickNanoSeconds }),
        ...(memoryBytes === undefined ? {} : { memoryBytes }),
        ...(memoryAvailableBytes === undefined ? {} : { memoryAvailableBytes }),
        ...(room === undefined ? {} : { filesystem: { capacityBytes: room.blocks * room.bsize, availableBytes: room.bavail * room.bsize, inodes: room.files, inodesFree: room.ffree } }),
      };
    },
  };
}
