import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyFunction, decodeValue, encodeValue, withFunctions } from '../../src/replay/values.ts';

const noFunction = (): never => {
  throw new Error('no function is expected');
};
const throughText = (value: unknown): unknown => decodeValue(JSON.parse(JSON.stringify(encodeValue(value, noFunction))), noFunction);

describe('values of a recording', () => {
  it('given any plain data, when it goes through a line and back, then it is the same', () => {
    const leaf = fc.oneof(fc.string(), fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)), fc.boolean(), fc.constant(null), fc.constant(undefined), fc.uint8Array());
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value')), fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$text', '$bytes', '$$x', '$undefined')).filter((key) => key !== '__proto__'), tie('value'))),
    }));
    fc.assert(fc.property(value, (given) => {
      expect(throughText(given)).toEqual(given);
    }));
  });

  it('given functions in data and in objects of a class, when they are numbered, then they come back as functions', () => {
    class Handle {
      readonly #name = 'handle';
      stop(): string {
        return this.#name;
      }
    }
    const found: AnyFunction[] = [];
    const replaced = withFunctions({ ok: true, value: new Handle() }, (each) => {
      found.push(each);
      return each;
    });
    expect(encodeValue(replaced, (each) => found.indexOf(each) + 1)).toEqual({ ok: true, value: { stop: { $function: 1 } } });
    expect(found[0]?.()).toBe('handle');
    const decoded = decodeValue({ stop: { $function: 7 } }, (number) => () => number);
    expect(decoded).toMatchObject({ stop: expect.any(Function) });
  });

  it('given data without functions, when they are replaced, then it is the same object', () => {
    const value = { a: [1, { b: new Uint8Array([1]) }] };
    expect(withFunctions(value, noFunction)).toBe(value);
  });
});
