import { describe, expect, it } from 'vitest';
import { quantile, startTimes, trafficBetween } from '../../src/fleet/fleet-report.ts';
import { readFleetWords } from '../../src/fleet/fleet-words.ts';

describe('what a fleet took', () => {
  it('given times, when they are summed up, then quantiles are those of the sorted ones', () => {
    expect(startTimes([30, 10, 20])).toEqual({ count: 3, p50: 20, p99: 30, max: 30 });
    expect(startTimes([])).toEqual({ count: 0, p50: 0, p99: 0, max: 0 });
    expect(quantile(Array.from({ length: 100 }, (_none, index) => index), 0.99)).toBe(99);
  });

  it('given counts of two moments, when they are compared, then they are for a node and a minute', () => {
    const none = { upBytes: 0, downBytes: 0, upPackets: 0, downPackets: 0 };
    expect(trafficBetween(none, { upBytes: 1_000, downBytes: 500, upPackets: 20, downPackets: 10 }, { nodes: 10, seconds: 30 })).toEqual({ upBytes: 200, downBytes: 100, packets: 6 });
  });
});

describe('the words of fleet-sim', () => {
  it('given none, when they are read, then it is a small fleet', () => {
    expect(readFleetWords([])).toMatchObject({ nodes: 100, podsPerNode: 2, churnPerSecond: 10, seconds: 20, cutsPerSecond: 0, json: false });
  });

  it.each([[['--nodes', '0'], '--nodes must be a number from 1 on, not "0"'], [['--churn', 'x'], '--churn must be a number from 0 on, not "x"'], [['-o', 'yaml'], '--output is json or nothing, not "yaml"'], [['--node', '1'], 'see mqlet fleet-sim --help']])(
    'given %j, when they are read, then it says what is wrong', (words, says) => {
      expect(() => readFleetWords(words)).toThrow(says);
    });
});
