import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listWindow, overscanRows, rowAfterKey, scrollToRow } from '../../../src/inspector/page/model/list-window.ts';

const views = fc.record({
  count: fc.nat({ max: 100_000 }), rowPx: fc.integer({ min: 10, max: 80 }), viewportPx: fc.integer({ min: 0, max: 2_000 }), scrollTopPx: fc.integer({ min: -100, max: 9_000_000 }),
});

describe('listWindow', () => {
  test('given any list and scroll position, when its window is computed, then all rows in view are in it and few besides', () => {
    fc.assert(fc.property(views, (view) => {
      const { first, end, heightPx } = listWindow(view);
      expect(heightPx).toBe(view.count * view.rowPx);
      expect(first).toBeGreaterThanOrEqual(0);
      expect(end).toBeLessThanOrEqual(view.count);
      expect(end - first).toBeLessThanOrEqual(Math.ceil(view.viewportPx / view.rowPx) + 1 + 2 * overscanRows);
      const topPx = Math.max(0, Math.min(view.scrollTopPx, heightPx - view.viewportPx));
      if (view.count === 0) return;
      expect(first * view.rowPx).toBeLessThanOrEqual(topPx);
      expect(end * view.rowPx).toBeGreaterThanOrEqual(Math.min(heightPx, topPx + view.viewportPx));
    }));
  });

  test('given a list that became shorter than its scroll position, when its window is computed, then the end shows', () => {
    expect(listWindow({ count: 10, rowPx: 20, viewportPx: 100, scrollTopPx: 5_000 })).toEqual({ first: 0, end: 10, heightPx: 200 });
  });
});

describe('rowAfterKey', () => {
  const view = { count: 50, rowPx: 20, viewportPx: 200, scrollTopPx: 0 };
  test.each([
    ['ArrowDown', -1, 0], ['ArrowDown', 49, 49], ['ArrowUp', 0, 0], ['PageDown', 0, 9], ['PageUp', 12, 3], ['Home', 30, 0], ['End', 3, 49],
  ] as const)('given %s on row %i, when it is pressed, then row %i is chosen', (key, row, next) => expect(rowAfterKey(key, row, view)).toBe(next));

  test('given an empty list, when a key is pressed, then there is no row', () => expect(rowAfterKey('End', -1, { ...view, count: 0 })).toBe(-1));

  test.each([[0, 400, 0], [30, 400, 420], [22, 400, 400]])('given row %i and the view at %i px, when it shall show, then the view is at %i px', (row, scrollTopPx, topPx) => {
    expect(scrollToRow({ ...view, scrollTopPx }, row)).toBe(topPx);
  });
});
