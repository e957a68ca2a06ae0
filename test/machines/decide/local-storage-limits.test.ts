// Limits that pods set themselves on the node's disk.
import { describe, expect, test } from 'vitest';
import type { PodUsage } from '../../../src/machines/decide/eviction-ranking.ts';
import { hasLocalStorageLimits, limitExceeded, limitsContainers } from '../../../src/machines/decide/local-storage-limits.ts';
import type { PodSpec } from '../../../src/ports/pod-types.ts';
import { aContainer, aPod } from '../../support/pods.ts';

const mebi = 2 ** 20;
const limited = (name: string, limit: string) => aContainer(name, { resources: { limits: { 'ephemeral-storage': limit } } });
const volume = (sizeLimit?: string, medium?: string): Partial<PodSpec> => ({ volumes: [{ name: 'cache', emptyDir: { ...(sizeLimit === undefined ? {} : { sizeLimit }), ...(medium === undefined ? {} : { medium }) } }] });
const uses = (part: { readonly volume?: number; readonly root?: number; readonly logs?: number }): PodUsage => ({
  containers: [{ name: 'app', root: { bytes: part.root ?? 0, inodes: 1 }, logs: { bytes: part.logs ?? 0, inodes: 1 } }],
  volumes: new Map([['cache', { bytes: part.volume ?? 0, inodes: 1 }]]),
});

describe('limits of local storage', () => {
  test.each<[string, Partial<PodSpec>, PodUsage, expected: object | undefined, separateImages?: boolean]>([
    ['no limit', volume(), uses({ volume: 1e12 }), undefined],
    ['a volume at its limit', volume('1Mi'), uses({ volume: mebi }), undefined],
    ['a volume above its limit', volume('1Mi'), uses({ volume: mebi + 1 }), { signal: 'emptydirfs.limit', message: 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ' }],
    ['a limit written otherwise', volume('1024Ki'), uses({ volume: 2 * mebi }), { signal: 'emptydirfs.limit', message: 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ' }],
    ['a limit of 0', volume('0'), uses({ volume: 2 * mebi }), undefined],
    ['a volume in memory', volume('1Mi', 'Memory'), uses({ volume: 2 * mebi }), undefined],
    ['a volume that was not measured', volume('1Mi'), { containers: [], volumes: new Map() }, undefined],
    ['a container above its limit, and with it the pod', { containers: [limited('app', '2Mi')] }, uses({ root: mebi, logs: mebi + 1 }),
      { signal: 'ephemeralpodfs.limit', message: 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ' }],
    ['a container above its limit beside one with room', { containers: [limited('app', '2Mi'), limited('side', '8Mi')] }, uses({ root: mebi, logs: mebi + 1 }),
      { signal: 'ephemeralcontainerfs.limit', message: 'Container app exceeded its local ephemeral storage limit "2Mi". ' }],
    ['a container whose layer is elsewhere', { containers: [limited('app', '2Mi'), limited('side', '8Mi')] }, uses({ root: 3 * mebi }), undefined, true],
    ['volumes count for the pod', { ...volume(), containers: [limited('app', '2Mi')] }, uses({ volume: 3 * mebi }),
      { signal: 'ephemeralpodfs.limit', message: 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ' }],
    ['one container has a limit, the other writes', { containers: [aContainer('app'), limited('side', '2Mi')] }, uses({ root: 3 * mebi }),
      { signal: 'ephemeralpodfs.limit', message: 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ' }],
    ['within all limits', { ...volume('4Mi'), containers: [limited('app', '8Mi')] }, uses({ volume: 3 * mebi, root: mebi, logs: mebi }), undefined],
  ])('given %s, when looked at, then that is said', (_name, spec, usage, expected, separateImages = false) => {
    expect(limitExceeded(aPod(spec), usage, { separateImages })).toEqual(expected);
  });

  test.each<[string, Partial<PodSpec>, has: boolean, ofContainers: boolean]>([
    ['no limits', volume(), false, false],
    ['a volume in memory', volume('1Mi', 'Memory'), false, false],
    ['a volume with a size', volume('1Mi'), true, false],
    ['a container with a limit', { containers: [limited('app', '1Gi')] }, true, true],
  ])('given %s, then only what has to be is measured', (_name, spec, has, ofContainers) => {
    expect([hasLocalStorageLimits(aPod(spec)), limitsContainers(aPod(spec))]).toEqual([has, ofContainers]);
  });
});
