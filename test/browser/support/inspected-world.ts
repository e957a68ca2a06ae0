// A simulated node with the inspector's real feed and server: its own time moves only when the test lets it.
import { startAgent } from '../../../src/agent.ts';
import { inspectionOf, serveInspection } from '../../../src/daemon/inspector.ts';
import { calmOptions } from '../../sim/options.ts';
import { nodeName, World } from '../../sim/world.ts';

export interface InspectedWorld {
  readonly world: World;
  /** With the token. */
  readonly url: string;
  /** A tenth of a second of the node's time. */
  readonly goOn: () => Promise<void>;
  stop(): Promise<void>;
}

export async function inspectedWorld(seed: string): Promise<InspectedWorld> {
  let observe: Parameters<typeof startAgent>[2];
  const world = new World(calmOptions(seed), { start: (ports, settings) => startAgent(ports, settings, observe) });
  // Pages live on the node's time too: a batch comes when the test lets time pass.
  const inspection = inspectionOf({ node: nodeName, version: 'v0.0.0-test', mode: 'live', file: '', clock: world.clock });
  observe = inspection.observe;
  world.startDaemon();
  await world.pass(3_000);
  const served = await serveInspection(inspection, { host: '127.0.0.1', port: 0 });
  if (!served.ok) throw new Error(served.fault);
  return {
    world, url: served.value.url,
    goOn: () => world.pass(100),
    stop: async () => {
      await served.value.stop();
      await world.stopDaemon({ downMs: 3_600_000 });
    },
  };
}
