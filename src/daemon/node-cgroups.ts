// Whether this daemon makes cgroups for its pods, and with what: settled before anything is started.
import { NodeCgroups } from '../adapters/node-cgroups.ts';
import type { Config } from '../config.ts';
import type { CgroupSettings } from '../machines/decide/cgroups.ts';
import type { CgroupsPort } from '../ports/cgroups-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';

type CgroupConfig = Pick<Config, 'cgroupsPerQos' | 'cgroupDriver' | 'cgroupRoot' | 'enforceNodeAllocatable' | 'podPidsLimit'>;

export function cgroupSettings({ cgroupDriver, cgroupRoot, enforceNodeAllocatable, podPidsLimit }: CgroupConfig): CgroupSettings {
  return { root: cgroupRoot.replace(/\/+$/, ''), driver: cgroupDriver, enforcesPods: enforceNodeAllocatable.includes('pods'), podPidsMax: podPidsLimit };
}

/**
 * Asked for by name, cgroups that cannot be had are an error. By default the pods then run where the runtime places them, as on a
 * machine where they never could be had, and one line says so.
 * @returns undefined where none are made; the fault is a line for the person who starts the daemon
 */
export async function cgroupsOf(config: CgroupConfig, log: LogPort, cgroups: CgroupsPort = new NodeCgroups()): Promise<Result<CgroupsPort | undefined, string>> {
  if (config.cgroupsPerQos === false) return ok(undefined);
  const { driver, root } = cgroupSettings(config);
  const checked = await cgroups.check(driver, root);
  if (checked.ok) return ok(cgroups);
  if (config.cgroupsPerQos === true) return fail(`--cgroups-per-qos: cgroups cannot be made here: ${checked.fault.message}`);
  log.warn('cgroups.off', { driver, root, fault: checked.fault.message, effect: 'pods run below the cgroup of the runtime' });
  return ok(undefined);
}
