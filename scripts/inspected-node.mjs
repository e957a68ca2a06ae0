// Runs a simulated node with the inspector on, for working on the page:
//   node scripts/inspected-node.mjs [--pods 20] [--messages 20] [--port 7790]
// Prints the URL; Ctrl-C ends it. --messages is a second, beside those of the pods. Builds the page first where it is older than its sources.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { buildIfStale } from './build.mjs';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { pods: { type: 'string', default: '20' }, messages: { type: 'string', default: '20' }, port: { type: 'string', default: '7790' } } });

await buildIfStale();
// Beside the packages it imports, so that they are found.
const directory = path.join(root, 'node_modules', '.cache', 'mqlet-inspected');
mkdirSync(directory, { recursive: true });
const outfile = path.join(directory, `inspected-node-${process.pid}.mjs`);
await build({ entryPoints: [path.join(root, 'test/support/inspected-node-main.ts')], outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'warning' });
const child = spawn(process.execPath, [outfile, values.pods, values.messages, values.port], { stdio: 'inherit', env: { ...process.env, MQLET_HOME: root } });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code) => process.exit(code ?? 1));
