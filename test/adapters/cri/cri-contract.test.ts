// Our CRI client on the twin's CRI server, over a real socket in real time: the same contract, both ends of the wire.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectCri } from '../../../src/adapters/cri/cri-client.ts';
import { startSimCriServer } from '../../../src/adapters/sim/cri-server.ts';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { SimRuntime } from '../../../src/adapters/sim/sim-runtime.ts';
import { SystemClock } from '../../../src/adapters/system-clock.ts';
import { runtimeContract } from '../../ports/runtime-contract.ts';
import { silentLog } from '../../support/silent-log.ts';
import { simImages, simPrograms } from '../../support/sim-programs.ts';

runtimeContract('the twin through gRPC', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-cri-'));
  const endpoint = `unix://${directory}/cri.sock`;
  const clock = new SystemClock();
  const sim = new SimRuntime({ clock, random: new SeededRandom('contract'), images: simImages, latencies: { 'images.pull': [20, 40] } });
  const server = await startSimCriServer({ endpoint, runtime: sim, clock });
  if (!server.ok) throw new Error(server.fault);
  const connection = connectCri({ endpoint, clock, log: silentLog, callTimeoutMs: 10_000 });
  return {
    runtime: connection.runtime,
    images: connection.images,
    wait: (delayMs) => new Promise((resolve) => { setTimeout(resolve, delayMs); }),
    nowMs: () => Date.now(),
    logDirectory: '/var/log/pods/contract',
    programs: simPrograms,
    missingImage: 'registry.example/missing:1',
    stop: async () => {
      await connection.close();
      await server.value.stop();
      rmSync(directory, { recursive: true });
    },
  };
});
