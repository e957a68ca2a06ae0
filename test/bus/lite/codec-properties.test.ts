// What must hold for any value and any bytes: what is written is read back, the two readers agree, nothing throws.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { emitYaml } from '../../../src/bus/dialects/lite/emit-yaml.ts';
import { decodeDown } from '../../../src/bus/dialects/lite/envelope-down.ts';
import { decodeUp } from '../../../src/bus/dialects/lite/envelope-up.ts';
import { packJson, packYaml, unpack } from '../../../src/bus/dialects/lite/payload.ts';
import { readBlockYaml } from '../../../src/bus/dialects/lite/read-block-yaml.ts';
import { readText } from '../../../src/bus/dialects/lite/read-text.ts';
import { awkwardStrings, gzipText, jsonValues } from './wire-samples.ts';

const limits = { depthMax: 64, valuesMax: 1_000_000 };
const inUtf8 = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');
/** A lone surrogate is no character: on the wire it becomes U+FFFD. */
const wellFormed = (value: unknown): unknown => JSON.parse(JSON.stringify(value), (_key, item: unknown) => (typeof item === 'string' ? inUtf8(item) : item));
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const keysWellFormed = (value: unknown): boolean => !isObject(value) || Object.entries(value).every(([key, item]) => key === inUtf8(key) && keysWellFormed(item));

describe('the codec of the lite dialect', () => {
  it.each(awkwardStrings)('given the string %j, when it is written as YAML, then every reader gives it back', (text) => {
    const value = { [text === '' ? 'empty' : 'key']: text, list: [text, [text, { a: text }]], map: { b: text } };
    const yaml = emitYaml(value);
    expect(unpack(packYaml(value))).toEqual({ ok: true, value });
    expect(unpack(packJson(value))).toEqual({ ok: true, value });
    // The general parser as others have it, in both versions. It takes E0 for a number, which no Go program does.
    if (!/^e[0-9]$/i.test(text)) expect(parse(yaml, { version: '1.1' })).toEqual(value);
    expect(parse(yaml, { version: '1.2' })).toEqual(value);
  });

  it.each(awkwardStrings.filter((text) => !text.includes('\n')))('given the key %j, when it is written as YAML, then it is read back', (text) => {
    const value = { map: { [text]: 1, z: { [text]: [] } } };
    expect(unpack(packYaml(value))).toEqual({ ok: true, value });
  });

  it('given any value, when it is written and read, then it is the same', () => {
    fc.assert(fc.property(jsonValues, (value) => {
      fc.pre(isObject(value) && keysWellFormed(value));
      if (!isObject(value)) return;
      expect(unpack(packYaml(value))).toEqual({ ok: true, value: wellFormed(value) });
      expect(unpack(packJson(value))).toEqual({ ok: true, value: wellFormed(value) });
    }), { numRuns: 500 });
  });

  it('given any value as YAML, when the quick reader reads it, then it agrees with the general parser or leaves it alone', () => {
    fc.assert(fc.property(jsonValues, (value) => {
      fc.pre(isObject(value) && keysWellFormed(value));
      if (!isObject(value)) return;
      const yaml = emitYaml(value);
      const quick = readBlockYaml(yaml, limits);
      expect(quick.kind).not.toBe('refused');
      if (quick.kind === 'read') expect(parse(yaml, { version: '1.2' })).toEqual(quick.value);
    }), { numRuns: 500 });
  });

  it('given a text with pieces taken out, swapped and repeated, when the quick reader takes it, then the general parser reads the same', () => {
    const piece = fc.constantFrom('a', 'b: ', 'c:', '- ', '-', '\n', '\n  ', '\n    ', ' ', '"x"', "'y'", '|\n', '{}', '[]', ': ', '"', '1', 'text of words', '{', ']', '|-\n  q', '? ', '---\n');
    fc.assert(fc.property(fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')), (yaml) => {
      const quick = readBlockYaml(yaml, limits);
      if (quick.kind !== 'read') return;
      expect(parse(yaml, { version: '1.2' })).toEqual(quick.value);
    }), { numRuns: 5_000 });
  });

  it('given arbitrary bytes, when they are decoded either way, then nothing throws and the answer is a fault', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(decodeDown(bytes).ok).toBe(false);
      expect(decodeUp(bytes).ok).toBe(false);
    }));
  });

  it('given arbitrary text in gzip, when it is decoded either way, then nothing throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      decodeDown(gzipText(text));
      decodeUp(gzipText(text));
    }), { numRuns: 500 });
  });

  it('given a mapping of any values under the known names, when it is decoded, then nothing throws', () => {
    const names = ['data_type', 'ack_data', 'pod_data', 'node_data', 'secrets_data', 'identity', 'error_type', 'error', 'ErrStatus', 'object', 'metadata', 'status'];
    const leaf = fc.oneof(fc.constantFrom('ack', 'pod', 'node', 0, 1, 2, null, true, ''), fc.string(), fc.integer());
    const message = fc.dictionary(fc.constantFrom(...names), fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.constantFrom(...names), fc.oneof(leaf, fc.dictionary(fc.constantFrom(...names), leaf)))));
    fc.assert(fc.property(message, (value) => {
      decodeDown(packJson(value));
      decodeUp(packJson(value));
    }), { numRuns: 500 });
  });

  it('given JSON and the same value as YAML, when both are read, then they agree on duplicates', () => {
    const twice = '{"a":{"b":1,"b":2}}';
    expect(readText(twice, Buffer.from(twice))).toMatchObject({ ok: false });
    const yaml = 'a:\n  b: 1\n  b: 2\n';
    expect(readText(yaml, Buffer.from(yaml))).toMatchObject({ ok: false, fault: { line: 3 } });
  });
});
