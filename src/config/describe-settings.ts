// The table of settings as text: `mqlet run --help`, and the tables of docs/operating.md. Pure.
import { type Setting, type SettingGroup, settingRows } from './settings.ts';

const groups: readonly SettingGroup[] = ['node', 'pods', 'runtime', 'garbage', 'MQTT', 'process'];
const helpColumns = 100;
const helpIndent = 34;

export function runHelp(): string {
  const sections = groups.map((group) => {
    const rows = settingRows.filter(([, row]) => row.group === group && row.flags.length > 0);
    return [`${group.charAt(0).toUpperCase()}${group.slice(1)}:`, ...rows.map(([, row]) => helpLine(row))].join('\n');
  });
  return [
    'mqlet run: the node agent. Takes pods from manifest files and MQTT, runs them on a CRI runtime,',
    'publishes what happens.',
    '',
    'Usage: mqlet run [--config FILE] [flags]',
    '',
    '  --config FILE reads a KubeletConfiguration (YAML); it may hold every setting below under its',
    '  field name. Flags win over the environment, the environment over the file. Flags are written',
    '  --name value or --name=value.',
    '',
    sections.join('\n\n'),
    '',
    'Other flags of the kubelet are accepted with a warning where they have no effect here.',
    '',
  ].join('\n');
}

function helpLine(row: Setting<unknown>): string {
  const [flag = ''] = row.flags;
  const left = `  ${flag}${row.kind.bare === undefined ? ` ${row.kind.type}` : ''}`;
  const shown = fallback(row);
  const right = wrap(`${row.meaning}${shown === '' ? '' : ` (default ${shown})`}`, helpColumns - helpIndent);
  const first = left.length < helpIndent - 1 ? left.padEnd(helpIndent) : `${left}\n${' '.repeat(helpIndent)}`;
  return first + right.join(`\n${' '.repeat(helpIndent)}`);
}

function fallback({ kind, fallback: value }: Setting<unknown>): string {
  return value === undefined || value === false ? '' : kind.show(value);
}

function wrap(words: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(' ').flatMap((one) => pieces(one, width))) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** A list that is longer than a line is broken after its commas. */
function pieces(word: string, width: number): readonly string[] {
  return word.length <= width ? [word] : word.split(/(?<=,)/);
}

/** One table per group, in Markdown. */
export function settingsMarkdown(): string {
  return groups.map((group) => {
    const rows = settingRows.filter(([, row]) => row.group === group).map(([, row]) => {
      const unit = row.kind.unit === '' ? '' : ` (${row.kind.unit})`;
      return [
        row.flags.map(code).join(', ') || '–', code(row.field), row.environment === undefined ? '–' : code(row.environment),
        escape(row.kind.type) + unit, code(fallback(row)) || '–', escape(row.meaning),
      ].join(' | ');
    });
    return [`### ${group.charAt(0).toUpperCase()}${group.slice(1)}`, '', '| flag | field in the file | environment | type | default | meaning |', '|---|---|---|---|---|---|', ...rows.map((row) => `| ${row} |`)].join('\n');
  }).join('\n\n');
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
