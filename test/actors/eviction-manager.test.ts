// Eviction on virtual time: pods of the simulated runtime on a node that runs short of what the test takes from it.
import { describe, expect, it } from 'vitest';
import { type EvictionSettings, startEvictionManager } from '../../src/actors/eviction-manager.ts';
import type { Messages } from '../../src/bus/messages.ts';
import type { EvictionThreshold } from '../../src/ports/eviction.ts';
import type { HostPressure } from '../../src/ports/host-port.ts';
import type { DesiredPod, PodStatus, PodUid } from '../../src/ports/pod-types.ts';
import { fail } from '../../src/ports/result.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { aContainer } from '../support/pods.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { silentLog } from '../support/silent-log.ts';

const gibi = 2 ** 30;
const memory: EvictionThreshold = { signal: 'memory.available', value: { kind: 'amount', amount: 2 ** 20, text: '1Mi' }, graceMs: 0 };
const disk: EvictionThreshold = { signal: 'nodefs.available', value: { kind: 'percent', percent: 10 }, graceMs: 0 };
const room = (availableBytes: number, device = 1) => ({ device, capacityBytes: 100 * gibi, availableBytes, inodes: 0, inodesFree: 0 });

function shortNode(settings: Partial<EvictionSettings> = {}) {
  const world = podWorld();
  const { clock, bus, seen, sim, files } = world;
  const host: { now: HostPressure } = { now: { memoryBytes: 4 * gibi, memoryAvailableBytes: gibi, rootFilesystem: room(50 * gibi), imageFilesystem: room(50 * gibi) } };
  let requests = 0;
  const manager = startEvictionManager({
    bus: bus.as('eviction'), clock, log: silentLog, pressure: { measure: () => Promise.resolve(host.now) }, runtime: sim, images: sim.images, files, node: nodeSettings,
    settings: { thresholds: [memory, disk], evicts: true, limitsLocalStorage: true, softGraceMsMax: 0, pressureHoldMs: 300_000, ...settings },
    newRequestId: () => `r${requests += 1}`,
  });
  const statusOf = (pod: DesiredPod) => seen.findLast((each) => each.topic === 'pod.status' && each.payload.pod.uid === pod.uid)?.payload as { readonly status: PodStatus } | undefined; // Of that topic.
  const payloads = <T extends keyof Messages>(topic: T) => seen.flatMap((each) => (each.topic === topic ? [each.payload as Messages[T]] : [])); // Of that topic.
  return {
    ...world, host, statusOf, payloads, manager,
    /** Pods of one container that runs for ever. */
    run: async (...pods: DesiredPod[]) => {
      world.operate('ADD', ...pods);
      await clock.runUntil(() => pods.every((pod) => world.state(pod.uid)?.to === 'running.settled'), { limitMs: 9_000 });
    },
    evicted: () => payloads('pod.evicted').map(({ pod, signal }) => `${pod.name} ${signal}`),
    events: () => payloads('event.noted').filter(({ reason }) => reason === 'Evicted' || reason === 'EvictionThresholdMet').map(({ subject, reason, message, annotations = {} }) => ({ of: subject.kind === 'Pod' ? subject.pod.name : 'node', reason, message, annotations })),
    end: async () => {
      await manager.stop();
      await world.stop();
      expect(clock.pendingTimers()).toEqual([]);
    },
  };
}

const pod = (name: string, spec: Parameters<typeof simPod>[1] = {}, part: Parameters<typeof simPod>[2] = {}) =>
  simPod('sim/run', spec, { name, uid: `uid-${name}` as PodUid, metadata: { name }, ...part });

