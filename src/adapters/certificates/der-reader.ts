// Reads DER as far as certificate requests need it: tag, length, content. Everything it is given may come from a stranger.
// @see ITU-T X.690

export interface DerPart {
  readonly tag: number;
  readonly content: Buffer;
  /** With tag and length. */
  readonly whole: Buffer;
}

/** Beyond any certificate request. */
const partsMax = 64;

/** The parts that stand one after the other. @returns undefined where they do not fill the bytes exactly */
export function derParts(bytes: Buffer): readonly DerPart[] | undefined {
  const parts: DerPart[] = [];
  let at = 0;
  while (at < bytes.length) {
    const part = partAt(bytes, at);
    if (part === undefined || parts.length >= partsMax) return undefined;
    parts.push(part);
    at += part.whole.length;
  }
  return parts;
}

function partAt(bytes: Buffer, at: number): DerPart | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const digits = first < 0x80 ? 0 : first & 0x7f;
  // No certificate request has more than 2^16 bytes, and lengths without end are not DER.
  if (first === 0x80 || digits > 2 || at + 2 + digits > bytes.length) return undefined;
  const length = digits === 0 ? first : bytes.readUIntBE(at + 2, digits);
  const start = at + 2 + digits;
  if (start + length > bytes.length) return undefined;
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}
