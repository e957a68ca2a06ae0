// What this process uses, for the metrics page. Read only when somebody asks.
import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessUsage } from '../ports/host-port.ts';

export function readProcessUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    startedAtMs: Date.now() - process.uptime() * 1_000,
    openFiles: countOpenFiles(),
    openFilesMax: readOpenFilesMax(),
  };
}

function countOpenFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    // No /proc, or too many files: the page does without the line.
    return undefined;
  }
}

function readOpenFilesMax(): number | undefined {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line === null ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}
