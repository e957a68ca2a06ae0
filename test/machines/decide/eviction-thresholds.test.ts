// When the node is short: thresholds against observations, grace, hold and minimum reclaim.
import { describe, expect, test } from 'vitest';
import { evictionRound, isRelieved, nothingRemembered, type Observations } from '../../../src/machines/decide/eviction-thresholds.ts';
import type { EvictionSignal, EvictionThreshold } from '../../../src/ports/eviction.ts';

const mebi = 2 ** 20;
const hard = (signal: EvictionSignal, value: string | number, part: Partial<EvictionThreshold> = {}): EvictionThreshold => ({
  signal, graceMs: 0, value: typeof value === 'number' ? { kind: 'percent', percent: value } : { kind: 'amount', amount: Number.parseInt(value, 10) * mebi, text: value }, ...part,
});
const memory = hard('memory.available', '100Mi');
const softMemory = hard('memory.available', '500Mi', { graceMs: 90_000 });
const disk = hard('nodefs.available', 10);
const inodes = hard('nodefs.inodesFree', 5);
const images = hard('imagefs.available', 15);
const pids = hard('pid.available', 10);
const all = [disk, inodes, images, pids, memory, softMemory];

const free = (signal: EvictionSignal, available: number, capacity = 1_000 * mebi): Observations => ({ [signal]: { available, capacity } });

describe('a round of eviction', () => {
  test.each<[string, Observations, pressures: readonly string[], due: readonly EvictionThreshold[]]>([
    ['nothing observed', {}, [], []],
    ['enough of everything', { ...free('memory.available', 600 * mebi), ...free('nodefs.available', 500 * mebi), ...free('pid.available', 500, 1_000) }, [], []],
    ['exactly the threshold', { ...free('memory.available', 500 * mebi), ...free('nodefs.available', 100 * mebi) }, [], []],
    ['little memory for a soft threshold', free('memory.available', 400 * mebi), ['memory'], []],
    ['little memory', free('memory.available', 99 * mebi), ['memory'], [memory]],
    ['a full disk', free('nodefs.available', 99 * mebi), ['disk'], [disk]],
    ['few inodes', free('nodefs.inodesFree', 4, 100), ['disk'], [inodes]],
    ['a file system that counts no inodes', free('nodefs.inodesFree', 0, 0), [], []],
    ['no room for images', free('imagefs.available', 149 * mebi), ['disk'], [images]],
    ['few process IDs', free('pid.available', 9, 100), ['pid'], [pids]],
    ['all at once, memory goes first', { ...free('nodefs.available', 1), ...free('pid.available', 0, 100), ...free('memory.available', 1) }, ['memory', 'disk', 'pid'], [memory, disk, pids]],
  ])('given %s, when looked at, then that is shown and due', (_name, observations, pressures, due) => {
    const round = evictionRound(nothingRemembered, all, observations, { nowMs: 1_000, holdMs: 300_000 });
    expect({ pressures: round.pressures, due: round.due }).toEqual({ pressures, due });
  });

  /** Looks at the given times, and what was due and shown each time. */
  function looks(thresholds: readonly EvictionThreshold[], steps: readonly (readonly [nowMs: number, availableMebi: number])[], holdMs = 300_000): string[] {
    let { memory: kept } = { memory: nothingRemembered };
    return steps.map(([nowMs, available]) => {
      const round = evictionRound(kept, thresholds, free('memory.available', available * mebi), { nowMs, holdMs });
      kept = round.memory;
      return `${round.due.length === 0 ? '-' : 'due'} ${round.pressures.join() || '-'}`;
    });
  }

  test('given a soft threshold, when it is crossed without a break for its grace period, then it is due', () => {
    expect(looks([softMemory], [[0, 400], [80_000, 400], [90_000, 400]])).toEqual(['- memory', '- memory', 'due memory']);
    expect(looks([softMemory], [[0, 400], [80_000, 600], [90_000, 400], [170_000, 400], [180_000, 400]])).toEqual(['- memory', '- memory', '- memory', '- memory', 'due memory']);
  });

  test('given a pressure that is gone, when its period has passed, then it is no longer shown', () => {
    expect(looks([memory], [[0, 50], [10_000, 200], [299_999, 200], [300_000, 200]])).toEqual(['due memory', '- memory', '- memory', '- -']);
    expect(looks([memory], [[0, 50], [1, 200]], 0)).toEqual(['due memory', '- -']);
  });

  test('given a minimum to reclaim, when the threshold was due, then it stays so until that much more is free', () => {
    const reclaiming = hard('memory.available', '100Mi', { minimumReclaim: { kind: 'amount', amount: 50 * mebi, text: '50Mi' } });
    expect(looks([reclaiming], [[0, 120], [1, 99], [2, 120], [3, 149], [4, 150], [5, 120]])).toEqual(['- -', 'due memory', 'due memory', 'due memory', '- memory', '- memory']);
    expect([149, 150].map((left) => isRelieved([reclaiming], free('memory.available', left * mebi)))).toEqual([false, true]);
    const byPart = hard('memory.available', 10, { minimumReclaim: { kind: 'percent', percent: 5 } });
    expect([149, 150].map((left) => isRelieved([byPart], free('memory.available', left * mebi)))).toEqual([false, true]);
  });
});
