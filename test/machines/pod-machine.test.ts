import { describe, expect, it } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { stopRetryMs } from '../../src/machines/decide/retry-periods.ts';
import { podMachine } from '../../src/machines/pod-machine.ts';
import type { PodContext, PodInput, StopInput, StopOutcome, SyncOutcome } from '../../src/machines/pod-types.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { anInstance, aPod, aSandbox, observed } from '../support/pods.ts';

const running = observed([aSandbox()], [anInstance()]);

/** The machine on a virtual clock, its promises settled by the test. */
function harness(part: Partial<PodInput> = {}) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const syncs: { context: PodContext; end: (outcome: Partial<SyncOutcome>) => void; fail: (error: unknown) => void }[] = [];
  const stops: { input: StopInput; end: (outcome: Partial<StopOutcome>) => void }[] = [];
  const removals: { end: () => void; fail: () => void }[] = [];
  const base: SyncOutcome = {
    observed: running, failures: new Map(), backoffs: new Map(), complete: false, started: true, settledWell: true, trouble: '', wakeInMs: 600_000, lookAgain: false,
  };
  const actor = createActor(
    podMachine.provide({
      actors: {
        syncPod: fromPromise(({ input }) => new Promise((resolve, reject) => syncs.push({ context: input, end: (outcome) => resolve({ ...base, ...outcome }), fail: reject }))),
        stopPod: fromPromise(({ input }) => new Promise((resolve) => stops.push({ input, end: (outcome) => resolve({ observed: input.observed, stopped: true, trouble: '', ...outcome }) }))),
        removePod: fromPromise(() => new Promise<void>((resolve, reject) => removals.push({ end: resolve, fail: reject }))),
        reclaimPod: fromPromise(() => new Promise<void>((resolve, reject) => removals.push({ end: resolve, fail: reject }))),
      },
      actions: {
        reportStatus: () => undefined,
        reportFinalStatus: () => log.push('final status'),
        announceTerminated: () => log.push('terminated'),
        interruptSync: () => log.push('interrupt'),
      },
    }),
    { input: { desired: aPod(), observed: observed(), looks: 'none', complete: false, ...part }, clock: { setTimeout: (run, ms) => clock.setTimeout(() => run(), ms), clearTimeout: (id) => clock.clearTimeout(id) } },
  ).start();
  const settle = () => clock.advance(0);
  const state = () => JSON.stringify(actor.getSnapshot().value).replaceAll('"', '');
  return { actor, clock, log, syncs, stops, removals, settle, state };
}

const deleted = (graceSeconds: number) =>
  aPod({}, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: graceSeconds } });

