import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fail, ok } from '../../src/ports/result.ts';
import { apply, simPod } from '../sim/offline-world.ts';
import { chromiumProblem, startChromium } from './support/chromium.ts';
import { type InspectedWorld, inspectedWorld } from './support/inspected-world.ts';
import { type OpenPage, openPage } from './support/open-page.ts';

const problem = chromiumProblem();

describe.skipIf(problem)(`the inspector's "Why?"${problem === undefined ? '' : ` (${problem})`}`, () => {
  let browser: Browser;
  let node: InspectedWorld;
  let page: OpenPage;

  beforeAll(async () => {
    browser = await startChromium();
    node = await inspectedWorld('why');
    const { world, url, goOn } = node;
    world.probes.answer = () => fail({ kind: 'unreachable', message: 'connection refused' });
    apply(world,
      simPod('crashes', { containers: [{ name: 'app', image: 'sim/exit:3' }] }),
      simPod('unpullable', { containers: [{ name: 'app', image: 'registry.example/missing/app:1' }] }),
      simPod('unready', { containers: [{ name: 'app', image: 'sim/run:1', readinessProbe: { httpGet: { port: 8080, path: '/ready' }, periodSeconds: 5 } }] }));
    await world.pass(60_000);
    page = await openPage({ browser, url, goOn });
  });
  afterAll(async () => {
    await node?.stop();
    await browser?.close();
  });

  test('given a container that ends again and again, when its pod is opened, then the back-off, its end and the last exit code are told', async () => {
    await page.openPod('crashes');
    await page.untilText('[data-why]', /app.*(ended|exit).*3/);
    await page.screenshot('why-crash-loop');
    expect(await page.text('[data-status]')).toMatch(/CrashLoopBackOff|Error/);
    expect(await page.text('[data-why]')).toMatch(/back-?off/i);
    expect(await page.text('.backoff')).toMatch(/next attempt in \d+/);
    expect(await page.text('.why-when')).toMatch(/in \d/);
  });

  test('given an image that cannot be pulled, when its pod is opened, then the image, the refusal and the next pull are told', async () => {
    await page.openPod('unpullable');
    const why = await page.untilText('[data-why]', /registry\.example\/missing\/app:1/);
    await page.screenshot('why-image-pull');
    expect(await page.text('[data-status]')).toMatch(/ImagePullBackOff|ErrImagePull/);
    expect(why).toMatch(/pull/i);
    expect(await page.text('.why-facts')).toMatch(/in \d/);
  });

  test('given a readiness probe that fails, when its pod is opened, then the probe and what it met are told', async () => {
    await page.openPod('unready');
    const why = await page.untilText('[data-why]', /readiness/i);
    await page.screenshot('why-readiness');
    expect(why).toMatch(/connection refused/);
    expect(await page.text('[data-probe="readiness"]')).toMatch(/failure/);
    expect(await page.text('[data-container="app"] .badge')).toBe('running, not ready');
    node.world.probes.answer = () => ok({ status: 200, body: '', leftHost: false });
    await page.untilText('[data-container="app"] .badge', /^running, ready$/);
  });

  test('given a broker that cannot be reached, when the node is looked at, then the link says why, since when and when it tries again', async () => {
    node.world.broker.goDown();
    await page.go('#/node');
    await page.untilText('[data-part="broker"]', /backing off|connecting/);
    await page.untilText('[data-part="broker"]', /backing off.*next attempt in/);
    await page.untilText('[data-why]', /^The broker has been unreachable for .*; the next attempt to connect comes (?:in \d+ s|now) \(link up is false\)\.$/);
    await page.screenshot('why-broker');
    expect(await page.text('.top-health')).toContain('Broker');
    node.world.broker.comeUp();
    await page.untilText('[data-part="broker"]', /up/);
  });

  test('given all of it, when the page was used, then the browser had nothing to complain of', () => expect(page.complaints).toEqual([]));
});
