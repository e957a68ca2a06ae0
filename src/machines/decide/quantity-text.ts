// Numbers as Kubernetes quantities, in the canonical form that messages show.
import { parseQuantity } from '../../ports/quantity.ts';

const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const decimalSuffixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** Bytes with the largest binary suffix that leaves a whole number: `1536Ki`. Below 1024, a plain number. */
export function binaryQuantity(value: number): string {
  return Math.abs(value) < 1_024 ? decimalQuantity(value) : scaled(value, 1_024, binarySuffixes);
}

/** Pieces with the largest decimal suffix that leaves a whole number: `120k`. */
export function decimalQuantity(value: number): string {
  return scaled(value, 1_000, decimalSuffixes);
}

function scaled(value: number, step: number, suffixes: readonly string[]): string {
  let left = Math.trunc(value);
  let power = 0;
  while (left !== 0 && left % step === 0 && power < suffixes.length - 1) {
    left /= step;
    power += 1;
  }
  return `${left}${suffixes[power] ?? ''}`;
}

/** What a user wrote, as the API shows it: `1024Ki` is `1Mi`, `1000M` is `1G`, `0.5Gi` is `512Mi`. What is no quantity stays as it is. */
export function canonicalQuantity(text: string): string {
  const value = parseQuantity(text);
  if (value === undefined || !Number.isInteger(value) || /[eE][+-]?\d+$/.test(text)) return text;
  return text.endsWith('i') ? binaryQuantity(value) : decimalQuantity(value);
}
