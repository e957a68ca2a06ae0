// Processes that the kernel killed, as the node's events tell of them.
import { describe, expect, it } from 'vitest';
import { systemOomWatch, toldMax } from '../../src/actors/system-oom.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { OomKill } from '../../src/ports/kernel-log-port.ts';

const kill = (pid: number, scope: OomKill['scope'] = 'system'): OomKill => ({ pid, victim: `p${pid}`, scope });

/** A kernel whose counter and log the test sets; its log may have lost the oldest. */
function kernel() {
  const bus = new Bus(new VirtualClock());
  const told: string[] = [];
  bus.as('test').on('event.noted', ({ payload: { subject, type, reason, message } }) => void told.push(`${subject.kind} ${type} ${reason} ${message}`));
  const state: { count: number | undefined; log: OomKill[]; reads: number } = { count: 3, log: [kill(1), kill(2), kill(3)], reads: 0 };
  const watch = systemOomWatch({
    bus: bus.as('eviction'),
    kernelLog: {
      countOomKills: () => Promise.resolve(state.count),
      latestOomKills: (count) => {
        state.reads += 1;
        return Promise.resolve(state.log.slice(-count));
      },
    },
  });
  return { state, watch, told, killed: (...kills: OomKill[]) => {
    state.log.push(...kills);
    state.count = (state.count ?? 0) + kills.length;
  } };
}

describe('system OOM', () => {
  it('given kills before the first look, when looked at, then nobody is told and the log is not read', async () => {
    const { state, watch, told } = kernel();
    await watch.look();
    await watch.look();
    expect({ told, reads: state.reads }).toEqual({ told: [], reads: 0 });
  });

  it('given kills since, when looked at, then those of the whole machine are told, once', async () => {
    const { watch, told, killed } = kernel();
    await watch.look();
    killed(kill(10), kill(11, 'cgroup'), kill(12));
    await watch.look();
    await watch.look();
    expect(told).toEqual([
      'Node Warning SystemOOM System OOM encountered, victim process: p10, pid: 10',
      'Node Warning SystemOOM System OOM encountered, victim process: p12, pid: 12',
    ]);
  });

  it('given more than anyone reads, when looked at, then the latest are told', async () => {
    const { watch, told, killed } = kernel();
    await watch.look();
    killed(...Array.from({ length: 50 }, (_each, index) => kill(100 + index)));
    await watch.look();
    expect(told).toHaveLength(toldMax);
    expect(told.at(-1)).toMatch(/pid: 149$/);
  });

  it('given a kernel that does not count, or begins anew, when looked at, then nothing is told', async () => {
    const { state, watch, told } = kernel();
    await watch.look();
    state.count = undefined;
    await watch.look();
    state.count = 9;
    await watch.look();
    state.count = 0;
    await watch.look();
    expect({ told, reads: state.reads }).toEqual({ told: [], reads: 0 });
  });
});
