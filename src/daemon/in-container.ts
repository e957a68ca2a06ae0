// The start of an agent in a container: refused, with every reason, where it would do half of its work.
import { compareDirectory, compareWithHost } from '../adapters/container-facts.ts';
import type { Config } from '../config.ts';
import { containerFaults } from '../machines/decide/in-container.ts';
import { fail, ok, type Result } from '../ports/result.ts';

/** @returns the fault is lines for the person who starts it; always well on the host itself */
export function checkContainer({ hostRoot, rootDir, podLogsDir, cgroupsPerQos, cgroupDriver, shutdownGroups }: Config): Result<void, string> {
  if (hostRoot === '') return ok();
  const facts = { hostRoot, ...compareWithHost(hostRoot), root: compareDirectory(rootDir, hostRoot), podLogs: compareDirectory(podLogsDir, hostRoot) };
  const faults = containerFaults(facts, { makesCgroups: cgroupsPerQos !== false, cgroupDriver, holdsShutdown: shutdownGroups.length > 0 });
  return faults.length === 0 ? ok() : fail(faults.join('\n'));
}
