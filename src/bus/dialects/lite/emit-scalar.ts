// One scalar as YAML text: which of plain, single-quoted, double-quoted and literal it may be, and where it folds.
// The choice follows libyaml's emitter, whose output the released agent sends.

/** Lines longer than this fold at the next space. */
const foldColumns = 80;

export interface ScalarPlace {
  /** Column of continuation lines. */
  readonly indent: number;
  /** Column at which the scalar begins. */
  readonly column: number;
  /** Keys stay on one line. */
  readonly key: boolean;
}

/** @param value string, number, boolean, null; an empty list or mapping; anything else is our mistake and throws. */
export function scalarText(value: unknown, place: ScalarPlace): string {
  if (typeof value === 'string') return stringText(value, place);
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`a number that JSON cannot hold: ${value}`);
    return String(value);
  }
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object') return '{}';
  throw new Error(`a value that JSON cannot hold: ${typeof value}`);
}

/** Starts like a word and holds nothing YAML could take for structure: most names, images, paths and reasons. */
const simplePattern = /^[A-Za-z_/][\w./:@+=,-]*$/;
const reservedPattern = /^(?:y|yes|n|no|true|false|on|off|null)$/i;
/** What a YAML 1.1 or 1.2 reader might take for a number, a boolean, null, a time or a merge. Generous on purpose. */
const otherTypePattern = new RegExp(
  [
    '^$', '^~$', '^<<$', '^=$',
    '^(?:y|yes|n|no|true|false|on|off|null)$',
    '^[-+]?0b[01_]+$', '^[-+]?0x[0-9a-f_]+$', '^[-+]?0o[0-7_]+$',
    '^[-+]?[0-9][0-9_]*(?:\\.[0-9_]*)?(?:e[-+]?[0-9]+)?$', '^[-+]?\\.[0-9_]+(?:e[-+]?[0-9]+)?$',
    '^[-+]?\\.inf$', '^\\.nan$',
    '^[-+]?[0-9][0-9_]*(?::[0-9]{1,2})+(?:\\.[0-9_]*)?$',
    '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \\t].*)?$',
  ].join('|'),
  'i',
);
/** C0 and C1 controls, DEL, a byte order mark, non-characters, surrogates (so every non-BMP character) and Unicode line breaks. */
const unprintablePattern = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;
const plainForbiddenStart = /^(?:[#,[\]{}&*!|>'"%@`]|[-?:](?:\s|$)|---|\.\.\.| )/;
const plainForbiddenInside = /:(?:\s|$)|\s#| $/;

function stringText(text: string, place: ScalarPlace): string {
  if (simplePattern.test(text) && !text.endsWith(':') && !reservedPattern.test(text)) return text;
  if (unprintablePattern.test(text)) return doubleQuoted(text, place);
  if (text.includes('\n')) {
    if (place.key || / (?:\n|$)/.test(text)) return doubleQuoted(text, place);
    return literal(text, place);
  }
  if (otherTypePattern.test(text)) return doubleQuoted(text, place);
  if (plainForbiddenStart.test(text) || plainForbiddenInside.test(text)) return folded(`'${text.replaceAll("'", "''")}'`, place);
  return folded(text, place);
}

/** Breaks a plain or single-quoted scalar at single spaces beyond the fold column. */
function folded(text: string, place: ScalarPlace): string {
  if (place.key || place.column + text.length <= foldColumns) return text;
  let out = '';
  let column = place.column;
  for (let index = 0; index < text.length; index += 1) {
    const here = text[index];
    // Quotes count as neighbours, so a space at the edge of a quoted scalar never breaks.
    const single = here === ' ' && text[index - 1] !== ' ' && text[index + 1] !== ' ' && index > 1 && index < text.length - 2;
    if (single && column > foldColumns) {
      out += `\n${' '.repeat(place.indent)}`;
      column = place.indent;
    } else {
      out += here;
      column += 1;
    }
  }
  return out;
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\0': '\\0', '\u0007': '\\a', '\b': '\\b', '\t': '\\t', '\n': '\\n', '\u000b': '\\v', '\f': '\\f', '\r': '\\r', '\u001b': '\\e',
  '"': '\\"', '\\': '\\\\', '\u0085': '\\N', '\u00a0': '\\_', '\u2028': '\\L', '\u2029': '\\P',
};

function doubleQuoted(text: string, place: ScalarPlace): string {
  const characters = Array.from(text);
  let out = '"';
  let column = place.column + 1;
  for (const [index, character] of characters.entries()) {
    const inside = index > 0 && index < characters.length - 1;
    if (!place.key && character === ' ' && inside && column > foldColumns && characters[index - 1] !== ' ') {
      out += `\n${' '.repeat(place.indent)}`;
      column = place.indent;
      // A space at the start of a continuation line would be folded away.
      if (characters[index + 1] === ' ') out += '\\';
    } else {
      const written = escaped(character);
      out += written;
      column += written.length;
    }
  }
  return `${out}"`;
}

function escaped(character: string): string {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  if (!unprintablePattern.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  // A lone surrogate is no character: write what every UTF-8 encoder would make of it.
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function literal(text: string, place: ScalarPlace): string {
  // An indentation hint is needed where the first line is empty or begins with a space.
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomping = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const body = chomping === '-' ? text : text.slice(0, -1);
  const pad = ' '.repeat(place.indent);
  const lines = body.split('\n').map((line) => (line === '' ? '' : pad + line));
  return `|${hint}${chomping}\n${lines.join('\n')}`;
}
