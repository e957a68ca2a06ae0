// The kernel's own counter and log, and one that a test wrote: lines of real kernels, and lines that are made to mislead.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { kernelLog } from '../../src/adapters/kernel-log.ts';

function system(files: Readonly<Record<string, string>>) {
  const systemRoot = mkdtempSync(path.join(tmpdir(), 'mqlet-kernel-'));
  onTestFinished(() => rmSync(systemRoot, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(systemRoot, name)), { recursive: true });
    writeFileSync(path.join(systemRoot, name), text);
  }
  return kernelLog({ systemRoot });
}

const records = [
  '6,1200,5000001,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=hog,pid=42,uid=0',
  '3,1201,5000002,-;Out of memory: Killed process 42 (hog) total-vm:9000kB, anon-rss:8000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:0',
  ' SUBSYSTEM=memory',
  '3,1202,5000003,-;Memory cgroup out of memory: Killed process 43 (in limits) total-vm:9000kB, anon-rss:8000kB',
  '3,1203,5000004,-;Out of memory (oom_kill_allocating_task): Killed process 44 (wor)ker) total-vm:1kB',
  '12,1204,5000005,-;somebody says Out of memory: Killed process 45 (liar) total-vm:1kB',
  '3,1205,5000006,-;Out of memory: Killed process 46 (b\u0007ell) total-vm:1kB',
];

describe('the kernel\'s log', () => {
  it('given kills in it, when the latest are asked for, then they are read with their scope; what others write is not taken for them', async () => {
    const log = system({ 'proc/vmstat': 'pgfault 7\noom_kill 4\nnr_dirty 0\n', 'dev/kmsg': `${records.join('\n')}\n` });
    expect(await log.countOomKills()).toBe(4);
    expect(await log.latestOomKills(3)).toEqual([
      { pid: 43, victim: 'in limits', scope: 'cgroup' }, { pid: 44, victim: 'wor', scope: 'system' }, { pid: 46, victim: 'b?ell', scope: 'system' },
    ]);
    expect(await log.latestOomKills(0)).toEqual([]);
    expect(await log.latestOomKills(99)).toHaveLength(4);
  });

  it('given neither counter nor log, when asked, then nothing is known and nothing fails', async () => {
    const log = system({ 'proc/vmstat': 'pgfault 7\n' });
    expect({ count: await log.countOomKills(), kills: await log.latestOomKills(5) }).toEqual({ count: undefined, kills: [] });
  });

  it.skipIf(!existsSync('/dev/kmsg'))('given this machine (where it has a kernel log), when a record is written, then it is read to the end without waiting', async () => {
    const log = kernelLog();
    expect(await log.countOomKills()).toEqual(expect.any(Number));
    // As the kernel words it; no process is harmed. Without the line's end it would wait for more.
    writeFileSync('/dev/kmsg', 'Out of memory: Killed process 999999991 (mqlet-test) total-vm:0kB\n');
    expect((await log.latestOomKills(1_000)).filter(({ pid }) => pid === 999_999_991)).toContainEqual({ pid: 999_999_991, victim: 'mqlet-test', scope: 'system' });
  });
});
