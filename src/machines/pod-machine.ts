// The life of one pod. The machine decides when to sync, stop and clean up; what a sync does is planned by decide/plan-pod.ts
// and carried out by the pod actor. No I/O here.
//
//   pending ──admit──> creating <──> running ──kill, complete──> terminating ──> terminated ──deleted──> finishing ──> done
//      └──────────────────kill──────────────────────────────────────^
//
//   pending      known, not begun: its name is taken, or the runtime does not answer
//   creating     sandbox, images, init and app containers are being brought up
//   running      every app container runs, has ended for good, or waits for its back-off
//   terminating  containers are being stopped, then the sandbox; nothing else may happen to the pod any more
//   terminated   stopped; its status stays until the source lets go of it
//   finishing    deleted: the API object may go, containers, sandbox and directories are removed
//   done         nothing is left
import { assign, setup } from 'xstate';
import { graceMsOf, killOfDeletion, killOfSource, mergeKills } from './decide/pod-kill.ts';
import { noProbeResults, withProbeResult } from './decide/probe-effects.ts';
import { removeRetryMs, stopRetryMs } from './decide/retry-periods.ts';
import type { Looks, PodContext, PodEvent, PodInput, PodKill, StopInput, StopOutcome, SyncOutcome } from './pod-types.ts';
import { unprovided, unprovidedAction } from './unprovided.ts';

const evictedReason = 'Evicted';

/** Demands of the source and others, as one; undefined while the pod shall live. */
function demand(context: PodContext): PodKill | undefined {
  // A pod whose end was known when it began has nothing to be stopped for: it is only cleaned up, in its turn.
  const ofSource = context.complete ? killOfDeletion(context.desired) : killOfSource(context.desired);
  if (ofSource === undefined) return context.kill;
  return context.kill === undefined ? ofSource : mergeKills(context.kill, ofSource);
}

function isDeleted(context: PodContext): boolean {
  return context.desired.pod.metadata.deletionTimestamp !== undefined || context.kill?.removed === true;
}

/** Of an evicted pod nothing is kept but its status: the node needs the room. */
function isEvicted({ kill, desired }: PodContext): boolean {
  return kill?.status?.reason === evictedReason || desired.pod.status?.reason === evictedReason;
}

function addLook(looks: Looks, id: string | undefined): Looks {
  if (looks === 'all' || id === undefined) return 'all';
  return new Set(looks === 'none' ? [id] : [...looks, id]);
}

const machine = setup({
  // Types for XState's inference only; the value is never read.
  types: {} as { context: PodContext; events: PodEvent; input: PodInput },
  actors: {
    syncPod: unprovided<SyncOutcome, PodContext>('syncPod'),
    stopPod: unprovided<StopOutcome, StopInput>('stopPod'),
    removePod: unprovided<void, PodContext>('removePod'),
    /** Removes all that an evicted pod has on the node. What resists goes with the pod. */
    reclaimPod: unprovided<void, PodContext>('reclaimPod'),
  },
  actions: {
    /** Computes the status of the context it is given and publishes it when it differs. */
    reportStatus: unprovidedAction('reportStatus'),
    /** The same, once the containers are confirmed stopped and none will start again: the terminal phase may be shown. */
    reportFinalStatus: unprovidedAction('reportFinalStatus'),
    /** Tells that containers and volumes are gone, so that the API object may be deleted. */
    announceTerminated: unprovidedAction('announceTerminated'),
    /** Asks the running sync to end after the call it is in. */
    interruptSync: unprovidedAction('interruptSync'),
    takeDesired: assign(({ context, event }) => (event.type === 'pod.desired' ? { desired: event.desired, asked: true } : context)),
    takeKill: assign(({ context, event }) => (event.type === 'pod.kill' ? { kill: mergeKills(context.kill, event.kill) } : context)),
    takeLook: assign(({ context, event }) => ({ looks: addLook(context.looks, event.type === 'pod.look' ? event.id : undefined), asked: true })),
    takeProbe: assign(({ context, event }) => {
      if (event.type !== 'pod.probed') return context;
      const probes = withProbeResult(context.probes, context.observed, event);
      // What is ready is only shown; a failure demands a restart, and a started sidecar lets the next container start.
      return { probes, asked: context.asked || (event.probe !== 'readiness' && (event.result === 'failure' || event.probe === 'startup')) };
    }),
    takeObserved: assign(({ context, event }) =>
      event.type === 'pod.observed' ? { observed: event.observed, failures: event.failures } : context,
    ),
    /** The sync that starts now looks at all that was asked for so far. */
    beginSync: assign(({ context }) => ({ looking: context.looks, looks: 'none' as const, asked: false })),
    takeOutcome: assign((_, outcome: SyncOutcome) => {
      const { lookAgain, ...rest } = outcome;
      return lookAgain ? { ...rest, looks: 'all' as const } : rest;
    }),
    takeStopped: assign((_, outcome: StopOutcome) => ({ observed: outcome.observed, trouble: outcome.trouble, settledWell: outcome.stopped })),
    /** A promise of ours broke: nothing is known any more. */
    distrust: assign((_, params: { error: unknown }) => ({ looks: 'all' as const, settledWell: false, trouble: String(params.error), wakeInMs: removeRetryMs })),
  },
  guards: {
    isKilled: ({ context }) => demand(context) !== undefined,
    isComplete: ({ context }) => context.complete,
    isStarted: ({ context }) => context.started,
    isDeleted: ({ context }) => isDeleted(context),
    isAsked: ({ context }) => context.asked,
    isSettled: ({ context }) => context.settledWell,
    isReclaimed: ({ context }) => context.settledWell && isEvicted(context),
    isUnsettled: ({ context }) => !context.settledWell,
    shortensGrace: ({ context, event }) => {
      const now = graceMsOf(context.desired, demand(context));
      if (event.type === 'pod.kill') return graceMsOf(context.desired, mergeKills(demand(context), event.kill)) < now;
      if (event.type !== 'pod.desired') return false;
      return graceMsOf(event.desired, demand({ ...context, desired: event.desired })) < now;
    },
  },
  delays: {
    wake: ({ context }) => context.wakeInMs,
    stopRetry: stopRetryMs,
    removeRetry: removeRetryMs,
  },
});

