// Runs many seeds of the simulation, on all cores, for a number of seeds or of minutes:
//   node scripts/sim.mjs --seeds 5000 [--from 1] [--minutes 60] [--jobs 2]
//   node scripts/sim.mjs --seed 17 [--trace]
// Prints one line for each seed that fails and exits 1 when one did.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});

// Beside the packages it imports, so that they are found.
const directory = path.join(root, 'node_modules', '.cache', 'mqlet-sim');
mkdirSync(directory, { recursive: true });
const outfile = path.join(directory, `run-seeds-${process.pid}.mjs`);
await build({ entryPoints: [path.join(root, 'test/sim/run-seeds.ts')], outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'warning' });

const deadlineMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(values.minutes) * 60_000;
const batch = 50;
let next = Number(values.from);
const end = values.minutes === undefined ? next + Number(values.seeds) : Number.POSITIVE_INFINITY;
let run = 0;
let failed = 0;

/** One process for each batch: a leak between seeds would be ours, and memory comes back. */
function runSeeds(...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--conditions=development', outfile, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => { output += chunk; });
    child.on('close', (code) => resolve({ code, output }));
  });
}

async function work() {
  while (next < end && Date.now() < deadlineMs) {
    const first = next;
    const count = Math.min(batch, end - first);
    next += count;
    const { code, output } = await runSeeds(first, count);
    run += count;
    const lines = output.trimEnd().split('\n').slice(0, -1);
    if (code !== 0) {
      failed += Math.max(1, lines.filter((line) => line.startsWith('seed ')).length);
      console.log(lines.join('\n') || `seeds ${first} to ${first + count - 1}: the process ended with ${code}`);
    }
  }
}

if (values.seed !== undefined) {
  const { code, output } = await runSeeds(values.seed, 1, values.trace ? 'trace' : 'tail');
  process.stdout.write(output);
  process.exit(code ?? 1);
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
console.log(`${run} seeds, ${failed} failed; rerun one: node scripts/sim.mjs --seed N --trace`);
process.exit(failed === 0 ? 0 : 1);
