// Strategic merge of whole pods, and server-side apply: lists by their keys, what goes and what stays.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patchedObject, patchTypes } from '../../../src/api-server/patch/patch-object.ts';
import { serverSideApply } from '../../../src/api-server/patch/server-side-apply.ts';
import type { JsonObject } from '../../../src/bus/dialects/json-value.ts';

const applying = (manager: string, force = false) => ({ manager, force, apiVersion: 'v1', time: '2026-01-01T00:00:00Z' });
const strategic = (object: JsonObject, patch: JsonObject): unknown => {
  const patched = patchedObject(object, patchTypes.strategic, patch);
  return patched.ok ? patched.value : patched.fault;
};

function applied(live: JsonObject | undefined, wanted: JsonObject, manager: string, force = false): JsonObject {
  const result = serverSideApply(live, wanted, applying(manager, force));
  if (!result.ok) throw new Error(result.fault.message);
  return result.value;
}

function withoutManagers({ metadata, ...object }: JsonObject): JsonObject {
  const { managedFields: _managers, ...rest } = metadata as { readonly managedFields?: unknown }; // an applied object has metadata
  return { ...object, metadata: rest };
}

describe('a strategic merge of a pod', () => {
  test.each([
    ['containers by name', { spec: { containers: [{ name: 'a', image: 'x' }, { name: 'b', image: 'y' }] } }, { spec: { containers: [{ name: 'b', image: 'z' }] } }, { spec: { containers: [{ name: 'a', image: 'x' }, { name: 'b', image: 'z' }] } }],
    ['variables by name', { containers: [{ name: 'a', env: [{ name: 'X', value: '1' }] }] }, { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }] }, { containers: [{ name: 'a', env: [{ name: 'X', value: '1' }, { name: 'Y', value: '2' }] }] }],
    ['a volume with another source', { volumes: [{ name: 'v', emptyDir: {} }] }, { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] }, { volumes: [{ name: 'v', hostPath: { path: '/x' } }] }],
    ['tolerations as one', { tolerations: [{ key: 'a' }] }, { tolerations: [{ key: 'b' }] }, { tolerations: [{ key: 'b' }] }],
    ['an entry taken out', { containers: [{ name: 'a' }, { name: 'b' }] }, { containers: [{ name: 'a', $patch: 'delete' }] }, { containers: [{ name: 'b' }] }],
  ])('given %s, when a patch is applied, then the lists are right', (_name, object, patch, expected) => expect(strategic(object, patch)).toEqual(expected));

  test('given any patch without directives, when it is applied twice, then the second time changes nothing', () => {
    const entry = fc.record({ name: fc.constantFrom('a', 'b', 'c'), image: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }) });
    const spec = fc.record({ containers: fc.uniqueArray(entry, { selector: ({ name }) => name }), nodeSelector: fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('1', '2')) });
    fc.assert(fc.property(spec, spec, (object, patch) => {
      const once = strategic(object, patch) as JsonObject;
      expect(strategic(once, patch)).toEqual(once);
    }));
  });
});

describe('server-side apply', () => {
  const web = (image: string, more: object = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', ...more }, spec: { containers: [{ name: 'main', image }] } });

  test('given a manager that drops a field, when it applies again, then the field goes', () => {
    const first = applied(undefined, web('x', { labels: { a: '1', b: '2' } }), 'kubectl');
    expect(applied(first, web('x', { labels: { a: '1' } }), 'kubectl')['metadata']).toMatchObject({ labels: { a: '1' } });
    expect(withoutManagers(applied(first, web('x', { labels: { a: '1' } }), 'kubectl'))['metadata']).toEqual({ name: 'web', labels: { a: '1' } });
  });

  test('given fields of nobody, when a manager applies, then they stay', () => {
    const live = { ...web('x', { labels: { other: '1' } }), status: { phase: 'Running' } };
    expect(withoutManagers(applied(live, web('y'), 'kubectl'))).toEqual({ ...web('y', { labels: { other: '1' } }), status: { phase: 'Running' } });
  });

  test('given an entry of a list, when its manager drops it, then it goes and those of others stay', () => {
    const two = { spec: { containers: [{ name: 'main', image: 'x' }, { name: 'side', image: 's' }] }, metadata: { name: 'web' } };
    const other = applied(applied(undefined, two, 'kubectl'), { metadata: { name: 'web' }, spec: { containers: [{ name: 'theirs', image: 't' }] } }, 'other');
    const after = applied(other, { metadata: { name: 'web' }, spec: { containers: [{ name: 'main', image: 'x' }] } }, 'kubectl');
    expect(after['spec']).toEqual({ containers: [{ name: 'main', image: 'x' }, { name: 'theirs', image: 't' }] });
  });

  test('given another manager with another value, when one applies, then it conflicts until it is forced', () => {
    const theirs = applied(undefined, web('x'), 'other');
    const refused = serverSideApply(theirs, web('y'), applying('kubectl'));
    expect(refused).toMatchObject({ ok: false, fault: { code: 409, reason: 'Conflict', message: 'Apply failed with 1 conflict: conflict with "other": .spec.containers[name="main"].image' } });
    const forced = applied(theirs, web('y'), 'kubectl', true);
    expect(forced['spec']).toEqual(web('y').spec);
    expect(serverSideApply(forced, web('z'), applying('kubectl')).ok).toBe(true);
  });

  test('given the same value, when two apply it, then it stays until both have dropped it', () => {
    const shared = applied(applied(undefined, web('x', { labels: { a: '1' } }), 'one'), web('x', { labels: { a: '1' } }), 'two');
    const once = applied(shared, web('x'), 'one');
    expect(once['metadata']).toMatchObject({ labels: { a: '1' } });
    expect((applied(once, web('x'), 'two')['metadata'] as JsonObject)['labels']).toEqual({});
  });

  test('given any configurations, when one is applied twice, then the second time changes nothing', () => {
    const configuration = fc.record({
      labels: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2')),
      containers: fc.uniqueArray(fc.record({ name: fc.constantFrom('x', 'y'), image: fc.constantFrom('1', '2') }), { selector: ({ name }) => name }),
    }).map(({ labels, containers }) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels }, spec: { containers } }));
    fc.assert(fc.property(configuration, configuration, (before, after) => {
      const first = applied(applied(undefined, before, 'm'), after, 'm');
      expect(applied(first, after, 'm')).toEqual(first);
      expect((withoutManagers(first)['metadata'] as JsonObject)['labels']).toEqual(after.metadata.labels);
    }));
  });
});
