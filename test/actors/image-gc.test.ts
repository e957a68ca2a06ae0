// The image GC actor on virtual time and the simulated runtime: its rhythm, its victims, its answers and its complaints.
import { describe, expect, it } from 'vitest';
import { imageGcPeriodMs, startImageGc } from '../../src/actors/image-gc.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimDiskSpace } from '../../src/adapters/sim/sim-disk-space.ts';
import { SimRuntime } from '../../src/adapters/sim/sim-runtime.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { AnyEnvelope, Messages } from '../../src/bus/messages.ts';
import type { ImageGcPolicy } from '../../src/machines/decide/image-gc.ts';
import { fail } from '../../src/ports/result.ts';
import type { ContainerId } from '../../src/ports/pod-types.ts';
import { simPod } from '../support/pod-world.ts';
import { silentLog } from '../support/silent-log.ts';

const policy: ImageGcPolicy = { minAgeMs: 120_000, maxAgeMs: 0, highPercent: 85, lowPercent: 80, sandboxImage: '' };

function gcWorld(part: Partial<ImageGcPolicy> = {}, images = ['registry.example/a:1', 'registry.example/b:1', 'registry.example/c:1']) {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const sim = new SimRuntime({ clock, random: new SeededRandom(1), images });
  const disk = new SimDiskSpace({ capacityBytes: 2 ** 40, usedBytes: () => sim.images.usedBytes() });
  const seen: AnyEnvelope[] = [];
  bus.tap((envelope) => { seen.push(envelope); });
  let inUse: readonly string[] = [];
  const listContainers = async () => ({ ok: true as const, value: inUse.map((image) => ({ id: image as ContainerId, image, imageRef: '' })) }) as never; // Only images are read of it.
  const gc = startImageGc({ bus: bus.as('image-gc'), clock, log: silentLog, runtime: { listContainers }, images: sim.images, disk, policy: { ...policy, ...part } });
  const test = bus.as('test');
  return {
    clock, sim, disk, test, gc,
    /** Full to the high threshold and a little more. */
    fill: (percent: number) => { disk.capacityBytes = Math.floor((sim.images.usedBytes() * 100) / percent); },
    use: (...names: string[]) => { inUse = names; },
    relist: () => test.publish('runtime.relisted', { startedAtMs: clock.nowMs(), sandboxes: [], containers: [] }),
    payloads: <T extends 'gc.done' | 'garbage.removed' | 'event.noted'>(topic: T) => seen.flatMap((each) => (each.topic === topic ? [each.payload as Messages[T]] : [])), // Of that topic.
    names: async () => {
      const listed = await sim.images.list();
      return listed.ok ? listed.value.flatMap(({ repoTags }) => repoTags) : [];
    },
  };
}