describe('eviction', () => {
  it('given little memory, when looked at, then the pod that uses most above its request goes, and others when that was not enough', async () => {
    const node = shortNode();
    const [modest, hungry, fixed] = [pod('modest'), pod('hungry'), pod('fixed', {}, { source: 'file' })];
    node.sim.usage.set('modest/app', { workingSetBytes: 1_024 }).set('hungry/app', { workingSetBytes: 2_048 }).set('fixed/app', { workingSetBytes: 9_999 });
    await node.run(modest, hungry, fixed);
    node.host.now = { ...node.host.now, memoryAvailableBytes: 512 };
    await node.clock.advance(10_000);
    expect(node.evicted()).toEqual(['hungry memory.available']);
    const message = 'The node was low on resource: memory. Threshold quantity: 1Mi, available: 512. Container app was using 2Ki, request is 0, has larger consumption of memory. ';
    expect(node.events()).toEqual([
      { of: 'node', reason: 'EvictionThresholdMet', message: 'Attempting to reclaim memory', annotations: {} },
      { of: 'hungry', reason: 'Evicted', message, annotations: { offending_containers: 'app', offending_containers_usage: '2Ki', starved_resource: 'memory' } },
    ]);
    node.sim.usage.set('modest/app', { workingSetBytes: 1_024 });
    await node.clock.advance(5_000);
    expect(node.statusOf(hungry)?.status).toMatchObject({ phase: 'Failed', reason: 'Evicted', message });
    expect(node.statusOf(hungry)?.status.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message }));
    // Still short: the next one goes as soon as the first is gone, and the node's own pods never do.
    expect(node.evicted()).toEqual(['hungry memory.available', 'modest memory.available']);
    await node.clock.advance(60_000);
    expect(node.evicted()).toHaveLength(2);
    expect([...node.sim.containers.values()].map(({ config, podUid }) => `${podUid} ${config.metadata.name}`)).toEqual(['uid-fixed app']);
    await node.end();
  });

  it('given pressure, when it comes and goes, then it is told once each way, the latter after its period', async () => {
    const node = shortNode({ evicts: false });
    node.host.now = { ...node.host.now, memoryAvailableBytes: 512, rootFilesystem: room(gibi) };
    await node.clock.advance(30_000);
    node.host.now = { ...node.host.now, memoryAvailableBytes: gibi };
    await node.clock.advance(400_000);
    expect(node.payloads('node.pressure')).toEqual([{ pressures: ['memory', 'disk'] }, { pressures: ['disk'] }]);
    expect(node.payloads('event.noted').filter(({ reason }) => reason.startsWith('Eviction'))).toEqual([]);
    await node.end();
  });

  it('given a full disk, when collecting garbage is enough, then no pod goes', async () => {
    const node = shortNode();
    await node.run(pod('web'));
    node.bus.as('gc').on('gc.requested', ({ payload: { requestId, what } }) => {
      if (what === 'images') node.host.now = { ...node.host.now, rootFilesystem: room(50 * gibi) };
      node.bus.as('gc').publish('gc.done', { requestId, what, removed: 1, freedBytes: 1, trouble: '' }, { key: requestId });
    });
    node.host.now = { ...node.host.now, rootFilesystem: room(gibi) };
    await node.clock.advance(40_000);
    expect(node.payloads('gc.requested').map(({ what }) => what)).toEqual(['containers', 'images']);
    expect(node.evicted()).toEqual([]);
    await node.end();
  });

  it('given a full disk that garbage does not help, when looked at, then the pod with most on it goes, and its volume with it', async () => {
    const node = shortNode();
    const volumes = [{ name: 'data', emptyDir: {} }];
    const [small, large] = [pod('small', { volumes }), pod('large', { volumes })];
    await node.run(small, large);
    const place = (one: DesiredPod) => `/var/lib/mqlet/pods/${one.uid}/volumes/kubernetes.io~empty-dir/data/file`;
    node.files.put(place(small), 'x');
    node.files.put(place(large), 'x'.repeat(50_000));
    node.bus.as('gc').on('gc.requested', ({ payload: { requestId, what } }) => {
      node.bus.as('gc').publish('gc.done', { requestId, what, removed: 0, freedBytes: 0, trouble: 'nothing to do' }, { key: requestId });
    });
    node.host.now = { ...node.host.now, rootFilesystem: room(gibi) };
    await node.clock.runUntil(() => node.evicted().length === 1, { limitMs: 20_000 });
    expect(node.evicted()).toEqual(['large nodefs.available']);
    node.host.now = { ...node.host.now, rootFilesystem: room(50 * gibi) };
    await node.clock.advance(30_000);
    expect([node.files.peek(place(large)), node.files.peek(place(small))]).toEqual([undefined, expect.anything()]);
    expect(node.evicted()).toHaveLength(1);
    await node.end();
  });

  it('given a soft threshold, when its grace is over, then the pod has its own grace up to the limit', async () => {
    const soft: EvictionThreshold = { ...memory, graceMs: 60_000 };
    const node = shortNode({ thresholds: [soft], softGraceMsMax: 12_000 });
    const [patient, brisk] = [pod('patient', { terminationGracePeriodSeconds: 40 }), pod('brisk', { terminationGracePeriodSeconds: 5, priority: 1 })];
    await node.run(patient, brisk);
    node.host.now = { ...node.host.now, memoryAvailableBytes: 512 };
    await node.clock.advance(68_000);
    expect(node.payloads('pod.kill')).toEqual([]);
    await node.clock.advance(40_000);
    expect(node.payloads('pod.kill').map(({ pod: { name }, graceMs, disruption }) => ({ name, graceMs, disruption }))).toEqual([
      { name: 'patient', graceMs: 12_000, disruption: true }, { name: 'brisk', graceMs: 5_000, disruption: true },
    ]);
    await node.end();
  });

  it('given a runtime that tells no usage, when the node is short, then nobody goes until it does', async () => {
    const node = shortNode();
    const { sim } = node;
    await node.run(pod('web'));
    const tell = sim.listContainerStats.bind(sim);
    sim.listContainerStats = () => Promise.resolve(fail({ kind: 'unavailable', message: 'x' }));
    node.host.now = { ...node.host.now, memoryAvailableBytes: 512 };
    await node.clock.advance(30_000);
    expect(node.evicted()).toEqual([]);
    sim.listContainerStats = tell;
    await node.clock.advance(11_000);
    expect(node.evicted()).toEqual(['web memory.available']);
    await node.end();
  });

  it('given limits of pods, when they are exceeded, then those pods go, and it is no disruption', async () => {
    const node = shortNode();
    const withVolume = pod('volume', { volumes: [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }] });
    const limits = { containers: [aContainer('app', { image: 'sim/run', resources: { limits: { 'ephemeral-storage': '2Mi' } } })] };
    const [withLimit, within] = [pod('layer', limits), pod('within', limits)];
    await node.run(withVolume, withLimit, within);
    await node.clock.advance(20_000);
    expect(node.evicted()).toEqual([]);
    node.files.put(`/var/lib/mqlet/pods/${withVolume.uid}/volumes/kubernetes.io~empty-dir/cache/file`, 'x'.repeat(1_100_000));
    node.sim.usage.set('layer/app', { layerBytes: 3_000_000 });
    await node.clock.advance(25_000);
    expect(node.evicted()).toEqual(['volume emptydirfs.limit', 'layer ephemeralpodfs.limit']);
    const status = node.statusOf(withVolume)?.status;
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ' });
    expect(status?.conditions?.some(({ type }) => type === 'DisruptionTarget')).toBe(false);
    await node.end();
  });

  it('given no pod with limits and no shortage, when time passes, then neither runtime nor disk is asked', async () => {
    const node = shortNode();
    await node.run(pod('web', { volumes: [{ name: 'data', emptyDir: {} }] }));
    const before = node.sim.calls.filter(({ method }) => method === 'listContainerStats' || method === 'images.fsInfo').length;
    await node.clock.advance(600_000);
    expect(node.sim.calls.filter(({ method }) => method === 'listContainerStats' || method === 'images.fsInfo').length).toBe(before);
    await node.end();
  });
});
