// Runs seeds from the command line until the list or the time is over; see scripts/sim.mjs. Prints one line for each that fails.
import { simulate } from './simulation.ts';

const [first = '1', count = '200', verbose = ''] = process.argv.slice(2);
let failed = 0;
let slowest = { seed: '', ms: 0 };
const started = performance.now();
for (let index = 0; index < Number(count); index += 1) {
  const seed = /^\d+$/.test(first) ? String(Number(first) + index) : first;
  const began = performance.now();
  const { failure, world, convergedInMs } = await simulate(seed, { keepsTrace: verbose === 'trace' });
  const tookMs = performance.now() - began;
  if (tookMs > slowest.ms) slowest = { seed, ms: tookMs };
  if (failure !== undefined) failed += 1;
  if (failure !== undefined || verbose !== '') {
    console.log(`seed ${seed}: ${failure ?? 'held'} (${world.trace.digest()}, rest after ${Math.round(convergedInMs / 1_000)} s, took ${Math.round(tookMs)} ms)`);
  }
  if (verbose === 'tail') console.log(world.trace.tail());
  if (verbose === 'trace') console.log(world.trace.lines.join('\n'));
}
const seconds = (performance.now() - started) / 1_000;
console.log(`${count} seeds in ${seconds.toFixed(1)} s, ${failed} failed; slowest ${slowest.seed} with ${Math.round(slowest.ms)} ms`);
process.exitCode = failed === 0 ? 0 : 1;
