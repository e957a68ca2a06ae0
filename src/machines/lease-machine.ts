// The rhythm of the node lease: read or made once, then renewed. Says when which call is due; the lease actor makes it.
//
//   offline <──link──> looking ──found──> updating ──> fresh ──(interval)──> updating …
//                         └──not found──> creating ──> fresh
//
//   offline    the link is down: nothing is written; what was known is kept
//   looking    the API is asked for the lease
//   creating   there is none: it is made
//   updating   renewTime is written over the copy the API gave last
//   fresh      accepted; waits for the next renewal
//   stale      a call failed; waits before the next try. After `updatesMax` failed updates the lease is looked for anew.
import { assign, setup } from 'xstate';
import type { Lease } from '../ports/pod-types.ts';
import { unprovided } from './unprovided.ts';

/** Updates that may fail in a row before the cached copy is thrown away. */
export const updatesMax = 5;
const pauseMsMin = 200;
const pauseMsMax = 7_000;

/** How a call ended, in the words that matter here. */
export type LeaseAnswer =
  | { readonly kind: 'accepted'; readonly lease: Lease | undefined }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'already-exists' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'failed' };

export interface LeaseCall {
  readonly verb: 'get' | 'create' | 'update';
  /** The copy the API gave last. */
  readonly lease: Lease | undefined;
}

export type LeaseEvent = { readonly type: 'link.up' } | { readonly type: 'link.down' };

export interface LeaseContext {
  readonly lease: Lease | undefined;
  readonly failures: number;
}

const machine = setup({
  // Types for XState's inference only; the value is never read.
  types: {} as { context: LeaseContext; events: LeaseEvent },
  actors: { call: unprovided<LeaseAnswer, LeaseCall>('call') },
  guards: {
    isKnown: ({ context }) => context.lease !== undefined,
    isAnswer: (_, params: { readonly answer: LeaseAnswer; readonly kind: LeaseAnswer['kind'] }) => params.answer.kind === params.kind,
    isOutworn: ({ context }) => context.lease === undefined || context.failures >= updatesMax,
  },
  actions: {
    keep: assign(({ context }, { answer }: { readonly answer: LeaseAnswer }) =>
      ({ failures: 0, lease: answer.kind === 'accepted' && answer.lease !== undefined ? answer.lease : context.lease }),
    ),
    forget: assign({ lease: undefined }),
    countFailure: assign({ failures: ({ context }) => context.failures + 1 }),
  },
  delays: {
    /** Provided by the actor, with its jitter. */
    interval: () => 10_000,
    pause: ({ context }) => Math.min(pauseMsMin * 2 ** Math.max(0, context.failures - 1), pauseMsMax),
  },
});

function is<K extends LeaseAnswer['kind']>(kind: K) {
  return { type: 'isAnswer' as const, params: ({ event }: { event: { output: LeaseAnswer } }) => ({ answer: event.output, kind }) };
}

const keep = { type: 'keep' as const, params: ({ event }: { event: { output: LeaseAnswer } }) => ({ answer: event.output }) };

export const leaseMachine = machine.createMachine({
  id: 'lease',
  options: { maxIterations: 1_000 },
  context: { lease: undefined, failures: 0 },
  initial: 'offline',
  on: { 'link.down': '.offline' },
  states: {
    offline: {
      on: { 'link.up': [{ guard: 'isKnown', target: 'updating' }, { target: 'looking' }] },
    },
    looking: {
      invoke: {
        src: 'call',
        input: { verb: 'get', lease: undefined },
        onDone: [
          { guard: is('accepted'), target: 'updating', actions: keep },
          { guard: is('not-found'), target: 'creating' },
          { target: 'stale', actions: 'countFailure' },
        ],
        onError: { target: 'stale', actions: 'countFailure' },
      },
    },
    creating: {
      invoke: {
        src: 'call',
        input: { verb: 'create', lease: undefined },
        onDone: [
          { guard: is('accepted'), target: 'fresh', actions: keep },
          { target: 'stale', actions: ['forget', 'countFailure'] },
        ],
        onError: { target: 'stale', actions: 'countFailure' },
      },
    },
    updating: {
      invoke: {
        src: 'call',
        input: ({ context }) => ({ verb: 'update', lease: context.lease }),
        onDone: [
          { guard: is('accepted'), target: 'fresh', actions: keep },
          { guard: is('conflict'), target: 'looking', actions: ['forget', 'countFailure'] },
          { guard: is('not-found'), target: 'creating', actions: 'forget' },
          { target: 'stale', actions: 'countFailure' },
        ],
        onError: { target: 'stale', actions: 'countFailure' },
      },
    },
    fresh: { after: { interval: 'updating' } },
    stale: {
      after: {
        pause: [
          { guard: 'isOutworn', target: 'looking', actions: 'forget' },
          { target: 'updating' },
        ],
      },
    },
  },
});
