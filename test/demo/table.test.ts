import { describe, expect, it } from 'vitest';
import { openScreen } from '../../src/demo/screen.ts';
import { age, podTable, type PodRow } from '../../src/demo/table.ts';

const row: PodRow = {
  namespace: 'default', name: 'web', source: 'file', state: 'Running', ready: '1/1', restarts: 0, ip: '10.1.2.3', createdAtMs: 1_000,
};

describe('podTable', () => {
  it('given rows in any order, when drawn, then they are sorted and the columns line up', () => {
    const rows = [{ ...row, name: 'web-with-a-long-name' }, { ...row, name: 'clock', source: 'mqtt', state: 'CrashLoopBackOff', ready: '0/1', restarts: 12, ip: '' }];
    expect(podTable(rows, 61_000)).toEqual([
      'NAMESPACE   NAME                   SOURCE   STATE              READY   RESTARTS   IP         AGE',
      'default     clock                  mqtt     CrashLoopBackOff   0/1     12         -          60s',
      'default     web-with-a-long-name   file     Running            1/1     0          10.1.2.3   60s',
    ]);
  });

  it('given no pods, when drawn, then one line says so', () => {
    expect(podTable([], 0)).toEqual(['No pods.']);
  });
});

describe('age', () => {
  it.each([
    [-5_000, '0s'], [0, '0s'], [119_999, '119s'], [120_000, '2m'], [184_000, '3m4s'], [600_000, '10m'],
    [179 * 60_000, '179m'], [180 * 60_000, '3h'], [(5 * 60 + 7) * 60_000, '5h7m'], [8 * 3_600_000, '8h'], [72 * 3_600_000, '3d'],
  ])('given %d ms, when shown, then it is %s', (durationMs, text) => {
    expect(age(durationMs)).toBe(text);
  });
});

describe('screen', () => {
  const terminal = (isTTY: boolean, columns = 200) => {
    const written: string[] = [];
    return { written, screen: openScreen({ isTTY, columns, write: (text) => written.push(text) }) };
  };

  it('given no terminal, when the table is shown twice without a change, then it is printed once and without control characters', () => {
    const { written, screen } = terminal(false);
    screen.table([row], []);
    screen.table([row], []);
    expect(written).toHaveLength(2);
    expect(written.join('')).not.toContain('\x1b');
  });

  it('given no terminal, when a step ends, then one line names it with its result and time', () => {
    const { written, screen } = terminal(false);
    screen.begin('broker');
    screen.done('mosquitto');
    expect(written.join('')).toMatch(/^ {2}broker +mosquitto \(\d+\.\d s\)\n$/);
  });

  it('given a terminal, when the table is shown again, then the cursor goes up over the former one', () => {
    const { written, screen } = terminal(true);
    screen.table([row], ['footer']);
    screen.table([row], ['footer']);
    expect(written[1]).toContain('\x1b[3A');
  });

  it('given a narrow terminal, when the table is shown, then no line is wider than it', () => {
    const { written, screen } = terminal(true, 40);
    screen.table([row], []);
    for (const line of written.join('').replace('\r\x1b[J', '').split('\n')) expect(line.length).toBeLessThan(40);
  });
});
