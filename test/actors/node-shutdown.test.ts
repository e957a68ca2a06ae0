// The end of the machine on virtual time: pods of the simulated runtime, and a service manager that goes down when it is told to.
import { describe, expect, it } from 'vitest';
import { startNodeShutdown } from '../../src/actors/node-shutdown.ts';
import { SimShutdown } from '../../src/adapters/sim/sim-shutdown.ts';
import type { Messages } from '../../src/bus/messages.ts';
import type { PodStatus, PodUid } from '../../src/ports/pod-types.ts';

import { podWorld, simPod } from '../support/pod-world.ts';
import { silentLog } from '../support/silent-log.ts';

const groups = [{ priority: 0, periodMs: 20_000 }, { priority: 2_000_000_000, periodMs: 10_000 }];
const message = 'Pod was terminated in response to imminent node shutdown.';
const pod = (name: string, spec: object = {}) => simPod('sim/run', spec, { name, uid: `uid-${name}` as PodUid, metadata: { name } }); // The same.

async function goingDown(prepare: (machine: SimShutdown) => void = () => undefined) {
  const world = podWorld();
  const { clock, bus, seen } = world;
  const machine = new SimShutdown();
  prepare(machine);
  const shutdown = startNodeShutdown({ bus: bus.as('shutdown'), clock, log: silentLog, shutdown: machine, groups });
  const payloads = <T extends keyof Messages>(topic: T) => seen.flatMap((each) => (each.topic === topic ? [{ at: each.at, ...(each.payload as Messages[T]) }] : [])); // Of that topic.
  await clock.settle();
  return {
    ...world, machine, shutdown, payloads,
    run: async (...pods: ReturnType<typeof pod>[]) => {
      world.operate('ADD', ...pods);
      await clock.runUntil(() => pods.every(({ uid }) => world.state(uid)?.to === 'running.settled'), { limitMs: 9_000 });
    },
    status: (name: string) => payloads('pod.status').findLast(({ pod: { name: of } }) => of === name)?.status as PodStatus | undefined, // Of that pod.
    killed: () => payloads('pod.kill').map(({ pod: { name }, graceMs }) => `${name} ${graceMs}`),
    notes: () => payloads('event.noted').filter(({ reason }) => reason === 'Shutdown').map((note) => note.message),
    end: async () => {
      await shutdown.stop();
      await world.stop();
      expect(clock.pendingTimers()).toEqual([]);
    },
  };
}

describe('the end of the machine', () => {
  it('given a machine that goes down, when it says so, then ordinary pods end, then critical ones, and it waits until then', async () => {
    const node = await goingDown();
    await node.run(pod('web'), pod('vital', { priority: 2_000_000_000 }));
    expect([node.machine.delays, node.machine.delayMs]).toEqual([1, 31_000]);
    const startMs = node.clock.nowMs();
    node.machine.prepare(true);
    await node.clock.runUntil(() => node.machine.delays === 0, { limitMs: 31_000 });
    expect(node.killed()).toEqual(['web 20000', 'vital 10000']);
    for (const name of ['web', 'vital']) {
      expect(node.status(name)).toMatchObject({ phase: 'Failed', reason: 'Terminated', message });
      expect(node.status(name)?.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message }));
    }
    // No period is waited out when the pods have ended before.
    expect(node.clock.nowMs() - startMs).toBeLessThan(5_000);
    expect(node.payloads('node.shutdown').map(({ goesDown }) => goesDown)).toEqual([true]);
    expect(node.notes()).toEqual(['Shutdown manager detected shutdown event']);
    await node.end();
  });

  it('given a pod that does not end, when its period is over, then the next ones have theirs and the machine goes', async () => {
    const node = await goingDown();
    const stop = node.sim.stopContainer.bind(node.sim);
    await node.run(pod('stuck'), pod('vital', { priority: 2_000_000_000 }));
    node.sim.stopContainer = (id, options) => (node.sim.containers.get(id)?.podUid === 'uid-stuck' ? new Promise(() => undefined) : stop(id, options));
    node.machine.prepare(true);
    const startMs = node.clock.nowMs();
    await node.clock.runUntil(() => node.machine.delays === 0, { limitMs: 40_000 });
    const [first, second] = node.payloads('pod.kill');
    expect([(second?.at ?? 0) - (first?.at ?? 0), node.status('vital')?.phase, node.status('stuck')?.phase]).toEqual([20_000, 'Failed', 'Running']);
    expect(node.clock.nowMs() - startMs).toBeLessThan(31_000);
    await node.end();
  });

  it('given a shutdown that is called off, when it is, then pods are taken again and the machine would wait again', async () => {
    const node = await goingDown();
    node.machine.prepare(true);
    await node.clock.advance(5_000);
    node.machine.prepare(false);
    await node.clock.settle();
    expect(node.payloads('node.shutdown').map(({ goesDown }) => goesDown)).toEqual([true, false]);
    expect(node.notes()).toEqual(['Shutdown manager detected shutdown event', 'Shutdown manager detected shutdown cancellation']);
    expect(node.machine.delays).toBe(1);
    await node.end();
  });

  it('given an ordinary stop of the agent, when pods could end, then none does', async () => {
    const node = await goingDown();
    await node.run(pod('web'));
    await node.shutdown.endPods();
    expect(node.killed()).toEqual([]);
    await node.shutdown.stop();
    expect(node.machine.delays).toBe(0);
    await node.end();
  });

  it('given a machine that goes down unheard, when the agent is stopped for it, then pods end first', async () => {
    const node = await goingDown();
    await node.run(pod('web'));
    node.machine.goDownUnheard();
    let ended = false;
    void node.shutdown.endPods().then(() => { ended = true; });
    await node.clock.runUntil(() => ended, { limitMs: 31_000 });
    expect(node.status('web')).toMatchObject({ phase: 'Failed', reason: 'Terminated' });
    await node.end();
  });

  it('given a service manager that goes silent, when it is back, then it is heard again', async () => {
    const node = await goingDown();
    node.machine.lose();
    await node.clock.settle();
    expect(node.machine.delays).toBe(0);
    await node.clock.advance(30_000);
    expect(node.machine.delays).toBe(1);
    node.machine.prepare(true);
    await node.clock.advance(2_000);
    expect(node.notes()).toHaveLength(1);
    await node.end();
  });

  it('given no service manager, when time passes, then it is not asked again', async () => {
    const node = await goingDown((machine) => { machine.present = false; });
    node.machine.present = true;
    await node.clock.advance(60_000);
    expect(node.machine.delays).toBe(0);
    await node.shutdown.endPods();
    await node.end();
  });
});
