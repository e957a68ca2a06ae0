// `mqlet version`: what this program is, what it was made from, and what it runs on.
import { type BuildFacts, buildFacts, version } from '../version.ts';
import { readOptions } from './options.ts';
import { wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

/** What is told with `-o json`. */
export interface VersionFacts {
  readonly version: string;
  /** Absent where the sources run without having been built. */
  readonly build?: BuildFacts;
  readonly runtime: { readonly node: string; readonly v8: string; readonly openssl: string; readonly platform: string };
}

export function versionFacts(build: BuildFacts | undefined = buildFacts): VersionFacts {
  const { node, v8, openssl } = process.versions;
  return { version, ...(build === undefined ? {} : { build }), runtime: { node: `v${node}`, v8, openssl, platform: `${process.platform}/${process.arch}` } };
}

export function versionText({ version: own, build, runtime }: VersionFacts): string {
  const rows: (readonly [string, string])[] = [
    ...(build === undefined ? [] : [['commit', commitText(build)], ['bundled by', build.bundler]] as const),
    ['runs on', `Node.js ${runtime.node} (V8 ${runtime.v8}, OpenSSL ${runtime.openssl}), ${runtime.platform}`],
  ];
  return `mqlet ${own}\n${rows.map(([name, text]) => `${name.padEnd(12)}${text}\n`).join('')}`;
}

function commitText({ commit, modified, committedAt }: BuildFacts): string {
  if (commit === '') return 'unknown';
  return `${commit.slice(0, 12)} of ${committedAt}${modified ? ', with changes' : ''}`;
}

/** @throws Refusal for wrong usage */
export function runVersion(argv: readonly string[], terminal: Terminal): number {
  const { output } = readOptions('version', argv, ['output']);
  if (output !== 'table' && output !== 'json') throw wrongUsage('version is told as text or with -o json');
  const facts = versionFacts();
  terminal.print(output === 'json' ? `${JSON.stringify(facts, null, 2)}\n` : versionText(facts));
  return 0;
}