describe('pod machine', () => {
  it('given a pod, when admitted and synced, then it is creating and then running', async () => {
    const { actor, syncs, settle, state } = harness();
    expect(state()).toBe('pending');
    actor.send({ type: 'pod.admit' });
    expect(state()).toBe('{creating:syncing}');
    syncs[0]?.end({});
    await settle();
    expect(state()).toBe('{running:settled}');
  });

  it('given a sync that could not start everything, when it ends, then the pod stays creating and wakes by itself', async () => {
    const { actor, syncs, settle, state, clock } = harness();
    actor.send({ type: 'pod.admit' });
    syncs[0]?.end({ started: false, settledWell: false, wakeInMs: 10_000 });
    await settle();
    expect(state()).toBe('{creating:settled}');
    await clock.advance(10_000);
    expect(state()).toBe('{creating:syncing}');
    expect(syncs).toHaveLength(2);
  });

  it('given a sync under way, when the desired pod changes twice, then one sync follows, with the newest', async () => {
    const { actor, syncs, settle, log } = harness();
    actor.send({ type: 'pod.admit' });
    actor.send({ type: 'pod.desired', desired: aPod({ hostname: 'one' }) });
    actor.send({ type: 'pod.desired', desired: aPod({ hostname: 'two' }) });
    expect(log).toEqual(['interrupt', 'interrupt']);
    syncs[0]?.end({});
    await settle();
    expect(syncs.map(({ context }) => context.desired.pod.spec.hostname)).toEqual([undefined, 'two']);
  });

  it('given a running pod, when an object changed, then only that object is looked at', async () => {
    const { actor, syncs, settle, state } = harness();
    actor.send({ type: 'pod.admit' });
    syncs[0]?.end({});
    await settle();
    actor.send({ type: 'pod.look', id: 'app-0' });
    expect(state()).toBe('{running:syncing}');
    expect(syncs[1]?.context.looking).toEqual(new Set(['app-0']));
  });

  it('given a call whose outcome is unknown, when the sync ends, then the next one looks at everything', async () => {
    const { actor, syncs, settle, state, clock } = harness();
    actor.send({ type: 'pod.admit' });
    syncs[0]?.end({ lookAgain: true, settledWell: false, started: false, wakeInMs: 1_000 });
    await settle();
    expect(state()).toBe('{creating:settled}');
    await clock.advance(1_000);
    expect(syncs[1]?.context.looking).toBe('all');
  });

  it('given a sync under way, when the pod is deleted, then nothing is stopped before the call in flight has ended', async () => {
    const { actor, syncs, stops, settle, state } = harness();
    actor.send({ type: 'pod.admit' });
    actor.send({ type: 'pod.desired', desired: deleted(5) });
    expect(stops).toHaveLength(0);
    syncs[0]?.end({});
    await settle();
    expect(state()).toBe('{terminating:stopping}');
    expect(stops[0]?.input.graceMs).toBe(5_000);
  });

  it('given a termination, when a shorter grace is demanded, then it is repeated with it; a longer one changes nothing', async () => {
    const { actor, syncs, stops, settle } = harness();
    actor.send({ type: 'pod.admit' });
    syncs[0]?.end({});
    await settle();
    actor.send({ type: 'pod.desired', desired: deleted(30) });
    actor.send({ type: 'pod.desired', desired: deleted(60) });
    actor.send({ type: 'pod.desired', desired: deleted(2) });
    expect(stops.map(({ input }) => input.graceMs)).toEqual([30_000, 2_000]);
  });

  it('given a stop that failed, when a while has passed, then it is tried again', async () => {
    const { actor, syncs, stops, settle, clock, state } = harness();
    actor.send({ type: 'pod.admit' });
    syncs[0]?.end({});
    await settle();
    actor.send({ type: 'pod.kill', kill: { graceMs: 1_000, removed: true } });
    stops[0]?.end({ stopped: false, trouble: 'busy' });
    await settle();
    expect(state()).toBe('{terminating:stopped}');
    await clock.advance(stopRetryMs);
    expect(stops).toHaveLength(2);
  });

  it('given a deleted pod, when it has stopped, then its end is announced, what is left removed, and it is done', async () => {
    const { actor, syncs, stops, removals, settle, state, log, clock } = harness();
    actor.send({ type: 'pod.admit' });
    syncs[0]?.end({});
    await settle();
    actor.send({ type: 'pod.desired', desired: deleted(1) });
    stops[0]?.end({});
    await settle();
    expect(log).toEqual(['final status', 'terminated']);
    expect(state()).toBe('{finishing:removing}');
    removals[0]?.fail();
    await clock.advance(10_000);
    removals[1]?.end();
    await settle();
    expect(actor.getSnapshot().status).toBe('done');
  });

  it('given a pod that came to its end, when stopped, then it rests until it is deleted', async () => {
    const { actor, syncs, stops, settle, state, log } = harness();
    actor.send({ type: 'pod.admit' });
    syncs[0]?.end({ complete: true });
    await settle();
    stops[0]?.end({});
    await settle();
    expect(state()).toBe('terminated');
    expect(log).toEqual(['final status']);
    actor.send({ type: 'pod.desired', desired: deleted(1) });
    expect(state()).toBe('{finishing:removing}');
  });

  it('given a pod whose phase is already terminal, when admitted, then nothing is started', () => {
    const { actor, state } = harness({ complete: true, looks: 'all' });
    actor.send({ type: 'pod.admit' });
    expect(state()).toBe('{terminating:stopping}');
  });

  it('given a pending pod, when it is removed, then it ends without having begun', async () => {
    const { actor, stops, removals, settle, syncs } = harness();
    actor.send({ type: 'pod.kill', kill: { graceMs: undefined, removed: true } });
    stops[0]?.end({});
    await settle();
    removals[0]?.end();
    await settle();
    expect(actor.getSnapshot().status).toBe('done');
    expect(syncs).toHaveLength(0);
  });

  it('given a sync that broke, when it ends, then nothing is believed and it is tried again later', async () => {
    const { actor, syncs, settle, state, clock } = harness();
    actor.send({ type: 'pod.admit' });
    syncs[0]?.fail(new Error('planted'));
    await settle();
    expect(state()).toBe('{creating:settled}');
    await clock.advance(10_000);
    expect(syncs[1]?.context.looking).toBe('all');
    expect(actor.getSnapshot().context.trouble).toContain('planted');
  });

  it.each(['end', 'fail'] as const)('given an evicted pod, when it has stopped, then all it has is removed before it is terminated, whatever comes of that (%s)', async (how) => {
    const { actor, log, syncs, stops, removals, settle, state } = harness();
    actor.send({ type: 'pod.admit' });
    syncs[0]?.end({});
    await settle();
    actor.send({ type: 'pod.kill', kill: { graceMs: 1_000, status: { reason: 'Evicted', message: 'm' } } });
    stops[0]?.end({});
    await settle();
    expect([state(), log]).toEqual(['{terminating:reclaiming}', []]);
    removals[0]?.[how]();
    await settle();
    expect([state(), log]).toEqual(['terminated', ['final status']]);
  });

  it('given a pod that the API shows as evicted, when it is taken over, then what is left of it is removed', async () => {
    const evicted = aPod();
    const { actor, stops, settle, state } = harness({ desired: { ...evicted, pod: { ...evicted.pod, status: { phase: 'Failed', reason: 'Evicted' } } }, complete: true });
    actor.send({ type: 'pod.admit' });
    stops[0]?.end({});
    await settle();
    expect(state()).toBe('{terminating:reclaiming}');
  });
});
