// The life of a link as pure steps: no actor runs, no time passes.
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { initialTransition, transition, type SnapshotFrom } from 'xstate';
import { linkBackoffMs, linkBackoffMsMax, linkMachine, type LinkEvent, type LinkOpening } from '../../src/machines/link-machine.ts';

type Snapshot = SnapshotFrom<typeof linkMachine>;
const [initial] = initialTransition(linkMachine);
const after = (snapshot: Snapshot, ...events: readonly unknown[]): Snapshot =>
  // The events of XState itself (done, after) are not in the machine's union.
  events.reduce<Snapshot>((current, event) => transition(linkMachine, current, event as LinkEvent)[0], snapshot);
const done = (output: LinkOpening) => ({ type: 'xstate.done.actor.0.link.connecting', output, actorId: '0.link.connecting' });
const broken = { type: 'xstate.error.actor.0.link.connecting', error: new Error('bug'), actorId: '0.link.connecting' };
const start = { type: 'link.start' };
const closed = { type: 'link.closed', reason: 'gone', jitter: 1 };
const opened = done({ opened: true });
const refused = done({ opened: false, reason: 'bad password', jitter: 0 });
const waited = { type: 'xstate.after.backoff.link.backingOff' };
const stable = { type: 'xstate.after.stable.link.up' };
const stop = { type: 'link.stop' };

describe('the link machine', () => {
  it.each([
    ['nothing', [], 'down', { failures: 0 }],
    ['a start', [start], 'connecting', {}],
    ['a link that opens', [start, opened], 'up', { reason: '', failures: 0 }],
    ['a refusal', [start, refused], 'backingOff', { reason: 'bad password', failures: 1, delayMs: 500 }],
    ['an attempt that breaks', [start, broken], 'backingOff', { failures: 1 }],
    ['the wait is over', [start, refused, waited], 'connecting', { failures: 1 }],
    ['ten refusals', [start, ...Array.from({ length: 10 }, () => [refused, waited]).flat()], 'connecting', { failures: 10 }],
    ['a link that is lost', [start, opened, closed], 'backingOff', { reason: 'gone', failures: 1, delayMs: 1_000 }],
    ['a link that breaks while it opens', [start, closed, opened], 'backingOff', { reason: 'gone', failures: 1, lost: undefined }],
    ['a link that flaps', [start, refused, waited, opened, closed], 'backingOff', { failures: 2 }],
    ['a link that was stable', [start, refused, waited, opened, stable, closed], 'backingOff', { failures: 1 }],
    ['a stop while up', [start, opened, stop], 'down', { reason: 'stopped' }],
    ['a stop while waiting', [start, refused, stop], 'down', {}],
    ['a stop while connecting', [start, stop], 'down', {}],
  ] as const)('given %s, when that has happened, then the state fits', (_name, events, state, context) => {
    const snapshot = after(initial, ...events);
    expect(snapshot.value).toBe(state);
    expect(snapshot.context).toMatchObject(context);
  });

  it('given any number of failures and any jitter, when the wait is computed, then it is from half a second to a minute', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, jitter) => {
      const delayMs = linkBackoffMs(failures, jitter);
      expect(delayMs).toBeGreaterThanOrEqual(500);
      expect(delayMs).toBeLessThanOrEqual(linkBackoffMsMax);
      expect(linkBackoffMs(failures + 1, jitter)).toBeGreaterThanOrEqual(delayMs);
    }));
  });
});
