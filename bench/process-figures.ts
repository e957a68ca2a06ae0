// Memory and CPU of another process, from /proc. Reading costs that process nothing on its own account.
import { readdirSync, readFileSync } from 'node:fs';

const kibibyte = 1024;
const mebibyte = 1024 * 1024;

/** In MiB. */
export interface MemoryFigures {
  readonly rssMib: number;
  readonly rssAnonMib: number;
  readonly rssFileMib: number;
  readonly pssMib: number;
}

/** @throws when the process is gone */
export function memoryOf(pid: number): MemoryFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return {
    rssMib: field(status, 'VmRSS'), rssAnonMib: field(status, 'RssAnon'), rssFileMib: field(status, 'RssFile'), pssMib: field(rollup, 'Pss'),
  };
}

function field(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text);
  if (match === null) throw new Error(`/proc has no ${name}`);
  return (Number(match[1]) * kibibyte) / mebibyte;
}

/**
 * Seconds of CPU used so far by all threads that live now, counted by the scheduler in nanoseconds.
 * Threads of the processes measured here live as long as the process.
 * @throws when the process is gone
 */
export function cpuSecondsOf(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // A thread may end between the listing and the look.
    }
  }
  return nanoseconds / 1e9;
}

/** Times the process was put on a processor so far, all threads. */
export function wakeupsOf(pid: number): number {
  let count = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      count += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[2]);
    } catch {
      // As above.
    }
  }
  return count;
}
