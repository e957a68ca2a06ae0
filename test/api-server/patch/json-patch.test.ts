// JSON patches by the words of RFC 6902.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyJsonPatch } from '../../../src/api-server/patch/json-patch.ts';

const base = { a: { b: [1, 2, 3] }, 'x/y': { '~': 1 }, n: null };

describe('a JSON patch', () => {
  test.each([
    ['adds a field', [{ op: 'add', path: '/c', value: 1 }], { ...base, c: 1 }],
    ['adds in place of a field', [{ op: 'add', path: '/a', value: 1 }], { ...base, a: 1 }],
    ['inserts into a list', [{ op: 'add', path: '/a/b/1', value: 9 }], { ...base, a: { b: [1, 9, 2, 3] } }],
    ['appends to a list', [{ op: 'add', path: '/a/b/-', value: 9 }, { op: 'add', path: '/a/b/4', value: 10 }], { ...base, a: { b: [1, 2, 3, 9, 10] } }],
    ['removes', [{ op: 'remove', path: '/a/b/0' }, { op: 'remove', path: '/n' }], { a: { b: [2, 3] }, 'x/y': { '~': 1 } }],
    ['replaces', [{ op: 'replace', path: '/a/b/2', value: { c: 1 } }], { ...base, a: { b: [1, 2, { c: 1 }] } }],
    ['reads escapes', [{ op: 'replace', path: '/x~1y/~0', value: 2 }], { ...base, 'x/y': { '~': 2 } }],
    ['moves', [{ op: 'move', from: '/a/b', path: '/b' }], { ...base, a: {}, b: [1, 2, 3] }],
    ['copies', [{ op: 'copy', from: '/a/b/0', path: '/c' }], { ...base, c: 1 }],
    ['tests first', [{ op: 'test', path: '/a/b', value: [1, 2, 3] }, { op: 'remove', path: '/a' }], { 'x/y': { '~': 1 }, n: null }],
    ['keeps a field of a strange name', [{ op: 'add', path: '/__proto__', value: 1 }], JSON.parse(`{"a":{"b":[1,2,3]},"x/y":{"~":1},"n":null,"__proto__":1}`) as object],
  ])('given one that %s, when it is applied, then the document is right', (_name, operations, expected) => {
    expect(applyJsonPatch(base, operations)).toEqual({ ok: true, value: expected });
  });

  test.each([
    ['a missing field', [{ op: 'remove', path: '/z' }]], ['a missing parent', [{ op: 'add', path: '/z/y', value: 1 }]], ['an index beyond the end', [{ op: 'add', path: '/a/b/4', value: 1 }]],
    ['an index with a zero before it', [{ op: 'replace', path: '/a/b/01', value: 1 }]], ['a failed test', [{ op: 'test', path: '/a/b/0', value: 2 }]], ['no value', [{ op: 'add', path: '/c' }]],
    ['an unknown operation', [{ op: 'grow', path: '/c' }]], ['no pointer', [{ op: 'add', path: 'c', value: 1 }]], ['the whole document gone', [{ op: 'remove', path: '' }]], ['no list', { op: 'add' }],
    ['no operation', [1]], ['too many', Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/n', value: null }))],
  ])('given one with %s, when it is applied, then it says why not', (_name, operations) => expect(applyJsonPatch(base, operations)).toMatchObject({ ok: false }));

  test('given any document and operations, when they are applied, then the document given is as it was and nothing is thrown', () => {
    const pointer = fc.array(fc.constantFrom('a', 'b', '0', '1', '-', '~1', '__proto__'), { maxLength: 4 }).map((tokens) => tokens.map((token) => `/${token}`).join(''));
    const operation = fc.record({ op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'), path: pointer, from: pointer, value: fc.jsonValue() });
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue()), fc.array(operation, { maxLength: 5 }), (document, operations) => {
      const before = JSON.stringify(document);
      applyJsonPatch(document, operations);
      expect(JSON.stringify(document)).toBe(before);
    }));
  });

  test('given adds, when each is taken back in reverse, then the document is what it was', () => {
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue()), fc.uniqueArray(fc.constantFrom('x', 'y', 'z')), (document, names) => {
      const there = names.map((name) => ({ op: 'add', path: `/${name}`, value: name }));
      const back = [...names].reverse().map((name) => ({ op: 'remove', path: `/${name}` }));
      expect(applyJsonPatch(document, [...there, ...back])).toEqual({ ok: true, value: document });
    }));
  });
});
