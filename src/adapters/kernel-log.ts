// KernelLogPort from /proc/vmstat and /dev/kmsg. The log is read only when a kill has been counted: it has thousands of records.
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { KernelLogPort, OomKill } from '../ports/kernel-log-port.ts';

export interface KernelLogOptions {
  /** Prefix of /proc and /dev; empty for this machine. */
  readonly systemRoot?: string;
}

/** The kernel hands over one record a read, never longer. */
const recordBytesMax = 8_192;
/** A log of 1 MiB has some ten thousand; more than this is not read at a time. */
const recordsMax = 65_536;
/** `6,1234,567890,-;Out of memory: Killed process 42 (name) total-vm:…`: before the semicolon the record's own facts. */
const killed = /^[^;]*;((?:Memory cgroup o|O)ut of memory)[^:]*: Killed process (\d+),? \((.{0,64}?)\)/;

export function kernelLog({ systemRoot = '' }: KernelLogOptions = {}): KernelLogPort {
  return {
    countOomKills: async () => {
      const text = await readFile(`${systemRoot}/proc/vmstat`, 'latin1').catch(() => '');
      const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
      return count === undefined ? undefined : Number(count);
    },
    latestOomKills: async (count) => (count <= 0 ? [] : readKills(`${systemRoot}/dev/kmsg`).slice(-count)),
  };
}

function readKills(file: string): readonly OomKill[] {
  const kills: OomKill[] = [];
  for (const record of recordsOf(file)) {
    const [, scope, pid, name = ''] = killed.exec(record) ?? [];
    if (pid !== undefined) kills.push({ pid: Number(pid), victim: name.replace(/[^\x20-\x7e]/g, '?').slice(0, 15), scope: scope === 'Out of memory' ? 'system' : 'cgroup' });
  }
  return kills;
}

/** From the oldest that is there to the newest. */
function recordsOf(file: string): readonly string[] {
  const records: string[] = [];
  const buffer = Buffer.alloc(recordBytesMax);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    while (records.length < recordsMax) {
      const bytes = readRecord(descriptor, buffer);
      if (bytes === 0) break;
      records.push(...buffer.toString('latin1', 0, bytes).split('\n'));
    }
  } catch {
    // Not allowed, or not there, as in many containers: nothing is known.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
  return records;
}

/** @returns 0 at the end */
function readRecord(descriptor: number, buffer: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, buffer);
    } catch (error) {
      // Nothing more yet; or the record was overwritten while it was waiting, and the next read goes on behind it.
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'EAGAIN') return 0;
      if (code !== 'EPIPE') throw error;
    }
  }
}
