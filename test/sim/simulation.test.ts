// The simulation over fixed seeds, a range, and one seed from the commit. A failure prints the line that reruns it and the tail of
// its trace. SEED=n runs one seed; SIM_RANGE=n sets the length of the range.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { canaries } from './canaries.ts';
import { simulate } from './simulation.ts';

const rangeLength = Number(process.env['SIM_RANGE'] ?? 200);
const only = process.env['SEED'];

function seedsOf(): readonly string[] {
  if (only !== undefined) return [only];
  const range = Array.from({ length: rangeLength }, (_, index) => String(index + 1));
  const commit = process.env['SIM_COMMIT'] ?? process.env['GITHUB_SHA'] ?? currentCommit();
  return [...new Set([...fixedSeeds(), ...range, ...(commit === undefined ? [] : [commit])])];
}

function fixedSeeds(): readonly string[] {
  const lines = readFileSync(path.join(import.meta.dirname, 'seeds.txt'), 'utf8').split('\n');
  return lines.map((line) => line.replace(/#.*/, '').trim().split(/\s+/)[0] ?? '').filter((seed) => seed !== '');
}

/** Another seed for every commit, so that the range grows with the work. None outside a checkout. */
function currentCommit(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

describe('a node under faults', () => {
  test.each(seedsOf())('given seed %s, when things go wrong and stop going wrong, then all holds and comes to rest', async (seed) => {
    const { failure, world } = await simulate(seed);
    if (failure !== undefined) {
      throw new Error(`${failure}\n\nrerun: SEED=${seed} npx vitest run test/sim\n\n${world.trace.tail()}`);
    }
  }, 60_000);
});

describe.runIf(only === undefined)('the simulation', () => {
  test.each(['1', '7', '42'])('given seed %s, when run twice, then the traces are the same to the byte', async (seed) => {
    const first = await simulate(seed, { keepsTrace: true });
    const second = await simulate(seed, { keepsTrace: true });
    expect(second.world.trace.digest()).toBe(first.world.trace.digest());
    expect(second.world.trace.lines.join('\n') === first.world.trace.lines.join('\n')).toBe(true);
  }, 60_000);

  test.each(Object.entries(canaries))('given a planted bug, %s, when seeds are run, then it is caught', async (_name, { tweaks, caught }) => {
    const failures: string[] = [];
    for (let seed = 1; seed <= 20; seed += 1) {
      const { failure } = await simulate(String(seed), tweaks());
      if (failure !== undefined) failures.push(failure);
      if (failures.some((line) => caught.test(line))) return;
    }
    throw new Error(`the net has a hole: nobody noticed; seen were only ${JSON.stringify(failures)}`);
  }, 120_000);
});
