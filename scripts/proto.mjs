// Turns proto/**/*.proto into proto/descriptors.json, the form the program is built with (no parser at run time).
// `node scripts/proto.mjs` writes it; `--check` only says whether it is current, and exits 1 if not.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import protobuf from 'protobufjs';

const folder = fileURLToPath(new URL('../proto', import.meta.url));
export const descriptorsPath = path.join(folder, 'descriptors.json');

/** The text of descriptors.json as the .proto files have it now. Fields are in camelCase, as proto-loader expects. */
export function renderDescriptors() {
  const root = new protobuf.Root();
  // Imports are written from the proto folder; Google's own come with protobufjs.
  root.resolvePath = (_origin, target) => (path.isAbsolute(target) || target.startsWith('google/') ? target : path.join(folder, target));
  const files = readdirSync(folder, { recursive: true }).map(String).filter((name) => name.endsWith('.proto')).sort();
  root.loadSync(files).resolveAll();
  return `${JSON.stringify(root.toJSON())}\n`;
}

function main() {
  const text = renderDescriptors();
  if (!process.argv.includes('--check')) {
    writeFileSync(descriptorsPath, text);
    console.log(`proto/descriptors.json: ${text.length} bytes`);
    return;
  }
  if (readFileSync(descriptorsPath, 'utf8') !== text) {
    console.error('proto/descriptors.json is older than the .proto files: run node scripts/proto.mjs');
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
