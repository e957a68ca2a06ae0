// What the simulation found at the seams of a pod's life: it comes back while it ends, it is killed while it starts, its predecessor's
// daemon left something behind.
import { afterEach, describe, expect, test } from 'vitest';
import { startOrphanReaper } from '../../src/actors/orphan-reaper.ts';
import { VolumeKeeper } from '../../src/actors/volume-keeper.ts';
import { SimProbes } from '../../src/adapters/sim/sim-probes.ts';
import type { PodUid } from '../../src/ports/pod-types.ts';
import { fail } from '../../src/ports/result.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { podWorld, type PodWorld, type PodWorldOptions, simPod } from '../support/pod-world.ts';
import { uid } from '../support/pods.ts';
import { silentLog } from '../support/silent-log.ts';

const worlds: PodWorld[] = [];
afterEach(async () => { for (const world of worlds.splice(0)) await world.stop(); });

async function started(options: PodWorldOptions = {}): Promise<PodWorld> {
  const world = podWorld(options);
  worlds.push(world);
  await world.clock.advance(1_000);
  return world;
}

function running({ sim }: PodWorld): number {
  return [...sim.containers.values()].filter(({ state }) => state === 'running').length;
}

describe('a pod that is removed', () => {
  test('given its end is not over, when it is wanted again under the same UID, then it ends and begins anew', async () => {
    const world = await started();
    world.operate('ADD', simPod('sim/slow-term:1500'));
    await world.clock.advance(2_000);
    world.operate('REMOVE', simPod('sim/slow-term:1500'));
    await world.clock.advance(500);
    world.operate('ADD', simPod());
    expect(world.state()?.to).toBe('terminating.stopping');
    await world.clock.advance(5_000);
    expect(world.state()?.to).toBe('running.settled');
    expect([...world.sim.containers.values()].map(({ state, imageName }) => `${state} ${imageName}`)).toEqual(['running docker.io/sim/run:latest']);
  });

  test('given it was wanted again and removed again, when its end is over, then it stays gone', async () => {
    const world = await started();
    world.operate('ADD', simPod());
    await world.clock.advance(2_000);
    for (const op of ['REMOVE', 'ADD', 'REMOVE'] as const) world.operate(op, simPod());
    await world.clock.advance(5_000);
    expect(world.sim.sandboxes.size).toBe(0);
    expect(world.supervisor.knows(uid)).toBe(false);
  });

  test('given its container has been made, when it is removed before the start, then nothing is started any more', async () => {
    const world = await started({
      runtime: (sim) => ({
        createContainer: async (...args) => {
          const created = await sim.createContainer(...args);
          world.operate('REMOVE', simPod());
          return created;
        },
      }),
    });
    world.operate('ADD', simPod());
    await world.clock.advance(10_000);
    expect(world.sim.calls.filter(({ method }) => method === 'startContainer')).toEqual([]);
    expect(world.sim.containers.size).toBe(0);
  });
});

describe('a start whose answer was lost', () => {
  test('given the start had no effect yet, when the pod syncs again, then the same instance is started, not another one', async () => {
    let lost = 0;
    const world = await started({
      runtime: (sim) => ({
        startContainer: async (id) => (lost++ === 0 ? fail({ kind: 'timeout', message: 'no answer', afterMs: 1 }) : sim.startContainer(id)),
      }),
    });
    world.operate('ADD', simPod());
    await world.clock.advance(30_000);
    expect(running(world)).toBe(1);
    expect(world.sim.calls.filter(({ method }) => method === 'createContainer')).toHaveLength(1);
  });

  test('given the look after it is refused, when the pod syncs again, then it looks before it makes anything', async () => {
    let looks = 0;
    const refused = { kind: 'rejected', message: 'refused', grpcCode: 2 } as const;
    const world = await started({
      runtime: (sim) => ({ containerStatus: async (id) => (looks++ === 0 ? fail(refused) : sim.containerStatus(id)) }),
    });
    world.operate('ADD', simPod());
    await world.clock.advance(60_000);
    expect(running(world)).toBe(1);
    expect(world.sim.calls.filter(({ method }) => method === 'createContainer')).toHaveLength(1);
  });
});

describe('directories of a pod that is no more', () => {
  test('given neither source nor runtime has it, when the runtime is listed, then its logs go and then its directory', async () => {
    const world = await started();
    const gone = 'gone-uid';
    world.files.put(`${nodeSettings.rootDirectory}/pods/${gone}/etc-hosts`, '');
    world.files.put(`${nodeSettings.rootDirectory}/pods/${uid}/etc-hosts`, '');
    world.files.put(`${nodeSettings.podLogsDirectory}/default_web_${gone}/app/0.log`, '');
    const { bus, clock, sim, files } = world;
    const reaper = startOrphanReaper({
      bus: bus.as('orphans'), clock, runtime: sim, files, log: silentLog, settings: nodeSettings, version: 'v1.0.0',
      probes: new SimProbes({ clock }), volumes: new VolumeKeeper({ volumes: world.volumes, files, objects: () => undefined, settings: nodeSettings }),
      knows: (known: PodUid) => known === uid,
    });
    world.bus.as('test').publish('sources.ready', { sources: ['file'] });
    world.bus.as('test').publish('runtime.relisted', { startedAtMs: 0, sandboxes: [], containers: [] });
    await reaper.settled();
    const left = await world.files.list(`${nodeSettings.rootDirectory}/pods`);
    expect(left.ok && left.value.map(({ name }) => name)).toEqual([uid]);
    expect(await world.files.list(nodeSettings.podLogsDirectory)).toEqual({ ok: true, value: [] });
    await reaper.stop();
  });
});
