// Secrets and config maps: what is taken, what is refused and with which words, and that values do not leak.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeObject, objectBytesMax, objectText } from '../../../src/bus/ingress/decode-object.ts';
import { objectsUsedBy } from '../../../src/bus/object-references.ts';
import { ObjectData } from '../../../src/ports/stored-object.ts';
import { envelopeText } from '../../../src/replay/trace.ts';

const named = { metadata: { name: 'database', namespace: 'shop', uid: 'u1', resourceVersion: '7' } };
const planted = 'tr0ub4dor-and-3';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('decodeObject', () => {
  it('given a secret, when read, then its values are bytes', () => {
    const decoded = decodeObject('Secret', { ...named, type: 'Opaque', data: { password: base64(planted) }, stringData: { user: 'shop' } });
    if (!decoded.ok) throw new Error(decoded.fault.message);
    expect(decoded.value).toMatchObject({ kind: 'Secret', namespace: 'shop', name: 'database', uid: 'u1', version: '7', type: 'Opaque' });
    expect(decoded.value.data.keys()).toEqual(['password', 'user']);
    expect(Buffer.from(decoded.value.data.get('password') ?? []).toString()).toBe(planted);
  });

  it.each([
    ['Secret', {}, 'metadata', /must be a mapping/],
    ['Secret', { metadata: { namespace: 'shop' } }, 'metadata.name', /is missing/],
    ['Secret', { metadata: { name: '../x', namespace: 'shop' } }, 'metadata.name', /lower case/],
    ['Secret', { metadata: { name: 'x', namespace: 'a/b' } }, 'metadata.namespace', /lower case/],
    ['Secret', { ...named, kind: 'ConfigMap' }, 'kind', /must be Secret/],
    ['Secret', { ...named, data: [] }, 'data', /must be a mapping, not a list/],
    ['Secret', { ...named, data: { '..up': '' } }, 'data...up', /the key must be/],
    ['Secret', { ...named, data: { 'a/b': '' } }, 'data.a/b', /the key must be/],
    ['Secret', { ...named, data: { a: 'not base64!' } }, 'data.a', /must be base64/],
    ['Secret', { ...named, data: { a: 'YQ' } }, 'data.a', /must be base64/],
    ['ConfigMap', { ...named, data: { a: 7 } }, 'data.a', /must be a string, not a number/],
    ['ConfigMap', { ...named, data: { a: 'x' }, binaryData: { a: 'eA==' } }, 'binaryData.a', /duplicate of key/],
    ['ConfigMap', { ...named, data: { a: 'x'.repeat(objectBytesMax) } }, 'data', /at most 1048576 bytes/],
  ] as const)('given a %s %j, when read, then %s is refused', (kind, object, field, message) => {
    const decoded = decodeObject(kind, object);
    expect(decoded).toMatchObject({ ok: false, fault: { field, message: expect.stringMatching(message) } });
  });

  it('given a bad value, when refused, then the fault does not repeat it', () => {
    expect(JSON.stringify(decodeObject('Secret', { ...named, data: { a: `${planted}!` } }))).not.toContain(planted);
  });

  it('given an object, when printed in any way, then no value shows', () => {
    const object = decodeObject('Secret', { ...named, data: { a: base64(planted) } });
    if (!object.ok) throw new Error(object.fault.message);
    const payload = { object: object.value };
    const envelope = envelopeText({ seq: 1, at: 0, topic: 'object.received', from: 'x', cause: 0, key: undefined, payload });
    for (const text of [JSON.stringify(payload), inspect(payload, { depth: 9, showHidden: true }), String(object.value.data), envelope]) {
      expect(text).not.toContain(planted);
      expect(text).not.toContain(base64(planted));
    }
  });

  it('given any values, when written as a file and read back, then they are the same', () => {
    const key = fc.stringMatching(/^[a-z][-._a-zA-Z0-9]{0,20}$/);
    fc.assert(fc.property(fc.dictionary(key, fc.uint8Array({ maxLength: 40 })), fc.constantFrom('Secret' as const, 'ConfigMap' as const), (values, kind) => {
      const data = new ObjectData(new Map(Object.entries(values)));
      const text = objectText({ kind, namespace: 'shop', name: 'database', uid: 'u1', version: '7', type: '', data });
      const back = decodeObject(kind, JSON.parse(text)); // JSON of a mapping.
      expect(back.ok && back.value.data.equals(data)).toBe(true);
    }));
  });
});

describe('objectsUsedBy', () => {
  it('given every place that can name one, when asked, then each object comes once', () => {
    const used = objectsUsedBy('shop', {
      imagePullSecrets: [{ name: 'pull' }],
      volumes: [
        { name: 'a', configMap: { name: 'files' } }, { name: 'b', secret: { secretName: 'keys' } },
        { name: 'c', projected: { sources: [{ secret: { name: 'keys' } }, { configMap: { name: 'more' } }] } },
      ],
      initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'env' } }, { secretRef: { name: 'senv' } }] }],
      containers: [{ name: 'c', env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'one', key: 'k' } } }, { name: 'B', valueFrom: { secretKeyRef: { name: 'two', key: 'k' } } },
      ] }],
    });
    expect(used.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'Secret pull', 'ConfigMap files', 'Secret keys', 'ConfigMap more', 'ConfigMap env', 'Secret senv', 'ConfigMap one', 'Secret two',
    ]);
  });
});
