// The agent, put together from ports: every actor, source and sink, and the order in which they start and stop.
// The daemon hands it the real world, simulation and replay hand it their twins. It constructs no adapter.
import { type AdminApi, createAdminApi } from './actors/admin-api.ts';
import { startBusLog } from './actors/bus-log.ts';
import type { ExplainerDeps } from './actors/explainer.ts';
import { startEventRecorder } from './actors/event-recorder.ts';
import { startEvictionManager } from './actors/eviction-manager.ts';
import { type Health, startHealth } from './actors/health.ts';
import { startHeapKeeper } from './actors/heap-keeper.ts';
import { startImageActor } from './actors/image-actor.ts';
import { knownNode } from './actors/known-node.ts';
import { startLeaseActor } from './actors/lease-actor.ts';
import { meterFiles } from './actors/metered-files.ts';
import { meterRuntime } from './actors/metered-runtime.ts';
import { startMetrics } from './actors/metrics.ts';
import type { MetricsRegistry } from './actors/metrics-registry.ts';
import { startMirrorPods } from './actors/mirror-pods.ts';
import { startNodeActor } from './actors/node-actor.ts';
import { type NodeShutdown, startNodeShutdown } from './actors/node-shutdown.ts';
import { type NodeView, startNodeView } from './actors/node-view.ts';
import { startOrphanReaper } from './actors/orphan-reaper.ts';
import { PodResizer } from './actors/pod-resizer.ts';
import { startPodSupervisor } from './actors/pod-supervisor.ts';
import { countProbes } from './actors/probe-metrics.ts';
import { startProber } from './actors/prober.ts';
import { startRelistActor } from './actors/relist-actor.ts';
import { startRuntimeWatch } from './actors/runtime-watch.ts';
import { startStatusReporter } from './actors/status-reporter.ts';
import { startTokenManager } from './actors/token-manager.ts';
import { VolumeKeeper } from './actors/volume-keeper.ts';
import { withLogRemoval } from './actors/removes-logs.ts';
import { withTerminationMessages } from './actors/termination-messages.ts';
import { KnownFacts } from './agent/known-facts.ts';
import { Bus } from './bus/bus.ts';
import { startCloudLink } from './agent/cloud-link.ts';
import type { StreamSettings } from './ports/node-streams-port.ts';
import { startGarbage } from './agent/garbage.ts';
import { cgroupKeeper } from './agent/cgroups.ts';
import { type Memory, startMemory } from './agent/memory.ts';
import { startAdminPods } from './bus/ingress/admin-pods.ts';
import { startMergeSources } from './bus/ingress/merge-sources.ts';
import { startStaticPods } from './bus/ingress/static-pods.ts';
import { hostResolverNote } from './machines/decide/dns.ts';
import { machines } from './machines/machines.ts';
import type { MachineWatch } from './ports/machine-watch.ts';
import type { PodSource } from './ports/pod-types.ts';
import type { Stoppable } from './ports/result.ts';
import type { FindObject } from './ports/stored-object.ts';
import type { AgentPorts, AgentSettings } from './agent/agent-world.ts';

const streamDefaults: StreamSettings = { idleMs: 4 * 3_600_000, looksInside: true };

export interface Agent extends Stoppable {
  readonly bus: Bus;
  /** Answers /healthz and /metrics. */
  readonly health: Health;
  /** Answers the admin API. */
  readonly admin: AdminApi;
  /** Before `stop`: ends the pods in order when the machine goes down; otherwise it resolves at once and touches none. */
  endPods(): Promise<void>;
}

/** Called with the bus before anything is on it. */
export type Observe = (bus: Bus, watched: typeof machines) => AgentObserver;

export interface AgentObserver {
  readonly watch: MachineWatch;
  /** Where the values of secrets can be had that must not be shown. */
  knowObjects(find: FindObject): void;
}

