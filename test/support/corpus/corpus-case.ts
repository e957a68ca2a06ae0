// One case of the corpus: a file of YAML documents, first what is to be seen, then the pod and the objects beside it.
// Reads and checks; runs nothing. The format is told in test/corpus/README.md.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readYaml } from '../../../src/bus/ingress/read-yaml.ts';
import type { ConfigMap, Pod, Secret } from '../../../src/ports/pod-types.ts';

export const corpusDirectory = path.resolve(import.meta.dirname, '../../corpus');

/** What one fact may say; the first word names its kind. See test/corpus/README.md. */
export interface Fact {
  readonly status?: unknown;
  readonly object?: unknown;
  readonly log?: string;
  readonly inside?: string;
  readonly run?: string;
  readonly host?: string;
  readonly fetch?: string;
  readonly prints?: unknown;
  readonly event?: unknown;
  readonly oci?: string;
  readonly has?: unknown;
  readonly put?: ConfigMap | Secret;
  readonly patch?: object;
  readonly delete?: { readonly mirror?: boolean; readonly graceSeconds?: number; readonly takesSeconds?: readonly [number, number] };
  /** Of another pod of the file. */
  readonly pod?: string;
  /** Seconds it may take to become true. */
  readonly within?: number;
}

const kinds = ['status', 'object', 'log', 'inside', 'host', 'fetch', 'event', 'oci', 'put', 'patch', 'delete'] as const;
const placeholder = /@([A-Z_]+)@/g;
const beside = ['run', 'prints', 'has', 'pod', 'within'];

export type FactKind = (typeof kinds)[number];

export interface CorpusCase {
  /** Relative to the corpus. */
  readonly file: string;
  readonly sentence: string;
  /** A script for the host, run before anything is applied. */
  readonly prepare: string | undefined;
  readonly source: 'cloud' | 'file';
  readonly facts: readonly Fact[];
  /** Documents with placeholders still in them. */
  readonly text: string;
}

/** What a case applies, in order. */
export interface CorpusObjects {
  readonly pods: readonly Pod[];
  readonly objects: readonly (ConfigMap | Secret)[];
}

/** All cases in order of their names. @throws naming the file of one that cannot be read */
export function readCorpus(directory: string = corpusDirectory): readonly CorpusCase[] {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml')).sort();
  return files.map((file) => readCase(file, readFileSync(path.join(directory, file), 'utf8')));
}

function readCase(file: string, text: string): CorpusCase {
  // A number may stand for a placeholder anywhere, as it may be a port.
  const [header] = documents(file, text.replace(placeholder, '0'));
  const { given, when = 'it runs', then, prepare, source = 'cloud', facts, ...rest } = header ?? {};
  const wrong = [...Object.keys(rest), ...(typeof given === 'string' ? [] : ['given']), ...(typeof then === 'string' ? [] : ['then'])];
  if (wrong.length > 0) throw new Error(`${file}: the first document has no business with, or lacks: ${wrong.join(', ')}`);
  if (!Array.isArray(facts) || facts.length === 0) throw new Error(`${file}: a case without facts`);
  for (const fact of facts as readonly Fact[]) factKind(fact, file);
  return {
    file, text, facts: facts as readonly Fact[],
    sentence: `given ${String(given)}, when ${String(when)}, then ${String(then)}`,
    prepare: typeof prepare === 'string' ? prepare : undefined,
    source: source === 'file' ? 'file' : 'cloud',
  };
}

/** @throws when the fact has not exactly one kind, or a word nobody knows */
export function factKind(fact: Fact, file: string): FactKind {
  const words = Object.keys(fact);
  const strange = words.filter((word) => !beside.includes(word) && !kinds.some((kind) => kind === word));
  const named = kinds.filter((kind) => fact[kind] !== undefined);
  const [kind] = named;
  if (strange.length > 0 || kind === undefined || named.length > 1) throw new Error(`${file}: not one fact: ${words.join(', ')}`);
  return kind;
}

/** The facts and objects of a case, placeholders such as `@DIR@` filled in. @throws on a kind that cannot be applied */
export function filledIn({ file, text }: CorpusCase, values: Readonly<Record<string, string>>): CorpusObjects & { readonly facts: readonly Fact[] } {
  const filled = text.replace(placeholder, (whole, name: string) => values[name] ?? whole);
  const [header, ...rest] = documents(file, filled);
  const pods: Pod[] = [];
  const objects: (ConfigMap | Secret)[] = [];
  for (const document of rest) {
    if (document['kind'] === 'Pod') pods.push(document as Pod);
    else if (document['kind'] === 'ConfigMap' || document['kind'] === 'Secret') objects.push(document as ConfigMap | Secret);
    else throw new Error(`${file}: a ${String(document['kind'])} cannot be applied`);
  }
  if (pods.length === 0) throw new Error(`${file}: no pod`);
  return { pods, objects, facts: (header as { facts: readonly Fact[] }).facts };
}

function documents(file: string, text: string): readonly Record<string, unknown>[] {
  // As the agent reads manifests: 0640 is octal.
  return readYaml(text).map((document) => {
    if (document.kind === 'broken') throw new Error(`${file}:${document.line ?? 1}: ${document.message}`);
    return document.value as Record<string, unknown>;
  });
}
