// How long the page takes to answer clicks while everything moves, and what its heap holds after the collector has been.
import type { Browser } from 'puppeteer-core';
import type { InspectedNode } from '../../support/inspected-node.ts';
import { openPage } from './open-page.ts';

const secondsByDefault = 15;

/** `INSPECTOR_LOAD_SECONDS=60` for the measurement; shorter as one test among many. */
export function loadSecondsOf(environment: Readonly<Record<string, string | undefined>>): number {
  const given = Number(environment['INSPECTOR_LOAD_SECONDS']);
  return Number.isFinite(given) && given > 0 ? given : secondsByDefault;
}

export interface MeasuredLoad {
  readonly clicksMs: readonly number[];
  /** One after each round of clicks. */
  readonly heapBytes: readonly number[];
  /** Messages on the node's bus meanwhile. */
  readonly messages: number;
}

/** What is clicked, and what must be on the page for the click to be answered. */
const clicks: readonly (readonly [selector: string, answer: string])[] = [
  ['.side a[href="#/bus"]', '.bus .vlist-row'],
  ['.bus .vlist-row:nth-child(3)', '.panel'],
  ['.side a[href="#/actors"]', '.actors .vlist-row'],
  ['.side a[href="#/pods"]', '.pods:not(.narrow) .vlist-row'],
  ['.pods .vlist-row:nth-child(5)', 'article.pod .chart'],
  ['#tab-objects', '#tab-objects[aria-selected="true"]'],
];
const pauseMs = 350;

export async function measureLoad({ browser, node, seconds }: { readonly browser: Browser; readonly node: InspectedNode; readonly seconds: number }): Promise<MeasuredLoad> {
  const page = await openPage({ browser, url: node.url });
  await page.untilHas('.vlist-row');
  const session = await page.tab.createCDPSession();
  const clicksMs: number[] = [];
  const heapBytes: number[] = [];
  const before = node.agent.bus.statistics().published;
  const endMs = Date.now() + seconds * 1_000;
  // The first round warms up: code is compiled, lists are asked for the first time.
  for (let round = 0; round === 0 || Date.now() < endMs; round += 1) {
    for (const [selector, answer] of clicks) {
      await page.untilHas(selector);
      const tookMs = await page.tab.evaluate(clickScript(selector, answer));
      if (round > 0) clicksMs.push(Number(tookMs));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    heapBytes.push(usedSize);
  }
  if (page.complaints.length > 0) throw new Error(page.complaints.join('\n'));
  await page.tab.close();
  return { clicksMs, heapBytes, messages: node.agent.bus.statistics().published - before };
}

/** From the click until the answer has been painted, measured by the page's own clock. */
function clickScript(selector: string, answer: string): string {
  return `(async () => {
    const beganMs = performance.now();
    document.querySelector(${JSON.stringify(selector)}).click();
    while (document.querySelector(${JSON.stringify(answer)}) === null) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
    return Math.round(performance.now() - beganMs);
  })()`;
}
