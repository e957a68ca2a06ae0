// An embedded cloud side: a store in memory behind an MQTT connection, for agents of every dialect we speak.
// For the demo, tests and benchmarks; any client that may publish is believed, so it must not be reachable from outside.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { applyPodDefaults } from '../bus/ingress/pod-defaults.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import type { ConfigMap, Event, Lease, Node, Pod, PodCondition, PodSpec, PodStatus, Secret, Status } from '../ports/pod-types.ts';
import type { NodeStreamsPort } from '../ports/node-streams-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import type { StoredObjectKind } from '../ports/stored-object.ts';
import { invalid } from './api-status.ts';
import { CloudSide, servedDialects } from './cloud-side.ts';
import { memoryCalls } from './memory-calls.ts';
import { keyOf, MemoryStore, metadataOf, specOf, type StoreChange, type StoredObject } from './memory-store.ts';

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

/** The store is in memory: there is nobody to spare. Only that a node must not fill it with what waits. */
const unlimited = { concurrentMax: 10_000, perSecond: 1_000_000, burst: 1_000_000, waitingPerNodeMax: 10_000 };

export function startEmbeddedCloud(options: EmbeddedCloudOptions): EmbeddedCloud {
  return new Cloud(options);
}

class Cloud implements EmbeddedCloud {
  readonly #store: MemoryStore;
  readonly #side: CloudSide;

  constructor(options: EmbeddedCloudOptions) {
    this.#store = new MemoryStore(options);
    this.#side = new CloudSide({ ...options, store: this.#store, calls: memoryCalls(this.#store), limits: unlimited, dialects: servedDialects, pushesUnheard: true });
  }

  get ready(): Promise<void> {
    return this.#side.ready;
  }

  get streams(): NodeStreamsPort {
    return this.#side.streams;
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
    this.#side.objectChanged({ kind, namespace, name });
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
  online = (nodeName: string): boolean | undefined => this.#side.online(nodeName);
  onChange = (listener: (change: StoreChange) => void): (() => void) => this.#store.onChange(listener);
  deviations = (): readonly string[] => this.#side.deviations();

  stop(): Promise<void> {
    return this.#side.stop();
  }

  listens(): boolean {
    return this.#side.listens;
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
