// A quick reader for the YAML that machines write: block mappings and lists, scalars, empty `{}` and `[]`.
// It builds nothing but the values. Any other syntax it leaves alone: the caller then uses the general parser, which is about
// fifty times slower and hungrier. What both read must be the same; a property test holds them together.
import { lineEnd, readLiteral, readQuoted, skipSpaces, withoutEndSpaces } from './block-scalars.ts';
import { notInJson, notInJsonMessage, resolvePlain } from './resolve-scalar.ts';

export interface BlockLimits {
  readonly depthMax: number;
  readonly valuesMax: number;
}

export type BlockRead =
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly message: string; readonly line: number }
  /** Other syntax, or an error that the general parser words better. */
  | { readonly kind: 'other' };

/** Leaves the recursion; never leaves this file. */
class Stop extends Error {
  constructor(readonly result: BlockRead) {
    super('stop');
  }
}

export function readBlockYaml(text: string, limits: BlockLimits): BlockRead {
  // Tabs and carriage returns have rules of their own.
  if (text.includes('\t') || text.includes('\r')) return { kind: 'other' };
  const reader = new BlockReader(text, limits);
  try {
    return { kind: 'read', value: reader.document() };
  } catch (error) {
    if (error instanceof Stop) return error.result;
    throw error;
  }
}

class BlockReader {
  readonly #text: string;
  readonly #limits: BlockLimits;
  /** Always at the start of content: after the indentation of a line, or within one after a dash or a colon. */
  #at = 0;
  #values = 0;

