import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInspect } from '../../src/cli/inspect.ts';
import { processTerminal, type Terminal } from '../../src/cli/terminal.ts';
import { apply, deleteInCloud, simPod } from '../sim/offline-world.ts';
import { chromiumProblem, startChromium } from './support/chromium.ts';
import { inspectedWorld } from './support/inspected-world.ts';
import { type OpenPage, openPage } from './support/open-page.ts';

const problem = chromiumProblem();

describe.skipIf(problem)(`the inspector's page on a recording${problem === undefined ? '' : ` (${problem})`}`, () => {
  let browser: Browser;
  let directory = '';
  let page: OpenPage;
  let interrupt: () => void = () => undefined;
  let ended: Promise<number> | undefined;

  beforeAll(async () => {
    browser = await startChromium();
    directory = await mkdtemp(path.join(tmpdir(), 'mqlet-page-'));
    const file = path.join(directory, 'window.jsonl');
    await writeFile(file, await recordedLife());
    const url = new Promise<string>((resolve) => {
      const terminal: Terminal = { ...processTerminal(), print: (text) => resolve(text.trim()), complain: () => undefined };
      ended = runInspect([file], terminal, new Promise((interrupted) => { interrupt = () => interrupted(undefined); }));
    });
    page = await openPage({ browser, url: await url });
  });
  afterAll(async () => {
    await browser?.close();
    interrupt();
    await ended;
    await rm(directory, { recursive: true, force: true });
  });

  test('given a window that was exported, when mqlet inspect opens it, then the page says that it is a recording and stands at its end', async () => {
    await page.untilText('.presence', /^Recording$/);
    expect(await page.text('.top-node')).toContain('window.jsonl');
    await page.until('the pod that stayed', async () => (await page.texts('.vlist-row strong')).join() === 'stays');
  });

  test('given the slider, when it is pulled, then the whole page goes to that time: table, node and clock', async () => {
    await page.tab.evaluate(`(() => {
      const slider = document.querySelector('.time-slider');
      slider.value = String(Number(slider.min) + (Number(slider.max) - Number(slider.min)) * 0.5);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    })()`);
    await page.untilText('.presence', /past/);
    await page.until('both pods', async () => (await page.texts('.vlist-row strong')).join() === 'goes,stays');
    expect(await page.text('.time-text')).toMatch(/entry \d+ of \d+/);
    await page.screenshot('recording-past');
  });

  test('given the pod that went, when its life is walked through, then its machine and its why are those of the moment', async () => {
    await page.openPod('goes');
    const running = await page.untilText('[data-why]', /ready/);
    await page.click('[aria-label="To the beginning"]');
    await page.untilText('.pod', /no such pod/);
    await page.tab.keyboard.press(']');
    await page.tab.keyboard.press('l');
    await page.untilText('[data-machine-state]', /terminated|finishing|done/);
    expect(await page.text('[data-why]')).not.toBe(running);
    expect(await page.text('.presence')).toBe('Recording');
    expect(page.complaints).toEqual([]);
  });
});

/** Two pods come, one goes again: what the page's own export gives of it. */
async function recordedLife(): Promise<string> {
  const node = await inspectedWorld('recording');
  apply(node.world, simPod('stays'), simPod('goes'));
  await node.world.pass(20_000);
  deleteInCloud(node.world, 'goes');
  await node.world.pass(15_000);
  const { origin, hash } = new URL(node.url);
  const answer = await fetch(`${origin}/export?from=1&to=100000`, { headers: { authorization: `Bearer ${hash.slice('#token='.length)}` } });
  const lines = await answer.text();
  await node.stop();
  return lines;
}
