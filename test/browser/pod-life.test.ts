import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apply, deleteInCloud, simPod } from '../sim/offline-world.ts';
import { chromiumProblem, startChromium } from './support/chromium.ts';
import { type InspectedWorld, inspectedWorld } from './support/inspected-world.ts';
import { type OpenPage, openPage } from './support/open-page.ts';

const problem = chromiumProblem();

describe.skipIf(problem)(`a pod's life on the inspector's page${problem === undefined ? '' : ` (${problem})`}`, () => {
  let browser: Browser;
  let node: InspectedWorld;
  let page: OpenPage;
  let hash = '';

  beforeAll(async () => {
    browser = await startChromium();
    node = await inspectedWorld('life');
    page = await openPage({ browser, url: node.url, goOn: node.goOn, theme: 'dark' });
  });
  afterAll(async () => {
    await node?.stop();
    await browser?.close();
  });

  const active = () => page.tab.$$eval('.chart .active', (found) => found.map((one) => one.getAttribute('data-state') ?? ''));
  const states = () => page.tab.$$eval('[data-visit]', (found) => [...new Set(found.map((one) => one.getAttribute('data-visit') ?? ''))]);
  const titles = () => page.tab.$$eval('[data-entry]', (found) => found.map((one) => one.getAttribute('data-entry') ?? ''));

  test('given a pod that comes over MQTT, when it starts, then table, chart and timeline show it from pending to running', async () => {
    apply(node.world, simPod('camera'));
    await page.untilText('.vlist-row', /camera/);
    await page.openPod('camera');
    ({ hash } = new URL(page.tab.url()));
    await page.until('running.settled as the active state', async () => (await active()).join() === 'running.settled');
    await page.untilText('[data-status]', /Running/);
    expect(await states()).toEqual(expect.arrayContaining(['pending', 'creating.syncing', 'running.settled']));
    expect(await page.tab.$$eval('.chart .visited', (found) => found.map((one) => one.getAttribute('data-state')))).toEqual(expect.arrayContaining(['pending', 'creating', 'running']));
    expect(await page.has('.chart .taken .edge')).toBe(true);
    expect(await page.text('[data-why]')).toMatch(/ready/);
    await page.screenshot('life-running');
  });

  test('given its messages, when its status is chosen, then the way back leads to the MQTT packet it began with', async () => {
    await page.click('#tab-messages');
    await page.until('the status in the sequence', async () => (await titles()).includes('pod.status'));
    await page.click('[data-entry="pod.status"]');
    await page.untilHas('.way [data-topic="mqtt.received"]');
    await page.screenshot('life-sequence');
    const way = await page.tab.$$eval('.panel-part:nth-of-type(2) [data-topic]', (found) => found.map((one) => one.getAttribute('data-topic')));
    // What led to the packet itself is the link's own story.
    expect(way.slice(way.indexOf('mqtt.received'))).toEqual(expect.arrayContaining(['mqtt.received', 'source.updated', 'pods.changed']));
    await page.click('.way [data-topic="mqtt.received"] button');
    await page.untilText('.payload', /fleet\/v1\/down/);
    await page.click('.panel [aria-label="Close"]');
  });

  test('given two moments of it, when its status is compared, then what changed is told by field', async () => {
    await page.click('#tab-objects');
    await page.untilHas('.compare select option:nth-child(2)');
    const oldest = await page.tab.$$eval('.compare option', (found) => found.at(-1)?.getAttribute('value') ?? '');
    await page.tab.select('.compare select', oldest);
    await page.untilHas('[data-difference="phase"]');
    expect(await page.text('[data-difference="phase"]')).toMatch(/Running/);
    await page.screenshot('life-differences');
    await page.tab.select('.compare select', '0');
  });

  test('given the pod is deleted, when it goes, then chart, timeline and sequence show how it ended', async () => {
    await page.click('#tab-overview');
    deleteInCloud(node.world, 'camera');
    await page.until('that the node forgot it', async () => /forgotten by the node/.test(await page.text('.pod-head')));
    await page.untilText('[data-machine-state]', /terminated|finishing|done/);
    expect((await states()).some((state) => state.startsWith('terminating'))).toBe(true);
    expect((await active()).join()).toMatch(/terminated|finishing|done/);
    await page.click('#tab-messages');
    await page.until('the end in the sequence', async () => (await titles()).some((title) => title === 'pod.terminated' || title === 'pod.forgotten'));
    await page.screenshot('life-deleted');
    await page.go('#/pods');
    await page.until('an empty table', async () => (await page.texts('.pods:not(.narrow) .vlist-row')).length === 0);
  });

  test('given the pod has gone, when time is wound back, then the whole page shows it as it was, step by step, and comes back to now', async () => {
    await page.go(hash);
    await page.untilHas('.time-slider');
    await page.click('[aria-label="To the beginning"]');
    await page.untilText('.presence', /past/);
    await page.until('no such pod yet', async () => /no such pod/.test(await page.text('.pod')));
    const seen = new Set<string>();
    const numberOf = (selector: string) => page.tab.$$eval(selector, ([first]) => first?.getAttribute('data-n') ?? '');
    for (let steps = 0; steps < 60 && !seen.has('running.settled'); steps += 1) {
      const before = await numberOf('.time-text');
      await page.tab.keyboard.press(']');
      // The server counts questions by the node's time.
      await node.world.pass(500);
      await page.until('the next moment, whole', async () => {
        const n = await numberOf('.time-text');
        return n !== before && n === (await numberOf('.pod'));
      });
      for (const state of await active()) seen.add(state);
    }
    expect([...seen]).toEqual(expect.arrayContaining(['pending', 'creating.syncing', 'running.settled']));
    await page.screenshot('life-past');
    await page.tab.keyboard.press('l');
    await page.untilText('.presence', /Live/);
    expect(page.complaints).toEqual([]);
  });
});