  constructor(text: string, limits: BlockLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  document(): unknown {
    if (this.#text.startsWith('---\n')) this.#at = 4;
    this.#toContent();
    if (this.#at >= this.#text.length) return null;
    const value = this.#node(this.#column(), 0, -1);
    if (this.#at < this.#text.length) throw other;
    return value;
  }

  /**
   * A block whose first character is at the reader.
   * @param column where its lines stand
   * @param parentColumn where the key or dash it belongs to stands
   */
  #node(column: number, depth: number, parentColumn: number): unknown {
    this.#count(depth);
    if (this.#isDash()) return this.#sequence(column, depth);
    const key = this.#key();
    if (key !== undefined) return this.#mapping(column, depth, key);
    return this.#scalar(parentColumn);
  }

  #sequence(column: number, depth: number): unknown[] {
    const list: unknown[] = [];
    do {
      const dash = this.#at;
      this.#at = skipSpaces(this.#text, dash + 1);
      if (this.#atLineEnd()) list.push(this.#nested(column, depth, { listMayAlign: false }));
      else list.push(this.#node(column + this.#at - dash, depth + 1, column));
    } while (this.#column() === column && this.#isDash());
    // The next key of the mapping around may stand in the column of the dashes.
    this.#expectDedent(column + 1);
    return list;
  }

  #mapping(column: number, depth: number, firstKey: string): object {
    const mapping: Record<string, unknown> = {};
    let key: string | undefined = firstKey;
    while (key !== undefined) {
      if (Object.hasOwn(mapping, key)) throw this.#refusal(`the key ${JSON.stringify(key.slice(0, 100))} stands twice in one mapping; remove one of the two`);
      if (key === '__proto__') throw this.#refusal('the key "__proto__" is not taken');
      mapping[key] = this.#atLineEnd() ? this.#nested(column, depth, { listMayAlign: true }) : this.#value(column, depth);
      key = this.#column() === column ? this.#key() : undefined;
    }
    this.#expectDedent(column);
    return mapping;
  }

  /** What stands behind `key: ` on the same line; only scalars may. */
  #value(column: number, depth: number): unknown {
    this.#count(depth + 1);
    return this.#scalar(column);
  }

  /** What follows a key or dash that ends its line. */
  #nested(column: number, depth: number, rule: { readonly listMayAlign: boolean }): unknown {
    this.#toContent();
    const inner = this.#column();
    const aligned = rule.listMayAlign && inner === column && this.#isDash();
    if (this.#at >= this.#text.length || (inner <= column && !aligned)) {
      this.#count(depth + 1);
      return null;
    }
    return this.#node(inner, depth + 1, column);
  }

  /** @param parentColumn continuation lines stand further right */
  #scalar(parentColumn: number): unknown {
    // A document that is one scalar has rules of its own and is of no use to anyone here.
    if (parentColumn < 0) throw other;
    const text = this.#text;
    const first = text[this.#at];
    if (first === '"' || first === "'") return this.#quoted(parentColumn);
    if (first === '|') {
      const literal = readLiteral(text, this.#at, parentColumn);
      if (literal === undefined) throw other;
      this.#at = literal.end;
      this.#toContent();
      return literal.value;
    }
    const end = lineEnd(text, this.#at);
    const rest = text.slice(this.#at, end);
    const empty = rest === '{}' ? {} : rest === '[]' ? [] : undefined;
    if (empty !== undefined) {
      this.#at = end;
      this.#toContent();
      return empty;
    }
    // Indicators, comments and whatever looks like a mapping on this line are for the general parser.
    if (/^[[\]{}&*!>%@`,#]|^[-?:](?: |$)|: |:$| #/.test(rest)) throw other;
    return this.#plain(withoutEndSpaces(rest), end, parentColumn);
  }

  #quoted(parentColumn: number): unknown {
    const start = this.#at;
    const quoted = readQuoted(this.#text, start);
    if (quoted === undefined) throw other;
    this.#at = skipSpaces(this.#text, quoted.end);
    if (!this.#atLineEnd()) throw other;
    if (!isIndented(this.#text.slice(start, quoted.end), parentColumn)) throw other;
    this.#toContent();
    return quoted.value;
  }

  #plain(firstLine: string, end: number, parentColumn: number): unknown {
    const text = this.#text;
    let value = firstLine;
    let at = end;
    let folded = false;
    for (;;) {
      const next = at + 1;
      const first = skipSpaces(text, next);
      // An empty line may belong to the scalar or follow it.
      if (text[first] === '\n') {
        if (this.#continuesAfterBlank(first, parentColumn)) throw other;
        break;
      }
      if (first >= text.length || first - next <= parentColumn) break;
      const lineStop = lineEnd(text, first);
      const line = text.slice(first, lineStop);
      if (/^#|: |:$| #/.test(line)) throw other;
      value += ` ${withoutEndSpaces(line)}`;
      folded = true;
      at = lineStop;
    }
    const resolved = folded ? value : resolvePlain(value);
    if (resolved === notInJson) throw this.#refusal(notInJsonMessage(value));
    this.#at = at;
    this.#toContent();
    return resolved;
  }

  #continuesAfterBlank(blank: number, parentColumn: number): boolean {
    let at = blank;
    while (this.#text[at] === '\n') at = skipSpaces(this.#text, at + 1);
    const start = this.#text.lastIndexOf('\n', at) + 1;
    return at < this.#text.length && at - start > parentColumn;
  }

  /** Reads `key:` at the reader and goes behind it; leaves the reader alone when there is none. */
  #key(): string | undefined {
    const text = this.#text;
    const first = text[this.#at];
    if (first === '"' || first === "'") {
      const quoted = readQuoted(text, this.#at);
      if (quoted === undefined) throw other;
      if (text[quoted.end] !== ':' || !isBlank(text.charCodeAt(quoted.end + 1))) return undefined;
      if (text.slice(this.#at, quoted.end).includes('\n')) throw other;
      this.#at = skipSpaces(text, quoted.end + 1);
      return quoted.value;
    }
    for (let index = this.#at; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code === 0x0a) return undefined;
      if (code !== 0x3a || !isBlank(text.charCodeAt(index + 1))) continue;
      const key = text.slice(this.#at, index);
      if (key === '' || /^[[\]{}&*!|>%@`,#?-]| #| $/.test(key)) throw other;
      this.#at = skipSpaces(text, index + 1);
      return key;
    }
    return undefined;
  }

  #isDash(): boolean {
    return this.#text.charCodeAt(this.#at) === 0x2d && isBlank(this.#text.charCodeAt(this.#at + 1));
  }

  #atLineEnd(): boolean {
    return this.#at >= this.#text.length || this.#text.charCodeAt(this.#at) === 0x0a;
  }

  /** To the next line with content; blank and comment lines are passed over. */
  #toContent(): void {
    const text = this.#text;
    let at = this.#at;
    while (at < text.length) {
      at = skipSpaces(text, at);
      const code = text.charCodeAt(at);
      if (code === 0x23) at = lineEnd(text, at);
      else if (code !== 0x0a) break;
      at += 1;
    }
    this.#at = Math.min(at, text.length);
    if (this.#column() === 0 && /^(?:---|\.\.\.)(?: |\n|$)/.test(text.slice(this.#at, this.#at + 4))) throw other;
  }

  /** Column of the reader, -1 at the end of the text so that every block ends there. */
  #column(): number {
    if (this.#at >= this.#text.length) return -1;
    return this.#at - (this.#text.lastIndexOf('\n', this.#at - 1) + 1);
  }

  #expectDedent(column: number): void {
    if (this.#column() >= column) throw other;
  }

  #count(depth: number): void {
    this.#values += 1;
    if (depth > this.#limits.depthMax) throw this.#refusal(`the text nests deeper than ${this.#limits.depthMax} levels`);
    if (this.#values > this.#limits.valuesMax) throw this.#refusal(`the text holds more than ${this.#limits.valuesMax} values`);
  }

  #refusal(message: string): Stop {
    let line = 1;
    for (let at = this.#text.indexOf('\n'); at >= 0 && at < this.#at; at = this.#text.indexOf('\n', at + 1)) line += 1;
    return new Stop({ kind: 'refused', message, line });
  }
}

const other = new Stop({ kind: 'other' });

function isBlank(code: number): boolean {
  return Number.isNaN(code) || code === 0x20 || code === 0x0a;
}

/** Continuation lines of a quoted scalar are indented too, or the text is not YAML. */
function isIndented(quoted: string, parentColumn: number): boolean {
  for (let at = quoted.indexOf('\n'); at >= 0; at = quoted.indexOf('\n', at + 1)) {
    const first = skipSpaces(quoted, at + 1);
    if (quoted[first] !== '\n' && first - at - 1 <= parentColumn) return false;
  }
  return true;
}
