// Slices made and changed through systemd, by its own tool `busctl` as a child process. Only used where the driver is systemd.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type CgroupFault, type CgroupLimits, unlimited } from '../../ports/cgroups-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { weightOfShares } from './limit-files.ts';

export interface SystemdOptions {
  /** The tool, by name or path. */
  readonly busctl: string;
  /** There only where systemd runs the machine. */
  readonly runDirectory: string;
}

export const usualSystemd: SystemdOptions = { busctl: 'busctl', runDirectory: '/run/systemd/system' };

const callMsMax = 10_000;
const outputBytesMax = 64 * 1024;
const infinity = '18446744073709551615';
const microsPerSecond = 1_000_000;
const cpuPeriodDefault = 100_000;

/** @returns the fault where there is no systemd to ask */
export function checkSystemd({ runDirectory }: SystemdOptions): Result<void, CgroupFault> {
  if (existsSync(runDirectory)) return ok();
  return fail({ kind: 'unsupported', message: `the cgroup driver systemd needs systemd, which does not run this machine (${runDirectory} is missing): set --cgroup-driver cgroupfs, and the same in the runtime` });
}

/** Makes the slice, or changes the one that is there. */
export async function setSlice(unit: string, limits: CgroupLimits, version: 1 | 2, options: SystemdOptions): Promise<Result<void, CgroupFault>> {
  const properties = sliceProperties(limits, version);
  const accounting = ['CPUAccounting', 'MemoryAccounting', 'TasksAccounting', 'IOAccounting'].map((name) => [name, 'b', 'true'] as const);
  const all = [['Description', 's', `mqlet ${unit}`], ['DefaultDependencies', 'b', 'false'], ...accounting, ...properties] as const;
  const made = await call(options, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', [unit, 'replace', ...variants(all), '0']);
  if (made.ok || !/already|exists/i.test(made.fault.message)) return made;
  return properties.length === 0 ? ok() : call(options, 'SetUnitProperties', 'sba(sv)', [unit, 'true', ...variants(properties)]);
}

/** Ends the slice and what is in it. One that is not there is success. */
export async function stopSlice(unit: string, options: SystemdOptions): Promise<Result<void, CgroupFault>> {
  const stopped = await call(options, 'StopUnit', 'ss', [unit, 'replace']);
  return stopped.ok || /not loaded|not found|does not exist/i.test(stopped.fault.message) ? ok() : stopped;
}

type Property = readonly [name: string, signature: string, value: string];

export function sliceProperties({ cpuShares, cpuQuota, cpuPeriod = cpuPeriodDefault, memoryBytes, pidsMax }: CgroupLimits, version: 1 | 2): readonly Property[] {
  const number = (name: string, value: number | undefined): Property[] => (value === undefined ? [] : [[name, 't', value === unlimited ? infinity : String(value)]]);
  const perSecond = cpuQuota === undefined || cpuQuota === unlimited ? cpuQuota : Math.ceil((cpuQuota * microsPerSecond) / cpuPeriod);
  const weight = cpuShares === undefined ? undefined : version === 2 ? weightOfShares(cpuShares) : cpuShares;
  return [
    ...number(version === 2 ? 'CPUWeight' : 'CPUShares', weight),
    ...number('CPUQuotaPerSecUSec', perSecond),
    ...number(version === 2 ? 'MemoryMax' : 'MemoryLimit', memoryBytes),
    ...number('TasksMax', pidsMax),
  ];
}

/** An array of names with values, as busctl takes it: its length, then each item. */
function variants(properties: readonly Property[]): readonly string[] {
  return [String(properties.length), ...properties.flat()];
}

function call({ busctl }: SystemdOptions, method: string, signature: string, values: readonly string[]): Promise<Result<void, CgroupFault>> {
  const manager = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'];
  return new Promise((resolve) => {
    execFile(busctl, ['--system', '--quiet', 'call', ...manager, method, signature, ...values], { timeout: callMsMax, maxBuffer: outputBytesMax }, (error, _output, complaint) => {
      resolve(error === null ? ok() : fail({ kind: 'failed', message: `systemd: ${method} ${values[0] ?? ''}: ${complaint.trim() || error.message}` }));
    });
  });
}
