// What tests of the wire share: payloads made by hand, and values of every kind YAML can confuse.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';

export function gzipText(text: string): Uint8Array {
  return gzipSync(text);
}

/** Strings that some YAML reader would take for something else, or that need care when written. */
export const awkwardStrings: readonly string[] = [
  '', ' ', '~', 'null', 'Null', 'yes', 'y', 'Y', 'no', 'on', 'OFF', 'true', 'False', '0x10', '0o17', '0777', '1_000', '12:30:45', '2001-01-01',
  '2024-05-06T06:08:09Z', '1e3', '1.5', '.5', '-.inf', '.nan', '+1', '-1', '0b11', '1.', 'E0', 'e5', '=', '<<', '- a', '-', '? a', ': a', 'a: b', 'a:', 'a #b',
  '#a', '@a', '`a', '%a', '&a', '*a', '!a', '|a', '>a', "'a'", '"a"', '{a}', '[a]', 'a, b', ' a', 'a ', 'a\nb', 'a\n', '\n', '\n\na', ' a\nb', 'a \nb', 'a\n\n',
  'a\tb', '\t', 'a\r\nb', '\u0000', '\u0007', '\u007f', '\u0085', '\u00a0', '\u2028', '\ufeff', '\u{1F600}', 'näme', '日本', '---', '--- a', '...', 'a\\b',
  `${'word '.repeat(40)}end`, `"${'word  '.repeat(40)}`, `${'x'.repeat(200)} ${'y'.repeat(200)}`, `it's ${'long '.repeat(30)}#x`, '\u{1F600} '.repeat(40),
  `line one is ${'long '.repeat(30)}\nline two`, `a: ${'b '.repeat(60)}`,
];

const text = fc.oneof(
  fc.constantFrom(...awkwardStrings),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.constantFrom('word', ' ', 'a', ':', '#', '-', '\n', '"', "'", '\\', 'ü'), { maxLength: 80 }).map((parts) => parts.join('')),
);

/** Values as JSON can hold them, keys included. */
export const jsonValues: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
    tie('object'),
  ),
  object: fc.dictionary(text.filter((key) => key !== '__proto__' && key.length < 400), tie('value'), { maxKeys: 6, noNullPrototype: true }),
})).object;
