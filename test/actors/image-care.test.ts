// Images that come before anybody asks for them, on virtual time and the simulated runtime: the cloud's list, archives lying on the node, and
// that what is wanted stays.
import { describe, expect, it } from 'vitest';
import { againMs, settleMs, startImageArchives } from '../../src/actors/image-archives.ts';
import { imageGcPeriodMs, startImageGc } from '../../src/actors/image-gc.ts';
import { startImagePrefetch } from '../../src/actors/image-prefetch.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimDiskSpace } from '../../src/adapters/sim/sim-disk-space.ts';
import { SimImageArchives } from '../../src/adapters/sim/sim-image-archives.ts';
import { SimRuntime } from '../../src/adapters/sim/sim-runtime.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import type { TimeWindow } from '../../src/ports/time-window.ts';
import { silentLog } from '../support/silent-log.ts';

const hourMs = 3_600_000;
const annotation = 'mqlet.io/prefetch-images';

function careWorld({ window, images = [] }: { readonly window?: TimeWindow; readonly images?: readonly string[] } = {}) {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const sim = new SimRuntime({ clock, random: new SeededRandom(1), images });
  const seen: AnyEnvelope[] = [];
  bus.tap((envelope) => { seen.push(envelope); });
  const test = bus.as('test');
  const archives = new SimImageArchives(sim.images);
  const parts = [
    startImagePrefetch({ bus: bus.as('prefetch'), clock, log: silentLog, images: sim.images, progressDeadlineMs: 300_000, window }),
    startImageArchives({ bus: bus.as('archives'), clock, log: silentLog, archives, images: sim.images }),
  ];
  return {
    clock, sim, test, bus, archives,
    want: (list: string) => test.publish('node.received', { node: { metadata: { name: 'edge-07', annotations: { [annotation]: list } } } }),
    ready: () => test.publish('runtime.health', { runtimeReady: true, networkReady: true, streaming: true, message: '' }),
    conditions: () => seen.flatMap((each) => (each.topic === 'images.prefetch' ? [`${each.payload.status} ${each.payload.reason}: ${each.payload.message}`] : [])),
    events: () => seen.flatMap((each) => (each.topic === 'event.noted' ? [`${each.payload.reason}: ${each.payload.message}`] : [])),
    pulls: () => sim.calls.filter(({ method }) => method === 'images.pull').map(({ target }) => target),
    has: (image: string) => sim.images.find(image) !== undefined,
    stop: async () => { for (const part of parts) await part.stop(); },
  };
}

describe('images the cloud wants on the node', () => {
  it('given a list, when it comes, then they are pulled one after the other and each step is told', async () => {
    const world = careWorld({ images: ['registry.example/here:1'] });
    world.want('registry.example/a:1, registry.example/here:1, registry.example/b:1');
    await world.clock.advance(60_000);
    expect(world.pulls()).toEqual(['registry.example/a:1', 'registry.example/b:1']);
    expect(world.conditions()).toEqual([
      'False Pulling: 0 of 3 images are on the node; pulling registry.example/a:1', 'False Pulling: 2 of 3 images are on the node; pulling registry.example/b:1', 'True AllPresent: 3 of 3 images are on the node',
    ]);
    expect(world.events()).toEqual(['ImagePrefetched: Image "registry.example/a:1" was pulled ahead of pods', 'ImagePrefetched: Image "registry.example/b:1" was pulled ahead of pods']);
    await world.stop();
  });

  it('given an image that cannot be had, when it is wanted, then the others come, it is tried again ever more rarely, and the reason is told', async () => {
    const world = careWorld();
    world.want('registry.example/missing:1 registry.example/a:1');
    await world.clock.advance(120_000);
    expect(world.has('registry.example/a:1')).toBe(true);
    expect(world.conditions().at(-1)).toMatch(/^False PullFailed: 1 of 2 images are on the node; registry\.example\/missing:1: failed to pull/);
    const tries = world.pulls().filter((image) => image.includes('missing')).length;
    expect(tries).toBeGreaterThan(1);
    await world.clock.advance(120_000);
    expect(world.pulls().filter((image) => image.includes('missing')).length - tries).toBeLessThan(tries);
    await world.stop();
  });

  it('given a window, when it is closed, then nothing is pulled until it opens', async () => {
    const clock = new VirtualClock();
    const minute = Math.floor(((clock.nowMs() + 2 * hourMs) % 86_400_000) / 60_000);
    const world = careWorld({ window: { fromMinute: minute, toMinute: (minute + 60) % 1_440 } });
    world.want('registry.example/a:1');
    await world.clock.advance(hourMs);
    expect(world.conditions()).toEqual(['False WaitingForWindow: 0 of 1 images are on the node; the rest waits for --image-prefetch-window']);
    expect(world.pulls()).toEqual([]);
    await world.clock.advance(hourMs + 60_000);
    expect(world.has('registry.example/a:1')).toBe(true);
    await world.stop();
  });

  it('given another list, when it comes, then what is not wanted any more is not pulled; without a list nothing is said', async () => {
    const world = careWorld();
    world.test.publish('node.received', { node: { metadata: { name: 'edge-07' } } });
    await world.clock.advance(1_000);
    expect(world.conditions()).toEqual([]);
    world.want('registry.example/missing:1');
    await world.clock.advance(1_000);
    world.want('');
    await world.clock.advance(hourMs);
    expect(world.pulls().length).toBeLessThanOrEqual(2);
    expect(world.conditions().at(-1)).toBe('True AllPresent: 0 of 0 images are on the node');
    await world.stop();
  });

  it('given a full disk, when images are removed, then those on the list stay', async () => {
    const world = careWorld({ images: ['registry.example/wanted:1', 'registry.example/old:1'] });
    const disk = new SimDiskSpace({ capacityBytes: 1, usedBytes: () => world.sim.images.usedBytes() });
    disk.capacityBytes = Math.floor((world.sim.images.usedBytes() * 100) / 99);
    const gc = startImageGc({
      bus: world.bus.as('gc'), clock: world.clock, log: silentLog, runtime: world.sim, images: world.sim.images, disk,
      policy: { minAgeMs: 0, maxAgeMs: 0, highPercent: 85, lowPercent: 10, sandboxImage: '' },
    });
    world.want('registry.example/wanted:1');
    world.test.publish('runtime.relisted', { startedAtMs: world.clock.nowMs(), sandboxes: [], containers: [] });
    await world.clock.advance(2 * imageGcPeriodMs);
    expect([world.has('registry.example/wanted:1'), world.has('registry.example/old:1')]).toEqual([true, false]);
    await gc.stop();
    await world.stop();
  });
});

