// Registration and status of the node against an API that answers, refuses, is slow or silent.
import { afterEach, describe, expect, test } from 'vitest';
import { startNodeActor } from '../../src/actors/node-actor.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import type { ApiWrite } from '../../src/bus/api-write.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { Node } from '../../src/ports/pod-types.ts';
import { ok, type Stoppable } from '../../src/ports/result.ts';
import { apiProbe } from '../support/api-probe.ts';
import { anImage, hostFacts, nodeIdentity } from '../support/node-facts.ts';
import type { RuntimeHandlerFacts } from '../../src/ports/runtime-handlers.ts';
import { silentLog } from '../support/silent-log.ts';

const running: Stoppable[] = [];
afterEach(async () => { for (const actor of running.splice(0)) await actor.stop(); });

async function world({ register = true, node = '', handlers = [] as RuntimeHandlerFacts[], resolverNote = '' } = {}) {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const api = apiProbe(bus);
  const seen: { nodes: Node[]; registered: Node[] } = { nodes: [], registered: [] };
  api.bus.on('node.status', ({ payload }) => { seen.nodes.push(payload.node); });
  api.bus.on('node.registered', ({ payload }) => { seen.registered.push(payload.node); });
  const host = { facts: hostFacts(), reads: 0 };
  const images = [anImage('a', 1)];
  const actor = startNodeActor({
    bus: bus.as('node'), clock, random: new SeededRandom(1), log: silentLog,
    host: { facts: () => { host.reads += 1; return Promise.resolve(host.facts); } },
    runtime: { version: () => Promise.resolve(ok({ runtimeName: 'containerd', runtimeVersion: '1.7', runtimeApiVersion: 'v1' })), handlers: () => Promise.resolve(ok(handlers)) },
    images: { list: () => Promise.resolve(ok([...images])) },
    identity: nodeIdentity(), register, updatePeriodMs: 10_000, reportPeriodMs: 300_000,
    ...(resolverNote === '' ? {} : { resolverNote }),
  });
  running.push(actor);
  await clock.settle();
  const health = (runtimeReady: boolean) => {
    api.bus.publish('runtime.health', { runtimeReady, networkReady: runtimeReady, streaming: true, message: runtimeReady ? '' : 'container runtime is down: x' });
    return clock.settle();
  };
  const registered = async () => {
    await health(true);
    api.link('up');
    api.accept({ metadata: { name: 'edge-07', uid: node || 'u1' } });
    await clock.settle();
  };
  return { clock, api, seen, host, images, health, registered, actor };
}

function patchOf(write: ApiWrite | undefined): { metadata?: unknown; status: Record<string, unknown> } {
  if (write?.verb !== 'patchStatus') throw new Error(`not a patch: ${write?.verb}`);
  return write.patch as { metadata?: unknown; status: Record<string, unknown> };
}

