// An embedded cloud side: a store in memory behind an MQTT connection, for agents of every dialect we speak.
// For the demo, tests and benchmarks; any client that may publish is believed, so it must not be reachable from outside.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { parseTopic } from '../bus/dialects/mqlet/topics.ts';
import { mqletTransport } from '../bus/dialects/mqlet/transport.ts';
import { StreamGate } from '../bus/streams/stream-gate.ts';
import { applyPodDefaults } from '../bus/ingress/pod-defaults.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPacket, MqttPort } from '../ports/mqtt-port.ts';
import type { ConfigMap, Event, Lease, Node, Pod, PodCondition, PodSpec, PodStatus, Secret, Status } from '../ports/pod-types.ts';
import type { NodeStreamsPort } from '../ports/node-streams-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import type { StoredObjectKind } from '../ports/stored-object.ts';
import { invalid } from './api-status.ts';
import { CloudLeases } from './cloud-leases.ts';
import { CloudStreams } from './cloud-streams.ts';
import { coalesceMsDefault } from './cloud-pushes.ts';
import { type CloudWire, NodeDialects } from './cloud-wire.ts';
import { LiteWire } from './lite-wire.ts';
import { keyOf, MemoryStore, metadataOf, specOf, type StoreChange, type StoredObject } from './memory-store.ts';
import { MqletWire } from './mqlet-wire.ts';

export interface EmbeddedCloudOptions {
  readonly mqtt: MqttPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly rootTopic: string;
  /** What goes down to agents of the lite dialect. */
  readonly encoding?: 'json' | 'yaml';
  /** Note every difference of what comes up from the descriptions of the dialects; see `deviations`. */
  readonly strict?: boolean;
  readonly coalesceMs?: number;
}

export interface EmbeddedCloud extends Stoppable {
  /** Resolves when agents are heard for the first time. */
  readonly ready: Promise<void>;
  /** Logs, commands and ports of pods on nodes of the mqlet dialect. */
  readonly streams: NodeStreamsPort;
  /** Whether agents are heard now. */
  listens(): boolean;
  /** Creates the pod, or gives it new labels, annotations and spec. Without `spec.nodeName` it goes to the only node. */
  applyPod(pod: Pod): Result<Pod, Status>;
  /** @param options.graceMs the pod's own grace period when absent; 0 removes it at once, as force deletion does */
  deletePod(namespace: string, name: string, options?: { readonly graceMs?: number }): Result<Pod, Status>;
  /** Sets one condition of a pod's status, as a controller would: a readiness gate. */
  setPodCondition(pod: { readonly namespace: string; readonly name: string }, condition: PodCondition): Result<Pod, Status>;
  /** Creates or changes a secret or config map, and sends it to the nodes whose pods use it. */
  applyObject(kind: StoredObjectKind, object: Secret | ConfigMap): Result<void, Status>;
  deleteObject(kind: StoredObjectKind, namespace: string, name: string): Result<void, Status>;
  pods(): readonly Pod[];
  nodes(): readonly Node[];
  leases(): readonly Lease[];
  events(): readonly Event[];
  /** Whether a node's link is up, as far as its dialect says so; undefined for nodes of a dialect that does not. */
  online(nodeName: string): boolean | undefined;
  /** Called after each change of any object. @returns how to stop it */
  onChange(listener: (change: StoreChange) => void): () => void;
  /** Lines about undecodable messages and, with `strict`, about differences from the descriptions; the first 1,000. */
  deviations(): readonly string[];
}

const deviationsMax = 1_000;
const reconnectMs = 1_000;

export function startEmbeddedCloud(options: EmbeddedCloudOptions): EmbeddedCloud {
  return new Cloud(options);
}

class Cloud implements EmbeddedCloud {
  #listens = false;
  readonly ready: Promise<void>;
  readonly #options: EmbeddedCloudOptions;
  readonly #mqtt: StreamGate;
  readonly streams: CloudStreams;
  readonly #store: MemoryStore;
  readonly #leases: CloudLeases;
  readonly #mqletWire: MqletWire;
  readonly #wires: readonly CloudWire[];
  readonly #deviations: string[] = [];
  #stopped = false;
  #reconnectTimer: unknown;
  #becomeReady: () => void = () => undefined;

  constructor(options: EmbeddedCloudOptions) {
    this.#options = options;
    const { mqtt, clock, log, rootTopic, strict = false, coalesceMs = coalesceMsDefault } = options;
    this.#mqtt = new StreamGate(mqletTransport(mqtt, { clock, covers: (topic) => parseTopic(rootTopic, topic)?.channel === 'api' }), clock);
    this.#store = new MemoryStore(options);
    this.#leases = new CloudLeases({ store: this.#store, clock });
    const dialects = new NodeDialects();
    const shared = {
      store: this.#store, leases: this.#leases, clock, log, rootTopic, strict, coalesceMs, dialects,
      publish: (packet: MqttPacket) => this.#mqtt.publish(packet), deviate: (lines: readonly string[]) => this.#deviate(lines),
    };
    this.#mqletWire = new MqletWire(shared);
    this.streams = new CloudStreams({
      gate: this.#mqtt, clock, random: options.random, log, rootTopic, publish: shared.publish, online: (nodeName) => this.#mqletWire.online(nodeName) === true,
    });
    this.#wires = [this.#mqletWire, new LiteWire({ ...shared, encoding: options.encoding ?? 'json' })];
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    void this.#connect();
  }