describe('the image GC', () => {
  it('given a file system over the threshold, when images are old enough, then the longest unused go until the low threshold', async () => {
    const world = gcWorld();
    const sizes = new Map((await gcNames(world)).map((name) => [name, world.sim.images.find(name)?.sizeBytes ?? 0]));
    world.use('registry.example/b:1', 'registry.example/c:1');
    world.relist();
    await world.clock.advance(1_000);
    world.use('registry.example/c:1');
    await world.clock.advance(imageGcPeriodMs);
    world.use();
    world.fill(86);
    await world.clock.advance(imageGcPeriodMs);
    const removed = world.payloads('garbage.removed');
    expect(removed.map(({ name, why }) => [name, why])).toEqual([['registry.example/a:1', 'space']]);
    expect(world.payloads('gc.done')).toEqual([{ requestId: undefined, what: 'images', removed: 1, freedBytes: sizes.get('registry.example/a:1'), trouble: '' }]);
    world.fill(86);
    await world.clock.advance(imageGcPeriodMs);
    expect(world.payloads('garbage.removed').at(1)?.name).toBe('registry.example/b:1');
    await world.gc.stop();
  });

  it('given images that are young, used or wanted, when the disk is full, then they stay and the second failure is an event', async () => {
    const world = gcWorld({}, ['registry.example/used:1', 'sim/run']);
    world.test.publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [simPod('sim/run')] });
    world.use('registry.example/used:1');
    world.fill(99);
    world.relist();
    await world.clock.advance(1_000);
    expect(world.payloads('event.noted').map(({ reason }) => reason)).toEqual(['FreeDiskSpaceFailed']);
    await world.clock.advance(imageGcPeriodMs);
    const events = world.payloads('event.noted');
    expect(events.map(({ reason }) => reason)).toEqual(['FreeDiskSpaceFailed', 'FreeDiskSpaceFailed', 'ImageGCFailed']);
    expect(events[2]?.message).toMatch(/^Failed to garbage collect required amount of images\. Attempted to free \d+ bytes, but only found 0 bytes eligible to free\.$/);
    expect(await gcNames(world)).toHaveLength(2);
    await world.gc.stop();
  });

  it('given requests, when they come together, then one pass removes all unused images and each is answered once', async () => {
    const world = gcWorld();
    world.relist();
    await world.clock.advance(200_000);
    world.use('registry.example/c:1');
    for (const requestId of ['1', '2', '3']) world.test.publish('gc.requested', { requestId, what: 'images', reason: 'disk pressure' });
    world.test.publish('gc.requested', { requestId: '4', what: 'containers', reason: 'disk pressure' });
    await world.clock.advance(5_000);
    expect(world.payloads('gc.done').map(({ requestId, removed }) => [requestId, removed])).toEqual([['1', 2], ['2', 0], ['3', 0]]);
    expect(world.payloads('garbage.removed').map(({ why }) => why)).toEqual(['request', 'request']);
    await world.gc.stop();
  });

  it('given a maximum age, when images are unused for longer, then they go whatever room there is', async () => {
    const world = gcWorld({ maxAgeMs: 600_000 });
    world.use('registry.example/c:1');
    world.relist();
    await world.clock.advance(600_000 + 2 * imageGcPeriodMs);
    expect(world.payloads('garbage.removed').map(({ name, why }) => [name, why]).sort()).toEqual([['registry.example/a:1', 'age'], ['registry.example/b:1', 'age']]);
    await world.gc.stop();
  });

  it('given a file system that tells nothing, when the pass runs, then it says so and removes nothing', async () => {
    const world = gcWorld();
    world.disk.capacityBytes = 0;
    world.relist();
    await world.clock.advance(1_000);
    expect(world.payloads('event.noted')).toMatchObject([{ subject: { kind: 'Node' }, type: 'Warning', reason: 'InvalidDiskCapacity', message: 'invalid capacity 0 on image filesystem' }]);
    expect(world.payloads('garbage.removed')).toEqual([]);
    await world.gc.stop();
  });

  it('given an image the runtime will not give up, when it is its turn, then the next one goes and the trouble is told', async () => {
    const world = gcWorld({ highPercent: 0, lowPercent: 0, minAgeMs: 0 });
    const remove = world.sim.images.remove.bind(world.sim.images);
    const stubborn = world.sim.images.find('registry.example/a:1')?.id;
    world.sim.images.remove = async (image) => (image === stubborn ? fail({ kind: 'rejected', message: 'in use', grpcCode: 2 }) : remove(image));
    world.test.publish('gc.requested', { requestId: '1', what: 'images', reason: 'test' });
    await world.clock.advance(1_000);
    expect(world.payloads('gc.done')).toMatchObject([{ requestId: '1', removed: 2, trouble: 'registry.example/a:1 cannot be removed: in use' }]);
    await world.gc.stop();
  });
});

function gcNames(world: ReturnType<typeof gcWorld>): Promise<readonly string[]> {
  const names = world.names();
  return world.clock.advance(10).then(() => names);
}
