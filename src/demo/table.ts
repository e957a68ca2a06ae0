// The table of pods as text: columns as wide as their content, ages as kubectl shows them. Pure.

/** One row, as the agent's admin API gives it. */
export interface PodRow {
  readonly namespace: string;
  readonly name: string;
  readonly source: string;
  /** What users call the status: `Running`, `CrashLoopBackOff`, `Terminating`, … */
  readonly state: string;
  /** `1/2`: containers that are ready, of all. */
  readonly ready: string;
  readonly restarts: number;
  readonly ip: string;
  /** Wall milliseconds; 0 when not known. */
  readonly createdAtMs: number;
}

const columns: readonly { readonly title: string; cell(row: PodRow, nowMs: number): string }[] = [
  { title: 'NAMESPACE', cell: (row) => row.namespace },
  { title: 'NAME', cell: (row) => row.name },
  { title: 'SOURCE', cell: (row) => row.source },
  { title: 'STATE', cell: (row) => row.state },
  { title: 'READY', cell: (row) => row.ready },
  { title: 'RESTARTS', cell: (row) => String(row.restarts) },
  { title: 'IP', cell: (row) => row.ip || '-' },
  { title: 'AGE', cell: (row, nowMs) => (row.createdAtMs === 0 ? '-' : age(nowMs - row.createdAtMs)) },
];

/** Header and one line per pod, sorted by namespace and name; a single line when there is none. */
export function podTable(rows: readonly PodRow[], nowMs: number): readonly string[] {
  if (rows.length === 0) return ['No pods.'];
  const sorted = [...rows].sort((left, right) => compare(left.namespace, right.namespace) || compare(left.name, right.name));
  const cells = [columns.map((column) => column.title), ...sorted.map((row) => columns.map((column) => column.cell(row, nowMs)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  return cells.map((line) => line.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('   ').trimEnd());
}

/** `12s`, `3m4s`, `25m`, `2h5m`, `3d`: two units while the second one tells something. */
export function age(durationMs: number): string {
  const total = Math.max(0, Math.floor(durationMs / 1000));
  const minutes = Math.floor(total / 60);
  const hours = Math.floor(minutes / 60);
  if (total < 120) return `${total}s`;
  if (minutes < 10) return withRest(`${minutes}m`, total % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return withRest(`${hours}h`, minutes % 60, 'm');
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

function withRest(text: string, rest: number, unit: string): string {
  return rest === 0 ? text : `${text}${rest}${unit}`;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
