// The daemon is killed, or the power of the whole machine goes, again and again while pods come and go, with the broker there or not.
// Afterwards nothing may be lost, nothing twice, everything told, and what the node remembers must be readable.
import { describe, expect, it } from 'vitest';
import { SimViolation } from './checkers.ts';
import { Operations } from './operations.ts';
import { calmOptions } from './options.ts';
import { discrepancies } from './truth.ts';
import { rootDirectory, World } from './world.ts';

const worlds = 10;
const pointsEach = 20;
const convergenceMsMax = 15 * 60_000;

async function atRest(world: World): Promise<void> {
  let problems: readonly string[] = [];
  for (let passedMs = 0; passedMs < convergenceMsMax; passedMs += 1_000) {
    await world.pass(1_000);
    problems = await discrepancies(world);
    if (problems.length === 0) return;
  }
  throw new SimViolation(`not at rest:\n  ${problems.slice(0, 20).join('\n  ')}\n${world.trace.tail()}`);
}

async function damagedFiles(world: World): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of ['cache/pods', 'cache/statuses', 'cache/node', 'cache/secrets', 'cache/configmaps', 'admin-pods']) {
    const listed = await world.files.list(`${rootDirectory}/${folder}`);
    for (const { name } of listed.ok ? listed.value : []) if (!name.endsWith('.json') && !name.startsWith('.')) found.push(`${folder}/${name}`);
  }
  return found;
}

describe('a node whose power fails', () => {
  it.each(Array.from({ length: worlds }, (_, index) => `power-${index + 1}`))(`given world %s, when it is cut off at ${pointsEach} moments, then nothing is lost, doubled or untold`, async (seed) => {
    const world = new World({
      ...calmOptions(seed), mqttNames: 3, fileNames: 1, adminNames: 1, fileLatencyMs: seed.endsWith('3') ? 40 : 3,
      weights: new Map([['applyPod', 6], ['updatePod', 2], ['deletePod', 3], ['forceDeletePod', 1], ['writeManifest', 2], ['removeManifest', 1], ['killContainer', 2], ['applyByHand', 1], ['deleteByHand', 1]]),
    });
    const operations = new Operations(world);
    world.beginFaults();
    world.startDaemon();
    for (let point = 0; point < pointsEach; point += 1) {
      if (world.random.fraction() < 0.3) world.restartBroker({ downMs: world.random.integer(100, 8_000) });
      for (let count = world.random.integer(1, 4); count > 0; count -= 1) {
        await operations.next();
        // Moments close to an operation are those in which something is under way.
        await world.pass(world.random.integer(1, count === 1 ? 1_500 : 400));
      }
      const downMs = world.random.integer(10, 3_000);
      if (world.random.fraction() < 0.5) world.killDaemon({ downMs });
      else world.rebootMachine({ downMs: downMs + 1_000 });
      await world.pass(downMs + world.random.integer(1, 2_500));
    }
    world.endFaults();
    operations.finish();
    await atRest(world);
    expect(await damagedFiles(world)).toEqual([]);
  }, 120_000);
});
