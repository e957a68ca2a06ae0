// Who goes first, by signal.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DiskUsage, type PodUsage, rankForEviction } from '../../../src/machines/decide/eviction-ranking.ts';
import { type EvictionSignal, evictionSignals } from '../../../src/ports/eviction.ts';
import { aContainer, aPod } from '../../support/pods.ts';

interface Given {
  readonly name: string;
  readonly priority?: number;
  readonly memoryRequest?: string;
  readonly storageRequest?: string;
  readonly memory?: number;
  readonly root?: number;
  readonly logs?: number;
  readonly volume?: number;
  readonly processes?: number;
  /** The runtime knows nothing of it. */
  readonly unknown?: boolean;
}

const disk = (amount: number): DiskUsage => ({ bytes: amount, inodes: amount });

function pod({ name, priority, memoryRequest, storageRequest, memory = 0, root = 0, logs = 0, volume = 0, processes, unknown }: Given) {
  const requests = { ...(memoryRequest === undefined ? {} : { memory: memoryRequest }), ...(storageRequest === undefined ? {} : { 'ephemeral-storage': storageRequest }) };
  const usage: PodUsage = {
    containers: [{ name: 'app', memoryBytes: memory, root: disk(root), logs: disk(logs) }],
    volumes: new Map([['data', disk(volume)]]),
    ...(processes === undefined ? {} : { processes }),
  };
  return { desired: aPod({ containers: [aContainer('app', { resources: { requests } })], ...(priority === undefined ? {} : { priority }) }, { name }), usage: unknown === true ? undefined : usage };
}

const order = (signal: EvictionSignal, given: readonly Given[], separateImages = false): string[] =>
  rankForEviction(signal, given.map(pod), { separateImages }).map(({ desired }) => desired.name);

describe('ranking for eviction', () => {
  test.each<[string, EvictionSignal, readonly Given[], expected: readonly string[], separateImages?: boolean]>([
    ['memory: above the request goes before within it', 'memory.available',
      [{ name: 'within', memoryRequest: '1Ki', memory: 1_024 }, { name: 'above', memoryRequest: '10', memory: 11 }], ['above', 'within']],
    ['memory: no request is exceeded by any use', 'memory.available', [{ name: 'asks', memoryRequest: '1Ki', memory: 1_000 }, { name: 'asks nothing', memory: 1 }], ['asks nothing', 'asks']],
    ['memory: above the request, lower priority first', 'memory.available',
      [{ name: 'high', priority: 1_000, memory: 9_000 }, { name: 'low', priority: -5, memory: 1 }, { name: 'none', memory: 10 }], ['low', 'none', 'high']],
    ['memory: equals by what they use above their request', 'memory.available',
      [{ name: 'large', memoryRequest: '900', memory: 1_000 }, { name: 'small', memoryRequest: '1', memory: 500 }], ['small', 'large']],
    ['memory: within the request too, by how much is left', 'memory.available',
      [{ name: 'far', memoryRequest: '1000', memory: 10 }, { name: 'near', memoryRequest: '100', memory: 90 }], ['near', 'far']],
    ['memory: of whom nothing is known goes first', 'memory.available', [{ name: 'hungry', memory: 9_000 }, { name: 'unknown', unknown: true, priority: 1_000 }], ['unknown', 'hungry']],
    ['disk: one file system counts layers, logs and volumes', 'nodefs.available',
      [{ name: 'volume', volume: 30 }, { name: 'root', root: 40 }, { name: 'logs', logs: 35 }, { name: 'all', root: 20, logs: 20, volume: 20 }], ['all', 'root', 'logs', 'volume']],
    ['disk: images apart, the node\'s own counts logs and volumes', 'nodefs.available',
      [{ name: 'volume', volume: 30 }, { name: 'root', root: 90 }, { name: 'logs', logs: 35 }], ['logs', 'volume', 'root'], true],
    ['disk: images apart, theirs counts layers', 'imagefs.available',
      [{ name: 'volume', volume: 90 }, { name: 'root', root: 20 }, { name: 'more root', root: 30 }], ['more root', 'root', 'volume'], true],
    ['disk: above the request, then priority, then use above the request', 'nodefs.available', [
      { name: 'within', storageRequest: '100', volume: 90 }, { name: 'important', priority: 5, volume: 500 },
      { name: 'little above', storageRequest: '90', volume: 100 }, { name: 'far above', volume: 50 },
    ], ['far above', 'little above', 'important', 'within']],
    ['inodes: nobody requests them', 'nodefs.inodesFree', [{ name: 'few', volume: 3 }, { name: 'none', storageRequest: '1' }, { name: 'many', storageRequest: '1Gi', volume: 9 }], ['many', 'few', 'none']],
    ['process IDs: priority first, whatever is used', 'pid.available', [{ name: 'high', priority: 1, processes: 900 }, { name: 'low', processes: 1 }], ['low', 'high']],
    ['process IDs: then the more processes', 'pid.available', [{ name: 'few', processes: 3 }, { name: 'many', processes: 40 }, { name: 'uncounted' }], ['many', 'few', 'uncounted']],
  ])('given %s, when ranked, then in that order', (_name, signal, given, expected, separateImages) => {
    expect(order(signal, given, separateImages)).toEqual(expected);
  });

  test('given any pods, when ranked, then all of them are, equals keep their order, and the ranking of a ranking is itself', () => {
    const amount = fc.integer({ min: 0, max: 5 });
    const given = fc.array(fc.record({ name: fc.uuid(), priority: amount, memory: amount, root: amount, volume: amount, processes: amount, unknown: fc.boolean() }), { maxLength: 8 });
    fc.assert(fc.property(fc.constantFrom(...evictionSignals), given, fc.boolean(), (signal, pods, separateImages) => {
      const ranked = rankForEviction(signal, pods.map(pod), { separateImages });
      expect(ranked).toHaveLength(pods.length);
      expect(rankForEviction(signal, ranked, { separateImages })).toEqual(ranked);
    }));
  });
});
