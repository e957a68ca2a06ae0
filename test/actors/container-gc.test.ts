// The container GC actor beside the pod actors, on virtual time and the simulated runtime: who removes what, and what stays shown.
import { describe, expect, it } from 'vitest';
import { containerGcPeriodMs, startContainerGc } from '../../src/actors/container-gc.ts';
import { withLogRemoval } from '../../src/actors/removes-logs.ts';
import type { ContainerGcPolicy } from '../../src/machines/decide/container-gc.ts';
import type { PodStatus, PodUid } from '../../src/ports/pod-types.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { containerConfigOf, sandboxConfigOf } from '../support/runtime-configs.ts';
import { silentLog } from '../support/silent-log.ts';

const logs = nodeSettings.podLogsDirectory;
const links = logs.replace(/[^/]+$/, 'containers');

function gcWorld(part: Partial<ContainerGcPolicy> = {}) {
  const world = podWorld();
  const { clock, bus, sim, files, seen, supervisor } = world;
  const gc = startContainerGc({
    bus: bus.as('container-gc'), clock, log: silentLog, files, podLogsDirectory: logs, knows: (uid) => supervisor.knows(uid),
    runtime: withLogRemoval(sim, { files, settings: nodeSettings }), policy: { minAgeMs: 0, perContainerMax: 1, containersMax: -1, ...part },
  });
  return {
    ...world,
    removed: () => seen.flatMap((each) => (each.topic === 'garbage.removed' ? [`${each.payload.kind} ${each.payload.name} ${each.payload.why}`] : [])),
    answers: () => seen.flatMap((each) => (each.topic === 'gc.done' ? [each.payload] : [])),
    status: (uid: PodUid) => seen.findLast((each) => each.topic === 'pod.status' && each.payload.pod.uid === uid)?.payload as { readonly status: PodStatus } | undefined, // Of that topic.
    ready: () => bus.as('test').publish('sources.ready', { sources: ['mqtt'] }),
    ask: (requestId: string) => bus.as('test').publish('gc.requested', { requestId, what: 'containers', reason: 'test' }),
    end: async () => {
      await gc.stop();
      await world.stop();
    },
  };
}

const uids = (count: number): PodUid[] => Array.from({ length: count }, (_, index) => `00000000-0000-4000-8000-00000000000${index}` as PodUid); // Invented identities.
const ending = (uid: PodUid) => simPod('sim/exit:0', { restartPolicy: 'Never' }, { uid, name: `job-${uid.at(-1)}` });

