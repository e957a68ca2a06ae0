// Which packet size is believed to be too large for a broker that does not say.
import { describe, expect, it } from 'vitest';
import { SizeLimit } from '../../../src/adapters/mqtt/size-limit.ts';

type Step = readonly ['broke', bytes: number] | readonly ['said', bytes: number] | readonly ['passed', bytes: number] | readonly ['later', ms: number];

describe('the size limit', () => {
  it.each<readonly [name: string, steps: readonly Step[], bytesMax: number]>([
    ['nothing happens', [], Infinity],
    ['a large packet is lost once', [['broke', 200_000]], Infinity],
    ['a large packet is lost three times', [['broke', 200_000], ['broke', 200_000], ['broke', 200_000]], 199_999],
    ['packets of several sizes are lost', [['broke', 300_000], ['broke', 150_000], ['broke', 200_000]], 149_999],
    ['a larger one passes in between', [['broke', 200_000], ['broke', 200_000], ['passed', 250_000], ['broke', 200_000]], Infinity],
    ['a smaller one passes in between', [['broke', 200_000], ['broke', 200_000], ['passed', 1_000], ['broke', 200_000]], 199_999],
    ['small packets are under way', [['broke', 100], ['broke', 100], ['broke', 100]], Infinity],
    ['none is under way', [['broke', 0], ['said', 0], ['broke', 0]], Infinity],
    ['the broker says so', [['said', 5_000]], 4_999],
    ['the broker says so of a larger one later', [['said', 5_000], ['said', 9_000]], 4_999],
    ['ten minutes are over', [['said', 5_000], ['later', 600_000]], Infinity],
  ])('given %s, when it is asked, then it answers', (_name, steps, bytesMax) => {
    const limit = new SizeLimit();
    let nowMs = 1_000;
    for (const [what, amount] of steps) {
      if (what === 'passed') limit.passed(amount);
      else if (what === 'later') nowMs += amount;
      else limit.broke({ bytes: amount, said: what === 'said', nowMs });
    }
    expect(limit.bytesMax(nowMs)).toBe(bytesMax);
  });
});
