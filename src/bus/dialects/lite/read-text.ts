// Text from the wire to plain values, for YAML 1.1 and its subset JSON (spec A3.3). Depth, number of values and aliases are
// bounded before anything is built; a repeated key is refused, because which of the two is meant nobody can say.
import {
  type DocumentOptions, isScalar, Lexer, LineCounter, type Pair, parseDocument, type ParseOptions, type ScalarTag, type SchemaOptions, visit,
  type YAMLError,
} from 'yaml';
import { fail, ok, type Result } from '../../../ports/result.ts';
import { readBlockYaml } from './read-block-yaml.ts';
import { notInJson, notInJsonMessage, resolvePlain } from './resolve-scalar.ts';

/** What is wrong with a text. `line` counts from 1. */
export interface TextFault {
  readonly message: string;
  readonly line?: number;
}

/** A Kubernetes object nests about fifteen levels; deeper text is refused. */
export const depthMax = 64;
/** Lists, mappings and scalars of one text; beyond, it is refused. A start answer with 110 large pods has about 100,000. */
export const valuesMax = 1_000_000;
/** Lexical pieces, about five for a value, of a YAML text that needs the general parser; beyond, it is refused. Its tree takes some 300 bytes for each. */
export const yamlLexemesMax = 200_000;

/** @param bytes the same text in UTF-8, which is quicker to scan */
export function readText(text: string, bytes: Uint8Array): Result<unknown, TextFault> {
  if (text.charCodeAt(0) === 0x7b) {
    const shape = scanJson(bytes);
    if (shape.kind === 'refused') return fail(shape.fault);
    if (shape.kind === 'scanned') {
      const read = readJson(text, shape.keys);
      if (read !== undefined) return read;
    }
  }
  return readYaml(text);
}

type JsonShape =
  | { readonly kind: 'scanned'; readonly keys: number }
  /** Not JSON, but maybe YAML in braces. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly fault: TextFault };

/** Counts keys and values and measures depth in one pass, so that JSON.parse builds only what is within bounds. */
function scanJson(bytes: Uint8Array): JsonShape {
  let depth = 0;
  let keys = 0;
  let values = 1;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte === 0x22) {
      index = endOfString(bytes, index);
      if (index < 0) return { kind: 'unknown' };
    } else if (byte === 0x3a) {
      keys += 1;
    } else if (byte === 0x2c) {
      values += 1;
      if (values > valuesMax) return { kind: 'refused', fault: { message: `the text holds more than ${valuesMax} values` } };
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > depthMax) return { kind: 'refused', fault: { message: `the text nests deeper than ${depthMax} levels` } };
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1;
    }
  }
  return { kind: 'scanned', keys };
}

/** @returns index of the closing quote, -1 when there is none */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let index = start + 1; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte === 0x22) return index;
    if (byte === 0x5c) index += 1;
  }
  return -1;
}

/** @returns undefined when the text is not JSON, or repeats a key: the slower reader then says where */
function readJson(text: string, keysInText: number): Result<unknown, TextFault> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const tally = { keys: 0, forbidden: false };
  countKeys(value, tally);
  if (tally.forbidden) return fail(forbiddenKey);
  return tally.keys === keysInText ? ok(value) : undefined;
}

const forbiddenKey: TextFault = { message: 'the text has the key "__proto__", which is not taken' };

/** JSON.parse keeps one of several equal keys, so fewer keys in the value than in the text mean a repeated one. */
function countKeys(value: unknown, tally: { keys: number; forbidden: boolean }): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) countKeys(item, tally);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    tally.keys += 1;
    if (key === '__proto__') tally.forbidden = true;
    countKeys(item, tally);
  }
}

/** Every scalar is resolved by us, so that both readers agree; any tag written out is left unresolved and refused. */
const plainScalar: ScalarTag = {
  tag: 'tag:yaml.org,2002:plain',
  default: true,
  test: /^/,
  resolve: (text, onError) => {
    const value = resolvePlain(text);
    if (value === notInJson) onError(notInJsonMessage(text));
    return value;
  },
};

const yamlOptions: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  uniqueKeys: true,
  strict: true,
  prettyErrors: false,
  logLevel: 'error',
  schema: 'failsafe',
  customTags: (tags) => [...tags, plainScalar],
};

function readYaml(text: string): Result<unknown, TextFault> {
  const block = readBlockYaml(text, { depthMax, valuesMax });
  if (block.kind === 'read') return ok(block.value);
  if (block.kind === 'refused') return fail({ message: block.message, line: block.line });
  const bounds = checkLexemes(text);
  if (bounds !== undefined) return fail(bounds);
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(text, { ...yamlOptions, lineCounter });
    const fault = document.errors[0] ?? document.warnings[0];
    if (fault !== undefined) return fail({ message: yamlMessage(fault), line: lineCounter.linePos(fault.pos[0]).line });
    visit(document, { Pair: keyAsWritten });
    const value: unknown = document.toJS();
    const tally = { keys: 0, forbidden: false };
    countKeys(value, tally);
    return tally.forbidden ? fail(forbiddenKey) : ok(value);
  } catch (error) {
    // The composer calls itself for each level of blocks; no Kubernetes object comes near its limit.
    if (error instanceof RangeError) return fail({ message: `the text nests deeper than ${depthMax} levels` });
    return fail({ message: `not YAML: ${error instanceof Error ? firstLine(error.message) : String(error)}` });
  }
}

/** A key is a string, even where the same word would be a boolean or a number as a value. */
function keyAsWritten(_place: unknown, pair: Pair): void {
  if (isScalar(pair.key) && pair.key.source !== undefined) pair.key.value = pair.key.source;
}

function yamlMessage(fault: YAMLError): string {
  switch (fault.code) {
    case 'DUPLICATE_KEY': return 'a key stands twice in one mapping; remove one of the two';
    case 'MULTIPLE_DOCS': return 'the text holds several YAML documents; one is taken';
    default: return `not YAML: ${firstLine(fault.message)}`;
  }
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, 200);
}

/** The lexer keeps nothing, so it is run alone first: a hostile text is refused before a tree is built of it. */
function checkLexemes(text: string): TextFault | undefined {
  let lexemes = 0;
  let depth = 0;
  let line = 1;
  let previous = '';
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > yamlLexemesMax) return { message: `the YAML text holds more than ${yamlLexemesMax} pieces`, line };
    if (lexeme === '{' || lexeme === '[') depth += 1;
    else if (lexeme === '}' || lexeme === ']') depth -= 1;
    // A scalar follows its mark (U+001F); an asterisk anywhere else is an alias, which can multiply memory.
    else if (lexeme.charCodeAt(0) === 0x2a && previous !== '\u001f') {
      return { message: `the YAML alias ${lexeme.slice(0, 40)} is not taken; write the value out`, line };
    }
    if (depth > depthMax) return { message: `the text nests deeper than ${depthMax} levels`, line };
    for (let at = lexeme.indexOf('\n'); at >= 0; at = lexeme.indexOf('\n', at + 1)) line += 1;
    previous = lexeme;
  }
  return undefined;
}
