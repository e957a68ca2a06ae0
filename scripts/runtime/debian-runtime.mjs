// Debian's Node.js, for architectures that no released one is for: the program, the libraries and the loader it was built with, and the
// parts of its JavaScript that Debian packages apart, all below one folder, so that it runs on any Debian and beside another Node.js.
import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ScriptFailure } from '../progress.mjs';
import { debianNodeTree } from '../images/root-tree.mjs';
import { home } from '../setup.mjs';

/** Names of the same length: the library has them in it as they are, and looks for the files there. */
const packagedScripts = '/usr/share/nodejs/';
const ownScripts = '/usr/lib/mqlet/js/';

/**
 * @param {object} platform of scripts/images/variants.mjs
 * @param {string} program the folder of the installed program: `runtime/` and `js/` are made in it
 * @returns {Promise<object[]>} what the bill of materials says of it
 */
export async function placeDebianRuntime(platform, program, documents) {
  const work = path.join(home, 'build', `runtime-${platform.debian}-${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const components = await debianNodeTree(work, platform);
  const runtime = path.join(program, 'runtime');
  const libraries = path.join(runtime, 'lib');
  rmSync(runtime, { recursive: true, force: true });
  mkdirSync(path.join(runtime, 'bin'), { recursive: true });
  cpSync(path.join(work, 'usr/lib', platform.triplet), libraries, { recursive: true });
  renameSync(path.join(work, 'usr/lib/mqlet/runtime/bin/node'), path.join(libraries, 'node'));
  cpSync(path.join(work, packagedScripts), path.join(program, 'js'), { recursive: true });
  cpSync(path.join(work, 'usr/share/doc'), documents, { recursive: true });
  lookForOwnScripts(path.join(libraries, readdirSync(libraries).find((name) => name.startsWith('libnode.so')) ?? ''));
  writeFileSync(path.join(runtime, 'bin/node'), `#!/bin/sh
# Node.js with the loader and the libraries it was built with; the system's may be older.
library=\${0%/*}/../lib
exec "$library/${path.basename(platform.loader)}" --library-path "$library" --argv0 node "$library/node" "$@"
`);
  chmodSync(path.join(runtime, 'bin/node'), 0o755);
  rmSync(work, { recursive: true });
  return components;
}

function lookForOwnScripts(file) {
  const library = readFileSync(file);
  let found = 0;
  for (let at = library.indexOf(packagedScripts); at >= 0; at = library.indexOf(packagedScripts, at + 1)) {
    library.write(ownScripts, at, 'latin1');
    found += 1;
  }
  if (found === 0) throw new ScriptFailure(`${path.basename(file)} looks for no scripts in ${packagedScripts}`);
  writeFileSync(file, library);
}
