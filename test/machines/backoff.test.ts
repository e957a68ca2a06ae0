import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Backoff, backoffMsMax, backoffText, decideBackoff } from '../../src/machines/decide/backoff.ts';

describe('decideBackoff', () => {
  it('given a container that fails at once each time, when it is restarted, then the waits are 0, 10, 20, 40, 80, 160, 300, 300 s', () => {
    let nowMs = 1_000_000;
    let last: Backoff | undefined;
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const failedAtMs = nowMs;
      let decision = decideBackoff(last, failedAtMs, nowMs);
      if (decision.kind === 'wait') {
        nowMs = decision.untilMs;
        decision = decideBackoff(last, failedAtMs, nowMs);
      }
      waits.push((nowMs - failedAtMs) / 1000);
      if (decision.kind === 'attempt') last = decision.next;
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  });

  it('given a container that ran for more than ten minutes, when it fails, then it is restarted at once', () => {
    const last = { delayMs: backoffMsMax, attemptedAtMs: 0 };
    expect(decideBackoff(last, 600_001, 600_001)).toEqual({ kind: 'attempt', next: { delayMs: 10_000, attemptedAtMs: 600_001 } });
  });

  it('given a wait under way, when the wall clock is set back behind the failure, then the attempt comes at once', () => {
    const last = { delayMs: 20_000, attemptedAtMs: 990_000 };
    expect(decideBackoff(last, 1_000_000, 999_999)).toEqual({ kind: 'attempt', next: { delayMs: 40_000, attemptedAtMs: 999_999 } });
  });

  it('given any times, when it must wait, then never longer than the whole delay from now', () => {
    const time = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(time, time, time, fc.constantFrom(10_000, 80_000, 300_000), (attemptedAtMs, failedAtMs, nowMs, delayMs) => {
        const decision = decideBackoff({ delayMs, attemptedAtMs }, failedAtMs, nowMs);
        return decision.kind === 'attempt' || decision.untilMs - nowMs <= delayMs;
      }),
    );
  });

  it.each([
    [10_000, '10s'],
    [80_000, '1m20s'],
    [300_000, '5m0s'],
  ])('given %d ms, when shown, then %s', (delayMs, text) => expect(backoffText(delayMs)).toBe(text));
});
