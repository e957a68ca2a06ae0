// The twin of the machine's cgroups keeps the contract of the port.
import { SimCgroups } from '../../../src/adapters/sim/sim-cgroups.ts';
import { cgroupsContract } from '../../ports/cgroups-contract.ts';

cgroupsContract('the twin', async () => {
  const cgroups = new SimCgroups();
  return { cgroups, root: '/own', enter: async (path) => { cgroups.inside.set(path, [4711]); }, stop: async () => undefined };
});
