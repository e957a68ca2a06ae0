// The simulated service manager against the contract.
import { SimShutdown } from '../../../src/adapters/sim/sim-shutdown.ts';
import { shutdownContract } from '../../ports/shutdown-contract.ts';

shutdownContract('simulated', async () => {
  const port = new SimShutdown();
  const without = new SimShutdown();
  without.present = false;
  return {
    port, without,
    prepare: async (goesDown) => port.prepare(goesDown),
    lose: async () => port.lose(),
    delays: async () => port.delays,
    until: async (condition) => { if (!await condition()) throw new Error('it is not so'); },
    stop: async () => undefined,
  };
});
