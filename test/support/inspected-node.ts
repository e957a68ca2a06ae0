// A simulated node on real time with the inspector on: many pods, and as many messages a second as are wanted. For the page's tests and its development.
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { SimBroker } from '../../src/adapters/sim/sim-broker.ts';
import { SimDiskSpace } from '../../src/adapters/sim/sim-disk-space.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { SimProbes } from '../../src/adapters/sim/sim-probes.ts';
import { SimRuntime } from '../../src/adapters/sim/sim-runtime.ts';
import { SimVolumes } from '../../src/adapters/sim/sim-volumes.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { type Agent, startAgent } from '../../src/agent.ts';
import { garbageDefaults } from '../../src/agent/garbage.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../../src/bridge/embedded-cloud.ts';
import { nodeInspector } from '../../src/daemon/inspector.ts';
import type { Container, ContainerId, Pod, PodUid } from '../../src/ports/pod-types.ts';
import { ok } from '../../src/ports/result.ts';
import { testDialect } from './dialects.ts';
import { hostFacts, nodeIdentity } from './node-facts.ts';
import { silentLog } from './silent-log.ts';

const nodeName = 'edge-07';
const publishEveryMs = 20;

export interface InspectedNodeOptions {
  /** Well-behaved pods beside those of `troubles`. */
  readonly pods: number;
  /** Beside those of the pods themselves. */
  readonly messagesPerSecond: number;
  /** Also one pod in a crash loop, one without its image, one never ready, and one with an init container. */
  readonly troubles: boolean;
  readonly port: number;
}

export interface InspectedNode {
  readonly url: string;
  readonly agent: Agent;
  readonly broker: SimBroker;
  readonly cloud: EmbeddedCloud;
  readonly runtime: SimRuntime;
  readonly probes: SimProbes;
  apply(pod: Pod): Promise<void>;
  remove(name: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startInspectedNode(options: InspectedNodeOptions): Promise<InspectedNode> {
  const clock = new SystemClock();
  const seeded = new SeededRandom(1);
  const runtime = new SimRuntime({ clock, random: seeded.fork('runtime') });
  const files = new SimFiles({ clock });
  const probes = new SimProbes({ clock });
  probes.answer = () => ok({ status: 200, body: '', leftHost: false });
  const broker = new SimBroker({ clock, random: seeded.fork('broker') });
  const cloud = startEmbeddedCloud({ mqtt: broker.port({ clientId: 'cloud' }), clock, random: seeded.fork('cloud'), log: silentLog, rootTopic: 'fleet' });
  const inspector = nodeInspector({ address: { host: '127.0.0.1', port: options.port }, node: nodeName, version: 'v0.0.0-test', clock });
  const facts = hostFacts({ cpus: 1_000, memoryBytes: 2 ** 42 });
  const agent = startAgent({
    runtime, images: runtime.images, probes, files, volumes: new SimVolumes(), disk: new SimDiskSpace({ capacityBytes: 2 ** 40, usedBytes: () => 0 }), logFiles: files.logs,
    clock, random: seeded.fork('agent'), log: silentLog, host: { facts: () => Promise.resolve(facts) },
    processUsage: () => ({ cpuSeconds: 0, residentBytes: 0, heapUsedBytes: 0, heapTotalBytes: 0, startedAtMs: 0, openFiles: undefined, openFilesMax: undefined }),
    mqtt: { port: broker.port({ clientId: nodeName }), dialect: testDialect('lite') },
  }, {
    node: {
      nodeName, rootDirectory: '/var/lib/mqlet', podLogsDirectory: '/var/log/pods', clusterDns: [], clusterDomain: '', memoryBytes: facts.memoryBytes,
      allocatable: { cpuMillis: 10 ** 6, memoryBytes: 2 ** 42, ephemeralStorageBytes: 2 ** 42 },
    },
    identity: nodeIdentity({ name: nodeName }), hostIps: facts.addresses, hostFacts: facts, allowedUnsafeSysctls: [],
    cgroups: { root: '', driver: 'cgroupfs', enforcesPods: true, podPidsMax: -1 }, podsMax: 10_000, pullsMax: 20, pullProgressDeadlineMs: 300_000,
    manifestPath: undefined, manifestScanMs: 20_000, registerNode: true, nodeUpdatePeriodMs: 10_000, nodeReportPeriodMs: 300_000,
    eviction: { thresholds: [], evicts: true, limitsLocalStorage: true, softGraceMsMax: 0, pressureHoldMs: 300_000 },
    leaseDurationSeconds: 40, garbage: garbageDefaults, renewsLease: true, escalate: (message) => { throw new Error(message); },
  }, inspector.observe);
  const served = await inspector.listen();
  if (!served.ok) throw new Error(served.fault);
  const apply = async (pod: Pod) => {
    const { status, body } = await agent.admin.handle({ method: 'POST', path: '/v1/pods', query: new Map(), headers: {}, body: new TextEncoder().encode(JSON.stringify(pod)) });
    if (status !== 200) throw new Error(body);
  };
  const remove = async (name: string) => {
    await agent.admin.handle({ method: 'DELETE', path: `/v1/pods/default/${name}`, query: new Map(), headers: {}, body: new Uint8Array() });
  };
  for (let index = 0; index < options.pods; index += 1) await apply(simPod(`web-${String(index).padStart(3, '0')}`));
  if (options.troubles) for (const pod of troubles()) await apply(pod);
  const noise = startNoise(agent, options.messagesPerSecond);
  return {
    url: served.value.url, agent, broker, cloud, runtime, probes, apply, remove,
    stop: async () => {
      clearInterval(noise);
      await agent.stop();
      await cloud.stop();
      await served.value.stop();
    },
  };
}

export function simPod(name: string, container: Partial<Container> = {}, spec: Partial<NonNullable<Pod['spec']>> = {}): Pod {
  return {
    apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'app', image: 'registry.example/sim/run:1', imagePullPolicy: 'IfNotPresent', ...container }], terminationGracePeriodSeconds: 1, ...spec },
  };
}