describe('archives lying on the node', () => {
  it('given archives, when the runtime is ready, then those with images it lacks are taken, once', async () => {
    const world = careWorld({ images: ['registry.example/here:1'] });
    world.archives.put({ path: '/a/1.tar', images: ['registry.example/here:1'] });
    world.archives.put({ path: '/a/2.tar', images: ['registry.example/here:1', 'registry.example/new:1'] });
    await world.clock.advance(settleMs);
    expect(world.archives.taken).toEqual([]);
    world.ready();
    await world.clock.advance(60_000);
    world.ready();
    await world.clock.advance(60_000);
    expect(world.archives.taken).toEqual(['/a/2.tar']);
    expect(world.events()).toEqual(['ImageArchiveImported: Imported registry.example/here:1, registry.example/new:1 from /a/2.tar']);
    await world.stop();
  });

  it('given an archive that comes later, when it has settled, then it is taken', async () => {
    const world = careWorld();
    world.ready();
    await world.clock.advance(1_000);
    world.archives.put({ path: '/a/late.tar', images: ['registry.example/late:1'] });
    await world.clock.advance(settleMs + 1_000);
    expect(world.has('registry.example/late:1')).toBe(true);
    await world.stop();
  });

  it('given an image that was removed, when a pod cannot have it, then its archive is taken again', async () => {
    const world = careWorld();
    world.archives.put({ path: '/a/1.tar', images: ['registry.example/a:1'] });
    world.ready();
    await world.clock.advance(60_000);
    await Promise.all([world.sim.images.remove('registry.example/a:1'), world.clock.advance(1_000)]);
    world.test.publish('image.resolved', { requestId: '1', image: 'registry.example/a:1', outcome: { kind: 'failed', reason: 'ErrImagePull', message: '' } });
    await world.clock.advance(1_000);
    expect(world.archives.taken).toEqual(['/a/1.tar', '/a/1.tar']);
    await world.stop();
  });

  it('given a pull that failed, when archives do not name its image, then they are left alone', async () => {
    const world = careWorld();
    world.archives.put({ path: '/a/1.tar', images: ['registry.example/a:1'] });
    world.archives.put({ path: '/a/2.tar', images: ['registry.example/b:1'] });
    world.ready();
    await world.clock.advance(60_000);
    await Promise.all([world.sim.images.remove('registry.example/a:1'), world.sim.images.remove('registry.example/b:1'), world.clock.advance(1_000)]);
    world.test.publish('image.resolved', { requestId: '1', image: 'registry.example/b:1', outcome: { kind: 'failed', reason: 'ErrImagePull', message: '' } });
    await world.clock.advance(1_000);
    expect(world.archives.taken).toEqual(['/a/1.tar', '/a/2.tar', '/a/2.tar']);
    await world.stop();
  });

  it('given an archive for another platform, when it was taken, then that is told once and it is not taken over and over', async () => {
    const world = careWorld();
    world.archives.barren.add('registry.example/a:1');
    world.archives.put({ path: '/a/1.tar', images: ['registry.example/a:1'] });
    world.ready();
    await world.clock.advance(3 * againMs);
    expect(world.archives.taken).toEqual(['/a/1.tar']);
    expect(world.events()).toEqual(['ImageArchiveFailed: Cannot import /a/1.tar: it did not bring registry.example/a:1: made for another platform, or named without its registry']);
    await world.stop();
  });

  it('given archives that cannot be taken, when that goes on, then each is told once and tried again after a while', async () => {
    const world = careWorld();
    world.archives.fault = 'unexpected EOF';
    world.archives.put({ path: '/a/1.tar', images: ['registry.example/a:1'] });
    world.archives.put({ path: '/a/2.tar', images: [], problem: 'is compressed as a whole' });
    world.ready();
    await world.clock.advance(2 * againMs + 1_000);
    expect(world.events()).toEqual(['ImageArchiveFailed: Cannot import /a/1.tar: unexpected EOF', 'ImageArchiveFailed: Cannot import /a/2.tar: is compressed as a whole']);
    expect(world.archives.taken.length).toBeGreaterThan(1);
    world.archives.fault = '';
    await world.clock.advance(againMs + 1_000);
    expect(world.has('registry.example/a:1')).toBe(true);
    await world.stop();
  });
});
