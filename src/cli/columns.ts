// Tables as kubectl prints them: columns as wide as their content, three spaces between. Pure.

/** @param rows cells by row; the first row is the header */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => { widths[index] = Math.max(widths[index] ?? 0, cell.length); });
  return rows.map((row) => `${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('   ').trimEnd()}\n`).join('');
}

/** Lines `Name:  value`, values below each other. */
export function fields(pairs: readonly (readonly [name: string, value: string])[], indent = ''): string {
  const width = Math.max(...pairs.map(([name]) => name.length)) + 1;
  return pairs.map(([name, value]) => `${indent}${`${name}:`.padEnd(width)}  ${value}`.trimEnd()).map((line) => `${line}\n`).join('');
}
