// What another process uses, from /proc: processor time since its start, memory now.
import { readFileSync } from 'node:fs';

export interface ProcessCost {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** Of this many a second are the ticks of /proc, on every Linux. */
const ticksPerSecond = 100;
const pageBytes = 4_096;

/** @returns zeros for a process that is gone */
export function costOf(pid: number): ProcessCost {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the program's name, which may hold blanks: utime and stime are fields 14 and 15, rss is field 24.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
    return { cpuSeconds: ((fields[11] ?? 0) + (fields[12] ?? 0)) / ticksPerSecond, residentBytes: (fields[21] ?? 0) * pageBytes };
  } catch {
    return { cpuSeconds: 0, residentBytes: 0 };
  }
}

/** Between two looks, as processors used; memory as at the second. */
export function costBetween(before: ProcessCost, after: ProcessCost, seconds: number): { readonly processors: number; readonly residentBytes: number } {
  return { processors: (after.cpuSeconds - before.cpuSeconds) / seconds, residentBytes: after.residentBytes };
}
