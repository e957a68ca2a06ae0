// The checkout as the tidy rules see it: files with their text and, for TypeScript, their syntax tree. Reads only.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export const checkout = path.resolve(import.meta.dirname, '../..');

export interface SourceFile {
  /** Relative to the checkout, with forward slashes. */
  readonly name: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

const places = ['src', 'test', 'scripts', 'bench', 'docs', 'examples', '.ci', 'bin', 'README.md'];

/** Names of all files of the checkout that people wrote, sorted. */
export function writtenFiles(): readonly string[] {
  return places.filter((place) => existsSync(path.join(checkout, place))).flatMap(filesBelow).sort();
}

function filesBelow(name: string): string[] {
  const full = path.join(checkout, name);
  if (!statSync(full).isDirectory()) return [name];
  return readdirSync(full, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isFile())
    .flatMap((entry) => filesBelow(`${name}/${entry.name}`));
}

export function textOf(name: string): string {
  return readFileSync(path.join(checkout, name), 'utf8');
}

export function typescriptFiles(names: readonly string[]): readonly SourceFile[] {
  return names.filter((name) => /\.tsx?$/.test(name)).map((name) => parsed(name, textOf(name)));
}

export function parsed(name: string, text: string): SourceFile {
  return { name, text, tree: ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true) };
}

/** A place in a file, as editors and terminals open it. */
export function placeOf({ name, tree }: SourceFile, node: ts.Node): string {
  return `${name}:${lineOf(tree, node.getStart())}`;
}

/** The first line is 1. */
export function lineOf(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}

/** Every node below, parents first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of node.getChildren()) yield* nodesOf(child);
}
