// YAML or JSON text to plain values with the lines they stand on. Bounded: no text makes it slow, deep or large beyond its limits.
// Scalars are read as Kubernetes reads them (YAML 1.1: yes/no are booleans, 0644 is octal), not as YAML 1.2 does.
import {
  Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, Parser, type Document, type Pair,
  type Scalar, type YAMLMap, type YAMLError,
} from 'yaml';
import { oneLine, type Path, segmentsOf } from './problems.ts';

/** Tokens of one file, all documents together. A 1.5 MiB pod has far fewer. Beyond: the file is refused. */
export const tokensMax = 400_000;
/** Nesting of collections; a Pod needs 12. Beyond: the file is refused. */
export const depthMax = 64;
/** Values of one document, those that aliases repeat included. Beyond: the document is refused. */
export const valuesMax = 100_000;
/** Documents of one file. Beyond: the file is refused. */
export const documentsMax = 500;

/** One document of a file. `lineOf` knows its fields' lines; a path that leads nowhere gives the line of its nearest ancestor. */
export type YamlDocument =
  | { readonly kind: 'value'; readonly value: unknown; readonly lineOf: (path: Path | undefined) => number | undefined }
  | { readonly kind: 'broken'; readonly line: number | undefined; readonly path: string; readonly message: string };

/** Something no value can be made of. `offset` is where in the text. */
class Unreadable extends Error {
  readonly offset: number | undefined;
  constructor(message: string, where: Node | number | undefined) {
    super(message);
    this.offset = typeof where === 'number' ? where : where?.range?.[0];
  }
}

/** @returns the documents in order, empty ones left out; one broken document when the file as a whole is beyond a limit */
export function readYaml(text: string): readonly YamlDocument[] {
  const lines = new LineCounter();
  // In JSON a tab may indent, in YAML it may not; inside a JSON string there is no line break, so this changes no value.
  const source = /^\s*[{[]/.test(text) ? text.replace(/^[ \t]*\t[ \t]*/gm, (indent) => ' '.repeat(indent.length)) : text;
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, prettyErrors: false, strict: true });
  const documents: YamlDocument[] = [];
  try {
    for (const token of tokensOf(source, lines)) {
      for (const document of composer.next(token)) addDocument(documents, document, lines);
    }
    for (const document of composer.end()) addDocument(documents, document, lines);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return [{ kind: 'broken', line: lineAt(error.offset, lines), path: '', message: error.message }];
  }
  return documents;
}

/** The parser's tokens, stopped at the limits before anything is built from them. */
function* tokensOf(text: string, lines: LineCounter): ReturnType<Parser['next']> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    count += 1;
    if (count > tokensMax) throw new Unreadable(`more than ${tokensMax} YAML tokens in one file; split it`, parser.offset);
    yield* parser.next(lexeme);
    if (parser.stack.length > 2 * depthMax) throw new Unreadable(`nested deeper than ${depthMax} levels`, parser.offset);
  }
  yield* parser.end();
}

function addDocument(documents: YamlDocument[], document: Document.Parsed, lines: LineCounter): void {
  const { contents } = document;
  if (documents.length >= documentsMax) throw new Unreadable(`more than ${documentsMax} documents in one file; split it`, document.range[0]);
  const error = document.errors[0];
  if (error !== undefined) {
    documents.push(brokenBySyntax(error, { more: document.errors.length - 1, root: contents, lines }));
    return;
  }
  if (contents === null || (isScalar(contents) && plainValue(contents) === null)) return;
  const reader = new Reader();
  try {
    const value = reader.value(contents, 0);
    documents.push({ kind: 'value', value, lineOf: (path) => lineAt(reader.nodeAt(contents, segmentsOf(path)).range?.[0], lines) });
  } catch (fault) {
    if (!(fault instanceof Unreadable)) throw fault;
    const path = fault.offset === undefined ? '' : pathAt(contents, fault.offset);
    documents.push({ kind: 'broken', line: lineAt(fault.offset, lines), path, message: fault.message });
  }
}

function brokenBySyntax(
  error: YAMLError, context: { readonly more: number; readonly root: Node | null; readonly lines: LineCounter },
): YamlDocument {
  const more = context.more > 0 ? ` (and ${context.more} more)` : '';
  return {
    kind: 'broken',
    line: lineAt(error.pos[0], context.lines),
    path: context.root === null ? '' : pathAt(context.root, error.pos[0]),
    message: `not valid YAML: ${oneLine(error.message, 300)}${more}`,
  };
}

function lineAt(offset: number | undefined, lines: LineCounter): number | undefined {
  return offset === undefined ? undefined : lines.linePos(offset).line || undefined;
}

/** Makes plain values of one document's nodes, in document order, so that an alias knows the anchors before it. */
class Reader {
  readonly #anchors = new Map<string, Node>();
  #values = 0;

