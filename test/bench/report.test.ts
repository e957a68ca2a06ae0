import { describe, expect, test } from 'vitest';
import { reportJson, reportText, tableText, verdict, type Report } from '../../bench/report.ts';
import { figureColumns, figureRow, type Section } from '../../bench/section.ts';
import { figureOf } from '../../bench/statistics.ts';

const runningMs = figureOf([101.25, 99.5, 110]);

const section: Section = {
  name: 'start',
  title: 'Pod start',
  tables: [{ columns: ['', ...figureColumns], rows: [figureRow('running', runningMs), figureRow('reported', undefined)] }],
  figures: { daemon: { runningMs }, runningOverheadMs: 1 / 3 },
  bars: [
    { what: 'overhead', measured: 12, limit: 15, unit: 'ms' },
    { what: 'ratio', measured: 1.2, limit: 1.15, unit: '×' },
    { what: 'memory', measured: undefined, limit: 56, unit: 'MiB' },
  ],
  notes: ['a note'],
};

const report: Report = {
  startedAt: '2024-05-06T07:08:09.000Z',
  elapsedSeconds: 12.3,
  command: 'npm run bench --',
  machine: {
    system: 'Debian', kernel: '6.1', cpu: 'Some CPU', cpuCount: 2, memoryMib: 2048, loadAverage: 0.1, loadAverageAtEnd: 1.5,
    cgroupVersion: 'v2', transparentHugePages: 'madvise', snapshotter: 'overlayfs',
  },
  versions: { mqlet: '1.0.0', daemonNode: 'v20.1.0', benchNode: 'v20.1.0', containerd: '1.6', runc: '1.1', broker: 'mosquitto 2' },
  sections: [section],
};

describe('tableText', () => {
  test('given rows of different widths, when shown, then the first column stands left and the others right', () => {
    expect(tableText({ columns: ['', 'min', 'max'], rows: [['a', '1', '100'], ['longer', '22', '3']] })).toBe([
      '          min  max',
      '  a         1  100',
      '  longer   22    3',
    ].join('\n'));
  });
});

describe('figureRow', () => {
  test('given a figure, when shown, then it has so many digits and the number of samples', () => {
    expect(figureRow('x', runningMs)).toEqual(['x', '99.5', '101.3', '110.0', '110.0', '3']);
    expect(figureRow('x', runningMs, 0)).toEqual(['x', '100', '101', '110', '110', '3']);
  });

  test('given nothing measured, when shown, then there are dashes and no zeros', () => {
    expect(figureRow('x', undefined)).toEqual(['x', '–', '–', '–', '–', '0']);
  });
});

describe('verdict', () => {
  test.each([
    { measured: 15, limit: 15, outcome: 'met' },
    { measured: 15.01, limit: 15, outcome: 'missed' },
    { measured: -3, limit: 15, outcome: 'met' },
    { measured: undefined, limit: 15, outcome: 'not measured' },
  ])('given $measured against $limit, when judged, then it is $outcome', ({ measured, limit, outcome }) => {
    expect(verdict({ measured, limit })).toBe(outcome);
  });
});

describe('reportText', () => {
  test('given a report, when shown, then it names the machine, its load, the versions, the figures and every target', () => {
    const text = reportText(report);
    expect(text).toContain('2 × Some CPU');
    expect(text).toContain('load 0.10 before, 1.50 after');
    expect(text).toContain('Node.js v20.1.0');
    expect(text).toMatch(/running\s+99\.5\s+101\.3\s+110\.0\s+110\.0\s+3/);
    expect(text).toMatch(/overhead\s+12\.0\s+≤ 15\s+ms\s+met/);
    expect(text).toMatch(/ratio\s+1\.200\s+≤ 1\.15\s+×\s+missed/);
    expect(text).toMatch(/memory\s+–\s+≤ 56\s+MiB\s+not measured/);
    expect(text).toContain('(a note)');
  });
});

describe('reportJson', () => {
  test('given a report, when written, then figures stand under their section with units in the keys, and targets with their outcome', () => {
    const json: unknown = JSON.parse(reportJson(report));
    expect(json).toMatchObject({
      machine: { cpuCount: 2 },
      versions: { daemonNode: 'v20.1.0' },
      figures: { start: { daemon: { runningMs: { samples: 3, min: 99.5, median: 101.25, max: 110 } }, runningOverheadMs: 0.333 } },
      targets: [{ what: 'overhead', outcome: 'met' }, { what: 'ratio', outcome: 'missed' }, { what: 'memory', outcome: 'not measured' }],
    });
  });
});
