// A node whose runtime, files and broker are the twins of real ones, on virtual time: its messages and listeners are an agent's own.
// Counts what the bus delivers and how long that takes. No daemon, no runtime.
import { SeededRandom } from '../src/adapters/sim/seeded-random.ts';
import { SimBroker } from '../src/adapters/sim/sim-broker.ts';
import { SimDiskSpace } from '../src/adapters/sim/sim-disk-space.ts';
import { SimFiles } from '../src/adapters/sim/sim-files.ts';
import { SimProbes } from '../src/adapters/sim/sim-probes.ts';
import { SimRuntime } from '../src/adapters/sim/sim-runtime.ts';
import { SimVolumes } from '../src/adapters/sim/sim-volumes.ts';
import { VirtualClock } from '../src/adapters/sim/virtual-clock.ts';
import { type Agent, type Observe, startAgent } from '../src/agent.ts';
import { garbageDefaults } from '../src/agent/garbage.ts';
import { startEmbeddedCloud } from '../src/bridge/embedded-cloud.ts';
import { Bus, type BusPort } from '../src/bus/bus.ts';
import { ok } from '../src/ports/result.ts';
import { testDialect } from '../test/support/dialects.ts';
import { hostFacts, nodeIdentity } from '../test/support/node-facts.ts';
import { silentLog } from '../test/support/silent-log.ts';
import { benchPod } from './simulated-pods.ts';

export interface SimulatedRun {
  readonly messages: number;
  /** Processor time of this process, the twins' own work included. */
  readonly cpuMs: number;
  /** The part of it in deliveries, with all that listeners do before they return: as large as theirs of the time that passed. */
  readonly busMs: number;
}

const nodeName = 'edge-07';
const pods = 100;
/** All of them run and are probed so long. */
const runningMs = 180_000;
const endingMs = 30_000;

/** Pods come, run, are probed, crash, go. @param observe of an inspector, or absent */
export async function simulatedRun(observe?: Observe): Promise<SimulatedRun> {
  const meter = meterBusses();
  const beganMs = performance.now();
  const cpu = process.cpuUsage();
  try {
    const clock = new VirtualClock();
    const seeded = new SeededRandom(1);
    const broker = new SimBroker({ clock, random: seeded.fork('broker') });
    const cloud = startEmbeddedCloud({ mqtt: broker.port({ clientId: 'cloud' }), clock, random: seeded.fork('cloud'), log: silentLog, rootTopic: 'fleet' });
    const agent = startNode(broker, clock, observe);
    await clock.advance(1_000);
    for (let index = 0; index < pods; index += 1) cloud.applyPod(benchPod(index, nodeName));
    await clock.advance(runningMs);
    for (let index = 0; index < pods; index += 1) cloud.deletePod('default', benchPod(index, nodeName).metadata?.name ?? '');
    await clock.advance(endingMs);
    const { published } = agent.bus.statistics();
    const { user, system } = process.cpuUsage(cpu);
    const cpuMs = (user + system) / 1_000;
    const busMs = cpuMs * (meter.elapsedMs() / (performance.now() - beganMs));
    const stopping = Promise.all([agent.stop(), cloud.stop()]);
    await clock.advance(endingMs);
    await stopping;
    return { messages: published, cpuMs, busMs };
  } finally {
    meter.stop();
  }
}

function startNode(broker: SimBroker, clock: VirtualClock, observe: Observe | undefined): Agent {
  const seeded = new SeededRandom(2);
  const runtime = new SimRuntime({ clock, random: seeded.fork('runtime') });
  const files = new SimFiles({ clock });
  const probes = new SimProbes({ clock });
  probes.answer = () => ok({ status: 200, body: '', leftHost: false });
  const facts = hostFacts({ cpus: 64, memoryBytes: 2 ** 38 });
  return startAgent({
    runtime, images: runtime.images, probes, files, volumes: new SimVolumes(), disk: new SimDiskSpace({ capacityBytes: 2 ** 40, usedBytes: () => 0 }), logFiles: files.logs,
    clock, random: seeded.fork('agent'), log: silentLog, host: { facts: () => Promise.resolve(facts) },
    processUsage: () => ({ cpuSeconds: 0, residentBytes: 0, heapUsedBytes: 0, heapTotalBytes: 0, startedAtMs: 0, openFiles: undefined, openFilesMax: undefined }),
    mqtt: { port: broker.port({ clientId: nodeName }), dialect: testDialect('mqlet') },
  }, {
    node: {
      nodeName, rootDirectory: '/var/lib/mqlet', podLogsDirectory: '/var/log/pods', clusterDns: [], clusterDomain: '', memoryBytes: facts.memoryBytes,
      allocatable: { cpuMillis: 64_000, memoryBytes: 2 ** 38, ephemeralStorageBytes: 2 ** 40 },
    },
    identity: nodeIdentity({ name: nodeName }), hostIps: facts.addresses, hostFacts: facts, allowedUnsafeSysctls: [],
    cgroups: { root: '', driver: 'cgroupfs', enforcesPods: false, podPidsMax: -1 }, podsMax: 200, pullsMax: 20, pullProgressDeadlineMs: 300_000,
    manifestPath: undefined, manifestScanMs: 20_000, registerNode: true, nodeUpdatePeriodMs: 10_000, nodeReportPeriodMs: 300_000,
    eviction: { thresholds: [], evicts: true, limitsLocalStorage: true, softGraceMsMax: 0, pressureHoldMs: 300_000 },
    leaseDurationSeconds: 40, garbage: garbageDefaults, renewsLease: false, escalate: (message) => { throw new Error(message); },
  }, observe);
}

/** From now on publishing is timed, on every bus there will be: by its outermost call, in which all is delivered. */
function meterBusses(): { elapsedMs(): number; stop(): void } {
  const as = Reflect.get(Bus.prototype, 'as') as Bus['as']; // Its own method.
  let elapsedMs = 0;
  let depth = 0;
  Bus.prototype.as = function metered(from: string): BusPort {
    const port = as.call(this, from);
    const publish: BusPort['publish'] = (topic, payload, options) => {
      if (depth > 0) return port.publish(topic, payload, options);
      depth = 1;
      const beganMs = performance.now();
      try {
        return port.publish(topic, payload, options);
      } finally {
        elapsedMs += performance.now() - beganMs;
        depth = 0;
      }
    };
    return { ...port, publish };
  };
  return { elapsedMs: () => elapsedMs, stop: () => { Bus.prototype.as = as; } };
}
