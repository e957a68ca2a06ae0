// The life of a link to a remote end that may be away for days: connect, stay up, wait, try again, never give up.
// It knows neither MQTT nor time nor chance: opening is an actor from outside, jitter comes with the events.
//
//   down ──link.start──> connecting ──opened──> up ──link.closed──> backingOff ──delay──> connecting
//                            └──────failed──────────────────────────────^
// `link.renew` leads from up and from backingOff to connecting at once: who opens ends what is open, in order.
//
// down: nobody wants the link; the only state that needs a start.
// connecting: one attempt is under way, bounded in time by whoever makes it.
// up: usable. A link that stays up for a while is trusted again: its failures are forgotten.
// backingOff: waits for the next attempt. A refusal waits like any other failure, because passwords get repaired.
import { assign, setup } from 'xstate';
import { unprovided } from './unprovided.ts';

export interface LinkFailure {
  /** One line. */
  readonly reason: string;
  /** Uniform in [0, 1): spreads the attempts of many nodes. */
  readonly jitter: number;
}

export type LinkOpening = { readonly opened: true } | ({ readonly opened: false } & LinkFailure);

export interface LinkContext {
  /** Failures in a row; 0 when the link is trusted. */
  readonly failures: number;
  /** Why it is not up; empty when up. */
  readonly reason: string;
  /** Wait of the present or the last `backingOff`. */
  readonly delayMs: number;
  /** The link broke while the opening was being finished. */
  readonly lost: LinkFailure | undefined;
}

export type LinkEvent =
  | { readonly type: 'link.start' }
  | ({ readonly type: 'link.closed' } & LinkFailure)
  /** Open it anew, for what it is opened with has changed. */
  | { readonly type: 'link.renew'; readonly reason: string }
  | { readonly type: 'link.stop' };

export const linkBackoffMsMin = 1_000;
export const linkBackoffMsMax = 60_000;
/** A link that was up for so long starts over with the shortest wait. */
export const linkStableAfterMs = 30_000;

/**
 * Wait after failure number `failures` in a row.
 * @param failures whole number, 1 for the first
 * @param jitter uniform in [0, 1)
 * @returns milliseconds: half of the cap and up to as much again at random; the cap doubles from 1 s to 60 s
 */
export function linkBackoffMs(failures: number, jitter: number): number {
  const capMs = Math.min(linkBackoffMsMax, linkBackoffMsMin * 2 ** Math.min(failures - 1, 10));
  return Math.round(capMs * (0.5 + 0.5 * jitter));
}

function failed(context: LinkContext, failure: LinkFailure): LinkContext {
  const failures = context.failures + 1;
  return { failures, reason: failure.reason, delayMs: linkBackoffMs(failures, failure.jitter), lost: undefined };
}

export const linkMachine = setup({
  // XState reads only the type of this value.
  types: {} as { context: LinkContext; events: LinkEvent },
  actors: { openLink: unprovided<LinkOpening, undefined>('openLink') },
  delays: { backoff: ({ context }) => context.delayMs, stable: linkStableAfterMs },
}).createMachine({
  id: 'link',
  options: { maxIterations: 1_000 },
  context: { failures: 0, reason: '', delayMs: 0, lost: undefined },
  initial: 'down',
  states: {
    down: {
      on: { 'link.start': 'connecting' },
    },
    connecting: {
      invoke: {
        src: 'openLink',
        input: undefined,
        onDone: [
          {
            guard: ({ context, event }) => event.output.opened && context.lost === undefined,
            target: 'up',
            actions: assign({ reason: '' }),
          },
          {
            target: 'backingOff',
            actions: assign(({ context, event }) => failed(context, context.lost ?? (event.output.opened ? { reason: 'lost', jitter: 0 } : event.output))),
          },
        ],
        onError: {
          target: 'backingOff',
          actions: assign(({ context, event }) => failed(context, { reason: String(event.error), jitter: 0.5 })),
        },
      },
      on: {
        'link.closed': { actions: assign({ lost: ({ event }) => ({ reason: event.reason, jitter: event.jitter }) }) },
        'link.stop': { target: 'down', actions: assign({ reason: 'stopped' }) },
      },
    },
    up: {
      after: { stable: { actions: assign({ failures: 0 }) } },
      on: {
        'link.closed': { target: 'backingOff', actions: assign(({ context, event }) => failed(context, event)) },
        'link.renew': { target: 'connecting', actions: assign({ reason: ({ event }) => event.reason }) },
        'link.stop': { target: 'down', actions: assign({ reason: 'stopped' }) },
      },
    },
    backingOff: {
      after: { backoff: 'connecting' },
      on: {
        'link.renew': { target: 'connecting', actions: assign({ reason: ({ event }) => event.reason }) },
        'link.stop': { target: 'down', actions: assign({ reason: 'stopped' }) },
      },
    },
  },
});
