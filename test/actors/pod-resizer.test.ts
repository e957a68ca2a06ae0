// Resources of running pods: what is granted, what has to wait, what is kept over a restart.
import { describe, expect, it } from 'vitest';
import { PodResizer } from '../../src/actors/pod-resizer.ts';
import type { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import type { Container, ContainerId, DesiredPod, PodUid } from '../../src/ports/pod-types.ts';
import { admittingNode } from '../support/node-settings.ts';
import { podWorld } from '../support/pod-world.ts';
import { aContainer, aPod, uid } from '../support/pods.ts';
import { silentLog } from '../support/silent-log.ts';

type Resources = NonNullable<Container['resources']>;
const request = (cpu: string, memory = '64Mi') => ({ requests: { cpu, memory } }) satisfies Resources;
const pod = (resources: Resources, part: Partial<DesiredPod> & { metadata?: object } = {}): DesiredPod =>
  aPod({ containers: [aContainer('app', { image: 'sim/run', resources })] }, part);

function world() {
  const all = podWorld({ cgroups: true, node: { allocatable: { cpu: 2_000, memory: 2 ** 30 } } });
  const statusOf = (of: PodUid = uid) => all.seen.flatMap((each) => (each.topic === 'pod.status' && each.payload.pod.uid === of ? [each.payload.status] : [])).at(-1);
  const condition = (type: string, of: PodUid = uid) => statusOf(of)?.conditions?.find((each) => each.type === type);
  const until = (what: () => boolean) => all.clock.runUntil(what, { limitMs: 300_000 });
  const running = (of: PodUid = uid) => until(() => statusOf(of)?.containerStatuses?.[0]?.state?.running !== undefined);
  return { ...all, statusOf, condition, until, running };
}

describe('PodResizer', () => {
  it('given a pod that asks for more than the node has, when it is updated, then it keeps what it has and its status says why', async () => {
    const { operate, running, until, condition, statusOf, stop } = world();
    operate('ADD', pod(request('100m')));
    await running();
    operate('UPDATE', pod(request('64')));
    await until(() => condition('PodResizePending') !== undefined);
    expect(condition('PodResizePending')).toMatchObject({ status: 'True', reason: 'Infeasible', message: 'Node didn\'t have enough capacity: cpu, requested: 64000, capacity: 2000' });
    expect(statusOf()?.containerStatuses?.[0]).toMatchObject({ resources: request('100m'), allocatedResources: { cpu: '100m', memory: '64Mi' } });
    await stop();
  });

  it('given a pod that is granted more, when it is updated, then its cgroup and its container have it without a restart, and the pod says how it goes', async () => {
    const { operate, running, until, condition, statusOf, seen, sim, cgroups, stop } = world();
    operate('ADD', pod(request('100m')));
    await running();
    operate('UPDATE', pod(request('500m')));
    await until(() => statusOf()?.containerStatuses?.[0]?.resources?.requests?.['cpu'] === '500m' && condition('PodResizeInProgress') === undefined);
    expect(cgroups.groups.get(`/kubepods/burstable/pod${uid}`)?.cpuShares).toBe(512);
    expect([...sim.containers.values()].map(({ resources, state }) => [resources.cpuShares, state])).toEqual([[512, 'running']]);
    const told = seen.flatMap((each) => (each.topic === 'event.noted' && each.payload.reason.startsWith('Resize') ? [`${each.payload.reason} ${each.payload.message}`] : []));
    const text = '{"containers":[{"name":"app","resources":{"requests":{"cpu":"500m","memory":"64Mi"}}}]}';
    expect(told).toEqual([`ResizeStarted Pod resize started: ${text}`, `ResizeCompleted Pod resize completed: ${text}`]);
    expect(seen.some((each) => each.topic === 'pod.status' && each.payload.status.conditions?.some(({ type }) => type === 'PodResizeInProgress'))).toBe(true);
    await stop();
  });

  it('given a pod that waits for room, when another goes, then it gets what it asked for; what it was granted counts for others meanwhile', async () => {
    const { operate, running, until, condition, statusOf, stop } = world();
    const [neighbour, third] = ['other', 'third'].map((of) => of as PodUid) as [PodUid, PodUid]; // Any text may be an identity.
    const beside = (of: PodUid, cpu: string) => pod(request(cpu), { uid: of, name: of, metadata: { name: of } });
    operate('ADD', pod(request('500m')), beside(neighbour, '1'));
    await running();
    await running(neighbour);
    operate('UPDATE', pod(request('1500m')));
    await until(() => condition('PodResizePending') !== undefined);
    expect(condition('PodResizePending')).toMatchObject({ reason: 'Deferred', message: 'Node didn\'t have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000' });
    // Half a CPU is free, because what is not granted is not taken.
    operate('ADD', beside(third, '500m'));
    await running(third);
    operate('REMOVE', beside(third, '500m'), beside(neighbour, '1'));
    await until(() => statusOf()?.containerStatuses?.[0]?.allocatedResources?.['cpu'] === '1500m');
    expect(condition('PodResizePending')).toBeUndefined();
    await stop();
  });

  it('given a runtime that refuses, when a container is updated, then the pod says so and tries again', async () => {
    let refusals = 2;
    const all = podWorld({ cgroups: true, runtime: (sim) => ({
      updateContainerResources: async (id, resources) => ((refusals -= 1) >= 0 ? { ok: false, fault: { kind: 'rejected', message: 'no such thing', grpcCode: 2 } } : sim.updateContainerResources(id, resources)),
    }) });
    const conditions = () => all.seen.flatMap((each) => (each.topic === 'pod.status' ? each.payload.status.conditions ?? [] : [])).filter(({ type }) => type === 'PodResizeInProgress');
    const has = (cpu: string) => all.seen.some((each) => each.topic === 'pod.status' && each.payload.status.containerStatuses?.[0]?.resources?.requests?.['cpu'] === cpu && each.payload.status.containerStatuses[0].state?.running !== undefined);
    all.operate('ADD', pod(request('100m')));
    await all.clock.runUntil(() => has('100m'), { limitMs: 60_000 });
    all.operate('UPDATE', pod(request('500m')));
    await all.clock.runUntil(() => has('500m'), { limitMs: 300_000 });
    expect(conditions().some(({ reason, message }) => reason === 'Error' && message === 'no such thing')).toBe(true);
    await all.stop();
  });

  it('given what was granted, when the agent comes back and the source asks for more, then the pod has what it was granted; what nobody wants any more goes from disk', async () => {
    const { clock, files, bus, stop } = world();
    const deps = { bus: bus.as('resizer'), clock, files, log: silentLog, directory: '/cache/allocations' };
    const room = () => ({ node: { ...admittingNode, allocatable: { cpu: 2_000 } }, others: [] });
    const first = new PodResizer(deps);
    await first.loaded;
    first.admitted(pod(request('100m')));
    expect(first.asked(pod(request('500m')), room).pod.spec.containers[0]?.resources).toEqual(request('500m'));
    expect(first.asked(pod(request('9')), room)).toMatchObject({ pendingResize: { reason: 'Infeasible' } });
    first.actuated(uid, 'app', { id: 'c1' as ContainerId, granted: request('500m') }); // Any text may be an ID.
    await settled(clock);
    await first.stop();

    const second = new PodResizer(deps);
    await second.loaded;
    expect(second.admitted(pod(request('9'))).pod.spec.containers[0]?.resources).toEqual(request('500m'));
    expect([...second.actuatedOf(uid)]).toEqual([['c1', request('500m')]]);
    second.forget(uid);
    await settled(clock);
    const left = await files.list('/cache/allocations');
    expect(left.ok && left.value).toEqual([]);
    await second.stop();
    await stop();
  });
});

/** Writes are behind the caller's back. */
async function settled(clock: VirtualClock): Promise<void> {
  let over = false;
  clock.setTimeout(() => { over = true; }, 1_000);
  await clock.runUntil(() => over, { limitMs: 2_000 });
}
