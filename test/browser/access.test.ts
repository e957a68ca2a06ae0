import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fail } from '../../src/ports/result.ts';
import { apply, simPod } from '../sim/offline-world.ts';
import { seriousFindings } from './support/axe.ts';
import { chromiumProblem, startChromium } from './support/chromium.ts';
import { type InspectedWorld, inspectedWorld } from './support/inspected-world.ts';
import { openPage } from './support/open-page.ts';

const problem = chromiumProblem();

describe.skipIf(problem)(`who may use the inspector's page, and how${problem === undefined ? '' : ` (${problem})`}`, () => {
  let browser: Browser;
  let node: InspectedWorld;

  beforeAll(async () => {
    browser = await startChromium();
    node = await inspectedWorld('access');
    node.world.probes.answer = () => fail({ kind: 'unreachable', message: 'connection refused' });
    apply(node.world,
      simPod('camera', { containers: [{ name: 'app', image: 'sim/run:1' }, { name: 'encoder', image: 'sim/run:1', readinessProbe: { tcpSocket: { port: 80 } } }] }),
      simPod('relay', { containers: [{ name: 'app', image: 'sim/crash' }] }));
    await node.world.pass(40_000);
  });
  afterAll(async () => {
    await node?.stop();
    await browser?.close();
  });

  test.each([
    { theme: 'light', size: 'desk' }, { theme: 'dark', size: 'desk' }, { theme: 'light', size: 'phone' }, { theme: 'dark', size: 'phone' },
  ] as const)('given $theme colours at $size width, when axe looks at every view, then it finds nothing serious', async (look) => {
    const page = await openPage({ browser, url: node.url, goOn: node.goOn, motion: 'reduce', ...look });
    await page.openPod('relay');
    const { hash } = new URL(page.tab.url());
    const findings: string[] = [];
    for (const view of ['#/pods', hash, `${hash}/messages`, `${hash}/objects`, '#/bus', '#/actors', '#/node']) {
      await page.go(view);
      await page.untilHas('main h1');
      await node.goOn();
await page.screenshot(`${look.size}-${look.theme}-${view === hash ? 'pod' : (view.split('/').at(-1) ?? '')}`);
      findings.push(...(await seriousFindings(page)).map((finding) => `${view}: ${finding}`));
    }
    // Nothing is wider than the screen: nobody has to scroll sideways.
    expect(await page.tab.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(findings).toEqual([]);
    expect(page.complaints).toEqual([]);
    await page.tab.close();
  });

  test('given no pointer, when keys are used, then a pod is found, opened, read and left again', async () => {
    const page = await openPage({ browser, url: node.url, goOn: node.goOn });
    await page.untilHas('.vlist-row');
    const { keyboard } = page.tab;
    await keyboard.press('/');
    await keyboard.type('relay');
    await page.until('one pod', async () => (await page.texts('.vlist-row strong')).join() === 'relay');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await page.untilText('.pod-head h1', /relay/);
    await page.tab.focus('[role="tab"][aria-selected="true"]');
    await keyboard.press('ArrowRight');
    await page.untilHas('[role="tab"][aria-selected="true"]#tab-messages');
    await keyboard.press('Escape');
    await page.untilHas('.pods:not(.narrow)');
    await keyboard.press('3');
    await page.untilHas('[role="treegrid"]');
    await keyboard.press('?');
    await page.untilHas('dialog[open]');
    await keyboard.press('Escape');
    await page.until('no dialog', async () => !(await page.has('dialog[open]')));
    await page.tab.close();
  });

  test('given a choice of colours, when the page is loaded again, then it is kept, and the system has no say', async () => {
    const page = await openPage({ browser, url: node.url, goOn: node.goOn, theme: 'dark' });
    const theme = () => page.tab.evaluate('document.documentElement.dataset.theme');
    expect(await theme()).toBe('dark');
    await page.click('.theme');
    expect(await theme()).toBe('light');
    await page.tab.reload();
    await page.untilHas('.vlist-row');
    expect(await theme()).toBe('light');
    await page.tab.close();
  });

  test('given a page of another origin that knows the token, when it asks, then it can neither read nor connect nor frame', async () => {
    const foreign = http.createServer((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<iframe src="${node.url}"></iframe>`));
    await new Promise<void>((resolve) => { foreign.listen(0, '127.0.0.1', resolve); });
    // A TCP server's address is of this kind.
    const { port } = foreign.address() as AddressInfo;
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${port}/`);
    const { origin, hash } = new URL(node.url);
    const token = hash.slice('#token='.length);
    const tried = await tab.evaluate(`(async () => {
      const said = (promise) => promise.then((answer) => answer, (error) => 'refused: ' + error.name);
      const socket = new Promise((resolve) => {
        const one = new WebSocket('${origin.replace('http', 'ws')}/feed?token=${token}');
        one.onmessage = () => resolve('it talks');
        one.onclose = ({ code }) => resolve('closed ' + code);
      });
      const [page, held, feed] = await Promise.all([
        said(fetch('${origin}/').then((answer) => answer.text())),
        said(fetch('${origin}/export?from=1&to=9', { headers: { authorization: 'Bearer ${token}' } }).then((answer) => answer.text())),
        socket,
      ]);
      const script = await new Promise((resolve) => {
        const one = document.createElement('script');
        one.src = '${origin}/page.js';
        one.onload = () => resolve('loaded');
        one.onerror = () => resolve('refused');
        document.head.append(one);
      });
      return { page, held, feed, script, framed: document.querySelector('iframe').contentDocument === null };
    })()`);
    expect(tried).toEqual({ page: 'refused: TypeError', held: 'refused: TypeError', feed: 'closed 1006', script: 'refused', framed: true });
    expect(tab.frames().map((frame) => frame.url()).filter((url) => url.startsWith(origin))).toEqual([]);
    await tab.close();
    foreign.closeAllConnections();
    await new Promise((resolve) => { foreign.close(resolve); });
  });

  test('given an address without its token, when it is opened, then the page says so and shows nothing of the node', async () => {
    const page = await openPage({ browser, url: node.url.replace(/#.*/, '#/pods'), goOn: node.goOn });
    expect(await page.untilText('[role="alert"]', /No connection to the node/)).toContain('mqlet inspect');
    expect(await page.has('.vlist-row')).toBe(false);
    await page.tab.close();
  });
});
