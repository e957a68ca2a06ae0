// Selectors: what they select, and what is none.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resourceNamed } from '../../src/api-server/resources.ts';
import { fieldSelector, labelSelector } from '../../src/api-server/selectors.ts';

const pods = resourceNamed('pods');
const matches = (selector: string, labels: object): boolean | undefined => {
  const parsed = labelSelector(selector);
  return parsed.ok ? parsed.value({ metadata: { labels } }) : undefined;
};

describe('a label selector', () => {
  test.each([
    ['', {}, true], ['a', { a: '1' }, true], ['a', {}, false], ['!a', {}, true], ['!a', { a: '' }, false],
    ['a=1', { a: '1' }, true], ['a==1', { a: '2' }, false], ['a=1', {}, false], ['a=', { a: '' }, true], ['a!=1', {}, true], ['a!=1', { a: '1' }, false],
    ['a in (1, 2)', { a: '2' }, true], ['a in (1,2)', {}, false], ['a notin (1,2)', {}, true], ['a notin (1,2)', { a: '1' }, false],
    ['a>1', { a: '10' }, true], ['a<1', { a: '10' }, false], ['a>1', { a: 'x' }, false],
    ['example.org/a=1,b in (x),!c', { 'example.org/a': '1', b: 'x' }, true], ['a=1,b=2', { a: '1' }, false],
  ] as const)('given %j and labels %j, when it is asked, then it answers %s', (selector, labels, expected) => expect(matches(selector, labels)).toBe(expected));

  test.each(['a in b', 'a in (1', '=1', 'a b', 'a=b=c', 'a>x', 'a,,b', '-a', '__proto__', `a=${'x'.repeat(64)}`, 'a'.repeat(20_000)])('given %j, when it is parsed, then it is refused', (selector) => {
    expect(labelSelector(selector)).toMatchObject({ ok: false, fault: { code: 400 } });
  });

  test('given sets of requirements, when they are asked, then all of them count', () => {
    const label = fc.constantFrom('a', 'b', 'c');
    const value = fc.constantFrom('1', '2', '3');
    const requirement = fc.oneof(
      fc.record({ text: fc.tuple(label, value).map(([key, one]) => `${key}=${one}`) }), fc.record({ text: fc.tuple(label, value).map(([key, one]) => `${key}!=${one}`) }),
      fc.record({ text: fc.tuple(label, fc.array(value, { minLength: 1 })).map(([key, list]) => `${key} in (${list.join(',')})`) }), fc.record({ text: label }), fc.record({ text: label.map((key) => `!${key}`) }),
    );
    fc.assert(fc.property(fc.array(requirement), fc.dictionary(label, value), (requirements, labels) => {
      expect(matches(requirements.map(({ text }) => text).join(','), labels)).toBe(requirements.every(({ text }) => matches(text, labels)));
    }));
  });

  test('given any text, when it is parsed, then nothing is thrown', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab1=!(),<> \t\\"inot') }), (text) => {
      labelSelector(text);
      fieldSelector(text, pods);
    }));
  });
});

describe('a field selector', () => {
  test.each([
    ['spec.nodeName=edge', { spec: { nodeName: 'edge' } }, true], ['spec.nodeName=', { spec: {} }, true], ['spec.nodeName!=edge,status.phase==Running', { status: { phase: 'Running' } }, true],
    ['status.phase!=Running', { status: { phase: 'Running' } }, false], ['metadata.name=a', { metadata: { name: 'b' } }, false], ['spec.hostNetwork=false', { spec: {} }, true],
  ] as const)('given %j and %j, when it is asked, then it answers %s', (selector, object, expected) => {
    const parsed = fieldSelector(selector, pods);
    expect(parsed.ok && parsed.value(object)).toBe(expected);
  });

  test.each(['spec.hostname=x', 'nonsense', 'a.b.c=1'])('given %j, when it is parsed, then it is refused', (selector) => expect(fieldSelector(selector, pods)).toMatchObject({ ok: false, fault: { code: 400 } }));
});
