// Writes the generated parts of docs/: each generator is a pure function of the sources, its text stands between two marks.
// `--check` writes nothing and fails when a page is behind the sources.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runMain, ScriptFailure, step } from './progress.mjs';
import { home, setUp } from './setup.mjs';

/** The text of `from`'s export `call` goes between `<!-- generated: mark -->` and `<!-- end: mark -->` of `page`. */
const generators = [
  { page: 'docs/operating.md', mark: 'settings', from: 'src/config/describe-settings.ts', call: 'settingsMarkdown' },
  { page: 'docs/pod-lifecycle.md', mark: 'pod-machine', from: 'src/machines/describe-machines.ts', call: 'podDiagram' },
  { page: 'docs/pod-lifecycle.md', mark: 'link-machine', from: 'src/machines/describe-machines.ts', call: 'linkDiagram' },
  { page: 'docs/pod-lifecycle.md', mark: 'lease-machine', from: 'src/machines/describe-machines.ts', call: 'leaseDiagram' },
];

await runMain(async () => {
  await setUp({ system: 'no' });
  const check = process.argv.includes('--check');
  for (const [page, parts] of generatorsByPage()) {
    await step(page, async () => {
      const file = path.join(home, page);
      const before = readFileSync(file, 'utf8');
      let after = before;
      for (const part of parts) after = replacePart(after, part, await generate(part));
      if (after === before) return 'up to date';
      if (check) throw new ScriptFailure(`${page} is behind the sources: run npm run docs`);
      writeFileSync(file, after);
      return 'written';
    });
  }
});

function generatorsByPage() {
  const byPage = new Map();
  for (const generator of generators) byPage.set(generator.page, [...(byPage.get(generator.page) ?? []), generator]);
  return byPage;
}

function replacePart(text, { page, mark }, generated) {
  const begin = `<!-- generated: ${mark} -->`;
  const end = `<!-- end: ${mark} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new ScriptFailure(`${page} has no place for ${mark}: put ${begin} and ${end} into it`);
  return `${text.slice(0, from)}${begin}\n\n${generated.trim()}\n\n${text.slice(to)}`;
}

/** Bundles the one source file and calls its export. */
async function generate({ from, call }) {
  const esbuild = await import('esbuild');
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-docs-'));
  try {
    const outfile = path.join(directory, 'generator.mjs');
    await esbuild.build({ entryPoints: [path.join(home, from)], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', absWorkingDir: home, logLevel: 'silent',
      // Libraries written for CommonJS ask for require.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" } });
    return (await import(pathToFileURL(outfile).href))[call]();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
