// Nodes that run short from a seed: pods of all kinds grow, memory and disk get short and recover, the daemon is killed in between.
// Afterwards what was evicted is Failed at the cloud, what was not runs, and the node says it is well.
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { startAgent } from '../../src/agent.ts';
import type { EvictionThreshold } from '../../src/ports/eviction.ts';
import type { HostPressure } from '../../src/ports/host-port.ts';
import { apply, calmWorld, cloudPod, forever, putManifest, runningPods, simPod } from './offline-world.ts';
import { nodeName, rootDirectory, type World } from './world.ts';

const seeds = Array.from({ length: 6 }, (_, index) => `pressure-${index + 1}`);
const gibi = 2 ** 30;
const holdMs = 20_000;
const thresholds: readonly EvictionThreshold[] = [
  { signal: 'memory.available', value: { kind: 'amount', amount: 100 * 2 ** 20, text: '100Mi' }, graceMs: 0 },
  { signal: 'nodefs.available', value: { kind: 'percent', percent: 10 }, graceMs: 0 },
  { signal: 'memory.available', value: { kind: 'amount', amount: 300 * 2 ** 20, text: '300Mi' }, graceMs: 30_000 },
];
const roomy: HostPressure = {
  memoryBytes: 4 * gibi, memoryAvailableBytes: gibi, pidsMax: 1_000, pidsUsed: 10,
  rootFilesystem: { device: 1, capacityBytes: 100 * gibi, availableBytes: 50 * gibi, inodes: 1_000, inodesFree: 900 },
};

interface Story {
  readonly trace: string;
  readonly evicted: readonly string[];
}

async function play(seed: string): Promise<Story> {
  const host = { now: roomy };
  const random = new SeededRandom(seed);
  const evicted: string[] = [];
  /** Told to go for a shortage and not gone: there may be one at a time. */
  let going: { name: string; atMs: number } | undefined;
  const violated = (what: string) => world.checkers.violated(what);
  const watch = (agent: ReturnType<typeof startAgent>) => {
    const bus = agent.bus.as('test');
    going = undefined;
    bus.on('pod.transitioned', ({ payload }) => { if (payload.to === 'terminated' && payload.pod.name === going?.name) going = undefined; });
    bus.on('pod.evicted', ({ at, payload: { pod, signal } }) => {
      evicted.push(pod.name);
      if (pod.name.startsWith('fixed')) violated(`a pod of the node itself is evicted: ${pod.name}`);
      if (signal.endsWith('.limit')) return;
      if (host.now === roomy) violated(`${pod.name} is evicted for ${signal} of a node that is well`);
      if (going !== undefined && at - going.atMs < 30_000) violated(`${pod.name} is evicted while ${going.name} is still going`);
      going = { name: pod.name, atMs: at };
    });
    return agent;
  };
  const world: World = await calmWorld(seed, {}, {
    start: (ports, settings) => watch(startAgent(
      { ...ports, pressure: { measure: () => Promise.resolve(host.now) } },
      { ...settings, eviction: { thresholds, evicts: true, limitsLocalStorage: true, softGraceMsMax: 5_000, pressureHoldMs: holdMs } },
    )),
  });
  putManifest(world, simPod('fixed'));
  const names = ['a', 'b', 'c', 'd', 'e'];
  apply(world, ...names.map((name, index) => simPod(name, {
    priority: random.integer(0, 2) * 100,
    volumes: [{ name: 'data', emptyDir: index % 2 === 0 ? {} : { sizeLimit: '1Mi' } }],
    containers: [{ name: 'app', image: forever, resources: { requests: { memory: `${random.integer(1, 64)}Mi` } } }],
  })));
  await world.pass(8_000);
  for (let step = 0; step < 12; step += 1) {
    const name = names[random.integer(0, names.length - 1)] ?? 'a';
    world.runtime.usage.set(`${name}/app`, { workingSetBytes: random.integer(1, 200) * 2 ** 20, layerBytes: random.integer(0, 50) * 2 ** 20 });
    const uid = cloudPod(world, name)?.metadata?.uid ?? '';
    if (random.fraction() < 0.3 && uid !== '') world.files.put(`${rootDirectory}/pods/${uid}/volumes/kubernetes.io~empty-dir/data/file`, new Uint8Array(random.integer(1, 3) * 600_000));
    const drawn = random.fraction();
    if (drawn < 0.2) host.now = { ...roomy, memoryAvailableBytes: random.integer(10, 290) * 2 ** 20 };
    else if (drawn < 0.3) host.now = { ...roomy, rootFilesystem: { device: 1, capacityBytes: 100 * gibi, availableBytes: gibi, inodes: 1_000, inodesFree: 900 } };
    else if (drawn < 0.7) host.now = roomy;
    else if (drawn < 0.85) world.killDaemon({ downMs: random.integer(10, 3_000) });
    await world.pass(random.integer(500, 12_000));
  }
  host.now = roomy;
  // Its last look may have begun before.
  await world.pass(12_000);
  const before = evicted.length;
  await world.pass(120_000);
  expect(evicted).toHaveLength(before);
  const gone = names.filter((name) => cloudPod(world, name)?.status?.phase === 'Failed');
  for (const name of gone) expect(cloudPod(world, name)?.status).toMatchObject({ reason: 'Evicted' });
  expect(gone.every((name) => evicted.includes(name))).toBe(true);
  expect(runningPods(world)).toEqual([...names.filter((name) => !gone.includes(name)), `fixed-${nodeName}`]);
  const conditions = world.cloud.nodes()[0]?.status?.conditions ?? [];
  expect(conditions.filter(({ type, status }) => type.endsWith('Pressure') && status === 'True')).toEqual([]);
  return { trace: world.trace.digest(), evicted };
}

describe('nodes that run short', () => {
  it.each(seeds)('given %s, when shortage, growth and restarts come as it has them, then the right pods went, one at a time, and the rest is well', async (seed) => {
    await play(seed);
  });

  it('given one seed twice, when it is played, then both stories are the same', async () => {
    const [first, second] = [await play('pressure-1'), await play('pressure-1')];
    expect(second).toEqual(first);
    expect(first.evicted.length).toBeGreaterThan(0);
  });
});
