// One node of a simulated fleet: the whole agent on a simulated runtime, files and machine, with a connection of its own to a real broker.
import { SeededRandom } from '../adapters/sim/seeded-random.ts';
import { SimDiskSpace } from '../adapters/sim/sim-disk-space.ts';
import { SimFiles } from '../adapters/sim/sim-files.ts';
import { SimProbes } from '../adapters/sim/sim-probes.ts';
import { SimRuntime } from '../adapters/sim/sim-runtime.ts';
import { SimVolumes } from '../adapters/sim/sim-volumes.ts';
import { mqttClient } from '../adapters/mqtt-client.ts';
import { type Agent, startAgent } from '../agent.ts';
import type { AgentSettings } from '../agent/agent-world.ts';
import { garbageDefaults } from '../agent/garbage.ts';
import { mqletDialect } from '../bus/dialects/mqlet/mqlet-dialect.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { HostFacts } from '../ports/host-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { version } from '../version.ts';
import { CountedMqtt, type Traffic } from './counted-mqtt.ts';

export interface FleetNodeOptions {
  readonly name: string;
  readonly broker: { readonly host: string; readonly port: number };
  readonly rootTopic: string;
  readonly seed: string;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly traffic: Traffic;
}

export interface FleetNode extends Stoppable {
  /** The connection breaks; the agent makes another. */
  cutLink(): void;
}

const gibi = 1024 ** 3;
const keepAliveMs = 60_000;
/** What pods of a simulated fleet run; there without a pull. */
export const fleetImage = 'sim/graceful';

export function startFleetNode({ name, broker, rootTopic, seed, clock, log, traffic }: FleetNodeOptions): FleetNode {
  const random = new SeededRandom(`${seed} ${name}`);
  const runtime = new SimRuntime({ clock, random: random.fork('runtime'), images: [fleetImage] });
  const files = new SimFiles({ clock });
  const facts = hostFacts(name);
  const dialect = mqletDialect({ rootTopic, nodeName: name, software: `mqlet ${version}` });
  const { clientId, protocols } = dialect.connection();
  const mqtt = new CountedMqtt(mqttClient({ ...broker, clientId, protocols, keepAliveMs }), traffic);
  const agent: Agent = startAgent({
    runtime, images: runtime.images, probes: new SimProbes({ clock }), files, logFiles: files.logs, volumes: new SimVolumes(),
    disk: new SimDiskSpace({ capacityBytes: facts.rootFilesystemBytes, usedBytes: () => runtime.images.usedBytes() }),
    clock, random: random.fork('agent'), log, host: { facts: () => Promise.resolve(facts) },
    processUsage: () => ({ cpuSeconds: 0, residentBytes: 0, heapUsedBytes: 0, heapTotalBytes: 0, startedAtMs: 0, openFiles: undefined, openFilesMax: undefined }),
    mqtt: { port: mqtt, dialect },
  }, settingsOf(name, facts, (message) => log.error('fleet.node-gave-up', { name, message })));
  return { cutLink: () => mqtt.cut(), stop: () => agent.stop() };
}

function hostFacts(name: string): HostFacts {
  return {
    hostname: name, architecture: 'amd64', kernelVersion: '6.1.0', osImage: 'simulated', machineId: name, systemUuid: name, bootId: name, cpus: 4, memoryBytes: 4 * gibi, rootFilesystemBytes: 100 * gibi, hugePages: {},
    addresses: ['192.0.2.1'],
  };
}

/** As `mqlet run` has them without flags. */
function settingsOf(nodeName: string, facts: HostFacts, escalate: (message: string) => void): AgentSettings {
  return {
    node: {
      nodeName, rootDirectory: '/var/lib/mqlet', podLogsDirectory: '/var/log/pods', clusterDns: [], clusterDomain: 'cluster.local', memoryBytes: facts.memoryBytes,
      allocatable: { cpuMillis: facts.cpus * 1_000, memoryBytes: facts.memoryBytes, ephemeralStorageBytes: facts.rootFilesystemBytes },
    },
    identity: {
      name: nodeName, ips: [], labels: {}, taints: undefined, providerId: '', maxPods: 110, podsPerCore: 0, maxImages: 50, systemReserved: {}, kubeReserved: {}, evictionHard: {}, version,
    },
    hostIps: facts.addresses, hostFacts: facts, allowedUnsafeSysctls: [], cgroups: { root: '', driver: 'cgroupfs', enforcesPods: false, podPidsMax: -1 },
    podsMax: 110, pullsMax: 8, pullProgressDeadlineMs: 300_000, manifestPath: undefined, manifestScanMs: 20_000, registerNode: true, nodeUpdatePeriodMs: 10_000, nodeReportPeriodMs: 300_000,
    eviction: { thresholds: [], evicts: false, limitsLocalStorage: false, softGraceMsMax: 0, pressureHoldMs: 300_000 },
    leaseDurationSeconds: 40, garbage: garbageDefaults, renewsLease: false, escalate,
  };
}
