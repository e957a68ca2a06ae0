// Scalars of block-style YAML: quoted, literal, folded and plain text. Each reader answers `undefined` for syntax it does not
// know; the caller then hands the whole text to the general parser.

export interface ScalarRead {
  readonly value: string;
  /** Position after the scalar. */
  readonly end: number;
}

const escapes: Readonly<Record<string, string>> = {
  '0': '\0', a: '\u0007', b: '\b', t: '\t', '\t': '\t', n: '\n', v: '\u000b', f: '\f', r: '\r', e: '\u001b', ' ': ' ', '"': '"',
  '/': '/', '\\': '\\', N: '\u0085', _: '\u00a0', L: '\u2028', P: '\u2029',
};
const hexLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** @param start position of the opening quote */
export function readQuoted(text: string, start: number): ScalarRead | undefined {
  return text[start] === "'" ? readSingleQuoted(text, start) : readDoubleQuoted(text, start);
}

function readSingleQuoted(text: string, start: number): ScalarRead | undefined {
  let value = '';
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf("'", from);
    if (quote < 0) return undefined;
    value += text.slice(from, quote);
    if (text[quote + 1] !== "'") return { value: foldLines(value), end: quote + 1 };
    value += "'";
    from = quote + 2;
  }
}

function readDoubleQuoted(text: string, start: number): ScalarRead | undefined {
  let value = '';
  let from = start + 1;
  for (let index = from; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x22) return { value: value + foldLines(text.slice(from, index)), end: index + 1 };
    if (code !== 0x5c) continue;
    const chunk = foldLines(text.slice(from, index));
    const escaped = readEscape(text, index + 1);
    if (escaped === undefined) return undefined;
    value += chunk + escaped.value;
    index = escaped.end - 1;
    from = escaped.end;
  }
  return undefined;
}

function readEscape(text: string, at: number): ScalarRead | undefined {
  const letter = text[at];
  if (letter === undefined) return undefined;
  // An escaped line break joins two lines without a space.
  if (letter === '\n') return { value: '', end: skipBlanks(text, at + 1) };
  const simple = escapes[letter];
  if (simple !== undefined) return { value: simple, end: at + 1 };
  const length = hexLengths[letter];
  if (length === undefined) return undefined;
  const digits = text.slice(at + 1, at + 1 + length);
  const code = /^[0-9a-fA-F]+$/.test(digits) && digits.length === length ? Number.parseInt(digits, 16) : -1;
  if (code < 0 || code > 0x10ffff) return undefined;
  return { value: String.fromCodePoint(code), end: at + 1 + length };
}

/** A single line break is a space, n of them are n - 1 line breaks; blanks around them vanish. */
function foldLines(text: string): string {
  if (!text.includes('\n')) return text;
  return text.replace(/[ \t]*\n[ \t\n]*/g, (gap) => {
    const breaks = gap.split('\n').length - 1;
    return breaks === 1 ? ' ' : '\n'.repeat(breaks - 1);
  });
}

function skipBlanks(text: string, at: number): number {
  let index = at;
  while (text[index] === ' ' || text[index] === '\t') index += 1;
  return index;
}

/**
 * A `|` block. Folded blocks (`>`) are left to the general parser.
 * @param start position of the `|`
 * @param parentColumn column of the key or dash it belongs to
 */
export function readLiteral(text: string, start: number, parentColumn: number): ScalarRead | undefined {
  const headerEnd = lineEnd(text, start);
  const header = /^\|([1-9]?)([-+]?)([1-9]?) *$/.exec(text.slice(start, headerEnd));
  // At the top of a document a block may stand at the margin, where other rules hold.
  if (header === null || parentColumn < 0) return undefined;
  const hint = Number((header[1] ?? '') + (header[3] ?? ''));
  let column = hint > 0 ? parentColumn + hint : -1;
  const lines: string[] = [];
  let at = headerEnd + 1;
  while (at < text.length) {
    const end = lineEnd(text, at);
    const first = skipSpaces(text, at);
    if (first >= end) {
      // Spaces alone on a line have rules of their own.
      if (first > at) return undefined;
      lines.push('');
    } else {
      if (column < 0) column = first - at;
      if (first - at < column || column <= parentColumn) break;
      lines.push(text.slice(at + column, end));
    }
    at = end + 1;
  }
  if (!lines.some((line) => line !== '')) return undefined;
  return { value: chomped(lines, header[2] ?? ''), end: Math.min(at, text.length) };
}

function chomped(lines: readonly string[], chomping: string): string {
  if (chomping === '+') return lines.map((line) => `${line}\n`).join('');
  let last = lines.length;
  while (last > 0 && lines[last - 1] === '') last -= 1;
  const body = lines.slice(0, last).join('\n');
  return chomping === '-' || last === 0 ? body : `${body}\n`;
}

/** Position of the line feed that ends the line at `at`, or the length of the text. */
export function lineEnd(text: string, at: number): number {
  const found = text.indexOf('\n', at);
  return found < 0 ? text.length : found;
}

export function skipSpaces(text: string, at: number): number {
  let index = at;
  while (text.charCodeAt(index) === 0x20) index += 1;
  return index;
}

/** Only U+0020: other white space is content. */
export function withoutEndSpaces(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end -= 1;
  return text.slice(0, end);
}
