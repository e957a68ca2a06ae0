import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differences, differencesMax } from '../../../src/inspector/page/model/differences.ts';

describe('differences', () => {
  test.each([
    ['a changed field', { phase: 'Pending', ip: 'x' }, { phase: 'Running', ip: 'x' }, [{ path: 'phase', was: '"Pending"', is: '"Running"' }]],
    ['a field that came', {}, { reason: 'Evicted' }, [{ path: 'reason', was: undefined, is: '"Evicted"' }]],
    ['a field that went', { reason: 'Evicted' }, {}, [{ path: 'reason', was: '"Evicted"', is: undefined }]],
    [
      'named things in another order', { conditions: [{ type: 'Ready', status: 'False' }, { type: 'Initialized', status: 'True' }] },
      { conditions: [{ type: 'Initialized', status: 'True' }, { type: 'Ready', status: 'True' }] }, [{ path: 'conditions[Ready].status', was: '"False"', is: '"True"' }],
    ],
    ['a list of texts', ['runSandbox'], ['startContainer app'], [{ path: '[0]', was: '"runSandbox"', is: '"startContainer app"' }]],
    ['nothing before', undefined, ['startContainer'], [{ path: 'everything', was: undefined, is: '[\n "startContainer"\n]' }]],
    ['an object that became a text', { a: { b: 1 } }, { a: 'b' }, [{ path: 'a', was: '{\n "b": 1\n}', is: '"b"' }]],
  ] as const)('given %s, when compared, then it is told and nothing else', (_what, before, after, expected) => expect(differences(before, after)).toEqual(expected));

  test('given any data, when compared with itself, then nothing differs', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => { expect(differences(value, structuredClone(value))).toEqual([]); }));
  });

  test('given two that differ everywhere, when compared, then it ends at its limit', () => {
    const many = (text: string) => Object.fromEntries(Array.from({ length: differencesMax * 2 }, (_, index) => [`field${index}`, text]));
    expect(differences(many('a'), many('b'))).toHaveLength(differencesMax);
  });
});
