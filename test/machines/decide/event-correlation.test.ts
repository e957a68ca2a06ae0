// Events as client-go correlates them: counted, combined, dropped, and never more memory than is allowed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  alikeMax, alikeWithinMs, burst, combinedPrefix, EventCorrelator, type NotedEvent, refillMs, rememberedMax,
} from '../../../src/machines/decide/event-correlation.ts';

const base: NotedEvent = { object: 'Pod a', fieldPath: '', type: 'Warning', reason: 'BackOff', message: 'm' };

/** Tells each event in turn and shows the answers in short; what is made anew is kept under its number. */
function told(events: readonly (Partial<NotedEvent> & { readonly atMs?: number })[]): string[] {
  const correlator = new EventCorrelator<string>();
  return events.map(({ atMs = 0, ...part }, index) => {
    const answer = correlator.correlate({ ...base, ...part }, atMs);
    if (answer.kind === 'dropped') return 'dropped';
    if (answer.kind === 'again') return `again ${answer.kept} x${answer.count}${answer.message === undefined ? '' : ` "${answer.message}"`}`;
    answer.keep(`#${index}`);
    return `new #${index} x${answer.count} "${answer.message}"`;
  });
}

const numbered = (count: number, atMs = 0) => Array.from({ length: count }, (_, index) => ({ message: `m${index}`, atMs }));

describe('EventCorrelator', () => {
  test.each<[string, Parameters<typeof told>[0], string[]]>([
    ['the same twice', [{}, {}], ['new #0 x1 "m"', 'again #0 x2']],
    ['another message', [{}, { message: 'n' }], ['new #0 x1 "m"', 'new #1 x1 "n"']],
    ['another object', [{}, { object: 'Pod b' }, {}], ['new #0 x1 "m"', 'new #1 x1 "m"', 'again #0 x2']],
    ['another container', [{ fieldPath: 'spec.containers{a}' }, { fieldPath: 'spec.containers{b}' }], ['new #0 x1 "m"', 'new #1 x1 "m"']],
    ['another type', [{}, { type: 'Normal' }], ['new #0 x1 "m"', 'new #1 x1 "m"']],
    ['another reason', [{}, { reason: 'Failed' }], ['new #0 x1 "m"', 'new #1 x1 "m"']],
  ])('given %s, when correlated, then repeats are counted and others are not', (_, events, expected) => {
    expect(told(events)).toEqual(expected);
  });

  test('given ten messages that are alike, when more come, then they are one event whose message and count move', () => {
    const answers = told(numbered(alikeMax + 2));
    expect(answers.slice(0, alikeMax - 1)).toEqual(numbered(alikeMax - 1).map(({ message }, index) => `new #${index} x1 "${message}"`));
    expect(answers.slice(alikeMax - 1)).toEqual([
      `new #9 x1 "${combinedPrefix}m9"`, `again #9 x2 "${combinedPrefix}m10"`, `again #9 x3 "${combinedPrefix}m11"`,
    ]);
  });

  test('given alike messages far apart, when they come, then they are not combined', () => {
    const answers = told([...numbered(alikeMax - 1), { message: 'late', atMs: alikeWithinMs + 1 }]);
    expect(answers.at(-1)).toBe('new #9 x1 "late"');
  });

  test('given an object that says too much, when its burst is over, then it is dropped until a token comes, and the count goes on', () => {
    const repeats = Array.from({ length: burst + 5 }, () => ({}));
    const answers = told([...repeats, { atMs: refillMs }, { atMs: refillMs }, { atMs: refillMs, object: 'Pod b' }]);
    expect(answers.slice(burst)).toEqual([...Array.from({ length: 5 }, () => 'dropped'), `again #0 x${burst + 6}`, 'dropped', `new #${burst + 7} x1 "m"`]);
  });

  test('given an event that was never written, when it may be, then it is made with the count it has', () => {
    const others = Array.from({ length: burst }, () => ({}));
    expect(told([...others, { reason: 'New' }, { reason: 'New', atMs: refillMs }]).slice(burst)).toEqual(['dropped', `new #${burst + 1} x2 "m"`]);
  });

  test('given more objects than are remembered, when the first comes back, then it is new', () => {
    const answers = told([...Array.from({ length: rememberedMax + 1 }, (_, index) => ({ object: `Pod ${index}` })), { object: 'Pod 0' }, { object: `Pod ${rememberedMax}` }]);
    expect(answers.slice(-2)).toEqual([`new #${rememberedMax + 1} x1 "m"`, `again #${rememberedMax} x2`]);
  });

  test('given any stream, when told, then no object writes more than its tokens, counts only grow, and nothing is patched that was not made', () => {
    const event = fc.record({ object: fc.constantFrom('a', 'b'), type: fc.constantFrom('Normal', 'Warning'), reason: fc.constantFrom('x', 'y'), message: fc.nat(15).map(String), waitMs: fc.constantFrom(0, 1_000, refillMs) });
    fc.assert(fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      let atMs = 0;
      const stream = events.map(({ waitMs, ...part }) => ({ ...part, atMs: (atMs += waitMs) }));
      const answers = told(stream);
      const counts = new Map<string, number>();
      answers.forEach((answer, index) => {
        const [kind = '', name = '', times = ''] = answer.split(' ');
        if (kind === 'dropped') return;
        expect(kind === 'again').toBe(counts.has(name));
        expect(Number(times.slice(1))).toBeGreaterThan(counts.get(name) ?? 0);
        counts.set(name, Number(times.slice(1)));
        expect(index).toBeGreaterThanOrEqual(Number(name.slice(1)));
      });
      for (const object of ['a', 'b']) {
        const written = answers.filter((answer, index) => answer !== 'dropped' && stream[index]?.object === object && stream[index]?.type === 'Normal').length;
        expect(written).toBeLessThanOrEqual(burst + Math.floor(atMs / refillMs));
      }
    }));
  });
});