  value(node: Node | null | undefined, depth: number): unknown {
    if (node === null || node === undefined) return null;
    this.#values += 1;
    if (this.#values > valuesMax) throw new Unreadable(`more than ${valuesMax} values, those repeated by aliases included`, node);
    if (depth > depthMax) throw new Unreadable(`nested deeper than ${depthMax} levels`, node);
    if (isAlias(node)) return this.value(this.#target(node), depth + 1);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return plainValue(node);
    if (isSeq<Node>(node)) return node.items.map((item) => this.value(item, depth + 1));
    if (isMap<Node, Node>(node)) return this.#map(node, depth);
    throw new Unreadable('neither a value, a list nor an object', node);
  }

  /** The node whose line speaks for a path: the key of the deepest field that exists. */
  nodeAt(root: Node, segments: readonly (string | number)[]): Node {
    let place = root;
    let inside: Node | null = root;
    for (const segment of segments) {
      while (isAlias(inside)) inside = this.#target(inside);
      if (isSeq<Node>(inside) && typeof segment === 'number') {
        const item: Node | undefined = inside.items[segment];
        if (item === undefined) return place;
        place = item;
        inside = item;
      } else if (isMap<Node, Node>(inside)) {
        const pair: Pair<Node, Node> | undefined = inside.items.find(({ key }) => keyText(key) === String(segment));
        if (pair === undefined) return place;
        place = pair.key;
        inside = pair.value;
      } else return place;
    }
    return place;
  }

  #map(map: YAMLMap<Node, Node>, depth: number): Record<string, unknown> {
    const own = new Map<string, unknown>();
    const merged = new Map<string, unknown>();
    for (const { key, value } of map.items) {
      if (isScalar(key) && key.anchor !== undefined) this.#anchors.set(key.anchor, key);
      const name = keyText(key);
      if (name === undefined) throw new Unreadable('a key must be a plain value', key ?? map);
      if (name === '<<' && isScalar(key) && key.type === 'PLAIN') this.#merge(value, depth, merged);
      else if (own.has(name)) throw new Unreadable(`Duplicate value: ${JSON.stringify(oneLine(name, 100))}: the key stands twice in this object`, key);
      else own.set(name, this.value(value, depth + 1));
    }
    for (const [name, value] of merged) if (!own.has(name)) own.set(name, value);
    return Object.fromEntries(own);
  }

  /** `<<: *defaults` and `<<: [*a, *b]`: the first one that has a key wins. */
  #merge(node: Node | null, depth: number, merged: Map<string, unknown>): void {
    const value = this.value(node, depth + 1);
    for (const source of Array.isArray(value) ? value : [value]) {
      if (typeof source !== 'object' || source === null) throw new Unreadable('"<<" must name an object', node ?? undefined);
      for (const [name, one] of Object.entries(source)) if (!merged.has(name)) merged.set(name, one);
    }
  }

  #target(alias: Node & { readonly source: string }): Node {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) throw new Unreadable(`no anchor "${oneLine(alias.source, 100)}" before this alias`, alias);
    return target;
  }
}

function keyText(key: Node | null | undefined): string | undefined {
  return isScalar(key) ? String(key.source ?? key.value ?? '') : undefined;
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['y', true], ['yes', true], ['true', true], ['on', true], ['n', false], ['no', false], ['false', false], ['off', false],
]);

/** The meaning of a scalar: quoted and tagged `!!str` are strings, plain ones are looked at. */
function plainValue(scalar: Scalar): unknown {
  const text = String(scalar.value ?? '');
  if (scalar.type !== 'PLAIN' || scalar.tag === 'tag:yaml.org,2002:str') return text;
  if (text === '' || text === '~' || text === 'null' || text === 'Null' || text === 'NULL') return null;
  const lower = text.toLowerCase();
  // A word counts in lower case, in upper case or capitalised, not in a mixture.
  if (text === lower || text === text.toUpperCase() || text.slice(1) === lower.slice(1)) {
    const boolean = booleans.get(lower);
    if (boolean !== undefined) return boolean;
  }
  return (/^[-+.\d]/.test(text) ? numberIn(text.replace(/_/g, '')) : undefined) ?? text;
}

function numberIn(text: string): number | undefined {
  if (text.length > 40) return undefined;
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[-+]/, '');
  if (/^0[0-7]+$/.test(digits)) return sign * Number.parseInt(digits, 8);
  if (/^0o[0-7]+$|^0x[0-9a-fA-F]+$|^0b[01]+$/.test(digits)) return sign * Number(digits);
  return /^(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(digits) ? sign * Number(digits) : undefined;
}

/** The path of the deepest field that begins at or before an offset, for a fault that has only an offset. */
function pathAt(root: Node, offset: number): string {
  let path = '';
  let node: Node | null = root;
  for (;;) {
    if (isMap<Node, Node>(node)) {
      const pair: Pair<Node, Node> | undefined = node.items.findLast(({ key }) => startsBy(key, offset));
      if (pair === undefined) return path;
      const name = oneLine(keyText(pair.key) ?? '', 80);
      path = path === '' ? name : `${path}.${name}`;
      node = pair.value;
    } else if (isSeq<Node>(node)) {
      const index: number = node.items.findLastIndex((item) => startsBy(item, offset));
      if (index < 0) return path;
      path = `${path}[${index}]`;
      node = node.items[index] ?? null;
    } else return path;
    if (!startsBy(node, offset)) return path;
  }
}

function startsBy(node: Node | null, offset: number): boolean {
  return node?.range != null && node.range[0] <= offset;
}
