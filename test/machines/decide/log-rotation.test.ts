// How files of a log are kept: leftovers, limits, compression, names.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { containerLinkName, containerLinksDirectory, linkedContainer, logFilesOf, podOfLogDirectory } from '../../../src/machines/decide/container-logs.ts';
import { planRotated, rotatedName } from '../../../src/machines/decide/log-rotation.ts';

const at = (second: number, ending = ''): string => `0.log.20260131-2359${String(second).padStart(2, '0')}${ending}`;

describe('planRotated', () => {
  test.each<[string, readonly string[], number, 'rotating' | 'looking', readonly string[], readonly string[]]>([
    ['nothing rotated', ['0.log'], 5, 'rotating', [], []],
    ['one rotated, before the next', ['0.log', at(1)], 5, 'rotating', [], [at(1)]],
    ['one rotated, at a look', ['0.log', at(1)], 5, 'looking', [], []],
    ['two rotated, at a look', ['0.log', at(1), at(2)], 5, 'looking', [], [at(1)]],
    ['as many as may stay, before the next', [at(1, '.gz'), at(2, '.gz'), at(3, '.gz'), at(4)], 5, 'rotating', [at(1, '.gz')], [at(4)]],
    ['as many as may stay, at a look', [at(1, '.gz'), at(2, '.gz'), at(3, '.gz'), at(4)], 5, 'looking', [], []],
    ['only one file beside the log', [at(1)], 2, 'rotating', [at(1)], []],
    ['an unfinished compression', [at(1), at(1, '.tmp')], 5, 'looking', [at(1, '.tmp')], []],
    ['a compression whose plain file stayed', [at(1), at(1, '.gz'), at(2)], 5, 'looking', [at(1)], []],
    ['logs of other instances', ['1.log', '10.log.20260131-235901', at(1)], 2, 'rotating', [at(1)], []],
  ])('given %s, when planned, then leftovers and the oldest go and what stays is compressed', (_, names, filesMax, before, remove, compress) => {
    expect(planRotated('0.log', names, filesMax, before)).toEqual({ remove, compress });
  });

  test('given any files, when the plan is carried out, then one more fits and a second plan is empty', () => {
    const names = fc.uniqueArray(fc.tuple(fc.nat(59), fc.constantFrom('', '.gz', '.tmp')).map(([second, ending]) => at(second, ending)));
    fc.assert(fc.property(names, fc.integer({ min: 2, max: 9 }), (files, filesMax) => {
      const { remove, compress } = planRotated('0.log', files, filesMax, 'rotating');
      const left = files.filter((name) => !remove.includes(name)).map((name) => (compress.includes(name) ? `${name}.gz` : name));
      expect(left.length).toBeLessThanOrEqual(filesMax - 2);
      expect(planRotated('0.log', left, filesMax, 'rotating')).toEqual({ remove: [], compress: [] });
    }));
  });
});

describe('names', () => {
  test('given a time, when a log is rotated, then its name carries it', () => {
    expect(rotatedName('3.log', '2026-01-31T23:59:01Z')).toBe('3.log.20260131-235901');
  });

  test('given containers, when linked, then the name is that of log collectors, cut to what a file name may be', () => {
    const id = 'a'.repeat(64);
    expect(containerLinkName({ namespace: 'default', name: 'web' }, 'app', id)).toBe(`web_default_app-${id}.log`);
    const long = containerLinkName({ namespace: 'n'.repeat(63), name: 'p'.repeat(253) }, 'app', id);
    expect([long.length, linkedContainer(long)]).toEqual([255, id]);
    expect(linkedContainer('web_default_app-short.log')).toBeUndefined();
    expect(containerLinksDirectory('/var/log/pods')).toBe('/var/log/containers');
  });

  test.each([
    ['default_web_1234', '1234'], ['default_web-0.x_00000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000000'],
    ['lost+found', undefined], ['a_b', undefined], ['a_b_c_d', undefined], ['_b_c', undefined],
  ])('given a directory %s, when its pod is asked, then it is %s', (name, expected) => {
    expect(podOfLogDirectory(name)).toBe(expected);
  });

  test('given names beside a log, when it goes, then its own go with it', () => {
    expect(logFilesOf('1.log', ['0.log', '1.log', '1.log.20260131-235901', '1.log.20260131-235900.gz', '11.log', '1.logs'])).toEqual(['1.log', '1.log.20260131-235901', '1.log.20260131-235900.gz']);
  });
});
