// A whole node on real parts: containerd, mosquitto, the cloud side, and the agent in this process, so that a test can watch its bus.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connectCri, type CriConnection } from '../../src/adapters/cri/cri-client.ts';
import { gateRuntime } from '../../src/adapters/gated-runtime.ts';
import { createHostFacts } from '../../src/adapters/host-facts.ts';
import { mqttClient } from '../../src/adapters/mqtt-client.ts';
import { NodeCgroups } from '../../src/adapters/node-cgroups.ts';
import { NodeFiles } from '../../src/adapters/node-files.ts';
import { NodeLogFiles } from '../../src/adapters/node-log-files.ts';
import { NodeVolumes } from '../../src/adapters/node-volumes.ts';
import { ProbeClient } from '../../src/adapters/probe-client.ts';
import { readProcessUsage } from '../../src/adapters/process-usage.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { SystemRandom } from '../../src/adapters/system-random.ts';
import type { EvictionSettings } from '../../src/actors/eviction-manager.ts';
import { type Agent, startAgent } from '../../src/agent.ts';
import type { AgentSettings } from '../../src/agent/agent-world.ts';
import { garbageDefaults } from '../../src/agent/garbage.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../../src/bridge/embedded-cloud.ts';
import type { Dialect } from '../../src/bus/dialects/dialect.ts';
import { liteDialect } from '../../src/bus/dialects/lite/lite-dialect.ts';
import { streamWorld } from '../../src/daemon/stream-world.ts';
import { demoImageSources } from '../../src/demo/demo-images.ts';
import { type Broker, startBroker } from '../../src/demo/mosquitto.ts';
import type { ImageSource } from '../../src/demo/oci-archive.ts';
import { partFaultLines } from '../../src/demo/part-fault.ts';
import type { NodeSettings } from '../../src/machines/decide/node-settings.ts';
import type { ShutdownGroup } from '../../src/ports/eviction.ts';
import type { HostFacts } from '../../src/ports/host-port.ts';
import type { LogPort } from '../../src/ports/log-port.ts';
import type { Pod } from '../../src/ports/pod-types.ts';
import type { ShutdownPort } from '../../src/ports/shutdown-port.ts';
import { busyboxImage, type ContainerdFixture, withContainerd } from './containerd.ts';

export const nodeName = 'edge-07';
/** The same programs under another name and with another configuration: an update of an image. */
export const otherBusyboxImage = 'mqlet.local/busybox:2';
const rootTopic = 'fleet';
const silent: LogPort = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (event, fields) => console.error(event, fields) };

const hostFacts: HostFacts = {
  hostname: nodeName, architecture: 'amd64', kernelVersion: '6.1', osImage: 'Linux', machineId: '', systemUuid: '', bootId: '',
  cpus: 2, memoryBytes: 8 * 2 ** 30, rootFilesystemBytes: 2 ** 36, hugePages: {}, addresses: ['192.0.2.7'],
};

export interface RealNode {
  readonly fixture: ContainerdFixture;
  readonly cloud: EmbeddedCloud;
  readonly cri: CriConnection;
  readonly manifests: string;
  /** The agent that runs now. */
  agent(): Agent;
  /** Stops the agent as SIGTERM does. */
  stopAgent(): Promise<void>;
  startAgent(): void;
  manifest(name: string, text: string): Promise<void>;
  /** The pod as the cloud has it. */
  pod(name: string): Pod | undefined;
  stop(): Promise<void>;
}

/** What a test wants otherwise than the others. */
export interface RealNodeOptions {
  /** Another dialect around the one the cloud side speaks. */
  readonly dialect?: (lite: Dialect) => Dialect;
  /** Beside busybox under two names. */
  readonly images?: readonly ImageSource[];
  readonly node?: Partial<NodeSettings>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly hostIps?: readonly string[];
  /** Asked at each start of the agent. */
  readonly eviction?: () => Partial<EvictionSettings>;
  readonly shutdown?: { readonly port: ShutdownPort; readonly groups: readonly ShutdownGroup[] };
}

