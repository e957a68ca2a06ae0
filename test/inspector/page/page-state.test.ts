import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyLog, everything, logEntriesMax, logWith } from '../../../src/inspector/page/model/entry-log.ts';
import { type PageEvent, type PageState, pageAfter, shown, startState } from '../../../src/inspector/page/model/page-state.ts';
import type { ServerMessage } from '../../../src/inspector/protocol.ts';
import { actorRow, batch, hello, message, nodeFacts, podRow, range, snapshot } from './fixtures.ts';

const from = (messages: readonly ServerMessage[], start: PageState = startState) =>
  messages.reduce((state, one) => pageAfter(state, { kind: 'server', message: one, receivedAtMs: 9_000 }), start);
const after = (state: PageState, ...events: readonly PageEvent[]) => events.reduce(pageAfter, state);

describe('pageAfter', () => {
  test('given a snapshot and a batch, when they come, then rows are replaced, gone ones leave and what did not change is the same object', () => {
    const first = from([hello, snapshot({ pods: [podRow(), podRow({ uid: 'u2', name: 'db' })], actors: [actorRow()] })]);
    const next = from([batch({ pods: [podRow({ status: 'CrashLoopBackOff' }), podRow({ uid: 'u3' })], gonePods: ['u2'], node: nodeFacts({ registered: false }) })], first);
    expect([...(next.live?.pods.values() ?? [])].map(({ uid, status }) => [uid, status])).toEqual([['u1', 'CrashLoopBackOff'], ['u3', 'Running']]);
    expect(next.live?.node.registered).toBe(false);
    expect(next.live?.actors).toBe(first.live?.actors);
    expect(next.range).toEqual(range(1, 6));
    expect(next.clockAheadMs).toBe(1_100);
    expect(next.log.entries.map(({ n }) => n)).toEqual([6]);
  });

  test('given a server that came back, when it says hello, then nothing of the run before is left but the filter', () => {
    const filter = { ...everything, text: 'web' };
    const old = after(from([hello, snapshot(), batch()]), { kind: 'log.filtered', log: logWith(emptyLog(filter), [message(1)]) }, { kind: 'travel', n: 3 });
    expect(from([hello], old)).toEqual({ ...startState, connection: { kind: 'open' }, hello, log: emptyLog(filter) });
  });

  test('given a batch before any snapshot, when it comes, then it is left alone', () => expect(from([hello, batch()]).live).toBeUndefined());

  test('given a moment travelled to, when batches come, then the page stays there and now goes on behind it', () => {
    const there = after(from([hello, snapshot()]), { kind: 'travel', n: 2 }, { kind: 'travel.moment', moment: { n: 2, atMs: 20, node: nodeFacts(), pods: [podRow({ status: 'Pending' })], actors: [] } });
    const later = from([batch({ pods: [podRow({ status: 'Failed' })] })], there);
    expect(shown(later).picture?.pods.get('u1')?.status).toBe('Pending');
    expect(shown(after(later, { kind: 'travel.end' })).picture?.pods.get('u1')?.status).toBe('Failed');
  });

  test('given a moment that has not come yet, when it is shown, then what was shown before stays', () => {
    const there = after(from([hello, snapshot()]), { kind: 'travel', n: 2 });
    expect(shown(there).picture?.n).toBe(5);
  });

  test('given answers for a moment after the way back, when they come, then they change nothing', () => {
    const back = after(from([hello, snapshot()]), { kind: 'travel', n: 2 }, { kind: 'travel.end' });
    expect(after(back, { kind: 'travel.details', details: undefined })).toBe(back);
  });

  test('given a snapshot without the pod in view, when it comes, then its details go', () => {
    const { details: none } = from([snapshot({ pods: [] })], from([hello, snapshot()]));
    expect(none).toBeUndefined();
  });
});

describe('logWith', () => {
  test('given entries in any order and twice, when they are added, then each is there once in order of its number', () => {
    fc.assert(fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 30 }), { maxLength: 8 }), (batches) => {
      const log = batches.reduce((all, numbers) => logWith(all, [...new Set(numbers)].sort((a, b) => a - b).map((n) => message(n))), emptyLog(everything));
      expect(log.entries.map(({ n }) => n)).toEqual([...new Set(batches.flat())].sort((a, b) => a - b));
    }));
  });

  test('given more entries than are kept, when they come, then the oldest leave and are counted', () => {
    const many = Array.from({ length: logEntriesMax }, (_, index) => message(index + 1));
    const log = logWith(logWith(emptyLog(everything), many), [message(logEntriesMax + 1), message(logEntriesMax + 2)], 7);
    expect([log.entries.length, log.gone, log.missed, log.entries[0]?.n]).toEqual([logEntriesMax, 2, 7, 3]);
  });
});