/** `creating` and `running` are the same rhythm: sync, settle, sync again when there is a reason. */
const rhythm = {
  initial: 'syncing',
  states: {
    syncing: {
      entry: 'beginSync',
      invoke: {
        src: 'syncPod',
        input: ({ context }: { context: PodContext }) => context,
        onDone: { target: '#pod.settling', actions: [{ type: 'takeOutcome', params: ({ event }: { event: { output: SyncOutcome } }) => event.output }, 'reportStatus'] },
        onError: { target: '#pod.settling', actions: { type: 'distrust', params: ({ event }: { event: { error: unknown } }) => ({ error: event.error }) } },
      },
      on: {
        'pod.desired': { actions: ['takeDesired', 'interruptSync'] },
        'pod.kill': { actions: ['takeKill', 'interruptSync'] },
        'pod.look': { actions: 'takeLook' },
        'pod.probed': { actions: ['takeProbe', 'reportStatus'] },
        'pod.observed': { actions: ['takeObserved', 'reportStatus'] },
      },
    },
    settled: {
      always: [
        { guard: 'isKilled', target: '#pod.terminating' },
        { guard: 'isComplete', target: '#pod.terminating' },
        { guard: 'isAsked', target: 'syncing' },
      ],
      after: { wake: 'syncing' },
      on: {
        'pod.desired': { actions: ['takeDesired', 'reportStatus'] },
        'pod.kill': { actions: 'takeKill' },
        'pod.look': { actions: 'takeLook' },
        'pod.probed': { actions: ['takeProbe', 'reportStatus'] },
        'pod.retry': { guard: 'isUnsettled', target: 'syncing' },
      },
    },
  },
} as const;

export const podMachine = machine.createMachine({
  id: 'pod',
  options: { maxIterations: 1_000 },
  context: ({ input }) => ({
    ...input,
    failures: new Map(),
    backoffs: new Map(),
    probes: input.probes ?? noProbeResults,
    looking: 'none',
    asked: false,
    kill: undefined,
    started: false,
    settledWell: input.looks === 'none',
    trouble: '',
    wakeInMs: 0,
  }),
  initial: 'pending',
  states: {
    pending: {
      entry: 'reportStatus',
      always: [{ guard: 'isKilled', target: 'terminating' }],
      on: {
        'pod.admit': [{ guard: 'isComplete', target: 'terminating' }, { target: 'creating' }],
        'pod.desired': { actions: ['takeDesired', 'reportStatus'] },
        'pod.kill': { actions: 'takeKill' },
        'pod.look': { actions: 'takeLook' },
      },
    },
    creating: { ...rhythm },
    running: { ...rhythm },
    settling: {
      always: [{ guard: 'isStarted', target: 'running.settled' }, { target: 'creating.settled' }],
    },
    terminating: {
      initial: 'stopping',
      on: {
        'pod.probed': { actions: ['takeProbe', 'reportStatus'] },
        'pod.kill': [
          { guard: 'shortensGrace', target: '.stopping', reenter: true, actions: 'takeKill' },
          { actions: 'takeKill' },
        ],
        'pod.desired': [
          { guard: 'shortensGrace', target: '.stopping', reenter: true, actions: 'takeDesired' },
          { actions: 'takeDesired' },
        ],
      },
      states: {
        stopping: {
          entry: 'reportStatus',
          invoke: {
            src: 'stopPod',
            input: ({ context }) => ({
              desired: context.desired,
              observed: context.observed,
              graceMs: graceMsOf(context.desired, demand(context)),
              look: context.looks !== 'none' || !context.settledWell,
            }),
            onDone: { target: 'stopped', actions: [{ type: 'takeStopped', params: ({ event }) => event.output }] },
            onError: { target: 'stopped', actions: { type: 'distrust', params: ({ event }) => ({ error: event.error }) } },
          },
        },
        stopped: {
          always: [{ guard: 'isReclaimed', target: 'reclaiming' }, { guard: 'isSettled', target: '#pod.terminated' }],
          after: { stopRetry: 'stopping' },
        },
        reclaiming: { invoke: { src: 'reclaimPod', input: ({ context }) => context, onDone: '#pod.terminated', onError: '#pod.terminated' } },
      },
    },
    terminated: {
      entry: 'reportFinalStatus',
      always: { guard: 'isDeleted', target: 'finishing' },
      on: {
        'pod.desired': { actions: 'takeDesired' },
        'pod.kill': { actions: 'takeKill' },
      },
    },
    finishing: {
      entry: 'announceTerminated',
      initial: 'removing',
      on: { 'pod.desired': { actions: 'takeDesired' } },
      states: {
        removing: {
          invoke: { src: 'removePod', input: ({ context }) => context, onDone: '#pod.done', onError: { target: 'waiting', actions: { type: 'distrust', params: ({ event }) => ({ error: event.error }) } } },
        },
        waiting: { after: { removeRetry: 'removing' } },
      },
    },
    done: { type: 'final' },
  },
});

export type PodMachine = typeof podMachine;