export async function startRealNode(options: RealNodeOptions = {}): Promise<RealNode> {
  const sources = await demoImageSources();
  const busybox = sources.ok ? sources.value.find(({ name }) => name === busyboxImage) : undefined;
  if (busybox === undefined) throw new Error('busybox cannot be had');
  const fixture = await withContainerd({ images: [{ ...busybox, name: otherBusyboxImage, environment: ['OTHER=1'] }, ...(options.images ?? [])] });
  const { directory } = fixture;
  const clock = new SystemClock();
  const random = new SystemRandom();
  const brokerDirectory = path.join(directory, 'b');
  await mkdir(brokerDirectory, { recursive: true });
  const broker = await startBroker({ directory: brokerDirectory, log: silent });
  if (!broker.ok) {
    await fixture.stop();
    throw new Error(partFaultLines(broker.fault).join('\n'));
  }
  const connection = (clientId: string) => connect(broker.value, clientId);
  const cloud = startEmbeddedCloud({ mqtt: connection('cloud'), clock, random, log: silent, rootTopic });
  await cloud.ready;
  const manifests = path.join(directory, 'manifests');
  await mkdir(manifests, { recursive: true });
  const cri = connectCri({ endpoint: fixture.endpoint, clock, log: silent, callTimeoutMs: 30_000 });
  const lite = liteDialect({ rootTopic, nodeName });
  const dialect = options.dialect?.(lite) ?? lite;
  const start = () =>
    startAgent(
      {
        runtime: gateRuntime(cri.runtime, { startsMax: 4, clock }), images: cri.images, probes: new ProbeClient(), files: new NodeFiles(), volumes: new NodeVolumes(), disk: new NodeLogFiles(), logFiles: new NodeLogFiles(), cgroups: new NodeCgroups(), clock, random, log: silent,
        host: { facts: async () => hostFacts },
        ...(options.eviction === undefined ? {} : { pressure: createHostFacts({ rootDirectory: directory }) }),
        ...(options.shutdown === undefined ? {} : { shutdown: options.shutdown.port }),
        processUsage: readProcessUsage,
        streams: async () => streamWorld(cri.streamUrls, { rootDirectory: directory }),
        mqtt: { port: connection(nodeName), dialect },
      },
      settings(fixture, manifests, options),
    );
  let agent: Agent | undefined = start();
  return {
    fixture, cloud, cri, manifests,
    agent: () => {
      if (agent === undefined) throw new Error('the agent is stopped');
      return agent;
    },
    stopAgent: async () => {
      await agent?.stop();
      agent = undefined;
    },
    startAgent: () => {
      agent = start();
    },
    manifest: (name, text) => writeFile(path.join(manifests, name), text),
    pod: (name) => cloud.pods().find((pod) => pod.metadata?.name === name),
    stop: async () => {
      await agent?.stop();
      await cloud.stop();
      await broker.value.stop();
      await cri.close();
      await new NodeVolumes().unmountBelow(`${directory}/root`);
      await fixture.stop();
    },
  };
}

function connect(broker: Broker, clientId: string) {
  return mqttClient({ host: broker.host, port: broker.port, clientId, protocols: ['MQTT 3.1.1'], keepAliveMs: 30_000 });
}

function settings({ directory, containerd }: ContainerdFixture, manifests: string, { node = {}, labels = {}, hostIps = ['192.0.2.7'], eviction, shutdown }: RealNodeOptions): AgentSettings {
  return {
    node: {
      nodeName,
      rootDirectory: path.join(directory, 'root'),
      podLogsDirectory: path.join(directory, 'logs'),
      clusterDns: [],
      clusterDomain: '',
      memoryBytes: hostFacts.memoryBytes,
      allocatable: { cpuMillis: 2_000, memoryBytes: hostFacts.memoryBytes, ephemeralStorageBytes: hostFacts.rootFilesystemBytes },
      ...node,
    },
    identity: {
      name: nodeName, ips: [], labels, taints: undefined, providerId: '', maxPods: 110, podsPerCore: 0, maxImages: 50,
      systemReserved: {}, kubeReserved: {}, evictionHard: {}, version: 'v0.0.0-test',
    },
    hostIps,
    hostFacts,
    allowedUnsafeSysctls: ['kernel.msg*'],
    cgroups: { root: containerd.cgroupRoot, driver: 'cgroupfs', enforcesPods: true, podPidsMax: -1 },
    podsMax: 110,
    pullsMax: 1,
    pullProgressDeadlineMs: 300_000,
    manifestPath: manifests,
    manifestScanMs: 20_000,
    registerNode: true,
    nodeUpdatePeriodMs: 10_000,
    nodeReportPeriodMs: 300_000,
    eviction: { thresholds: [], evicts: true, limitsLocalStorage: true, softGraceMsMax: 0, pressureHoldMs: 300_000, ...eviction?.() },
    shutdownGroups: shutdown?.groups ?? [],
    leaseDurationSeconds: 40,
    garbage: garbageDefaults,
    renewsLease: false,
    escalate: (message) => {
      throw new Error(message);
    },
  };
}

/** A pod for the cloud side: busybox with a shell command. */
export function shellPod(name: string, script: string, spec: object = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', script] }],
      ...spec,
    },
  };
}

/** Polls, because containerd and the broker are other processes. @throws naming what was waited for and what was last seen */
export async function eventually<T>(what: string, look: () => T | undefined | false, limitMs = 20_000): Promise<T> {
  const until = Date.now() + limitMs;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > until) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
