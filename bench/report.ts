// Sections as text for people and as JSON for programs. Pure.
import type { MachineFacts, Versions } from './machine-facts.ts';
import type { Bar, Section, Table } from './section.ts';

export interface Report {
  readonly startedAt: string;
  readonly elapsedSeconds: number;
  readonly command: string;
  readonly machine: MachineFacts;
  readonly versions: Versions;
  readonly sections: readonly Section[];
}

export function reportText(report: Report): string {
  const { machine, versions, sections } = report;
  const facts = [
    `${machine.system}, Linux ${machine.kernel}, ${machine.cpuCount} × ${machine.cpu}, ${machine.memoryMib} MiB, cgroup ${machine.cgroupVersion}, ${machine.snapshotter ?? 'no runtime'}; load ${machine.loadAverage.toFixed(2)} before, ${machine.loadAverageAtEnd.toFixed(2)} after`,
    `daemon on Node.js ${versions.daemonNode}, containerd ${versions.containerd}, runc ${versions.runc}, ${versions.broker}`,
    `${report.startedAt}, ${report.elapsedSeconds.toFixed(0)} s: ${report.command}`,
  ];
  const bars = sections.flatMap((section) => section.bars);
  const blocks = [facts.join('\n'), ...sections.map(sectionText), ...(bars.length > 0 ? [barsText(bars)] : [])];
  return `${blocks.join('\n\n')}\n`;
}

function sectionText({ title, tables, notes }: Section): string {
  return [title, ...tables.map(tableText), ...notes.map((note) => `(${note})`)].join('\n');
}

/** First column to the left, the others to the right. */
export function tableText({ columns, rows }: Table): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => (row[index] ?? '').length)));
  return [columns, ...rows]
    .map((row) => widths.map((width, index) => (index === 0 ? (row[index] ?? '').padEnd(width) : (row[index] ?? '').padStart(width))).join('  ').trimEnd())
    .map((line) => `  ${line}`)
    .join('\n');
}

function barsText(bars: readonly Bar[]): string {
  const rows = bars.map(({ what, measured, limit, unit }) => [
    what, measured === undefined ? '–' : shown(measured, unit), `≤ ${limit}`, unit, verdict({ measured, limit }),
  ]);
  return ['Against the targets', tableText({ columns: ['', 'measured', 'target', 'unit', ''], rows })].join('\n');
}

function shown(value: number, unit: string): string {
  return value.toFixed(unit === '×' || unit === 's/min' ? 3 : 1);
}

export function verdict({ measured, limit }: Pick<Bar, 'measured' | 'limit'>): 'met' | 'missed' | 'not measured' {
  if (measured === undefined) return 'not measured';
  return measured <= limit ? 'met' : 'missed';
}

/** Every figure with its unit in its name. */
export function reportJson(report: Report): string {
  const { startedAt, elapsedSeconds, command, machine, versions, sections } = report;
  return `${JSON.stringify({
    startedAt, elapsedSeconds, command, machine, versions,
    figures: Object.fromEntries(sections.map(({ name, figures }) => [name, figures])),
    targets: sections.flatMap((section) => section.bars).map((bar) => ({ ...bar, outcome: verdict(bar) })),
  }, rounded, 2)}\n`;
}

/** Microseconds of a time in milliseconds, a kilobyte of a mebibyte: finer digits are noise. */
function rounded(_name: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value;
}
