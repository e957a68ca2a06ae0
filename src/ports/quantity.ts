// Kubernetes quantities as numbers: `100m` CPUs, `64Mi` bytes. Pure; it rounds nothing and formats nothing.

const form = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i))?$/;
const binaryPowers = 'KMGTPE';
const decimalPowers = 'kMGTPE';
const fractionPowers = 'mun';

/** Characters a quantity may have. Longer is no quantity. */
const quantityLengthMax = 64;

/**
 * @returns the value in base units (CPUs, bytes, pieces) as the nearest double, so `100m` equals `0.1`;
 *   undefined when the text is no quantity
 * @see the resource.Quantity grammar of the Kubernetes API
 */
export function parseQuantity(text: string): number | undefined {
  if (text.length > quantityLengthMax) return undefined;
  const [, digits, exponent, suffix] = form.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const value = Number(exponent === undefined ? digits : digits + exponent);
  if (!Number.isFinite(value)) return undefined;
  if (suffix === undefined) return value;
  if (suffix.endsWith('i')) return value * 1_024 ** (binaryPowers.indexOf(suffix.charAt(0)) + 1);
  const decimal = decimalPowers.indexOf(suffix);
  if (decimal >= 0) return value * 1_000 ** (decimal + 1);
  // Division, not multiplication by 0.001: it gives the double nearest to the decimal.
  return value / 1_000 ** (fractionPowers.indexOf(suffix) + 1);
}
