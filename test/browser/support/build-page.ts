// Vitest's set-up of the browser tests: the page they open is the one in dist/, built from the sources of now.
// A script without types; `npm test` has built before and then nothing is to do.
const { buildIfStale } = await import(new URL('../../../scripts/build.mjs', import.meta.url).href) as { readonly buildIfStale: () => Promise<void> };

export default async function setup(): Promise<void> {
  await buildIfStale();
}
