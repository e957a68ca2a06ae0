// axe-core in a page: what stands in the way of people who use it by keyboard or screen reader.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { OpenPage } from './open-page.ts';

interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @returns one line for each serious or critical finding */
export async function seriousFindings({ tab }: OpenPage): Promise<readonly string[]> {
  // The debugger's door: the page's policy forbids it to the page itself.
  await tab.evaluate(source);
  // What axe answers to this question.
  const findings = await tab.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`) as readonly Finding[];
  return findings.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, impact, help, nodes }) => nodes.slice(0, 5).map(({ html, failureSummary = '' }) => `${impact} ${id}: ${help}: ${html.slice(0, 200)} ${failureSummary.replaceAll('\n', ' ')}`));
}
