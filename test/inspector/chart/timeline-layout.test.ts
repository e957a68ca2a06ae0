import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { overlaps } from '../../../src/inspector/chart/shapes.ts';
import { layOutTimeline, type Stay } from '../../../src/inspector/chart/timeline-layout.ts';

const stay = (n: number, state: string, enteredAtMs: number, leftAtMs?: number): Stay => ({ n, state, enteredAtMs, leftAtMs, on: `e${n}` });
const life = [stay(1, 'pending', 0, 1_000), stay(2, 'creating', 1_000, 4_000), stay(5, 'running', 4_000, 9_000), stay(7, 'creating', 9_000, 9_500), stay(9, 'running', 9_500)];

describe('timeline', () => {
  test('given the life of a pod, when laid out, then each state has its row with its time, and bars lie at their times', () => {
    const { rows, bars, moves, ticks, height } = layOutTimeline({ visits: life, toMs: 10_000, width: 1_000, scale: 'linear' });
    expect(rows.map(({ state, stays, totalMs, share }) => [state, stays, totalMs, share])).toEqual([['pending', 1, 1_000, 0.1], ['creating', 2, 3_500, 0.35], ['running', 2, 5_500, 0.55]]);
    const px = (1_000 - 12 - 84) / 10_000;
    expect(bars.map(({ state, x, width }) => [state, Math.round(x), Math.round(width)])).toEqual([
      ['pending', 84, Math.round(1_000 * px)], ['creating', Math.round(84 + 1_000 * px), Math.round(3_000 * px)], ['running', Math.round(84 + 4_000 * px), Math.round(5_000 * px)],
      ['creating', Math.round(84 + 9_000 * px), Math.round(500 * px)], ['running', Math.round(84 + 9_500 * px), Math.round(500 * px)],
    ]);
    expect(bars.map(({ goesOn }) => goesOn)).toEqual([false, false, false, false, true]);
    expect(moves.map(({ on, n }) => [n, on])).toEqual([[2, 'e2'], [5, 'e5'], [7, 'e7'], [9, 'e9']]);
    expect(ticks.map(({ atMs }) => atMs)).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000]);
    expect(height).toBe(3 * 24 + 24);
  });

  test('given an earlier moment, when laid out, then what came later is not there and what went on then goes on', () => {
    const { bars, rows } = layOutTimeline({ visits: life, toMs: 5_000, width: 500, scale: 'linear', states: ['running', 'creating', 'done'] });
    expect(bars.map(({ n, leftAtMs, goesOn }) => [n, leftAtMs, goesOn])).toEqual([[1, 1_000, false], [2, 4_000, false], [5, 5_000, true]]);
    expect(rows.map(({ state }) => state)).toEqual(['running', 'creating', 'pending']);
  });

  test('given three days beside two seconds, when laid out evenly, then both can be seen', () => {
    const { bars } = layOutTimeline({ visits: [stay(1, 'creating', 0, 2_000), stay(2, 'running', 2_000)], toMs: 3 * 86_400_000, width: 600, scale: 'even' });
    expect(bars[0]?.width).toBeGreaterThan(80);
    expect(bars[1]?.width).toBeGreaterThan(bars[0]?.width ?? 0);
  });

  test('given nothing, when laid out, then there is nothing', () => {
    expect(layOutTimeline({ visits: [], toMs: 1, width: 100, scale: 'even' })).toMatchObject({ rows: [], bars: [], moves: [] });
  });

  test('given any life, when laid out, then no bar lies on another, all are inside, and there are no more than pixels', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c.d'), fc.oneof(fc.nat(5), fc.nat(100_000))), { maxLength: 200 }), fc.constantFrom('linear', 'even'), fc.integer({ min: 60, max: 1_200 }), (lengths, scale, width) => {
      let atMs = 1_000;
      const visits = lengths.map(([state, lastsMs], index) => stay(index + 1, state, atMs, (atMs += lastsMs)));
      const { bars, ticks, rows } = layOutTimeline({ visits, toMs: atMs, width, scale });
      bars.forEach((bar, index) => {
        expect(bar.x).toBeGreaterThanOrEqual(84);
        expect(bar.x).toBeLessThanOrEqual(Math.max(85, width - 12));
        expect(bars.slice(index + 1).some((other) => other.state === bar.state && overlaps(bar, other))).toBe(false);
      });
      expect(bars.reduce((sum, { stays }) => sum + stays, 0)).toBe(visits.length);
      expect(rows.reduce((sum, { totalMs }) => sum + totalMs, 0)).toBe(atMs - 1_000);
      expect(bars.length).toBeLessThanOrEqual(3 * width);
      ticks.slice(1).forEach(({ x }, index) => { expect(x).toBeGreaterThan(ticks[index]?.x ?? 0); });
    }), { numRuns: 300 });
  });
});
