// The figures of the node, under the kubelet's names where it has one. Fed by bus messages; gauges are read when somebody scrapes.
import type { BusPort, BusStatistics, Listening } from '../bus/bus.ts';
import type { Messages } from '../bus/messages.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { CertificateFacts } from '../ports/credentials-port.ts';
import type { ProcessUsage } from '../ports/host-port.ts';
import type { PodSource, PodStatus, PodUid } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';
import { countGarbage } from './garbage-metrics.ts';
import { MetricsRegistry, type Sample } from './metrics-registry.ts';

/** Prometheus' own default bounds, as the kubelet uses them. */
const defaultBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const podStartBounds = [0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600];

export interface MetricsDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly nodeName: string;
  readonly version: string;
  readonly busStatistics: () => BusStatistics;
  readonly processUsage: () => ProcessUsage;
}

export interface Metrics extends Stoppable {
  /** For those who count something of their own. */
  readonly registry: MetricsRegistry;
}

interface PodSeen {
  readonly source: PodSource;
  readonly addedAtMs: number;
  started: boolean;
  /** Terminating and terminated pods are not active. */
  active: boolean;
  status: PodStatus | undefined;
}

class MetricsActor implements Metrics {
  readonly registry = new MetricsRegistry();
  readonly #deps: MetricsDeps;
  readonly #listenings: Listening[];
  readonly #pods = new Map<PodUid, PodSeen>();
  #lastRelistStartMs: number | undefined;
  #lastSeenMs = 0;
  #linkUp = 0;
  #certificate: CertificateFacts | undefined;
  #runtimeReady = 0;

  constructor(deps: MetricsDeps) {
    this.#deps = deps;
    this.#describeNode();
    this.#describeProcess();
    this.#listenings = [...this.#listenToPods(), ...this.#listenToRuntime(), ...this.#listenToApi(), ...countGarbage(deps.bus, this.registry)];
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
  }

