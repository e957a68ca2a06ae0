import { describe, expect, test } from 'vitest';
import { parseBenchOptions, sectionNames } from '../../bench/options.ts';

describe('parseBenchOptions', () => {
  test('given nothing, when parsed, then every section runs in full', () => {
    const parsed = parseBenchOptions([]);
    expect(parsed).toMatchObject({ ok: true, value: { quick: false, help: false, pod: 'plain', extent: { starts: 100, burstPods: 50, cpuWindowMs: 60_000 } } });
    expect(parsed.ok && [...parsed.value.only]).toEqual(sectionNames);
  });

  test('given a list of sections, a file and a window, when parsed, then they are taken', () => {
    const parsed = parseBenchOptions(['--only', 'start,bus', '--json', 'out.json', '--window', '5', '--node', '/opt/node24']);
    expect(parsed).toMatchObject({ ok: true, value: { jsonFile: 'out.json', nodeBinary: '/opt/node24', extent: { cpuWindowMs: 5_000 } } });
    expect(parsed.ok && [...parsed.value.only]).toEqual(['start', 'bus']);
  });

  test('given --quick, when parsed, then there is less of everything', () => {
    expect(parseBenchOptions(['--quick'])).toMatchObject({ ok: true, value: { quick: true, extent: { starts: 5, idlePodCounts: [0, 10] } } });
  });

  test.each([
    { argv: ['--only', 'start,speed'], line: /--only knows start, .*, not "speed"/ },
    { argv: ['--pod', 'poor'], line: /--pod knows plain, rich, not "poor"/ },
    { argv: ['--window', 'long'], line: /--window must be a number of seconds/ },
    { argv: ['--window', '0'], line: /--window must be a number of seconds/ },
    { argv: ['--fast'], line: /--fast/ },
    { argv: ['start'], line: /start/ },
  ])('given $argv, when parsed, then it is refused in one clear line', ({ argv, line }) => {
    const parsed = parseBenchOptions(argv);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.fault).toMatch(line);
  });
});
