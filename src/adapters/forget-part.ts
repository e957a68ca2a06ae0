// Lets go of a bundle that was only needed at start: Node.js keeps each module that was loaded, with its source text and tables.
// Whoever still holds something of it keeps that alive; out of the bundles, as in tests, nothing happens.
import path from 'node:path';

/** @param name of the bundle: `config` is config.cjs beside this one */
export function forgetPart(name: string): void {
  if (typeof require !== 'function') return;
  for (const [file, part] of Object.entries(require.cache)) {
    if (part === undefined || path.basename(file) !== `${name}.cjs`) continue;
    delete require.cache[file];
    const { children } = module;
    children.splice(children.indexOf(part), 1);
  }
}
