import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isJournal, JournalLines } from '../../src/adapters/journal-lines.ts';
import { createJsonLog } from '../../src/adapters/json-log.ts';

describe('log lines for the journal', () => {
  let directory = '';
  let file = 0;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-journal-'));
    file = openSync(path.join(directory, 'stream'), 'w');
  });
  afterEach(() => {
    closeSync(file);
    rmSync(directory, { recursive: true });
  });

  it('given every level, when lines are written, then each begins with its priority', () => {
    const lines: string[] = [];
    const log = createJsonLog({ level: 'debug', destination: new JournalLines({ write: (line) => lines.push(line) }) });
    log.error('a');
    log.warn('b');
    log.info('c');
    log.debug('d');
    expect(lines.map((line) => `${line.slice(0, 3)} ${(JSON.parse(line.slice(3)) as { event: string }).event}`)).toEqual(['<3> a', '<4> b', '<6> c', '<7> d']);
  });

  it.each([
    ['what systemd connected', (stream: string) => ({ JOURNAL_STREAM: stream }), true],
    ['another file', (stream: string) => ({ JOURNAL_STREAM: `${stream}1` }), false],
    ['nothing of systemd', () => ({}), false],
  ])('given %s, when the environment is compared, then it is known whether the journal listens', (_what, environment, expected) => {
    const { dev, ino } = fstatSync(file);
    expect(isJournal(environment(`${dev}:${ino}`), file)).toBe(expected);
  });
});
