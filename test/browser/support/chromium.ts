// Debian's Chromium without a window, for tests of the inspector's page. No browser is downloaded.
// A test that cannot have one skips aloud with the reason; in CI (environment variable CI) it fails instead.
import { accessSync, constants } from 'node:fs';
import puppeteer, { type Browser } from 'puppeteer-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome-stable'];

function found(): string | undefined {
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Why no browser can run here; undefined when one can.
 * @throws in CI, where nothing that matters may skip
 */
export function chromiumProblem(): string | undefined {
  if (found() !== undefined) return undefined;
  const problem = `no Chromium at ${places.join(', ')}: apt-get install chromium`;
  if (process.env['CI'] !== undefined) throw new Error(`a browser is needed in CI: ${problem}`);
  return problem;
}

/** Call in `beforeAll`, and `close` in `afterAll`. */
export async function startChromium(): Promise<Browser> {
  const executablePath = found();
  if (executablePath === undefined) throw new Error('chromiumProblem was not asked first');
  return puppeteer.launch({
    executablePath,
    args: [
      // CI runs as root, where Chromium's sandbox refuses to work. It opens nothing here but our own page on loopback.
      '--no-sandbox',
      // The memory of /dev/shm is small in containers.
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--enable-precise-memory-info',
    ],
  });
}
