// The order and the replacements of API writes, without time or wire.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiWrite } from '../../../src/bus/api-write.ts';
import { eventsMax, WriteQueue, writesMax } from '../../../src/bus/egress/write-queue.ts';
import type { PodUid } from '../../../src/ports/pod-types.ts';

const pod = { writer: 'status-reporter', kind: 'Pod', namespace: 'shop', name: 'web-0' } as const;
const patch = (id: string, lane = 'pod/a'): ApiWrite => ({ ...pod, id, lane, verb: 'patchStatus', patch: { id } });
const get = (id: string, lane = 'pod/a'): ApiWrite => ({ ...pod, id, lane, verb: 'get' });
const remove = (id: string, lane = 'pod/a'): ApiWrite => ({ ...pod, id, lane, verb: 'delete', uid: 'u' as PodUid, gracePeriodSeconds: 0 });
const create = (id: string, lane = 'pod/a'): ApiWrite => ({ ...pod, id, lane, verb: 'create', object: {} });
const event = (id: string, verb: 'create' | 'patch' = 'create', lane = `event/${id}`): ApiWrite => {
  const base = { id, lane, writer: 'events', kind: 'Event', namespace: 'shop', name: lane, object: { metadata: { name: id }, involvedObject: {} } } as const;
  return verb === 'create' ? { ...base, verb } : { ...base, verb, patch: { count: 2 } };
};
const drain = (queue: WriteQueue): string[] => {
  const ids: string[] = [];
  for (let sending = queue.next(); sending !== undefined; sending = queue.next()) {
    ids.push(sending.write.id);
    queue.settle(sending.write);
  }
  return ids;
};

describe('the queue of API writes', () => {
  it.each([
    ['a patch and a newer one', [patch('1'), patch('2')], ['2'], ['1']],
    ['a get and a patch', [get('1'), patch('2')], ['1', '2'], []],
    ['a patch and a delete', [patch('1'), remove('2')], ['2'], ['1']],
    ['a delete and a patch', [remove('1'), patch('2')], ['1', '2'], []],
    ['a delete and a newer one', [remove('1'), remove('2')], ['2'], ['1']],
    ['a delete and a create', [remove('1'), create('2')], ['1', '2'], []],
    ['a delete, a create and a newer one', [remove('1'), create('2'), create('3')], ['1', '3'], ['2']],
    ['a create and a delete', [create('1'), remove('2')], ['2'], ['1']],
    ['patches of two lanes', [patch('1', 'a'), patch('2', 'b'), patch('3', 'a')], ['3', '2'], ['1']],
    ['an event before a patch', [event('1'), patch('2')], ['2', '1'], []],
    ['an event and its repetition', [event('1', 'create', 'e'), event('2', 'patch', 'e')], ['2'], ['1']],
  ])('given %s, when they are added, then the right ones are sent in order', (_name, writes, sent, replaced) => {
    const queue = new WriteQueue();
    const losses = writes.flatMap((write) => queue.add(write));
    expect(losses.map(({ write, why, sent: wasSent }) => [write.id, why, wasSent])).toEqual(replaced.map((id) => [id, 'replaced', false]));
    expect(drain(queue)).toEqual(sent);
    expect(queue.waiting + queue.inFlight).toBe(0);
  });

  it('given a patch of an event whose create was never sent, when it is sent, then it goes as the create', () => {
    const queue = new WriteQueue();
    queue.add(event('1', 'create', 'e'));
    queue.add(event('2', 'patch', 'e'));
    expect(queue.next()).toMatchObject({ write: { id: '2', verb: 'patch' }, wire: { id: '2', verb: 'create' } });
  });

  it('given a write in flight, when more of its lane come, then they wait, and the newest is next', () => {
    const queue = new WriteQueue();
    queue.add(patch('1'));
    const first = queue.next();
    queue.add(patch('2'));
    queue.add(patch('3'));
    expect(queue.next()).toBeUndefined();
    if (first !== undefined) queue.settle(first.write);
    expect(queue.next()?.write.id).toBe('3');
  });

  it('given writes in flight, when they are taken back, then they come first, in their order, unless a newer one waits', () => {
    const queue = new WriteQueue();
    for (const write of [patch('a1', 'a'), patch('b1', 'b'), remove('c1', 'c'), event('e1')]) queue.add(write);
    for (let times = 0; times < 4; times += 1) queue.next();
    queue.add(patch('d1', 'd'));
    queue.add(patch('b2', 'b'));
    queue.add(patch('c2', 'c'));
    expect(queue.takeBack().map(({ write, why, sent }) => [write.id, why, sent])).toEqual([['b1', 'replaced', true]]);
    expect(drain(queue)).toEqual(['a1', 'b2', 'c1', 'd1', 'c2', 'e1']);
  });

  it('given more events than are kept, when one is added, then the oldest is dropped', () => {
    const queue = new WriteQueue();
    for (let index = 0; index < eventsMax; index += 1) expect(queue.add(event(String(index)))).toEqual([]);
    expect(queue.add(event('new')).map(({ write, why }) => [write.id, why])).toEqual([['0', 'dropped']]);
    expect(queue.waiting).toBe(eventsMax);
    expect(drain(queue)[0]).toBe('1');
  });

  it('given more writes than are kept, when one is added, then it is dropped itself, and events are not affected', () => {
    const queue = new WriteQueue();
    for (let index = 0; index < writesMax; index += 1) queue.add(patch(String(index), `lane-${index}`));
    expect(queue.add(patch('new', 'another')).map(({ write, why }) => [write.id, why])).toEqual([['new', 'dropped']]);
    expect(queue.add(event('e'))).toEqual([]);
  });

  it('given any series of steps, when all is settled, then each write was sent last or lost, and one per lane was in flight', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), verb: fc.constantFrom(patch, get, remove, create), lane: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('event' as const), verb: fc.constantFrom('create' as const, 'patch' as const), lane: fc.constantFrom('e', 'f') }),
      fc.constant({ kind: 'next' as const }), fc.constant({ kind: 'settle' as const }), fc.constant({ kind: 'takeBack' as const }),
    );
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new WriteQueue();
      const open = new Set<string>();
      let flying: ApiWrite[] = [];
      const lose = (losses: readonly { readonly write: ApiWrite }[]): void => losses.forEach(({ write }) => expect(open.delete(write.id)).toBe(true));
      for (const [index, each] of steps.entries()) {
        const id = String(index);
        if (each.kind === 'add' || each.kind === 'event') {
          open.add(id);
          lose(queue.add(each.kind === 'add' ? each.verb(id, each.lane) : event(id, each.verb, each.lane)));
        } else if (each.kind === 'next') {
          const sending = queue.next();
          if (sending !== undefined) flying.push(sending.write);
          expect(new Set(flying.map(({ lane }) => lane)).size).toBe(flying.length);
        } else if (each.kind === 'settle') {
          const write = flying.shift();
          if (write !== undefined) {
            queue.settle(write);
            expect(open.delete(write.id)).toBe(true);
          }
        } else {
          lose(queue.takeBack());
          flying = [];
        }
        expect(queue.inFlight).toBe(flying.length);
        expect(queue.inFlight + queue.waiting).toBe(open.size);
      }
      for (const write of flying) {
        queue.settle(write);
        open.delete(write.id);
      }
      for (const id of drain(queue)) expect(open.delete(id)).toBe(true);
      expect([...open]).toEqual([]);
    }), { numRuns: 500 });
  });
});
