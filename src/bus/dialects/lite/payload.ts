// One payload of the lite-kubelet dialect: gzip(YAML or JSON), both ways (spec A3). Everything read here is hostile:
// sizes are bounded before and after unpacking, and no input may throw.
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { fail, ok, type Result } from '../../../ports/result.ts';
import { isJsonObject, type JsonObject } from '../json-value.ts';
import { emitYaml } from './emit-yaml.ts';
import { readText, type TextFault } from './read-text.ts';

/** Larger payloads are refused unread. */
export const packedBytesMax = 1024 * 1024;
/** Unpacking stops here; what is longer is refused. */
export const unpackedBytesMax = 10 * 1024 * 1024;
/** Deflate cannot do better: a length claimed beyond it is no length. */
const deflateRatioMax = 1_032;

/** A small window: messages are a few kilobytes, and the default one costs a quarter of a mebibyte to set up for each. */
const packOptions = { level: constants.Z_DEFAULT_COMPRESSION, memLevel: 6, windowBits: 13, chunkSize: 4096 } as const;

const tooLong = `the payload unpacks to more than ${unpackedBytesMax} bytes`;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

export function packYaml(value: JsonObject): Uint8Array {
  return gzipSync(emitYaml(value), packOptions);
}

/** JSON is YAML; it is quicker to write and to read. Escapes what a reader of the dialect refuses raw (spec A3.3). */
export function packJson(value: JsonObject): Uint8Array {
  const text = JSON.stringify(value).replace(/[\u007f-\u009f\ufffe\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return gzipSync(text, packOptions);
}

/** @returns the mapping inside, or what is wrong with the first thing that is wrong */
export function unpack(payload: Uint8Array): Result<JsonObject, TextFault> {
  if (payload.length === 0) return fail({ message: 'the payload is empty; expected gzip of YAML or JSON' });
  if (payload.length > packedBytesMax) {
    return fail({ message: `the payload has ${payload.length} bytes; at most ${packedBytesMax} are taken` });
  }
  const unpacked = gunzip(payload);
  if (!unpacked.ok) return unpacked;
  if (unpacked.value.length === 0) return fail({ message: 'the payload unpacks to nothing; expected YAML or JSON' });
  let text: string;
  try {
    text = utf8.decode(unpacked.value);
  } catch {
    return fail({ message: 'the unpacked text is not UTF-8' });
  }
  const read = readText(text, unpacked.value);
  if (!read.ok) return read;
  return isJsonObject(read.value) ? ok(read.value) : fail({ message: 'the text is not a mapping of field names to values' });
}

function gunzip(payload: Uint8Array): Result<Uint8Array, TextFault> {
  if (payload[0] !== 0x1f || payload[1] !== 0x8b) {
    const start = Array.from(payload.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return fail({ message: `the payload is not gzip: it begins with ${start}, not 1f 8b` });
  }
  // Unpacking a bomb as far as it is allowed leaves all of that to the garbage collector; most say how large they are.
  const claimed = claimedLength(payload);
  if (claimed > unpackedBytesMax && claimed <= payload.length * deflateRatioMax) return fail({ message: tooLong });
  try {
    return ok(gunzipSync(payload, { maxOutputLength: unpackedBytesMax }));
  } catch (error) {
    return fail({ message: gunzipMessage(error) });
  }
}

/** ISIZE of RFC 1952: the last four bytes, little end first. */
function claimedLength(payload: Uint8Array): number {
  return payload.length < 4 ? 0 : new DataView(payload.buffer, payload.byteOffset + payload.length - 4, 4).getUint32(0, true);
}

function gunzipMessage(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  switch (code) {
    case 'ERR_BUFFER_TOO_LARGE': return tooLong;
    case 'Z_BUF_ERROR': return 'the gzip data ends early';
    case 'Z_DATA_ERROR': return 'the gzip data is damaged, or other bytes follow it';
    default: return `the gzip data cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}
