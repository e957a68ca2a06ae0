// Who ends when, and with how much grace, as the machine goes down.
import { describe, expect, test } from 'vitest';
import { shutdownMsMax, shutdownSteps } from '../../../src/machines/decide/shutdown-groups.ts';
import type { ShutdownGroup } from '../../../src/ports/eviction.ts';
import { aPod } from '../../support/pods.ts';

const two: readonly ShutdownGroup[] = [{ priority: 0, periodMs: 20_000 }, { priority: 2_000_000_000, periodMs: 10_000 }];
const pod = (name: string, priority?: number, seconds?: number, source: 'mqtt' | 'file' = 'mqtt') =>
  aPod({ ...(priority === undefined ? {} : { priority }), ...(seconds === undefined ? {} : { terminationGracePeriodSeconds: seconds }) }, { name, source });

describe('steps of a shutdown', () => {
  test.each<[string, readonly ShutdownGroup[], pods: readonly ReturnType<typeof pod>[], expected: readonly string[]]>([
    ['no pods', two, [], []],
    ['ordinary and critical pods', two, [pod('vital', 2_000_000_000, 5), pod('web', undefined, 5), pod('db', 900, 60)], ['20000: web 5000, db 20000', '10000: vital 5000']],
    ['a static pod without priority', two, [pod('fixed', undefined, 30, 'file'), pod('web', 0, 1)], ['20000: web 1000', '10000: fixed 10000']],
    ['only critical pods', two, [pod('vital', 2_000_001_000, 60)], ['10000: vital 10000']],
    ['priorities below the lowest group', [{ priority: 100, periodMs: 3_000 }, { priority: 50, periodMs: 2_000 }], [pod('low', -1), pod('middle', 99), pod('high', 100)], ['2000: low 2000, middle 2000', '3000: high 3000']],
    ['a group without time', [{ priority: 0, periodMs: 0 }], [pod('web', 0, 30)], ['0: web 0']],
  ])('given %s, when ordered, then lowest first, with the shorter of both graces', (_name, groups, pods, expected) => {
    expect(shutdownSteps(groups, pods).map(({ periodMs, pods: of }) => `${periodMs}: ${of.map(({ desired, graceMs }) => `${desired.name} ${graceMs}`).join(', ')}`)).toEqual(expected);
  });

  test('given groups, then all of them together may take the sum', () => {
    expect(shutdownMsMax(two)).toBe(30_000);
  });
});
