// Times as text, read back.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRfc3339, rfc3339Micros, rfc3339Seconds } from '../../src/ports/rfc3339.ts';

describe('parse RFC 3339', () => {
  test('given any time from 1970 to 9999, when written and read, then it is the same', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 253_402_300_799_000 }), (wallMs) => {
      expect(parseRfc3339(rfc3339Micros(wallMs))).toBe(wallMs);
      expect(parseRfc3339(rfc3339Seconds(wallMs))).toBe(Math.floor(wallMs / 1_000) * 1_000);
    }));
  });

  test.each([
    ['2024-02-29T12:00:00+02:00', 1_709_200_800_000],
    ['1970-01-01T00:00:00.5Z', 500],
    ['2024-02-29', undefined],
    ['2024-13-01T00:00:00Z', undefined],
    ['yesterday', undefined],
  ])('given %s, when read, then %s', (text, expected) => {
    expect(parseRfc3339(text)).toBe(expected);
  });
});
