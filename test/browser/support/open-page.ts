// The inspector's page in a tab, as a person uses it: what is read is what is shown, what is done is done with pointer and keys.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'puppeteer-core';

const screenshots = path.resolve(import.meta.dirname, '../../../build/screenshots');
const waitMsMax = 15_000;
const lookEveryMs = 40;

export interface PageLook {
  readonly theme?: 'light' | 'dark';
  readonly size?: 'desk' | 'phone';
  readonly motion?: 'reduce' | 'no-preference';
}

const sizes = {
  desk: { width: 1_440, height: 900, deviceScaleFactor: 1, isMobile: false, hasTouch: false },
  phone: { width: 390, height: 844, deviceScaleFactor: 1, isMobile: true, hasTouch: true },
} as const;

/** A page that is open. `goOn` lets the node behind it go on between two looks. */
export class OpenPage {
  readonly tab: Page;
  /** What the browser complained of: errors of scripts and what the policy forbade. */
  readonly complaints: string[] = [];
  readonly #goOn: () => Promise<void>;

  constructor(tab: Page, goOn: () => Promise<void>) {
    this.tab = tab;
    this.#goOn = goOn;
    tab.on('pageerror', (error) => this.complaints.push(String(error)));
    tab.on('console', (message) => { if (message.type() === 'error') this.complaints.push(message.text()); });
  }

  /** Waits until what the function reads from the page is true, letting the node go on. @throws with the name after 15 s */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const endMs = Date.now() + waitMsMax;
    while (!(await holds())) {
      if (Date.now() > endMs) throw new Error(`the page does not show ${what} after ${waitMsMax} ms; it shows:\n${(await this.text('main')).slice(0, 2_000)}`);
      await this.#goOn();
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }

  /** Text of the first that fits, '' where none does. */
  text(selector: string): Promise<string> {
    return this.tab.$$eval(selector, ([first]) => first?.textContent ?? '');
  }

  texts(selector: string): Promise<readonly string[]> {
    return this.tab.$$eval(selector, (found) => found.map(({ textContent }) => textContent ?? ''));
  }

  async has(selector: string): Promise<boolean> {
    // Not by handles: they would keep what has left the page in its heap.
    return (await this.tab.$$eval(selector, ({ length }) => length)) > 0;
  }

  untilHas(selector: string): Promise<void> {
    return this.until(selector, () => this.has(selector));
  }

  async untilText(selector: string, pattern: RegExp): Promise<string> {
    await this.until(`${selector} with ${pattern}`, async () => pattern.test(await this.text(selector)));
    return this.text(selector);
  }

  async click(selector: string): Promise<void> {
    await this.untilHas(selector);
    await this.tab.click(selector);
  }

  /** Goes to `#/…` as a link does. */
  async go(hash: string): Promise<void> {
    await this.tab.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  }

  /** Opens the pod of that name from the table. */
  async openPod(name: string): Promise<void> {
    await this.go('#/pods');
    await this.untilHas('.pods:not(.narrow) .vlist-row');
    await this.tab.type('[data-filter]', name);
    await this.until(`only ${name}`, async () => (await this.texts('.vlist-row strong')).every((one) => one === name));
    await this.click('.vlist-row');
    await this.untilText('.pod-head h1', new RegExp(`/${name}$`));
  }

  /** Kept as build output. */
  async screenshot(name: string): Promise<string> {
    mkdirSync(screenshots, { recursive: true });
    const file = path.join(screenshots, `${name}.png`);
    await this.tab.screenshot({ path: `${file.slice(0, -4)}.png` });
    return file;
  }
}

export interface OpenOptions extends PageLook {
  readonly browser: Browser;
  /** With the token. */
  readonly url: string;
  readonly goOn?: () => Promise<void>;
}

export async function openPage({ browser, url, theme = 'light', size = 'desk', motion = 'no-preference', goOn = async () => undefined }: OpenOptions): Promise<OpenPage> {
  // A context of its own: nothing kept by another page is there.
  const context = await browser.createBrowserContext();
  const tab = await context.newPage();
  await tab.setViewport(sizes[size]);
  await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }, { name: 'prefers-reduced-motion', value: motion }]);
  const page = new OpenPage(tab, goOn);
  await tab.goto(url);
  return page;
}
