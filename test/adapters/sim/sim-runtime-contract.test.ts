// The in-process twin keeps the contract of RuntimePort, on virtual time.
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { SimRuntime } from '../../../src/adapters/sim/sim-runtime.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { runtimeContract } from '../../ports/runtime-contract.ts';
import { drivenTime } from '../../support/driven-time.ts';
import { simPrograms, simImages } from '../../support/sim-programs.ts';

runtimeContract('the twin in process', async () => {
  const clock = new VirtualClock();
  const time = drivenTime(clock);
  const sim = new SimRuntime({ clock, random: new SeededRandom('contract'), images: simImages });
  return {
    runtime: time.drive(sim),
    images: time.drive(sim.images),
    wait: time.wait,
    nowMs: () => clock.nowMs(),
    logDirectory: '/var/log/pods/contract',
    programs: simPrograms,
    missingImage: 'registry.example/missing:1',
    stop: async () => undefined,
  };
});
