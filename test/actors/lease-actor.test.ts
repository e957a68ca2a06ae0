// The node lease against an API that answers, loses answers, or is out of reach.
import { afterEach, describe, expect, test } from 'vitest';
import { getShortestPaths } from 'xstate/graph';
import { startLeaseActor } from '../../src/actors/lease-actor.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import { leaseMachine } from '../../src/machines/lease-machine.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { apiProbe } from '../support/api-probe.ts';
import { silentLog } from '../support/silent-log.ts';

const running: Stoppable[] = [];
afterEach(async () => { for (const actor of running.splice(0)) await actor.stop(); });

async function world() {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const api = apiProbe(bus);
  const actor = startLeaseActor({ bus: bus.as('lease'), clock, random: new SeededRandom(1), log: silentLog, nodeName: 'edge-07', leaseDurationSeconds: 40 });
  running.push(actor);
  await clock.settle();
  const step = async (run: () => void) => { run(); await clock.settle(); };
  const last = () => api.writes.at(-1);
  return { clock, api, actor, step, last, verbs: () => api.writes.map(({ verb }) => verb) };
}

async function fresh() {
  const lease = await world();
  await lease.step(() => lease.api.link('up'));
  await lease.step(() => lease.api.refuse('NotFound'));
  await lease.step(() => lease.api.accept({ metadata: { name: 'edge-07', resourceVersion: '1' } }));
  return lease;
}

describe('lease actor', () => {
  test('given no lease, when the link comes up, then it is looked for, then created with owner and times', async () => {
    const { api, step, last, verbs } = await world();
    api.bus.publish('node.registered', { node: { metadata: { name: 'edge-07', uid: 'u1' } } });
    await step(() => api.link('up'));
    await step(() => api.refuse('NotFound'));
    expect(verbs()).toEqual(['get', 'create']);
    expect(last()).toMatchObject({ writer: 'lease', lane: 'lease', kind: 'Lease', namespace: 'kube-node-lease', name: 'edge-07', object: {
      metadata: { name: 'edge-07', namespace: 'kube-node-lease', ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'edge-07', uid: 'u1' }] },
      spec: { holderIdentity: 'edge-07', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.000000Z' },
    } });
  });

  test('given a lease, when time passes, then it is renewed every 10 s with the version the API gave last', async () => {
    const { clock, api, step, last, verbs } = await fresh();
    const renewals: number[] = [];
    for (let round = 2; round < 6; round++) {
      const before = api.writes.length;
      await clock.runUntil(() => api.writes.length > before, { limitMs: 20_000 });
      renewals.push(clock.monotonicMs());
      expect(last()).toMatchObject({ verb: 'update', object: { metadata: { resourceVersion: String(round - 1) } } });
      await step(() => api.accept({ metadata: { name: 'edge-07', resourceVersion: String(round) } }));
    }
    const gaps = renewals.slice(1).map((time, index) => time - (renewals[index] ?? 0));
    for (const gap of gaps) expect(gap >= 10_000 && gap <= 10_400).toBe(true);
    expect(verbs().slice(2)).toEqual(['update', 'update', 'update', 'update']);
  });

  test('given a link that goes down, when time passes, then nothing is written, and it is renewed at once when it is back', async () => {
    const { clock, api, step, verbs } = await fresh();
    await step(() => api.link('down'));
    await clock.advance(120_000);
    expect(verbs()).toEqual(['get', 'create']);
    await step(() => api.link('up'));
    expect(verbs()).toEqual(['get', 'create', 'update']);
  });

  test('given an answer that is lost, when the update fails, then it is repeated with growing pauses, then looked for anew', async () => {
    const { clock, api, step, verbs } = await fresh();
    await clock.advance(10_500);
    for (let failure = 0; failure < 5; failure++) {
      await step(() => api.settle({ kind: 'unanswered', message: 'lost' }));
      await clock.advance(7_000);
    }
    expect(verbs()).toEqual(['get', 'create', 'update', 'update', 'update', 'update', 'update', 'get']);
    await step(() => api.accept({ metadata: { name: 'edge-07', resourceVersion: '9' } }));
    expect(verbs().at(-1)).toBe('update');
  });

  test('given a conflict, when updating, then the lease is read again and then updated', async () => {
    const { clock, api, step, verbs } = await fresh();
    await clock.advance(10_500);
    await step(() => api.refuse('Conflict'));
    await step(() => api.accept({ metadata: { name: 'edge-07', resourceVersion: '7' } }));
    expect(verbs().slice(-3)).toEqual(['update', 'get', 'update']);
  });

  test('given a lease deleted in the API, when updating, then it is made anew', async () => {
    const { clock, api, step, verbs } = await fresh();
    await clock.advance(10_500);
    await step(() => api.refuse('NotFound'));
    expect(verbs().slice(-2)).toEqual(['update', 'create']);
  });

  test('given an answer to a call left behind, when it comes late, then it is ignored', async () => {
    const { api, step, verbs } = await world();
    await step(() => api.link('up'));
    await step(() => api.link('down'));
    await step(() => api.accept());
    expect(verbs()).toEqual(['get']);
  });

  test('given it waits, when it is stopped, then no timer is left', async () => {
    const { clock, actor } = await fresh();
    await actor.stop();
    expect(clock.pendingTimers()).toEqual([]);
  });
});

describe('lease machine', () => {
  test('given the events and answers, when all paths are walked, then every state can be reached', () => {
    const done = (output: object) => ['looking', 'creating', 'updating'].map((state) => ({ type: `xstate.done.actor.0.lease.${state}`, output }));
    const events = [
      { type: 'link.up' }, { type: 'link.down' }, { type: 'xstate.after.interval.lease.fresh' }, { type: 'xstate.after.pause.lease.stale' },
      ...done({ kind: 'accepted', lease: undefined }), ...done({ kind: 'not-found' }), ...done({ kind: 'failed' }),
    ];
    // The graph takes the machine's own events, and those XState sends itself are not in its type.
    const paths = getShortestPaths(leaseMachine, { events: events as never, limit: 1_000, serializeState: (state) => JSON.stringify([state.value, Math.min(state.context.failures, 2)]) });
    expect(new Set(paths.map((path) => String(path.state.value)))).toEqual(new Set(['offline', 'looking', 'creating', 'updating', 'fresh', 'stale']));
  });
});
