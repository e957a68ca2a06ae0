// The rules of strategic merge for what agents patch, row by row.
import { describe, expect, it } from 'vitest';
import { strategicMerge } from '../../src/bridge/strategic-merge.ts';

const ready = (status: string) => ({ type: 'Ready', status, reason: 'r' });

describe('a strategic merge', () => {
  it.each([
    ['maps merge key by key', { a: 1, m: { x: 1, y: 2 } }, { m: { y: 3 } }, { a: 1, m: { x: 1, y: 3 } }],
    ['null removes', { a: 1, m: { x: 1, y: 2 } }, { a: null, m: { x: null } }, { m: { y: 2 } }],
    ['null in a new map is left out', {}, { m: { x: null, y: 1 } }, { m: { y: 1 } }],
    ['conditions merge by type', { conditions: [ready('True'), { type: 'Other', status: 'x' }] }, { conditions: [{ type: 'Ready', status: 'False' }] }, { conditions: [ready('False'), { type: 'Other', status: 'x' }] }],
    ['the order is set', { conditions: [{ type: 'A' }, { type: 'B' }] }, { $setElementOrder: 0, '$setElementOrder/conditions': [{ type: 'B' }, { type: 'C' }, { type: 'A' }], conditions: [{ type: 'C' }] }, { conditions: [{ type: 'B' }, { type: 'C' }, { type: 'A' }] }],
    ['an order alone', { conditions: [{ type: 'A' }, { type: 'B' }] }, { '$setElementOrder/conditions': [{ type: 'B' }, { type: 'A' }] }, { conditions: [{ type: 'B' }, { type: 'A' }] }],
    ['an order of nothing', { a: 1 }, { '$setElementOrder/conditions': [] }, { a: 1 }],
    ['a list is replaced as its last element says', { addresses: [{ type: 'InternalIP', address: '1' }] }, { addresses: [{ type: 'Hostname', address: 'h' }, { $patch: 'replace' }] }, { addresses: [{ type: 'Hostname', address: 'h' }] }],
    ['a replaced list has two entries of one key', { addresses: [{ type: 'InternalIP', address: '1' }] }, { addresses: [{ type: 'InternalIP', address: '2' }, { type: 'InternalIP', address: 'fd00::2' }, { $patch: 'replace' }] }, { addresses: [{ type: 'InternalIP', address: '2' }, { type: 'InternalIP', address: 'fd00::2' }] }],
    ['an element is deleted', { conditions: [{ type: 'A' }, { type: 'B' }] }, { conditions: [{ type: 'A', $patch: 'delete' }] }, { conditions: [{ type: 'B' }] }],
    ['podIPs merge by ip', { podIPs: [{ ip: '1' }] }, { podIPs: [{ ip: '2' }], '$setElementOrder/podIPs': [{ ip: '2' }] }, { podIPs: [{ ip: '2' }, { ip: '1' }] }],
    ['other lists are replaced', { containerStatuses: [{ name: 'a' }, { name: 'b' }] }, { containerStatuses: [{ name: 'b', ready: true }] }, { containerStatuses: [{ name: 'b', ready: true }] }],
    ['a map is replaced', { m: { a: 1 } }, { m: { b: 2, $patch: 'replace' } }, { m: { b: 2 } }],
    ['a map is deleted', { m: { a: 1 } }, { m: { $patch: 'delete' } }, { m: {} }],
    ['owner references merge by uid', { ownerReferences: [{ uid: '1', name: 'a' }] }, { ownerReferences: [{ uid: '1', controller: true }, { uid: '2' }] }, { ownerReferences: [{ uid: '1', name: 'a', controller: true }, { uid: '2' }] }],
    ['finalizers are a set', { finalizers: ['a', 'b'] }, { finalizers: ['c', 'a'] }, { finalizers: ['a', 'b', 'c'] }],
    ['a finalizer is taken out', { finalizers: ['a', 'b'] }, { '$deleteFromPrimitiveList/finalizers': ['a'] }, { finalizers: ['b'] }],
    ['keys are retained', { m: { a: 1, b: 2 } }, { m: { $retainKeys: ['b', 'c'], c: 3 } }, { m: { b: 2, c: 3 } }],
    ['a scalar takes the place of a map', { m: { a: 1 } }, { m: 7 }, { m: 7 }],
    ['a map takes the place of a scalar', { m: 7 }, { m: { a: 1 } }, { m: { a: 1 } }],
    ['an empty patch', { a: 1 }, {}, { a: 1 }],
  ])('given that %s, when a patch is applied, then the result is right and holds no directive', (_name, original, patch, expected) => {
    const before = JSON.stringify([original, patch]);
    const merged = strategicMerge(original, patch);
    expect(merged).toEqual(expected);
    expect(JSON.stringify(merged)).not.toContain('$');
    expect(JSON.stringify([original, patch])).toBe(before);
  });
});
