import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differencesMax, jsonDifferences } from '../../src/ports/json-differences.ts';

const changed = (path: string, before: unknown, after: unknown) => ({ path, kind: 'changed', before, after });

describe('differences of two JSON values', () => {
  test.each<readonly [string, unknown, unknown, unknown[]]>([
    ['the same', { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
    ['a field changed', { a: 1, b: 2 }, { a: 1, b: 3 }, [changed('b', 2, 3)]],
    ['a field added and one removed', { a: 1 }, { b: null }, [{ path: 'a', kind: 'removed', before: 1 }, { path: 'b', kind: 'added', after: null }]],
    ['another kind of value', { a: [] }, { a: {} }, [changed('a', [], {})]],
    ['the whole value', 1, '1', [changed('', 1, '1')]],
    ['a field that every object inherits', {}, { constructor: 1 }, [{ path: 'constructor', kind: 'added', after: 1 }]],
    ['a label', { labels: { 'app.io/x': '1' } }, { labels: { 'app.io/x': '2' } }, [changed('labels["app.io/x"]', '1', '2')]],
    ['a member of a named list', { containers: [{ name: 'web', image: 'a' }, { name: 'log' }] }, { containers: [{ name: 'new' }, { name: 'web', image: 'b' }, { name: 'log' }] }, [
      changed('containers[web].image', 'a', 'b'), { path: 'containers[new]', kind: 'added', after: { name: 'new' } },
    ]],
    ['conditions', [{ type: 'Ready', status: 'True' }], [{ type: 'Ready', status: 'False' }], [changed('[Ready].status', 'True', 'False')]],
    ['an order', [{ name: 'a' }, { name: 'b' }], [{ name: 'b' }, { name: 'a' }], [{ path: '', kind: 'reordered', before: ['a', 'b'], after: ['b', 'a'] }]],
    ['members whose name is not unique go by place', [{ name: 'a', v: 1 }, { name: 'a', v: 2 }], [{ name: 'a', v: 2 }, { name: 'a', v: 2 }], [changed('[0].v', 1, 2)]],
    ['a plain list', [1, 2, 3], [1, 3], [changed('[1]', 2, 3), { path: '[2]', kind: 'removed', before: 3 }]],
  ])('given %s, when compared, then exactly that is found', (_name, before, after, differences) => {
    expect(jsonDifferences(before, after)).toEqual({ differences, cut: false });
  });

  test('given more differences than asked for, when compared, then the first are returned and it is said that there are more', () => {
    const list = (value: number) => Array.from({ length: 2_000 }, () => value);
    expect(jsonDifferences(list(1), list(2), { limit: 2 })).toEqual({ differences: [changed('[0]', 1, 2), changed('[1]', 1, 2)], cut: true });
    expect(jsonDifferences(list(1), list(2), { limit: 9_999 }).differences).toHaveLength(differencesMax);
  });

  test('given a value as deep as none of ours, when compared, then it is compared all the same', () => {
    const deep = (leaf: number) => { let value: unknown = leaf; for (let level = 0; level < 500; level += 1) value = [value]; return value; };
    expect(jsonDifferences(deep(1), deep(1)).differences).toEqual([]);
    expect(jsonDifferences(deep(1), deep(2)).differences).toHaveLength(1);
  });

  test('given any two values, when compared, then none are found exactly where they are equal', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
      expect(jsonDifferences(before, structuredClone(before)).differences).toEqual([]);
      const found = jsonDifferences(before, after).differences.length > 0;
      expect(found).toBe(sorted(before) !== sorted(after));
    }), { numRuns: 300 });
  });
});

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'object' && part !== null && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part));
}
