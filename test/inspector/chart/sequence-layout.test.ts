import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layOutSequence, type SequenceEntry, trailOf } from '../../../src/inspector/chart/sequence-layout.ts';

const entry = (n: number, actor: string, cause: number, part: Partial<SequenceEntry> = {}): SequenceEntry => ({ n, at: n * 10, actor, cause, kind: 'message', title: `t${n}`, ...part });
/** A packet becomes a pod that asks for its image. */
const story = [
  entry(1, 'link', 0), entry(2, 'mqtt-pods', 1), entry(3, 'merge', 2), entry(4, 'pod default/web', 3, { kind: 'step' }), entry(5, 'pod default/web', 3), entry(6, 'images', 5), entry(7, 'pod default/web', 6), entry(8, 'lease', 0),
];

describe('sequence chart', () => {
  test('given a chain of messages, when laid out, then arrows lead from who told to who acted, and each row knows where its cause arrived', () => {
    const { actors, rows, headPx, rowPx } = layOutSequence(story);
    expect(actors.map(({ name }) => name)).toEqual(['link', 'mqtt-pods', 'merge', 'pod default/web', 'images', 'lease']);
    expect(rows.map(({ n, actor, arrows, since }) => [n, actor, arrows.map(({ to, heading }) => `${to} ${heading}`), since?.n])).toEqual([
      [1, 0, ['1 right'], undefined], [2, 1, ['2 right'], 1], [3, 2, ['3 right'], 2], [4, 3, [], 3], [5, 3, ['4 right'], 3], [6, 4, ['3 left'], 5], [7, 3, [], 6], [8, 5, [], undefined],
    ]);
    const [first] = rows;
    expect(first?.arrows[0]?.path).toBe(`M${actors[0]?.x} ${headPx + rowPx / 2}H${actors[1]?.x}`);
    expect(rows[5]?.since).toEqual({ n: 5, fromY: headPx + 4.5 * rowPx });
  });

  test('given an actor that hears itself, when laid out, then the arrow is a loop', () => {
    const { rows } = layOutSequence([entry(1, 'a', 0), entry(2, 'a', 1), entry(3, 'b', 1)]);
    expect(rows[0]?.arrows.map(({ to, path }) => [to, path.includes('V')])).toEqual([[0, true], [1, false]]);
  });

  test('given more actors than have room, when laid out, then the last line stands for all others', () => {
    const { actors, rows } = layOutSequence([1, 2, 3, 4, 5].map((n) => entry(n, `a${n}`, n - 1)), { actorsMax: 3 });
    expect(actors.map(({ name, stands }) => [name, stands])).toEqual([['a1', 1], ['a2', 1], ['3 others', 3]]);
    expect(rows.map(({ actor }) => actor)).toEqual([0, 1, 2, 2, 2]);
  });

  test('given an entry, when its trail is asked for, then it is all that led to it and all that followed', () => {
    expect([...trailOf(story, 5)].sort()).toEqual([1, 2, 3, 5, 6, 7]);
    expect([...trailOf(story, 8)]).toEqual([8]);
    expect([...trailOf(story, 99)]).toEqual([]);
  });

  test('given any messages, when laid out, then rows go down, lines stand apart and arrows end on them', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(60)), { maxLength: 80 }), (given) => {
      const entries = given.map(([actor, back], index) => entry(index + 1, `actor ${'x'.repeat(actor)}`, Math.max(0, index - back)));
      const { actors, rows, width, height } = layOutSequence(entries);
      actors.slice(1).forEach(({ x }, index) => { expect(x - (actors[index]?.x ?? 0)).toBeGreaterThanOrEqual(96); });
      rows.forEach((row, index) => {
        expect(row.at).toEqual({ x: actors[row.actor]?.x, y: 44 + index * 26 + 13 });
        expect(row.at.x).toBeLessThan(width);
        expect(row.at.y).toBeLessThan(height);
        if (row.since !== undefined) expect(row.since.fromY).toBeLessThan(row.at.y);
        for (const { to, path } of row.arrows) expect(path.endsWith(`H${actors[to]?.x}`)).toBe(true);
      });
    }), { numRuns: 200 });
  });

  test('given ten thousand messages, when laid out, then all of them have a row', () => {
    const entries = Array.from({ length: 10_000 }, (_, index) => entry(index + 1, `a${index % 40}`, index));
    expect(layOutSequence(entries).rows).toHaveLength(10_000);
  });
});
