import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { actorTree } from '../../../src/inspector/page/model/actor-tree.ts';
import { nodeHealth } from '../../../src/inspector/page/model/node-health.ts';
import { allPods, countPods, listPods, podTone } from '../../../src/inspector/page/model/pod-list.ts';
import { readRoute, type Route, routeHash } from '../../../src/inspector/page/model/route.ts';
import { age, duration, fromNow } from '../../../src/inspector/page/model/words.ts';
import { actorRow, nodeFacts, podRow } from './fixtures.ts';

describe('listPods', () => {
  const pods = [
    podRow({ uid: 'a', name: 'web', restarts: 2, createdAtMs: 10 }), podRow({ uid: 'b', name: 'db', severity: 'error', status: 'CrashLoopBackOff', restarts: 9, createdAtMs: 30 }),
    podRow({ uid: 'c', name: 'agent', namespace: 'apps', severity: 'warning', trouble: 'Its image is pulled', createdAtMs: 20 }),
  ];
  test.each([
    ['all by name', {}, 'cba'], ['trouble first', { sort: 'trouble' }, 'bca'], ['newest first', { sort: 'age' }, 'bca'], ['most restarts', { sort: 'restarts' }, 'bac'],
    ['those in trouble', { onlyTroubled: true }, 'cb'], ['a part of a status', { text: ' crashloop ' }, 'b'], ['a part of the trouble', { text: 'IMAGE' }, 'c'], ['namespace and name', { text: 'default/w' }, 'a'],
  ] as const)('given a wish for %s, when pods are listed, then they come so', (_what, query, uids) => {
    expect(listPods(pods, { ...allPods, ...query }).map(({ uid }) => uid).join('')).toBe(uids);
  });

  test('given pods, when they are counted, then trouble is what is no plain information', () => expect(countPods(pods)).toEqual({ all: 3, ready: 3, troubled: 2 }));
});

describe('podTone', () => {
  test.each([
    ['good', {}], ['bad', { severity: 'error', state: 'terminating.stopping' }], ['stop', { status: 'Terminating', severity: 'warning' }], ['stop', { state: 'finishing.removing' }],
    ['wait', { severity: 'warning' }], ['wait', { ready: false }], ['idle', { ready: false, phase: 'Succeeded' }],
  ] as const)('given a pod that is %s, when its tone is chosen, then it is that', (tone, change) => expect(podTone(podRow(change))).toBe(tone));
});

describe('actorTree', () => {
  const tree = (rows: readonly (readonly [id: string, parent: string])[], closed: readonly string[] = [], text = '') =>
    actorTree(new Map(rows.map(([id, parent]) => [id, actorRow({ id, parent })])), new Set(closed), text).map(({ actor: { id }, level, children }) => `${level}${id}${children === 0 ? '' : `+${children}`}`);

  test('given parents and children, when the tree is laid flat, then each stands below its parent', () => {
    expect(tree([['b', ''], ['x', 'b'], ['a', ''], ['y', 'x']])).toEqual(['1a', '1b+1', '2x+1', '3y']);
  });
  test('given a folded actor, when the tree is laid flat, then its children are away', () => expect(tree([['b', ''], ['x', 'b']], ['b'])).toEqual(['1b+1']));
  test('given a text, when it is looked for, then what is found shows with all above it, folded or not', () => {
    expect(tree([['b', ''], ['x', 'b'], ['y', 'b'], ['c', '']], ['b'], 'X')).toEqual(['1b+1', '2x']);
  });
  test('given a parent that never spoke, when the tree is laid flat, then it stands above its child all the same', () => expect(tree([['x', 'silent']])).toEqual(['1silent+1', '2x']));
  test('given actors that name each other, when the tree is laid flat, then it ends', () => expect(tree([['a', 'b'], ['b', 'a'], ['c', 'c']])).toEqual(['1c']));
});

describe('nodeHealth', () => {
  const nowMs = 10_000;
  const tile = (name: string, change: Parameters<typeof nodeFacts>[0]) => nodeHealth(nodeFacts(change), nowMs).find((one) => one.name === name);

  test('given a node that is well, when its tiles are made, then all are', () => expect(new Set(nodeHealth(nodeFacts(), nowMs).map(({ tone }) => tone))).toEqual(new Set(['good'])));
  test.each([
    ['Broker', { link: undefined }, 'idle', 'none', 'this node runs alone'],
    ['Broker', { link: { state: 'backingOff', reason: 'connection refused', sinceMs: 0, nextAttemptAtMs: 14_000 } }, 'bad', 'backing off', 'connection refused, next attempt in 4.0 s'],
    ['Runtime', { runtime: undefined }, 'wait', 'unknown', 'it has not answered yet'],
    ['Runtime', { runtime: { ready: false, networkReady: false, streaming: false, message: 'the socket is away', sinceMs: 0 } }, 'bad', 'not ready', 'the socket is away'],
    ['Relist', { relist: { atMs: 1, sandboxes: 0, containers: 0, fault: 'timeout' } }, 'bad', 'failed', 'timeout'],
    ['Lease', { lease: { renewedAtMs: 9_000, trouble: 'conflict' } }, 'bad', 'in trouble', 'conflict; renewed 1.0 s ago'],
    ['Lease', { lease: { renewedAtMs: -50_000, trouble: '' } }, 'bad', 'late', 'renewed 60 s ago'],
    ['Outbox', { outbox: { waiting: 3, accepted: 1, refused: 1, oldestAtMs: 8_000 } }, 'wait', '3 waiting', '1 accepted, 1 refused, oldest 2.0 s'],
    ['Bus', { bus: { messages: 1, queued: 0, queuedMax: 1, failures: 2 } }, 'bad', '1 message', 'at most 1 queued, 2 failures'],
  ] as const)('given %s %j, when its tile is made, then it is %s', (name, change, tone, word, detail) => expect(tile(name, change)).toEqual({ name, tone, word, detail }));
});

describe('routes', () => {
  test('given any route, when it is written and read, then it is the same', () => {
    const routes: fc.Arbitrary<Route> = fc.oneof(
      fc.constantFrom<Route>({ view: 'pods' }, { view: 'bus' }, { view: 'actors' }, { view: 'node' }),
      fc.record({ view: fc.constant('pod' as const), uid: fc.string({ minLength: 1, unit: 'binary' }), tab: fc.constantFrom('overview', 'messages', 'objects') }),
    );
    fc.assert(fc.property(routes, (route) => { expect(readRoute(routeHash(route))).toEqual(route); }));
  });
  test.each(['', '#', '#/', '#/nowhere', '#/pods/', '#/pods/%E0%A4%A'])('given the address %j, when it is read, then the pods show', (hash) => expect(readRoute(hash)).toEqual({ view: 'pods' }));
});

describe('words of time', () => {
  test.each([[0, '0 ms'], [850, '850 ms'], [9_940, '9.9 s'], [119_000, '119 s'], [125_000, '2m 05s'], [7_260_000, '2h 01m'], [180_000_000, '2d 2h'], [-5, '0 ms']])(
    'given %i ms, when they are said, then it is %s', (ms, words) => expect(duration(ms)).toBe(words),
  );
  test.each([[119_999, '119s'], [7_199_999, '119m'], [172_799_999, '47h'], [172_800_000, '2d']])('given an age of %i ms, when it is said, then it is %s', (ms, words) => expect(age(ms)).toBe(words));
  test.each([[12_000, 'in 12 s'], [400, 'now'], [-3_000, '3.0 s ago']])('given a time %i ms from now, when it is said, then it is %s', (ms, words) => expect(fromNow(1_000 + ms, 1_000)).toBe(words));
});
