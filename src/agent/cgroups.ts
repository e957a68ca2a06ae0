// The keeper of pods' cgroups, put together from what the agent is given. Where no cgroups are to be made there is none.
import { CgroupKeeper } from '../actors/cgroup-keeper.ts';
import type { Bus } from '../bus/bus.ts';
import type { CgroupSettings } from '../machines/decide/cgroups.ts';
import { enforcedAmounts } from '../machines/decide/node-allocatable.ts';
import type { NodeIdentity } from '../machines/decide/node-object.ts';
import type { CgroupsPort } from '../ports/cgroups-port.ts';
import type { HostFacts } from '../ports/host-port.ts';
import type { LogPort } from '../ports/log-port.ts';

interface CgroupPorts {
  readonly cgroups?: CgroupsPort;
  readonly log: LogPort;
}

interface CgroupFacts {
  readonly cgroups: CgroupSettings;
  readonly identity: NodeIdentity;
  readonly hostFacts: HostFacts;
}

export function cgroupKeeper(bus: Bus, { cgroups, log }: CgroupPorts, { cgroups: settings, identity, hostFacts }: CgroupFacts): CgroupKeeper | undefined {
  if (cgroups === undefined) return undefined;
  const enforced = enforcedAmounts(identity, hostFacts);
  return new CgroupKeeper({ bus: bus.as('cgroups'), cgroups, settings, enforced, pageSizes: Object.keys(hostFacts.hugePages), log });
}