export function troubles(): readonly Pod[] {
  return [
    simPod('crasher', { command: ['sim', 'exit:1-after-500'] }),
    simPod('no-image', { imagePullPolicy: 'Never', image: 'registry.example/absent:1' }),
    simPod('never-ready', { readinessProbe: { exec: { command: ['sim', 'exit:1'] }, periodSeconds: 1 } }),
    simPod('prepared', {}, { initContainers: [{ name: 'setup', image: 'registry.example/sim/run:1', command: ['sim', 'exit:0-after-2000'] }] }),
  ];
}

/** Messages that concern pods and change nothing of them. */
function startNoise(agent: Agent, perSecond: number): NodeJS.Timeout {
  const bus = agent.bus.as('noise');
  const pods: { readonly uid: PodUid; readonly namespace: string; readonly name: string }[] = [];
  bus.on('pods.changed', ({ payload }) => { if (payload.op === 'ADD') pods.push(...payload.pods); });
  void agent.admin.handle({ method: 'GET', path: '/v1/pods', query: new Map(), headers: {}, body: new Uint8Array() }).then(({ body }) => {
    // The agent's own answer.
    pods.push(...(JSON.parse(body) as { items: typeof pods }).items);
  });
  let count = 0;
  const beganMs = performance.now();
  return setInterval(() => {
    const wanted = Math.floor(((performance.now() - beganMs) / 1_000) * perSecond);
    for (; count < wanted; count += 1) {
      const pod = pods[count % Math.max(1, pods.length)];
      if (pod === undefined || count % 3 > 0) bus.publish('runtime.event', { kind: 'started', id: `noise-${count % 500}` as ContainerId });
      else bus.publish('probe.changed', { pod, container: 'app', containerId: 'noise' as ContainerId, probe: 'liveness', result: 'success', message: '' });
    }
  }, publishEveryMs);
}
