// What an unquoted YAML scalar means, as Go's YAML 1.1 decoder of Kubernetes objects reads it: no times, no base 60.

/** Values JSON has no word for; a text that holds one is refused. */
export const notInJson: unique symbol = Symbol('not in JSON');

export function notInJsonMessage(text: string): string {
  return `${text} is not a number Kubernetes knows; quote it if it is text`;
}

const words = new Map<string, null | boolean>([['', null], ['~', null]]);
for (const word of ['null', 'Null', 'NULL']) words.set(word, null);
for (const word of ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']) words.set(word, true);
for (const word of ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']) words.set(word, false);

const integerPattern = /^([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|0o?([0-7_]+)|(0|[1-9][0-9_]*))$/;
const floatPattern = /^[-+]?[0-9_]*\.?[0-9_]+(?:[eE][-+]?[0-9]+)?$/;
const notInJsonPattern = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** @param text without the white space around it */
export function resolvePlain(text: string): string | number | boolean | null | typeof notInJson {
  const first = text.charCodeAt(0);
  // Only a digit, a sign or a point may begin a number.
  const mayBeNumber = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e;
  if (!mayBeNumber) {
    const word = text.length > 5 ? undefined : words.get(text);
    return word === undefined ? text : word;
  }
  const integer = integerPattern.exec(text);
  if (integer !== null) return integerOf(integer) ?? text;
  if (floatPattern.test(text) && /[0-9]/.test(text)) {
    const value = Number(text.replaceAll('_', ''));
    return Number.isFinite(value) ? value : text;
  }
  return notInJsonPattern.test(text) ? notInJson : text;
}

function integerOf(match: RegExpExecArray): number | undefined {
  const [, sign, binary, hexadecimal, octal, decimal] = match;
  const value = digits(binary, 2) ?? digits(hexadecimal, 16) ?? digits(octal, 8) ?? digits(decimal, 10);
  if (value === undefined || Number.isNaN(value)) return undefined;
  return sign === '-' && value !== 0 ? -value : value;
}

function digits(text: string | undefined, base: 2 | 8 | 10 | 16): number | undefined {
  if (text === undefined) return undefined;
  const bare = text.replaceAll('_', '');
  return base === 10 ? Number(bare) : Number.parseInt(bare, base);
}