describe('the container GC', () => {
  it('given ended pods beyond the limit of the node, when a pass runs, then the oldest containers go and their pods stay as they ended', async () => {
    const world = gcWorld({ containersMax: 2 });
    world.ready();
    for (const uid of uids(5)) {
      world.operate('ADD', ending(uid));
      await world.clock.advance(2_000);
    }
    await world.clock.advance(2 * containerGcPeriodMs);
    expect(world.removed().filter((line) => line.startsWith('container'))).toEqual(['container app limit', 'container app limit', 'container app limit']);
    expect([...world.sim.containers.values()].map(({ podUid }) => podUid)).toEqual(uids(5).slice(3));
    await world.clock.advance(120_000);
    for (const uid of uids(5)) expect(world.status(uid)?.status).toMatchObject({ phase: 'Succeeded', containerStatuses: [{ state: { terminated: { exitCode: 0 } } }] });
    expect(world.sim.calls.filter(({ method }) => method === 'createContainer')).toHaveLength(5);
    await world.end();
  });

  it('given ended pods, when somebody asks for room, then all their containers and sandboxes go, and each request is answered', async () => {
    const world = gcWorld();
    world.ready();
    for (const uid of uids(2)) world.operate('ADD', ending(uid));
    world.operate('ADD', simPod('sim/run'));
    await world.clock.advance(10_000);
    world.ask('1');
    world.ask('2');
    await world.clock.advance(5_000);
    expect(world.answers()).toEqual([
      { requestId: '1', what: 'containers', removed: 4, freedBytes: 0, trouble: '' }, { requestId: '2', what: 'containers', removed: 0, freedBytes: 0, trouble: '' },
    ]);
    expect(world.sim.containers.size).toBe(1);
    expect(world.sim.sandboxes.size).toBe(1);
    expect(world.status(uids(2)[0] as PodUid)?.status.phase).toBe('Succeeded'); // One of two.
    await world.end();
  });

  it('given a container that crashes, when its surplus instances go, then the pod\'s own actor removes them with their logs, and the GC has nothing to do', async () => {
    const world = gcWorld();
    world.ready();
    const pod = simPod('sim/exit:1');
    world.operate('ADD', pod);
    const directory = `${logs}/${pod.namespace}_${pod.name}_${pod.uid}/app`;
    for (const name of ['0.log', '0.log.20260101-000000.gz']) world.files.put(`${directory}/${name}`, 'x');
    await world.clock.advance(120_000);
    expect([...world.sim.containers.values()].filter(({ state }) => state === 'exited')).toHaveLength(1);
    expect(world.removed()).toEqual([]);
    await world.end();
  });

  it('given things without pod labels, when sources are ready, then the dead ones go and the living stay', async () => {
    const world = gcWorld();
    const { sim, clock } = world;
    const pod = { uid: 'foreign', name: 'by-hand' };
    const config = { ...sandboxConfigOf(pod), labels: {} };
    const made: string[] = [];
    const make = async () => {
      const dead = await sim.runSandbox(config, '');
      const alive = await sim.runSandbox({ ...config, metadata: { ...config.metadata, attempt: 1 } }, '');
      if (!dead.ok || !alive.ok) return;
      for (const [sandboxId, image, attempt] of [[dead.value, 'sim/exit:0', 0], [alive.value, 'sim/run', 1]] as const) {
        const id = await sim.createContainer(sandboxId, { ...containerConfigOf(pod, { image, command: [] }, { attempt }), labels: {} }, config);
        if (id.ok) await sim.startContainer(id.value);
        if (id.ok) made.push(id.value);
      }
      await sim.stopSandbox(dead.value);
    };
    void make();
    await clock.advance(6 * containerGcPeriodMs);
    expect(made).toHaveLength(2);
    expect(sim.containers.size).toBe(2);
    world.ready();
    await clock.advance(6 * containerGcPeriodMs);
    expect(world.removed()).toEqual(['container app orphan', 'sandbox by-hand orphan']);
    expect([...sim.containers.keys()]).toEqual([made[1]]);
    await world.end();
  });

  it('given log directories and links without an owner, when sources are ready, then they go and others stay', async () => {
    const world = gcWorld();
    world.operate('ADD', simPod('sim/run'));
    await world.clock.advance(5_000);
    const alive = [...world.sim.containers.keys()][0] ?? '';
    world.files.put(`${logs}/default_gone_11111111-1111-4111-8111-111111111111/app/0.log`, 'x');
    world.files.put(`${logs}/no-pod/x`, 'x');
    world.files.putDirectory(links);
    void world.files.logs.link(`${logs}/nowhere/0.log`, `${links}/gone_default_app-${'0'.repeat(64)}.log`);
    void world.files.logs.link(`${logs}/nowhere/1.log`, `${links}/web_default_app-${alive}.log`);
    await world.clock.advance(1_000);
    world.ready();
    await world.clock.advance(containerGcPeriodMs);
    expect(world.removed()).toEqual(['logs default_gone_11111111-1111-4111-8111-111111111111 orphan']);
    const names = async (directory: string) => {
      const listed = world.files.list(directory);
      await world.clock.advance(1);
      const answer = await listed;
      return answer.ok ? answer.value.map(({ name }) => name) : [];
    };
    expect(await names(links)).toEqual([`web_default_app-${alive}.log`]);
    expect(await names(logs)).toContain('no-pod');
    await world.end();
  });
});
