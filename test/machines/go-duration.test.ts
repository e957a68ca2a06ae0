import { describe, expect, it } from 'vitest';
import { goDuration } from '../../src/machines/decide/go-duration.ts';

describe('goDuration', () => {
  it.each([
    [0, '0s'], [0.4, '0s'], [350, '350ms'], [1_000, '1s'], [1_234.9, '1.234s'], [1_200, '1.2s'], [59_999, '59.999s'], [60_000, '1m0s'], [62_500, '1m2.5s'],
    [300_000, '5m0s'], [3_600_000, '1h0m0s'], [3_723_004, '1h2m3.004s'],
  ])('given %d ms, then %s', (durationMs, text) => {
    expect(goDuration(durationMs)).toBe(text);
  });
});
