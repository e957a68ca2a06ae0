import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { figureOf, overhead } from '../../bench/statistics.ts';

describe('figureOf', () => {
  test('given no samples, when figured, then there is no figure rather than zeros', () => {
    expect(figureOf([])).toBeUndefined();
  });

  test.each([
    { samples: [7], figure: { samples: 1, min: 7, median: 7, p95: 7, max: 7 } },
    { samples: [3, 1, 2], figure: { samples: 3, min: 1, median: 2, p95: 3, max: 3 } },
    { samples: [4, 1, 3, 2], figure: { samples: 4, min: 1, median: 2.5, p95: 4, max: 4 } },
    { samples: [10, 9, 100], figure: { samples: 3, min: 9, median: 10, p95: 100, max: 100 } },
    { samples: Array.from({ length: 100 }, (_, index) => 100 - index), figure: { samples: 100, min: 1, median: 50.5, p95: 95, max: 100 } },
  ])('given $samples.length samples, when figured, then they are sorted as numbers and the 95th percentile is one of them', ({ samples, figure }) => {
    expect(figureOf(samples)).toEqual(figure);
  });

  test('given any samples, when figured, then min ≤ median ≤ max, p95 is a sample, and nothing was changed', () => {
    fc.assert(fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (samples) => {
      const before = [...samples];
      const figure = figureOf(samples);
      expect(figure).toBeDefined();
      if (figure === undefined) return;
      expect(figure.min).toBeLessThanOrEqual(figure.median);
      expect(figure.median).toBeLessThanOrEqual(figure.max);
      expect(samples).toContain(figure.p95);
      expect(samples).toEqual(before);
    }));
  });
});

describe('overhead', () => {
  test('given both sides, when compared, then it is the difference of the medians', () => {
    expect(overhead(figureOf([110, 120, 500]), figureOf([90, 100, 110]))).toBe(20);
  });

  test('given one side only, when compared, then there is none', () => {
    expect(overhead(figureOf([1]), undefined)).toBeUndefined();
    expect(overhead(undefined, figureOf([1]))).toBeUndefined();
  });
});
