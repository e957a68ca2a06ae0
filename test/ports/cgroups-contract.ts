// What every CgroupsPort must do, as far as the keeper of pods' cgroups relies on it. Run on the twin and on the kernel.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CgroupFault, type CgroupsPort, unlimited } from '../../src/ports/cgroups-port.ts';
import type { Result } from '../../src/ports/result.ts';

export interface CgroupsUnderTest {
  readonly cgroups: CgroupsPort;
  /** A cgroup of the test's own. */
  readonly root: string;
  /** Puts a process into a cgroup that exists. */
  enter(path: string): Promise<void>;
  stop(): Promise<void>;
}

export function cgroupsContract(name: string, create: () => Promise<CgroupsUnderTest>): void {
  describe(`CgroupsPort of ${name}`, () => {
    let under: CgroupsUnderTest;
    beforeAll(async () => { under = await create(); });
    afterAll(() => under?.stop());
    const at = (place: string) => `${under.root}/${place}`;

    it('given a machine with cgroups, when asked, then they can be made, and nothing stays of the question', async () => {
      expect(await under.cgroups.check('cgroupfs', under.root)).toEqual({ ok: true, value: undefined });
      expect(valueOf(await under.cgroups.list(under.root))).toEqual([]);
    });

    it('given a path, when limits are applied, then it is there with its parents, and applying again is success', async () => {
      const limits = { cpuShares: 512, cpuQuota: 50_000, cpuPeriod: 100_000, memoryBytes: 2 ** 26, pidsMax: 100 };
      expect(valueOf(await under.cgroups.exists(at('kubepods/pod1')))).toBe(false);
      for (let time = 0; time < 2; time += 1) valueOf(await under.cgroups.apply(at('kubepods/pod1'), limits));
      expect(valueOf(await under.cgroups.exists(at('kubepods/pod1')))).toBe(true);
      expect(valueOf(await under.cgroups.list(at('kubepods')))).toEqual(['pod1']);
      valueOf(await under.cgroups.apply(at('kubepods/pod1'), { cpuQuota: unlimited, memoryBytes: unlimited, pidsMax: unlimited }));
    });

    it('given what is not there, when looked at or removed, then there is nothing, and that is success', async () => {
      expect(valueOf(await under.cgroups.list(at('nowhere')))).toEqual([]);
      expect(valueOf(await under.cgroups.processes(at('nowhere')))).toEqual([]);
      expect(await under.cgroups.remove(at('nowhere'), { processes: 'keep' })).toEqual({ ok: true, value: undefined });
    });

    it('given processes inside, when it is removed, then they are kept and said, or killed with it', async () => {
      valueOf(await under.cgroups.apply(at('kubepods/pod2/inner'), {}));
      await under.enter(at('kubepods/pod2/inner'));
      expect(valueOf(await under.cgroups.processes(at('kubepods/pod2')))).toHaveLength(1);
      const kept = await under.cgroups.remove(at('kubepods/pod2'), { processes: 'keep' });
      expect(!kept.ok && kept.fault.kind).toBe('busy');
      expect(valueOf(await under.cgroups.exists(at('kubepods/pod2/inner')))).toBe(true);
      valueOf(await under.cgroups.remove(at('kubepods/pod2'), { processes: 'kill' }));
      expect(valueOf(await under.cgroups.exists(at('kubepods/pod2')))).toBe(false);
    });
  });
}

function valueOf<T>(result: Result<T, CgroupFault>): T {
  if (!result.ok) throw new Error(`unexpected fault: ${JSON.stringify(result.fault)}`);
  return result.value;
}