describe('node actor', () => {
  test('given a registered node, when somebody cordons it and lets it go, then both are told once', async () => {
    const { api, registered } = await world();
    await registered();
    for (const unschedulable of [true, true, undefined]) {
      api.bus.publish('node.received', { node: { metadata: { name: 'edge-07', uid: 'u1' }, spec: unschedulable === undefined ? {} : { unschedulable } } });
    }
    expect(api.events.map(({ reason }) => reason).filter((reason) => /Schedulable$/.test(reason))).toEqual(['NodeNotSchedulable', 'NodeSchedulable']);
  });

  test('given a node controller that has given the node up while the link held, when its word comes, then all is said again', async () => {
    const { clock, api, registered } = await world();
    await registered();
    await clock.advance(400_000);
    api.accept();
    const before = api.writes.length;
    const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }];
    api.bus.publish('node.received', { node: { metadata: { name: 'edge-07', uid: 'u1' }, status: { conditions } } });
    await clock.settle();
    expect(patchOf(api.writes.at(-1)).status['conditions']).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'True' })]));
    expect(api.writes.length).toBe(before + 1);
  });

  test('given no link, when it starts, then it shows the node but writes nothing', async () => {
    const { clock, api, seen } = await world();
    await clock.advance(60_000);
    expect(api.writes).toEqual([]);
    expect(seen.nodes).toHaveLength(1);
    expect(api.events).toEqual([{ subject: { kind: 'Node' }, type: 'Normal', reason: 'Starting', message: 'Starting kubelet.' }]);
  });

  test('given a resolver of the host that is too long for pods, when it starts, then that is told once', async () => {
    const { clock, api } = await world({ resolverNote: 'too long' });
    await clock.advance(600_000);
    expect(api.events.filter(({ reason }) => reason !== 'Starting')).toEqual([{ subject: { kind: 'Node' }, type: 'Warning', reason: 'CheckLimitsForResolvConf', message: 'too long' }]);
  });

  test('given a ready runtime, when the link comes up, then the whole node is created and announced as accepted', async () => {
    const { api, seen, registered } = await world();
    await registered();
    expect(api.writes).toHaveLength(1);
    expect(api.writes[0]).toMatchObject({
      verb: 'create', kind: 'Node', writer: 'node', lane: 'node', name: 'edge-07',
      object: { metadata: { labels: { type: 'lite-kubelet' } }, status: { images: [{ sizeBytes: 1 }], nodeInfo: { containerRuntimeVersion: 'containerd://1.7' } } },
    });
    expect(seen.registered).toEqual([{ metadata: { name: 'edge-07', uid: 'u1' } }]);
    expect(api.events.map(({ reason }) => reason)).toEqual(['Starting', 'NodeReady']);
  });

  test.each([
    ['lost a condition', [{ type: 'Ready', status: 'Unknown' }], 2],
    ['the same conditions', undefined, 1],
  ])('given a registered node, when the cloud lists %s, then all is said again where something was lost', async (_what, conditions, writes) => {
    const { clock, api, registered } = await world();
    await registered();
    const accepted = (api.writes[0] as { object: Node }).object.status;
    const node = { metadata: { name: 'edge-07', uid: 'u1' }, status: { ...accepted, conditions: conditions ?? accepted?.conditions } } as Node;
    api.bus.publish('node.received', { node: { ...node, status: {} } });
    expect(api.writes).toHaveLength(1);
    api.bus.publish('cloud.listed', { complete: true });
    api.bus.publish('node.received', { node });
    await clock.settle();
    expect(api.writes).toHaveLength(writes);
    if (writes === 2) expect(patchOf(api.writes[1]).status).toMatchObject({ capacity: {}, nodeInfo: {}, conditions: expect.any(Array) });
  });

  test('given a registered node, when a controller took it for dead, then all is said again at once', async () => {
    const { clock, api, registered } = await world();
    await registered();
    const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }];
    api.bus.publish('node.received', { node: { metadata: { name: 'edge-07', uid: 'u1' }, status: { conditions } } });
    await clock.settle();
    expect(patchOf(api.writes[1]).status).toMatchObject({ capacity: {}, conditions: expect.any(Array) });
  });

  test('given refusals, when registering, then the pause doubles up to 7 s and each try builds the node afresh', async () => {
    const { clock, api } = await world();
    api.link('up');
    const times: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      times.push(clock.monotonicMs());
      api.settle({ kind: 'unanswered', message: 'no answer' });
      await clock.runUntil(() => api.writes.length > attempt + 1, { limitMs: 10_000 });
    }
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 7_000]);
    expect(new Set(api.writes.map(({ id }) => id)).size).toBe(api.writes.length);
  });

  test('given a node that exists, when creation is refused so, then the first patch brings labels and the whole status', async () => {
    const { api, seen, health } = await world();
    await health(true);
    api.link('up');
    api.bus.publish('node.received', { node: { metadata: { name: 'edge-07', uid: 'old' }, status: { nodeInfo: { ...nodeInfo, bootID: 'boot-0' } } } });
    api.refuse('AlreadyExists');
    const patch = patchOf(api.writes.at(-1));
    expect(patch.metadata).toMatchObject({ labels: { type: 'lite-kubelet' } });
    expect(patch.status).toHaveProperty('capacity');
    expect(api.events.at(-1)).toMatchObject({ type: 'Warning', reason: 'Rebooted', message: 'Node edge-07 has been rebooted, boot id: boot-1' });
    api.accept();
    expect(seen.registered.map((node) => node.metadata?.uid)).toEqual(['old']);
    expect(api.writes).toHaveLength(2);
  });

  test('given an accepted status, when nothing changes, then it is sent again only with the report', async () => {
    const { clock, api, host, registered } = await world();
    await registered();
    await clock.advance(299_000);
    expect(api.writes).toHaveLength(1);
    expect(host.reads).toBe(1);
    await clock.advance(21_000);
    expect(api.writes).toHaveLength(2);
    expect(Object.keys(patchOf(api.writes[1]).status)).toEqual(['conditions']);
    expect(host.reads).toBe(2);
  });

  test('given a runtime with handlers, when the node is made, then they stand in its status', async () => {
    const { api, registered } = await world({ handlers: [{ name: '', recursiveReadOnlyMounts: true, userNamespaces: false }] });
    await registered();
    const write = api.writes.find(({ verb }) => verb === 'create');
    expect(write?.kind === 'Node' && write.verb === 'create' && write.object.status).toMatchObject({ runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts: true, userNamespaces: false } }] });
  });

  test('given images that come and go, when the status is computed next, then its list follows, and is not read again without need', async () => {
    const { clock, api, images, registered } = await world();
    await registered();
    const before = api.writes.length;
    images.push(anImage('b', 2));
    await clock.advance(11_000);
    expect(api.writes).toHaveLength(before);
    api.bus.publish('image.resolved', { requestId: '1', image: 'b', outcome: { kind: 'present', imageRef: 'sha256:new' } });
    await clock.advance(11_000);
    expect(patchOf(api.writes.at(-1)).status).toMatchObject({ images: [{ sizeBytes: 2 }, { sizeBytes: 1 }] });
    api.accept();
    await clock.settle();
    images.shift();
    api.bus.publish('garbage.removed', { kind: 'image', id: 'a', name: 'a', why: 'space', freedBytes: 1 });
    await clock.advance(11_000);
    expect(patchOf(api.writes.at(-1)).status).toMatchObject({ images: [{ sizeBytes: 2 }] });
  });

  test('given a change, when the patch goes unanswered, then the next one says it again', async () => {
    const { clock, api, health, registered } = await world();
    await registered();
    await health(false);
    expect(patchOf(api.writes[1]).status['conditions']).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'False' }));
    api.settle({ kind: 'unanswered', message: 'lost' });
    await clock.advance(11_000);
    expect(patchOf(api.writes[2]).status['conditions']).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'False', reason: 'KubeletNotReady' }));
  });

  test('given a patch under way, when the status changes again, then the newest follows its answer at once', async () => {
    const { api, health, registered } = await world();
    await registered();
    await health(false);
    await health(true);
    expect(api.writes).toHaveLength(2);
    api.accept();
    expect(patchOf(api.writes[2]).status['conditions']).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
  });

  test('given a node deleted in the API, when a patch finds none, then it is created again', async () => {
    const { clock, api, seen, health, registered } = await world();
    await registered();
    await health(false);
    api.refuse('NotFound');
    await clock.advance(200);
    expect(api.writes.at(-1)).toMatchObject({ verb: 'create' });
    api.accept({ metadata: { name: 'edge-07', uid: 'u2' } });
    expect(seen.registered.map((node) => node.metadata?.uid)).toEqual(['u1', 'u2']);
  });

  test('given a link that is down, when the status changes, then it is sent when the link is back', async () => {
    const { clock, api, health, registered } = await world();
    await registered();
    api.link('down');
    await health(false);
    await clock.advance(60_000);
    expect(api.writes).toHaveLength(1);
    api.link('up');
    expect(api.writes).toHaveLength(2);
  });

  test('given listings that fail for 3 minutes, when computed, then the node is not ready until one succeeds', async () => {
    const { clock, api, seen, registered } = await world();
    await registered();
    api.bus.publish('runtime.relist-failed', { fault: { kind: 'timeout', message: 'slow', afterMs: 1 } });
    await clock.advance(170_000);
    expect(seen.nodes.at(-1)?.status?.conditions?.at(-1)?.status).toBe('True');
    await clock.advance(25_000);
    expect(seen.nodes.at(-1)?.status?.conditions?.at(-1)).toMatchObject({ status: 'False', message: expect.stringContaining('PLEG is not healthy') });
    api.bus.publish('runtime.relisted', { startedAtMs: 0, sandboxes: [], containers: [] });
    await clock.advance(11_000);
    expect(seen.nodes.at(-1)?.status?.conditions?.at(-1)?.status).toBe('True');
  });

  test('given disk pressure, when it is told, then the condition and its event follow', async () => {
    const { clock, api, registered } = await world();
    await registered();
    api.bus.publish('node.pressure', { pressures: ['disk'] });
    await clock.settle();
    expect(api.events.at(-1)).toMatchObject({ reason: 'NodeHasDiskPressure', message: 'Node edge-07 status is now: NodeHasDiskPressure' });
    expect(patchOf(api.writes[1]).status['conditions']).toContainEqual(expect.objectContaining({ type: 'DiskPressure', status: 'True' }));
  });

  test('given a node that registers with nobody, when the link comes up, then nothing is written', async () => {
    const { clock, api, registered } = await world({ register: false });
    await expect(registered()).rejects.toThrow('nothing was written');
    await clock.advance(400_000);
    expect(api.writes).toEqual([]);
  });

  test('given it runs, when it is stopped, then no timer is left', async () => {
    const { clock, actor, registered } = await world();
    await registered();
    await actor.stop();
    expect(clock.pendingTimers()).toEqual([]);
  });
});

const nodeInfo = {
  machineID: '', systemUUID: '', bootID: '', kernelVersion: '', osImage: '', containerRuntimeVersion: '', kubeletVersion: '', kubeProxyVersion: '', operatingSystem: '', architecture: '',
};
