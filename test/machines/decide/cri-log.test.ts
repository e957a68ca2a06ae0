// What a reader is shown of a container's log, whatever pieces its file comes in.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CriLogLines, logHistory, type LogView } from '../../../src/machines/decide/cri-log.ts';

const file = [
  '2026-01-31T10:00:00.000000001Z stdout F first',
  '2026-01-31T10:00:01.5Z stderr F second',
  '2026-01-31T10:00:02.123456789Z stdout P thi',
  '2026-01-31T10:00:02.123456790Z stdout F rd',
  'no line of a log',
  '2026-01-31T10:00:03Z stdout F ',
  '2026-01-31T10:00:04+00:00 stdout F größer',
].map((line) => `${line}\n`).join('');

function shown(view: LogView, pieces: readonly Uint8Array[]): string {
  const lines = new CriLogLines(view);
  return pieces.flatMap((piece) => lines.push(piece)).map(({ bytes }) => Buffer.from(bytes).toString('utf8')).join('');
}

describe('the lines of a container\'s log', () => {
  it.each<{ readonly what: string; readonly view: Partial<LogView>; readonly text: string }>([
    { what: 'all', view: {}, text: 'first\nsecond\nthird\n\ngrößer\n' },
    { what: 'one stream', view: { stream: 'stderr' }, text: 'second\n' },
    { what: 'those since a time', view: { sinceMs: Date.parse('2026-01-31T10:00:02.123Z') }, text: 'third\n\ngrößer\n' },
    { what: 'none since later', view: { sinceMs: Date.parse('2026-02-01T00:00:00Z') }, text: '' },
    { what: 'times', view: { timestamps: true, stream: 'stderr' }, text: '2026-01-31T10:00:01.5Z second\n' },
  ])('given a wish for $what, when the file is read, then that is shown', ({ view, text }) => {
    expect(shown({ timestamps: false, ...view }, [Buffer.from(file)])).toBe(text);
  });

  it('given a file in any pieces, when it is read, then the same is shown', () => {
    const bytes = Buffer.from(file);
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }), (sizes) => {
      const pieces: Uint8Array[] = [];
      let at = 0;
      for (const size of [...sizes, bytes.length]) {
        pieces.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(shown({ timestamps: true }, pieces)).toBe(shown({ timestamps: true }, [bytes]));
    }));
  });

  it('given any bytes, when they are read, then nothing throws', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (pieces) => {
      shown({ timestamps: true, sinceMs: 1 }, pieces);
    }));
  });
});

describe('the history of a log', () => {
  it('given rotated files, one of them being packed, when they are put in order, then each is there once, the log last', () => {
    expect(logHistory('1.log', ['1.log', '1.log.20260131-100000.gz', '1.log.20260131-120000', '1.log.20260131-110000', '1.log.20260131-110000.gz', '1.log.20260131-120000.tmp', '0.log', '11.log']))
      .toEqual(['1.log.20260131-100000.gz', '1.log.20260131-110000.gz', '1.log.20260131-120000', '1.log']);
  });
});
