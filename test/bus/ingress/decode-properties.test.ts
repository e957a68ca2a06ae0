import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, sameJson } from '../../../src/bus/ingress/canonical-json.ts';
import { decodeManifest, decodePodObject } from '../../../src/bus/ingress/decode-pod.ts';
import { type FieldType, type ObjectType, podType } from '../../../src/bus/ingress/pod-schema.ts';
import { inputFaultLine } from '../../../src/ports/faults.ts';
import { parseQuantity } from '../../../src/ports/quantity.ts';
import { rfc3339Micros, rfc3339Seconds } from '../../../src/ports/rfc3339.ts';
import { decodedPod, fileContext, manifest, mqttContext, pushedPod } from '../../support/manifests.ts';

/** Objects of the right shape with values that are right now and then, so that checks beyond the first are reached. */
function shaped(type: ObjectType, depth: number): fc.Arbitrary<unknown> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of type) fields[name] = ofField(field, depth);
  return fc.record(fields, { requiredKeys: [] });
}

const words = fc.constantFrom('a', 'app', 'default', 'v1', 'Pod', 'edge-07', '', '../x', 'Always', 'TCP', 'a b', 'é', '\0', 'a:1', '/x', '__proto__');

function ofField(field: FieldType, depth: number): fc.Arbitrary<unknown> {
  const one = typeof field.value === 'string' ? scalar(field.value) : depth > 5 ? fc.constant({}) : shaped(field.value, depth + 1);
  return fc.oneof({ weight: 12, arbitrary: field.list ? fc.array(one, { maxLength: 2 }) : one }, { weight: 1, arbitrary: fc.anything() });
}

function scalar(kind: string): fc.Arbitrary<unknown> {
  switch (kind) {
    case 'bool': return fc.boolean();
    case 'int':
    case 'long': return fc.oneof(fc.integer({ min: -2, max: 100 }), fc.double());
    case 'port': return fc.oneof(fc.integer({ max: 70_000 }), words);
    case 'quantity': return fc.oneof(words, fc.constantFrom('1', '100m', '-1', 0.5));
    case 'map':
    case 'quantities': return fc.dictionary(words, fc.oneof(words, fc.constant('1Gi')), { maxKeys: 3 });
    default: return words;
  }
}

describe('decoding', () => {
  it('given any bytes, when decoded, then it answers, with one line per fault', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const { pods, faults } = decodeManifest(bytes, fileContext);
      expect(pods).toEqual([]);
      for (const fault of faults) expect(inputFaultLine(fault)).not.toMatch(/[\n\r]/);
    }), { numRuns: 500 });
  });

  it('given a manifest with any cut, insertion or swapped character, when decoded, then it answers', () => {
    const text = `${manifest('a')}---\n${manifest('b')}  volumes:\n  - {name: v, secret: {secretName: "s"}}\n`;
    fc.assert(fc.property(fc.nat(text.length), fc.nat(20), fc.string({ unit: 'binary', maxLength: 5 }), (at, length, insert) => {
      const { faults } = decodeManifest(new TextEncoder().encode(text.slice(0, at) + insert + text.slice(at + length)), fileContext);
      for (const fault of faults) expect(inputFaultLine(fault).length).toBeLessThan(1_300);
    }), { numRuns: 1_000 });
  });

  it('given anything at all, when decoded as an object, then it answers', () => {
    fc.assert(fc.property(fc.anything(), (value) => {
      expect(decodePodObject(value, mqttContext).faults.filter(({ severity }) => severity === 'error')).toHaveLength(1);
    }), { numRuns: 500 });
  });

  it('given objects nearly like pods, when decoded, then a pod or exactly one error, twice the same, and the input is as it was', () => {
    fc.assert(fc.property(shaped(podType(), 0), fc.constantFrom(fileContext, mqttContext), (value, context) => {
      const before = structuredCloneOrSame(value);
      const first = decodePodObject(value, context);
      expect(decodePodObject(value, context)).toEqual(first);
      expect(first.faults.filter(({ severity }) => severity === 'error')).toHaveLength(first.pod === undefined ? 1 : 0);
      expect(value).toEqual(before);
    }), { numRuns: 300 });
  });

  it('given a decoded pod by MQTT, when decoded again, then it stays as it is', () => {
    const pod = decodedPod({ container: { ports: [{ containerPort: 80 }], resources: { limits: { cpu: 1 } } }, spec: { volumes: [{ name: 'v' }] } });
    expect(decodePodObject(pod.pod, { ...mqttContext, origin: pod.origin })).toEqual({ pod, faults: [] });
  });

  it('given a pod of 3 KB, when decoded many times, then each takes less than a millisecond', () => {
    const containers = [1, 2, 3].map((number) => ({
      name: `c${number}`, image: 'registry.example/app:1', env: Array.from({ length: 10 }, (_, index) => ({ name: `A${index}`, value: 'value' })),
      ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1', memory: '64Mi' } }, livenessProbe: { httpGet: { port: 80 } },
    }));
    const value = pushedPod({ metadata: { annotations: { 'example.com/note': 'x'.repeat(1_000) } }, spec: { containers } });
    expect(JSON.stringify(value).length).toBeGreaterThan(2_500);
    for (let run = 0; run < 500; run += 1) decodePodObject(value, mqttContext);
    const startedAt = performance.now();
    for (let run = 0; run < 500; run += 1) decodePodObject(value, mqttContext);
    expect((performance.now() - startedAt) / 500).toBeLessThan(1);
  });
});

function structuredCloneOrSame(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return value;
  }
}

describe('canonicalJson and sameJson', () => {
  it('given any JSON, when its fields are reordered, then both say the same; when anything differs, neither does', () => {
    fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(canonicalJson(reversed(a))).toBe(canonicalJson(a));
      expect(sameJson(reversed(a), a)).toBe(true);
      expect(JSON.parse(canonicalJson(a))).toEqual(JSON.parse(JSON.stringify(a)));
      expect(sameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
    }));
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, one]) => [key, reversed(one)]));
}

describe('quantities and times', () => {
  it.each([
    ['1', 1], ['100m', 0.1], ['0.1', 0.1], ['.5', 0.5], ['5.', 5], ['1e3', 1_000], ['1E3', 1_000], ['2E', 2e18], ['1Ki', 1_024], ['64Mi', 67_108_864],
    ['3G', 3e9], ['5n', 5e-9], ['5u', 5e-6], ['-1', -1], ['+2k', 2_000], ['', undefined], ['m', undefined], ['1 Gi', undefined], ['1KB', undefined],
    ['0x10', undefined], ['1e', undefined], ['1'.repeat(65), undefined], ['1e999', undefined],
  ])('given the quantity %j, when parsed, then it is %j', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it('given any time, when written, then it is as Date writes it', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (wallMs) => {
      const iso = new Date(wallMs).toISOString();
      expect(rfc3339Seconds(wallMs)).toBe(iso.replace(/\.\d{3}Z$/, 'Z'));
      expect(rfc3339Micros(wallMs)).toBe(iso.replace(/Z$/, '000Z'));
    }));
  });
});