  applyPod(pod: Pod): Result<Pod, Status> {
    // Objects are plain data; only their declared interfaces lack an index signature.
    const given = structuredClone(pod) as unknown as JsonObject;
    const key = keyOf('Pod', given);
    if (!key.ok) return key;
    const current = this.#store.get(key.value);
    const nodeName = specOf(given).nodeName ?? (current.ok ? specOf(current.value).nodeName : this.#onlyNode());
    if (typeof nodeName !== 'string') return fail(invalid({ resource: 'pods', name: key.value.name }, 'spec.nodeName: Required value: there is not exactly one node'));
    const spec = { ...specOf(given), nodeName };
    // Defaulting looks at nothing but the fields it fills in.
    applyPodDefaults(spec as unknown as PodSpec);
    const object = { ...given, apiVersion: 'v1', kind: 'Pod', metadata: metadataOf(given), spec };
    const stored = current.ok
      ? this.#store.update(key.value, { ...object, status: current.value.status })
      : this.#store.create(key.value, { ...object, status: { phase: 'Pending' } });
    return typed(stored);
  }

  deletePod(namespace: string, name: string, options: { readonly graceMs?: number } = {}): Result<Pod, Status> {
    const grace = options.graceMs === undefined ? {} : { graceSeconds: Math.ceil(options.graceMs / 1_000) };
    return typed(this.#store.delete({ kind: 'Pod', namespace, name }, grace));
  }

  setPodCondition({ namespace, name }: { readonly namespace: string; readonly name: string }, condition: PodCondition): Result<Pod, Status> {
    const key = { kind: 'Pod', namespace, name } as const;
    const current = this.#store.get(key);
    if (!current.ok) return current;
    // What the store holds as a pod was given as one.
    const { conditions = [], ...status } = (current.value.status ?? {}) as PodStatus;
    const others = conditions.filter(({ type }) => type !== condition.type);
    return typed(this.#store.update(key, { ...current.value, status: { ...status, conditions: [...others, condition] } }));
  }

  applyObject(kind: StoredObjectKind, object: Secret | ConfigMap): Result<void, Status> {
    // Objects are plain data; only their declared interfaces lack an index signature.
    const given = { apiVersion: 'v1', ...(structuredClone(object) as unknown as JsonObject), kind };
    const key = keyOf(kind, given);
    if (!key.ok) return key;
    const stored = this.#store.get(key.value).ok ? this.#store.update(key.value, given) : this.#store.create(key.value, given);
    if (!stored.ok) return stored;
    const { namespace, name } = key.value;
    for (const wire of this.#wires) wire.objectChanged({ kind, namespace, name });
    return ok();
  }

  deleteObject(kind: StoredObjectKind, namespace: string, name: string): Result<void, Status> {
    const deleted = this.#store.delete({ kind, namespace, name });
    return deleted.ok ? ok() : deleted;
  }

  pods = (): readonly Pod[] => this.#list<Pod>('Pod');
  nodes = (): readonly Node[] => this.#list<Node>('Node');
  leases = (): readonly Lease[] => this.#list<Lease>('Lease');
  events = (): readonly Event[] => this.#list<Event>('Event');
  online = (nodeName: string): boolean | undefined => this.#mqletWire.online(nodeName);
  onChange = (listener: (change: StoreChange) => void): (() => void) => this.#store.onChange(listener);
  deviations = (): readonly string[] => [...this.#deviations];

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.clock.clearTimeout(this.#reconnectTimer);
    for (const wire of this.#wires) wire.stop();
    this.#leases.stop();
    await this.streams.stop();
    await this.#mqtt.disconnect();
  }

  listens(): boolean {
    return this.#listens;
  }

  async #connect(): Promise<void> {
    const { log } = this.#options;
    const connected = await this.#mqtt.connect({
      message: (packet) => this.#received(packet),
      closed: (fault) => {
        this.#listens = false;
        log.warn('cloud.lost', { reason: fault.message });
        this.#connectLater();
      },
    });
    if (this.#stopped) return;
    const subscribed = connected.ok ? await this.#subscribe() : connected;
    if (this.#stopped) return;
    if (subscribed.ok) {
      this.#listens = true;
      for (const wire of this.#wires) wire.connected();
      this.#becomeReady();
      return;
    }
    log.warn('cloud.not-connected', { reason: subscribed.fault.message });
    await this.#mqtt.disconnect();
    this.#connectLater();
  }

  async #subscribe(): ReturnType<MqttPort['subscribe']> {
    for (const filter of this.#wires.flatMap(({ filters }) => filters)) {
      const granted = await this.#mqtt.subscribe(filter, 1);
      if (!granted.ok) return granted;
    }
    return ok();
  }

  #connectLater(): void {
    if (this.#stopped) return;
    this.#options.clock.clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = this.#options.clock.setTimeout(() => void this.#connect(), reconnectMs);
  }

  #received(packet: MqttPacket): void {
    for (const wire of this.#wires) if (wire.received(packet)) return;
  }

  #deviate(lines: readonly string[]): void {
    for (const line of lines) {
      this.#options.log.warn('cloud.deviation', { line });
      if (this.#deviations.length < deviationsMax) this.#deviations.push(line);
    }
  }

  #onlyNode(): unknown {
    const nodes = this.#store.list('Node');
    return nodes.length === 1 ? nodes[0]?.metadata.name : undefined;
  }

  #list<T>(kind: 'Pod' | 'Node' | 'Lease' | 'Event'): readonly T[] {
    // What the store holds under a kind was given as an object of that kind.
    return this.#store.list(kind) as readonly unknown[] as readonly T[];
  }
}

function typed(result: Result<StoredObject, Status>): Result<Pod, Status> {
  // What the store holds as a pod was given as one.
  return result.ok ? ok(result.value as unknown as Pod) : result;
}
