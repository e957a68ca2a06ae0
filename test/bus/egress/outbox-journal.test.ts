// The lines of the outbox: whatever the disk gives back, what is whole is read and the rest is counted.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventWrite, journalLine, type JournalRecord, readJournal } from '../../../src/bus/egress/outbox-journal.ts';

const utf8 = new TextEncoder();
const event = (id: string, count = 1): EventWrite => ({
  id, writer: 'events', lane: `event/shop/${id}`, kind: 'Event', namespace: 'shop', name: id, verb: 'create',
  object: { metadata: { name: id, namespace: 'shop' }, involvedObject: {}, message: 'größer\n', count },
});
const waits = (id: string): JournalRecord => ({ kind: 'waits', kept: { write: event(id), atMs: 5 } });
const read = (...records: readonly JournalRecord[]) => readJournal(utf8.encode(records.map(journalLine).join('')));

describe('the journal of the outbox', () => {
  it('given what waits, counts on, leaves and was dropped, when read, then what is left is as it was, in order', () => {
    const journal = read(waits('a'), waits('b'), waits('c'), { kind: 'counts', from: 'a', id: 'a2', fields: { count: 2 } }, { kind: 'gone', id: 'b' }, { kind: 'dropped', count: 3 });
    expect([...journal.kept].map(([id, { write, atMs }]) => [id, write, atMs])).toEqual([
      ['c', event('c'), 5],
      ['a2', { ...event('a', 2), id: 'a2' }, 5],
    ]);
    expect([journal.dropped, journal.damaged]).toEqual([3, 0]);
  });

  it('given any cut, when read, then the lines before it are there and at most one is damaged', () => {
    const bytes = utf8.encode(['a', 'b', 'c'].map((id) => journalLine(waits(id))).join(''));
    const ends = ['a', 'b', 'c'].map((_id, index) => utf8.encode(['a', 'b', 'c'].slice(0, index + 1).map((id) => journalLine(waits(id))).join('')).length);
    for (let length = 0; length <= bytes.length; length += 1) {
      const { kept, damaged } = readJournal(bytes.slice(0, length));
      // The line's end itself may be what is missing.
      expect(kept.size).toBe(ends.filter((end) => end - 1 <= length).length);
      expect(damaged).toBeLessThanOrEqual(1);
    }
  });

  it('given one changed byte anywhere, when read, then no event is another one', () => {
    const bytes = utf8.encode(['a', 'b', 'c'].map((id) => journalLine(waits(id))).join(''));
    fc.assert(fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = bytes.slice();
      changed[at] = ((changed[at] ?? 0) + by) % 256;
      const { kept } = readJournal(changed);
      expect(kept.size).toBeGreaterThanOrEqual(1);
      for (const [id, { write }] of kept) expect(write).toEqual(event(id));
    }));
  });

  it('given any bytes, or lines with a right checksum and anything in them, when read, then it answers', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => { readJournal(bytes); }));
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('w', 'c', 'g', 'x', 'from', 'fields', 'at', 'object', 'namespace', 'name', 'verb'), fc.jsonValue()), (fields) => {
      // As a record of kind `gone` would be written, with other fields in its place.
      const line = journalLine({ kind: 'gone', id: 'x' }).replace(/^\S+ .*\n$/, JSON.stringify(fields));
      readJournal(utf8.encode(line));
    }));
  });

  it.each([
    ['a name that leads elsewhere', { ...event('a'), name: '../x' }],
    ['no object', { ...event('a'), object: undefined }],
  ])('given %s under a right checksum, when read, then it is damage', (_what, write) => {
    // The type forbids what the disk may hold.
    expect(read({ kind: 'waits', kept: { write: write as unknown as EventWrite, atMs: 1 } })).toMatchObject({ damaged: 1 });
  });
});