  #listenToPods(): Listening[] {
    const { bus, clock } = this.#deps;
    const podStart = this.registry.histogram('kubelet_pod_start_duration_seconds', 'From the moment the node heard of a pod to the first status that shows all its containers running.', podStartBounds);
    const started = this.registry.counter('kubelet_started_containers_total', 'Containers started.');
    const startErrors = this.registry.counter('kubelet_started_containers_errors_total', 'Containers that could not be started.');
    const evented = this.registry.counter('mqlet_events_noted_total', 'Events noted, by type and reason.');
    const evictions = this.registry.counter('kubelet_evictions', 'Pods evicted, by what was short or the limit they were over.');
    const refused = this.registry.counter('mqlet_input_refused_total', 'Objects refused or taken with less, by severity.');
    return [
      bus.on('pods.changed', ({ payload, at }) => {
        if (payload.op !== 'ADD') return;
        for (const { uid, source } of payload.pods) this.#pods.set(uid, { source, addedAtMs: at, started: false, active: true, status: undefined });
      }),
      bus.on('pod.forgotten', ({ payload }) => { this.#pods.delete(payload.pod.uid); }),
      bus.on('pod.transitioned', ({ payload }) => {
        const pod = this.#pods.get(payload.pod.uid);
        if (pod !== undefined) pod.active = !payload.to.startsWith('termina') && !payload.to.startsWith('finishing') && payload.to !== 'done';
      }),
      bus.on('pod.status', ({ payload }) => {
        const pod = this.#pods.get(payload.pod.uid);
        if (pod === undefined) return;
        pod.status = payload.status;
        if (pod.started || payload.status.phase !== 'Running') return;
        const waiting = payload.status.containerStatuses?.some(({ state }) => state?.running === undefined) ?? true;
        if (waiting) return;
        pod.started = true;
        podStart.observe(Math.max(0, clock.nowMs() - pod.addedAtMs) / 1_000);
      }),
      bus.on('event.noted', ({ payload: { type, reason, message } }) => {
        evented.add({ type, reason });
        if (reason === 'Started') started.add();
        if (reason === 'Failed' && message.startsWith('Error')) startErrors.add();
      }),
      bus.on('pod.evicted', ({ payload }) => evictions.add({ eviction_signal: payload.signal })),
      bus.on('input.refused', ({ payload }) => refused.add({ severity: payload.fault.severity })),
    ];
  }

  #listenToRuntime(): Listening[] {
    const { bus } = this.#deps;
    const duration = this.registry.histogram('kubelet_pleg_relist_duration_seconds', 'Duration of one listing of the runtime.', defaultBounds);
    const interval = this.registry.histogram('kubelet_pleg_relist_interval_seconds', 'Time between the starts of two listings of the runtime.', [...defaultBounds, 30, 60, 120]);
    const failures = this.registry.counter('mqlet_relist_failures_total', 'Listings of the runtime that failed.');
    const events = this.registry.counter('mqlet_runtime_events_total', 'Events heard from the runtime, by kind.');
    return [
      bus.on('runtime.relisted', ({ payload, at }) => this.#relisted(payload, at, { duration, interval })),
      bus.on('runtime.relist-failed', () => failures.add()),
      bus.on('runtime.event', ({ payload }) => events.add({ kind: payload.kind })),
      bus.on('runtime.health', ({ payload }) => { this.#runtimeReady = payload.runtimeReady && payload.networkReady ? 1 : 0; }),
    ];
  }

  #relisted(
    { startedAtMs }: Messages['runtime.relisted'],
    at: number,
    { duration, interval }: { duration: { observe(seconds: number): void }; interval: { observe(seconds: number): void } },
  ): void {
    duration.observe(Math.max(0, at - startedAtMs) / 1_000);
    if (this.#lastRelistStartMs !== undefined) interval.observe(Math.max(0, startedAtMs - this.#lastRelistStartMs) / 1_000);
    this.#lastRelistStartMs = startedAtMs;
    this.#lastSeenMs = at;
  }

  #listenToApi(): Listening[] {
    const { bus } = this.#deps;
    const settled = this.registry.counter('mqlet_api_writes_total', 'API writes over MQTT that were settled, by kind, verb and outcome.');
    const received = this.registry.counter('mqlet_mqtt_received_total', 'MQTT packets received.');
    const receivedBytes = this.registry.counter('mqlet_mqtt_received_bytes_total', 'Bytes of payload received over MQTT.');
    const renewals = this.registry.counter('mqlet_mqtt_renewals_total', 'Connections to the broker given up for renewed certificate files.');
    const failed = this.registry.counter('mqlet_actor_failures_total', 'Failures of our own code, by actor.');
    return [
      bus.on('api.settled', ({ payload: { write, outcome } }) => settled.add({ kind: write.kind, verb: write.verb, outcome: outcome.kind })),
      bus.on('mqtt.received', ({ payload }) => {
        received.add();
        receivedBytes.add({}, payload.payload.byteLength);
      }),
      bus.on('mqtt.link', ({ payload }) => { this.#linkUp = payload.state === 'up' ? 1 : 0; }),
      bus.on('mqtt.certificate', ({ payload }) => { this.#certificate = payload.certificate; }),
      bus.on('mqtt.renew', () => renewals.add()),
      bus.on('actor.failed', ({ payload }) => failed.add({ actor: payload.actor.startsWith('pod ') ? 'pod' : payload.actor })),
    ];
  }

  #describeNode(): void {
    const { nodeName, version, busStatistics } = this.#deps;
    const { registry } = this;
    registry.gauge('kubelet_node_name', 'The name of the node; the value is always 1.', () => [{ labels: { node: nodeName }, value: 1 }]);
    registry.gauge('kubernetes_build_info', 'Version of this program; the value is always 1.', () => [{ labels: { git_version: version }, value: 1 }]);
    registry.gauge('kubelet_running_pods', 'Pods with a container that runs.', () => this.#runningPods());
    registry.gauge('kubelet_running_containers', 'Containers of pods, by state.', () => this.#containersByState());
    registry.gauge('kubelet_pleg_last_seen_seconds', 'Unix time of the last listing of the runtime.', () => (this.#lastSeenMs === 0 ? undefined : this.#lastSeenMs / 1_000));
    registry.gauge('kubelet_desired_pods', 'Pods the node was told to run, by whether they are static.', () => this.#countPods(() => true));
    registry.gauge('kubelet_active_pods', 'Pods that are neither terminating nor terminated, by whether they are static.', () => this.#countPods(({ active }) => active));
    registry.gauge('mqlet_mqtt_link_up', '1 while the MQTT connection is up.', () => this.#linkUp);
    const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1_000);
    registry.gauge('mqlet_mqtt_certificate_expiration_timestamp_seconds', 'Unix time at which the client certificate for the broker ends.', () => seconds(this.#certificate?.notAfterMs));
    registry.gauge('mqlet_mqtt_certificate_not_before_timestamp_seconds', 'Unix time from which the client certificate for the broker is valid.', () => seconds(this.#certificate?.notBeforeMs));
    registry.gauge('mqlet_runtime_ready', '1 while the runtime and its network are ready.', () => this.#runtimeReady);
    registry.readCounter('mqlet_bus_messages_published_total', 'Messages published on the bus.', () => busStatistics().published);
    registry.readCounter('mqlet_bus_messages_delivered_total', 'Deliveries to listeners of the bus.', () => busStatistics().delivered);
    registry.readCounter('mqlet_bus_listener_failures_total', 'Listeners that threw.', () => busStatistics().failures);
    registry.gauge('mqlet_bus_queue_length_max', 'Longest queue of the bus so far.', () => busStatistics().queuedMax);
  }

  #runningPods(): number {
    let running = 0;
    for (const { status } of this.#pods.values()) if (containersOf(status).some(({ state }) => state?.running !== undefined)) running += 1;
    return running;
  }

  /** A container that waits to be restarted counts as exited: that is what the runtime has of it. */
  #containersByState(): Sample[] {
    let running = 0;
    let exited = 0;
    for (const { status } of this.#pods.values()) {
      for (const { state, lastState } of containersOf(status)) {
        if (state?.running !== undefined) running += 1;
        else if (state?.terminated !== undefined || lastState?.terminated !== undefined) exited += 1;
      }
    }
    return [{ labels: { container_state: 'running' }, value: running }, { labels: { container_state: 'exited' }, value: exited }];
  }

  #countPods(counts: (pod: PodSeen) => boolean): Sample[] {
    let staticPods = 0;
    let others = 0;
    for (const pod of this.#pods.values()) {
      if (!counts(pod)) continue;
      if (pod.source === 'file') staticPods += 1;
      else others += 1;
    }
    return [{ labels: { static: '' }, value: others }, { labels: { static: 'true' }, value: staticPods }];
  }

  /** Read once per scrape: the first gauge of the page asks, the others take what it got. */
  #describeProcess(): void {
    const { registry } = this;
    const { processUsage, clock } = this.#deps;
    let usage: { readonly at: number; readonly value: ProcessUsage } | undefined;
    const read = (): ProcessUsage => {
      const now = clock.monotonicMs();
      if (usage === undefined || now - usage.at > 100) usage = { at: now, value: processUsage() };
      return usage.value;
    };
    registry.readCounter('process_cpu_seconds_total', 'CPU time of this process.', () => read().cpuSeconds);
    registry.gauge('process_resident_memory_bytes', 'Resident memory of this process.', () => read().residentBytes);
    registry.gauge('process_start_time_seconds', 'Unix time at which this process started.', () => read().startedAtMs / 1_000);
    registry.gauge('process_open_fds', 'Open files of this process.', () => read().openFiles);
    registry.gauge('process_max_fds', 'Files this process may have open.', () => read().openFilesMax);
    registry.gauge('nodejs_heap_size_used_bytes', 'Heap in use.', () => read().heapUsedBytes);
    registry.gauge('nodejs_heap_size_total_bytes', 'Heap taken from the system.', () => read().heapTotalBytes);
  }
}

function containersOf(status: PodStatus | undefined) {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

export function startMetrics(deps: MetricsDeps): Metrics {
  return new MetricsActor(deps);
}
