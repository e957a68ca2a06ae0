// The seeded source: repeatable, spread out, and independent where forked.
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';

const draws = (random: SeededRandom, count: number): number[] => Array.from({ length: count }, () => random.fraction());

describe('SeededRandom', () => {
  it('given the same seed, when drawn twice, then the numbers are the same and known', () => {
    expect(draws(new SeededRandom(42), 50)).toEqual(draws(new SeededRandom('42'), 50));
    expect(draws(new SeededRandom(1), 3)).not.toEqual(draws(new SeededRandom(2), 3));
  });

  it('given many seeds, when the first number is drawn, then the mean is near one half', () => {
    const first = Array.from({ length: 2_000 }, (_, seed) => new SeededRandom(seed).fraction());
    const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
    expect(first.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it('given a source, when identifiers are drawn, then they are version 4 UUIDs and differ', () => {
    const random = new SeededRandom('uuid');
    const ids = Array.from({ length: 500 }, () => random.uuid());
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(500);
  });

  it('given a fork, when the parent has drawn more or less, then the fork gives the same numbers', () => {
    const parent = new SeededRandom(7);
    const early = draws(parent.fork('net'), 5);
    draws(parent, 100);
    expect(draws(parent.fork('net'), 5)).toEqual(early);
    expect(draws(parent.fork('disk'), 5)).not.toEqual(early);
  });

  it('given bounds, when integers are drawn, then both ends occur and nothing outside', () => {
    const random = new SeededRandom(3);
    const values = new Set(Array.from({ length: 300 }, () => random.integer(2, 5)));
    expect([...values].sort()).toEqual([2, 3, 4, 5]);
  });
});