export function startAgent(given: AgentPorts, settings: AgentSettings, observe?: Observe): Agent {
  const { clock, random, log } = given;
  const { nodeName } = settings.node;
  const bus = new Bus(clock);
  const observer = observe?.(bus, machines);
  const watch = observer?.watch;
  const metrics = startMetrics({
    bus: bus.as('metrics'), clock, nodeName, version: settings.identity.version,
    busStatistics: () => bus.statistics(), processUsage: () => given.processUsage(),
  });
  const files = meterFiles(given.files, metrics.registry, settings.node.rootDirectory);
  const ports: AgentPorts = { ...given, files, ...meterRuntime({ runtime: given.runtime, images: given.images }, metrics.registry, clock) };
  const health = startHealth({ bus: bus.as('health'), clock, metricsText: () => metrics.registry.text() });
  const view = startNodeView({ bus: bus.as('view'), clock });
  const adminPods = startAdminPods({
    bus: bus.as('admin-pods'), files, clock, random, log, nodeName, directory: `${settings.node.rootDirectory}/admin-pods`,
    holder: ({ namespace, name }) => view.podsOf(namespace, name)[0]?.desired,
  });
  const memory = startMemory(bus, ports, settings.node);
  observer?.knowObjects(memory.objects);
  const shutdown = shutdownOf(bus, ports, settings);
  // Listeners first, then those who bring messages in: the bus has no memory.
  const listeners: readonly Stoppable[] = [
    metrics, health, view, memory, ...(shutdown === undefined ? [] : [shutdown]),
    startBusLog({ bus: bus.as('log'), log }),
    ...(given.collectGarbage === undefined ? [] : [startHeapKeeper({ bus: bus.as('heap'), clock, collectGarbage: given.collectGarbage })]),
    startEventRecorder({ bus: bus.as('events'), clock, random, nodeName }),
  ];
  const pods = startPods(bus, ports, settings, { memory, registry: metrics.registry, watch });
  const node = startNode(bus, ports, settings, watch);
  const explains: ExplainerDeps = { view, clock, nodeName, registers: registersNode(ports, settings), ...pods.asked, ...node.asked };
  const started: Stoppable[] = [
    ...listeners, ...pods.parts, ...node.parts,
    startMergeSources({ bus: bus.as('merge'), clock, sources: sourcesOf(ports, settings) }),
    adminPods,
    ...startSources(bus, ports, settings, { registry: metrics.registry, watch, view }),
  ];
  return {
    bus,
    health,
    admin: createAdminApi({
      view, adminPods, nodeName, version: settings.identity.version,
      explainer: async () => (await import('./actors/explainer.ts')).createExplainer(explains),
    }),
    endPods: async () => shutdown?.endPods(),
    stop: async () => {
      for (const part of started.reverse()) await part.stop();
    },
  };
}

function shutdownOf(bus: Bus, { shutdown, clock, log }: AgentPorts, { shutdownGroups: groups = [] }: AgentSettings): NodeShutdown | undefined {
  if (shutdown === undefined || groups.length === 0) return undefined;
  return startNodeShutdown({ bus: bus.as('shutdown'), clock, log, shutdown, groups });
}

function sourcesOf(ports: AgentPorts, settings: AgentSettings): readonly PodSource[] {
  return [...(settings.manifestPath === undefined ? [] : ['file' as const]), 'admin', ...(ports.mqtt === undefined ? [] : ['mqtt' as const])];
}

/** What the agent has for itself. */
interface Inside {
  readonly registry: MetricsRegistry;
  readonly watch: MachineWatch | undefined;
}

/** Supervisor, images and everything that watches the runtime. */
function startPods(
  bus: Bus, ports: AgentPorts, settings: AgentSettings, { memory, registry, watch }: Inside & { readonly memory: Memory },
): { readonly parts: readonly Stoppable[]; readonly asked: Pick<ExplainerDeps, 'supervisor' | 'prober' | 'images'> } {
  const { runtime, images, probes, files, clock, random, log } = ports;
  const { version } = settings.identity;
  const facts = new KnownFacts(bus, settings.hostIps);
  const { objects } = memory;
  const serviceAccountTokens = ports.mqtt?.dialect.carries('TokenRequest') === true;
  const node = { ...settings.node, serviceAccountTokens };
  const tokens = startTokenManager({ bus: bus.as('token-manager'), clock, random, log });
  const volumes = new VolumeKeeper({ volumes: ports.volumes, files, objects, tokens: tokens.find, settings: node });
  const cgroups = cgroupKeeper(bus, ports, settings);
  const resizer = new PodResizer({ bus: bus.as('resizer'), clock, files, log, directory: `${settings.node.rootDirectory}/cache/allocations` });
  const kept = { volumes, ...(cgroups === undefined ? {} : { cgroups }) };
  const supervisor = startPodSupervisor({
    bus: bus.as('supervisor'), watch, podBus: (pod) => bus.as(`pod ${pod}`), runtime: withLogRemoval(withTerminationMessages(runtime, { files, settings: settings.node }), { files, settings: settings.node }), probes,
    files, clock, random, log, version,
    settings: node, facts: facts.now, objects, ...kept, resizer, escalate: settings.escalate,
    node: knownNode({ ...settings, bus: bus.as('known-node'), host: settings.hostFacts, serviceAccountTokens }), memory: { ...memory, loaded: Promise.all([memory.loaded, resizer.loaded]) },
  });
  const prober = startProber({ bus: bus.as('prober'), clock, random, runtime, probes, version, ran: countProbes(registry) });
  const pulls = startImageActor({ bus: bus.as('images'), images, objects, clock, pullsMax: settings.pullsMax, progressDeadlineMs: settings.pullProgressDeadlineMs });
  const parts = [
    tokens, resizer, supervisor, prober, pulls,
    startOrphanReaper({ bus: bus.as('orphans'), runtime, probes, clock, version, files, log, ...kept, settings: settings.node, knows: (uid) => supervisor.knows(uid) }),
    ...startGarbage(bus, ports, settings.garbage, { settings: settings.node, knows: (uid) => supervisor.knows(uid) }),
    startRelistActor({ bus: bus.as('relist'), runtime, clock }),
    startRuntimeWatch({ bus: bus.as('runtime'), runtime, clock, random, log, identified: async ({ runtimeName }, handlers) => {
      facts.runtimeIs({ runtimeName, handlers });
      return cgroups?.begin(await runtime.cgroupDriver());
    } }),
  ];
  return { parts, asked: { supervisor, prober, images: pulls } };
}

