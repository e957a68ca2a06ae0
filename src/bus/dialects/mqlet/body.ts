// Bodies of the mqlet dialect: JSON, compressed against the preset dictionary where that is shorter (docs/wire.md, section 3).
// Everything read here is hostile: sizes and depth are bounded before anything is built, and no input may throw.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { fail, ok, type Result } from '../../../ports/result.ts';
import { isJsonObject, type JsonObject } from '../json-value.ts';
import { dictionaryId, dictionaryText } from './dictionary.ts';
import type { Frame } from './header.ts';
import { messageBytesMax } from './reassembly.ts';
import { bad, type WireFault } from './wire-fault.ts';

/** Unpacking stops here; what is longer is refused. */
export const unpackedBytesMax = 10 * 1024 * 1024;
/** Mappings and lists within each other; the API's objects have some fifteen. */
const depthMax = 64;
/** What compressing adds to the header. */
const dictionaryFieldBytes = 4;
/** Deflate cannot do better; see readBody. */
const ratioMax = 1_032;

/** A window of 8 KiB holds the dictionary, and setting one up costs little memory. */
const packOptions = { level: constants.Z_BEST_COMPRESSION, memLevel: 6, windowBits: 13, chunkSize: 4096 } as const;

/** Towards a side that has named none. */
export const noDictionary = 0;

/** Names of the dictionaries known here, as they stand in messages. */
export const dictionaryNames: readonly string[] = [dictionaryName(dictionaryId)];

let dictionary: Buffer | undefined;

function dictionaryBytes(id: number): Buffer | undefined {
  if (id !== dictionaryId) return undefined;
  dictionary ??= Buffer.from(dictionaryText, 'utf8');
  return dictionary;
}

function dictionaryName(id: number): string {
  return id.toString(16).padStart(8, '0');
}

/** The first of the named dictionaries that is known here. */
export function commonDictionary(names: unknown): number {
  return Array.isArray(names) && names.includes(dictionaryName(dictionaryId)) ? dictionaryId : noDictionary;
}

/** @param options.dictionary one the receiver has named, or `noDictionary` */
export function packBody(value: JsonObject, options: { readonly dictionary: number }): Pick<Frame, 'body' | 'dictionary'> {
  const plain = Buffer.from(JSON.stringify(value), 'utf8');
  const preset = dictionaryBytes(options.dictionary);
  const deflated = deflateRawSync(plain, { ...packOptions, ...(preset === undefined ? {} : { dictionary: preset }) });
  return deflated.length + dictionaryFieldBytes < plain.length ? { body: deflated, dictionary: preset === undefined ? noDictionary : options.dictionary } : { body: plain };
}

/** @returns the mapping inside, or what is wrong first */
export function readBody({ body, dictionary: id }: Frame): Result<JsonObject, WireFault> {
  if (body.length > messageBytesMax) return fail(bad(`the body has ${body.length} bytes; at most ${messageBytesMax} are taken`));
  const text = id === undefined ? ok(body) : inflated(body, id);
  if (!text.ok) return text;
  if (nestsTooDeep(text.value)) return fail(bad(`the body nests deeper than ${depthMax} levels`));
  try {
    const value: unknown = JSON.parse(utf8.decode(text.value));
    return isJsonObject(value) ? ok(value) : fail(bad('the body is no mapping of field names to values'));
  } catch {
    return fail(bad('the body is no JSON in UTF-8'));
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function inflated(body: Uint8Array, id: number): Result<Uint8Array, WireFault> {
  const preset = dictionaryBytes(id);
  if (preset === undefined && id !== noDictionary) {
    return fail({ reason: 'UnknownDictionary', message: `the dictionary ${dictionaryName(id)} is unknown here; known are ${dictionaryNames.join(', ')}` });
  }
  // The output of a bomb is bounded by what its own length allows, before that of the limit.
  const maxOutputLength = Math.min(unpackedBytesMax, Math.max(1, body.length) * ratioMax);
  try {
    return ok(inflateRawSync(body, { maxOutputLength, ...(preset === undefined ? {} : { dictionary: preset }) }));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    return fail(bad(code === 'ERR_BUFFER_TOO_LARGE' ? `the body unpacks to more than ${unpackedBytesMax} bytes` : 'the compressed body is damaged'));
  }
}

const quote = 0x22;
const backslash = 0x5c;

/** JSON.parse has no bound of its own, and whoever walks the value later would overflow. */
function nestsTooDeep(text: Uint8Array): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at];
    if (inString) {
      if (byte === backslash) at += 1;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return false;
}
