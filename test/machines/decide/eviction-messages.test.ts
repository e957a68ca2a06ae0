// What is said of an eviction, word for word.
import { describe, expect, test } from 'vitest';
import { type EvictionCase, evictionWords } from '../../../src/machines/decide/eviction-messages.ts';
import type { PodUsage } from '../../../src/machines/decide/eviction-ranking.ts';
import { binaryQuantity, canonicalQuantity, decimalQuantity } from '../../../src/machines/decide/quantity-text.ts';
import type { EvictionSignal, ThresholdValue } from '../../../src/ports/eviction.ts';
import { aContainer, aPod } from '../../support/pods.ts';

const amount = (text: string, value: number): ThresholdValue => ({ kind: 'amount', amount: value, text });
const percent = (value: number): ThresholdValue => ({ kind: 'percent', percent: value });
const short = (signal: EvictionSignal, value: ThresholdValue, available: number, capacity: number): EvictionCase =>
  ({ signal, due: [{ signal, value, graceMs: 0 }], observations: { [signal]: { available, capacity } } });

const pod = aPod({
  containers: [aContainer('app', { resources: { requests: { memory: '128Mi', 'ephemeral-storage': '1Gi' } } }), aContainer('side')],
  initContainers: [aContainer('first')],
});
const usage: PodUsage = {
  containers: [
    { name: 'app', memoryBytes: 129 * 2 ** 20, root: { bytes: 2 ** 30, inodes: 1 }, logs: { bytes: 4_096, inodes: 1 } },
    { name: 'side', memoryBytes: 10_000, root: { bytes: 0, inodes: 0 } },
    { name: 'somebody else', memoryBytes: 9e9 },
  ],
  volumes: new Map(),
};
const annotations = (containers: string, used: string, resource: string) => ({ offending_containers: containers, offending_containers_usage: used, starved_resource: resource });

describe('words of an eviction', () => {
  test.each<[string, EvictionCase, usage: PodUsage | undefined, message: string, annotations: object]>([
    ['memory', short('memory.available', amount('100Mi', 100 * 2 ** 20), 97_304 * 1_024, 2 ** 32), usage,
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 97304Ki. Container app was using 129Mi, request is 128Mi, has larger consumption of memory. Container side was using 10000, request is 0, has larger consumption of memory. ',
      annotations('app,side', '129Mi,10000', 'memory')],
    ['disk by part, where the logs of one container are unknown', short('nodefs.available', percent(10), 5 * 2 ** 30, 100 * 2 ** 30), usage,
      'The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 5Gi. Container app was using 1048580Ki, request is 1Gi, has larger consumption of ephemeral-storage. ',
      annotations('app', '1048580Ki', 'ephemeral-storage')],
    ['inodes', short('imagefs.inodesFree', percent(5), 3_000, 100_000), usage, 'The node was low on resource: inodes. Threshold quantity: 5000, available: 3k. ', annotations('', '', 'inodes')],
    ['process IDs', short('pid.available', amount('1k', 1_000), 999, 4_096), usage, 'The node was low on resource: pids. Threshold quantity: 1k, available: 999. ', annotations('', '', 'pids')],
    ['a pod nothing is known of', short('memory.available', amount('1024Ki', 2 ** 20), 0, 2 ** 32), undefined, 'The node was low on resource: memory. Threshold quantity: 1Mi, available: 0. ', {}],
    ['a threshold that was not observed again', { signal: 'memory.available', due: [], observations: {} }, undefined, 'The node was low on resource: memory. ', {}],
  ])('given %s, when told, then in kubelet\'s words', (_name, given, used, message, notes) => {
    expect(evictionWords(given, pod, used)).toEqual({ message, annotations: notes });
  });
});

describe('quantities as text', () => {
  test.each([[0, '0', '0'], [1_000, '1k', '1k'], [1_024, '1Ki', '1024'], [1_023, '1023', '1023'], [1_572_864, '1536Ki', '1572864'], [2 ** 30, '1Gi', '1073741824'], [3e9, '3000000000', '3G'], [-2_048, '-2Ki', '-2048']])(
    'given %s, then %s in binary and %s in decimal', (value, binary, decimal) => {
      expect([binaryQuantity(value), decimalQuantity(value)]).toEqual([binary, decimal]);
    });

  test.each([['1Mi', '1Mi'], ['1024Ki', '1Mi'], ['0.5Gi', '512Mi'], ['1000M', '1G'], ['100', '100'], ['1e3', '1e3'], ['nonsense', 'nonsense']])('given %s as it was written, then %s', (text, expected) => {
    expect(canonicalQuantity(text)).toBe(expected);
  });
});