function registersNode({ mqtt }: AgentPorts, { registerNode }: AgentSettings): boolean {
  return registerNode && mqtt !== undefined && mqtt.dialect.name !== 'kole';
}

/** The node, its lease and what is written of its pods. */
function startNode(bus: Bus, ports: AgentPorts, settings: AgentSettings, watch: MachineWatch | undefined): { readonly parts: readonly Stoppable[]; readonly asked: Pick<ExplainerDeps, 'reporter'> } {
  const { clock, random, log, host, pressure, kernelLog, runtime, images, files } = ports;
  const node = startNodeActor({
    bus: bus.as('node'), clock, random, log, host, runtime, images,
    identity: settings.identity,
    register: registersNode(ports, settings),
    updatePeriodMs: settings.nodeUpdatePeriodMs,
    reportPeriodMs: settings.nodeReportPeriodMs,
    resolverNote: hostResolverNote(settings.node),
  });
  const eviction = startEvictionManager({
    bus: bus.as('eviction'), clock, log, pressure, ...(kernelLog === undefined ? {} : { kernelLog }), runtime, images, files, node: settings.node, settings: settings.eviction,
    newRequestId: () => random.uuid(),
  });
  // A dialect that reports says all of it at once.
  if (ports.mqtt === undefined || ports.mqtt.dialect.name === 'kole') return { parts: [node, eviction], asked: {} };
  const { nodeName } = settings.node;
  const { containerStatuses } = ports.mqtt.dialect;
  const lease = settings.renewsLease ? [startLeaseActor({ bus: bus.as('lease'), watch, clock, random, log, nodeName, leaseDurationSeconds: settings.leaseDurationSeconds })] : [];
  const reporter = startStatusReporter({ bus: bus.as('status-reporter'), clock, random, log, containerStatuses });
  const mirrors = startMirrorPods({ bus: bus.as('mirror-pods'), clock, random, log, nodeRegisters: settings.registerNode });
  return { parts: [node, eviction, ...lease, reporter, mirrors], asked: { reporter } };
}

/** The ways in, and the way out, which shares the link with one of them. */
function startSources(bus: Bus, ports: AgentPorts, settings: AgentSettings, { view, ...inside }: Inside & { readonly view: NodeView }): readonly Stoppable[] {
  const { files, clock, log, mqtt, runtime, streams: world } = ports;
  const { nodeName, rootDirectory } = settings.node;
  const staticPods = settings.manifestPath === undefined ? [] : [startStaticPods({
    bus: bus.as('static-pods'), files, clock, log, directory: settings.manifestPath, nodeName, scanMs: settings.manifestScanMs,
  })];
  return mqtt === undefined ? staticPods : [...staticPods, ...startCloudLink(bus, { ...ports, mqtt }, {
    nodeName, rootDirectory, ...inside,
    ...(world === undefined ? {} : { streams: { world, view, settings: settings.node, runtime, files, limits: settings.streams ?? streamDefaults } }),
  })];
}
