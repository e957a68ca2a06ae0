// A pull held to a pace, on virtual time and a registry of so many bytes a second that knows ranges, or does not.
import { describe, expect, it } from 'vitest';
import { PacedPull } from '../../src/actors/paced-pull.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import type { RuntimeFault } from '../../src/ports/faults.ts';
import type { ImagesPort } from '../../src/ports/images-port.ts';
import { fail, ok, type Result } from '../../src/ports/result.ts';

const layerBytes = 1_000_000;

function line(clock: VirtualClock, options: { readonly bytesPerSecond: number; readonly ranges: boolean }) {
  let there = 0;
  let since: number | undefined;
  let pulls = 0;
  const now = (): number => (since === undefined ? there : Math.min(layerBytes, there + ((clock.monotonicMs() - since) / 1_000) * options.bytesPerSecond));
  const images: Pick<ImagesPort, 'pull' | 'progress'> = {
    progress: async () => ok(since === undefined ? '' : `layer ${Math.floor(now())}`),
    pull: (_image, _auth, _config, { signal } = {}) => new Promise<Result<string, RuntimeFault>>((resolve) => {
      pulls += 1;
      if (!options.ranges) there = 0;
      since = clock.monotonicMs();
      const timer = clock.setTimeout(() => {
        there = layerBytes;
        since = undefined;
        resolve(ok('sha256:1'));
      }, options.bytesPerSecond === 0 ? 1e9 : ((layerBytes - there) / options.bytesPerSecond) * 1_000);
      signal?.addEventListener('abort', () => {
        clock.clearTimeout(timer);
        there = now();
        since = undefined;
        resolve(fail({ kind: 'unavailable', message: 'cancelled' }));
      });
    }),
  };
  return { images, there: now, pulls: () => pulls };
}

function pullOn(options: { readonly bytesPerSecond: number; readonly ranges: boolean }, bytesPerSecondMax: number | undefined) {
  const clock = new VirtualClock();
  const one = line(clock, options);
  const controller = new AbortController();
  let ended: { readonly atMs: number; readonly result: Result<string, RuntimeFault> } | undefined;
  const began = clock.monotonicMs();
  void new PacedPull({ images: one.images, clock, progressDeadlineMs: 300_000, bytesPerSecondMax }).pull('app:1', controller.signal).then((result) => { ended = { atMs: clock.monotonicMs() - began, result }; });
  return { ...one, clock, controller, ended: () => ended };
}

describe('a paced pull', () => {
  it('given a fast line and a low limit, when it is pulled, then it takes as long as it may, in parts that go on where they were', async () => {
    const pull = pullOn({ bytesPerSecond: 200_000, ranges: true }, 10_000);
    for (let second = 1; second <= 60; second += 1) {
      await pull.clock.advance(1_000);
      // A second at full speed is what it may be ahead, and the look before it.
      expect(pull.there()).toBeLessThanOrEqual(10_000 * second + 2 * 200_000);
    }
    await pull.clock.advance(60_000);
    expect(pull.ended()?.result).toEqual(ok('sha256:1'));
    expect(pull.ended()?.atMs).toBeGreaterThan(75_000);
    expect(pull.pulls()).toBeGreaterThan(3);
  });

  it.each([[undefined], [1_000_000]])('given no limit, or one that is not reached (%s), when it is pulled, then it is one pull at full speed', async (limit) => {
    const pull = pullOn({ bytesPerSecond: 200_000, ranges: true }, limit);
    await pull.clock.advance(6_000);
    expect([pull.ended()?.result.ok, pull.pulls()]).toEqual([true, 1]);
  });

  it('given a registry that begins anew each time, when it is pulled, then the limit is left after a pause or two rather than never coming to an end', async () => {
    const pull = pullOn({ bytesPerSecond: 200_000, ranges: false }, 10_000);
    await pull.clock.advance(120_000);
    expect([pull.ended()?.result.ok, pull.pulls()]).toEqual([true, 3]);
  });

  it('given a pull in a pause, when it is ended, then it ends at once', async () => {
    const pull = pullOn({ bytesPerSecond: 200_000, ranges: true }, 10_000);
    await pull.clock.advance(5_000);
    pull.controller.abort('the window has closed');
    await pull.clock.advance(1);
    expect(pull.ended()?.result).toEqual(fail({ kind: 'unavailable', message: 'the window has closed' }));
  });

  it('given a line that stands still, when the deadline has passed, then it is ended and says so', async () => {
    const pull = pullOn({ bytesPerSecond: 0, ranges: true }, 10_000);
    await pull.clock.advance(400_000);
    expect(pull.ended()?.result).toEqual(fail({ kind: 'unavailable', message: 'the pull has made no progress for 5m0s' }));
  });
});
