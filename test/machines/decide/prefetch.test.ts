import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginPace, pauseMs, sawDownloads } from '../../../src/machines/decide/download-pace.ts';
import { prefetchCondition, prefetchMax, type PrefetchProgress, readPrefetchList } from '../../../src/machines/decide/prefetch.ts';
import { untilCloseMs, untilOpenMs } from '../../../src/machines/decide/time-window.ts';
import { readTimeWindow, type TimeWindow, timeWindowText } from '../../../src/ports/time-window.ts';

const at = (hour: number, minute = 0): number => Date.UTC(2026, 0, 1, hour, minute);
const hours = (count: number): number => count * 3_600_000;
const window = (text: string): TimeWindow => readTimeWindow(text) ?? { fromMinute: 0, toMinute: 0 };

describe('a part of the day', () => {
  test.each<[string, number, number, number]>([
    ['08:00-12:00', at(7), hours(1), 0],
    ['08:00-12:00', at(8), 0, hours(4)],
    ['08:00-12:00', at(11, 59), 0, 60_000],
    ['08:00-12:00', at(12), hours(20), 0],
    ['22:00-05:30', at(21), hours(1), 0],
    ['22:00-05:30', at(23), 0, hours(6.5)],
    ['22:00-05:30', at(0), 0, hours(5.5)],
    ['22:00-05:30', at(5, 30), hours(16.5), 0],
    ['00:00-06:00', at(0), 0, hours(6)],
    ['18:00-00:00', at(23), 0, hours(1)],
    ['06:00-06:00', at(3), 0, Number.POSITIVE_INFINITY],
  ])('given %s at %d, when asked, then it opens and closes in so long', (text, nowMs, opens, closes) => {
    expect([untilOpenMs(window(text), nowMs), untilCloseMs(window(text), nowMs)]).toEqual([opens, closes]);
  });

  test.each(['24:00-01:00', '8:00-12:00', '08:00', '08:00-12:60', '', '08:00-12:00 '])('given %j, when read, then it is none', (text) => expect(readTimeWindow(text)).toBeUndefined());

  test('given any window at any time, when asked, then it is open or will be within a day, never both, and its text reads back', () => {
    const minute = fc.integer({ min: 0, max: 1_439 });
    fc.assert(fc.property(minute, minute, fc.integer({ min: 0, max: 4e12 }), (fromMinute, toMinute, nowMs) => {
      const one = { fromMinute, toMinute };
      const [opens, closes] = [untilOpenMs(one, nowMs), untilCloseMs(one, nowMs)];
      expect(opens === 0).toBe(closes > 0);
      expect(opens).toBeLessThanOrEqual(hours(24));
      expect(readTimeWindow(timeWindowText(one))).toEqual(one);
      if (opens > 0) expect(untilOpenMs(one, nowMs + opens)).toBe(0);
    }));
  });
});

describe('images wanted ahead of pods', () => {
  test.each([
    [undefined, { images: [], faults: [] }],
    [' a:1,\n b ,a:1', { images: ['a:1', 'b:latest'], faults: [] }],
    ['a//x', { images: [], faults: [expect.stringContaining('a//x')] }],
  ])('given the annotation %j, when read, then so', (annotation, expected) => expect(readPrefetchList(annotation)).toEqual(expected));

  test('given too many, when read, then the first ones count and the others are named', () => {
    const { images, faults } = readPrefetchList(Array.from({ length: prefetchMax + 2 }, (_, index) => `a:${index}`).join(','));
    expect(images).toHaveLength(prefetchMax);
    expect(faults).toEqual([`more than ${prefetchMax} images: a:100 is left out`, `more than ${prefetchMax} images: a:101 is left out`]);
  });

  const base: PrefetchProgress = { list: { images: ['a:1', 'b:1'], faults: [] }, present: new Set(['a:1']), failed: new Map(), step: { kind: 'idle' } };
  test.each<[string, Partial<PrefetchProgress>, object]>([
    ['all there', { present: new Set(['a:1', 'b:1']) }, { status: 'True', reason: 'AllPresent', message: '2 of 2 images are on the node' }],
    ['one on its way', { step: { kind: 'pulling', image: 'b:1' } }, { status: 'False', reason: 'Pulling', message: '1 of 2 images are on the node; pulling b:1' }],
    ['one that failed', { failed: new Map([['b:1', 'not found']]) }, { status: 'False', reason: 'PullFailed', message: '1 of 2 images are on the node; b:1: not found' }],
    ['a closed window', { step: { kind: 'closed', opensInMs: 1 } }, { status: 'False', reason: 'WaitingForWindow', message: '1 of 2 images are on the node; the rest waits for --image-prefetch-window' }],
    ['a name that is none', { list: { images: ['a:1'], faults: ['bad'] } }, { status: 'False', reason: 'InvalidList', message: '1 of 1 images are on the node; bad' }],
    ['nothing wanted', { list: { images: [], faults: [] } }, { status: 'True', reason: 'AllPresent', message: '0 of 0 images are on the node' }],
  ])('given %s, when told, then the condition says so', (_what, part, expected) => expect(prefetchCondition({ ...base, ...part })).toEqual(expected));
});

describe('the pace of downloads', () => {
  const began = beginPace('other 500\nused', 10_000);
  const after = (...looks: readonly string[]) => looks.reduce(sawDownloads, began);
  test.each<[string, readonly string[], { readonly bytes: number; readonly restarted: boolean }]>([
    ['nothing yet', [], { bytes: 0, restarted: false }],
    ['what was there before', ['other 500\n123'], { bytes: 0, restarted: false }],
    ['two layers that grow', ['a 100\nb 50', 'a 300\nb 60'], { bytes: 360, restarted: false }],
    ['a layer that is complete', ['a 100', 'b 10', 'b 20'], { bytes: 120, restarted: false }],
    ['a layer that goes on after a pause', ['a 100', '', 'a 150'], { bytes: 150, restarted: false }],
    ['a layer that begins anew after a pause', ['a 100', '', 'a 20'], { bytes: 100, restarted: true }],
    ['lines of other things', ['a b 1\n-5\nx -1\ny 12345678901234567890'], { bytes: 0, restarted: false }],
  ])('given %s, when it is seen, then the bytes are these', (_what, looks, { bytes, restarted }) => expect(after(...looks)).toMatchObject({ bytes, restarted }));

  test.each([[1_000, 11_000, 0], [3_000, 11_000, 0], [3_001, 11_000, 2_001], [10_000, 11_000, 9_000], [10_000, 20_000, 0], [1e9, 11_000, 600_000]])('given %d bytes at %d of 1,000 a second, when asked, then the pause is %d ms', (bytes, nowMs, expected) => {
    expect(pauseMs({ ...began, bytes }, 1_000, nowMs)).toBe(expected);
  });
});
