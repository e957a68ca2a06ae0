// An embedded cloud side for agents that speak the lite-kubelet dialect: a store in memory behind an MQTT connection (spec A15).
// For the demo, tests and benchmarks; any client that may publish is believed, so it must not be reachable from outside.
import type { ApiAnswer } from '../bus/api-write.ts';
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { ackFields, nodeFields, podFields } from '../bus/dialects/lite/envelope-down.ts';
import { decodeUp, type UpMessage } from '../bus/dialects/lite/envelope-up.ts';
import { packJson, packYaml } from '../bus/dialects/lite/payload.ts';
import { controlTopic, dataTopic } from '../bus/dialects/lite/topics.ts';
import { notSubdomain } from '../bus/ingress/field-formats.ts';
import { applyPodDefaults } from '../bus/ingress/pod-defaults.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import type { ConfigMap, Event, Lease, Node, Pod, PodCondition, PodSpec, PodStatus, Secret, Status } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import type { StoredObjectKind } from '../ports/stored-object.ts';
import { invalid } from './api-status.ts';
import { answerTo, startAnswer } from './cloud-answers.ts';
import { CloudLeases } from './cloud-leases.ts';
import { objectsBeside, podsToTell } from './cloud-objects.ts';
import { CloudPushes, coalesceMsDefault } from './cloud-pushes.ts';
import { keyOf, MemoryStore, metadataOf, specOf, type StoreChange, type StoredObject } from './memory-store.ts';
import { deviationsOf } from './strict-check.ts';

export interface LiteCloudOptions {
  readonly mqtt: MqttPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly rootTopic: string;
  /** What goes down: JSON is YAML too, and quicker on both sides. */
  readonly encoding?: 'json' | 'yaml';
  /** Note every difference of what comes up from what the released agent sends; see `deviations`. */
  readonly strict?: boolean;
  readonly coalesceMs?: number;
}

export interface LiteCloud extends Stoppable {
  /** Resolves when agents are heard for the first time. */
  readonly ready: Promise<void>;
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
  /** Called after each change of any object. @returns how to stop it */
  onChange(listener: (change: StoreChange) => void): () => void;
  /** Lines about undecodable messages and, with `strict`, about differences from the released agent; the first 1,000. */
  deviations(): readonly string[];
}

const deviationsMax = 1_000;
const reconnectMs = 1_000;
const nothingBeside = { secrets: [], configMaps: [] };

export function startLiteCloud(options: LiteCloudOptions): LiteCloud {
  return new EmbeddedCloud(options);
}

class EmbeddedCloud implements LiteCloud {
  readonly ready: Promise<void>;
  readonly #options: LiteCloudOptions;
  readonly #store: MemoryStore;
  readonly #pushes: CloudPushes;
  readonly #leases: CloudLeases;
  readonly #deviations: string[] = [];
  #byAgent = false;
  #stopped = false;
  #reconnectTimer: unknown;
  #becomeReady: () => void = () => undefined;

  constructor(options: LiteCloudOptions) {
    this.#options = options;
    this.#store = new MemoryStore(options);
    this.#leases = new CloudLeases({ store: this.#store, clock: options.clock });
    this.#pushes = new CloudPushes({
      clock: options.clock,
      coalesceMs: options.coalesceMs ?? coalesceMsDefault,
      pushPod: (nodeName, pod, { echo }) => {
        const { secrets, configMaps } = echo ? nothingBeside : objectsBeside(this.#store, [pod]);
        this.#send(nodeName, podFields(pod, secrets, configMaps));
      },
      pushNode: (nodeName, node) => this.#send(nodeName, nodeFields(node)),
    });
    this.#store.onChange((change) => this.#pushes.changed(change, { byAgent: this.#byAgent }));
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
    for (const pod of podsToTell(this.#store, { kind, namespace, name })) {
      const { secrets, configMaps } = objectsBeside(this.#store, [pod]);
      this.#send(String(specOf(pod).nodeName), podFields(pod, secrets, configMaps));
    }
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
  onChange = (listener: (change: StoreChange) => void): (() => void) => this.#store.onChange(listener);
  deviations = (): readonly string[] => [...this.#deviations];

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.clock.clearTimeout(this.#reconnectTimer);
    this.#pushes.stop();
    this.#leases.stop();
    await this.#options.mqtt.disconnect();
  }

  async #connect(): Promise<void> {
    const { mqtt, log, rootTopic } = this.#options;
    const connected = await mqtt.connect({
      message: ({ payload }) => this.#received(payload),
      closed: (fault) => {
        log.warn('cloud.lost', { reason: fault.message });
        this.#connectLater();
      },
    });
    if (this.#stopped) return;
    const subscribed = connected.ok ? await mqtt.subscribe(dataTopic(rootTopic), 1) : connected;
    if (this.#stopped) return;
    if (subscribed.ok) {
      this.#becomeReady();
      return;
    }
    log.warn('cloud.not-connected', { reason: subscribed.fault.message });
    await mqtt.disconnect();
    this.#connectLater();
  }

  #connectLater(): void {
    if (this.#stopped) return;
    this.#options.clock.clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = this.#options.clock.setTimeout(() => void this.#connect(), reconnectMs);
  }

  #received(payload: Uint8Array): void {
    const decoded = decodeUp(payload);
    if (!decoded.ok) {
      this.#deviate([`undecodable: ${decoded.fault.field ?? 'payload'}: ${decoded.fault.message}`]);
      return;
    }
    const message = decoded.value;
    if (this.#options.strict === true) this.#deviate(deviationsOf(message, payload));
    // The name becomes a topic.
    if (notSubdomain(message.nodeName) !== undefined) {
      this.#deviate([`node_name is no name of a node: ${JSON.stringify(message.nodeName.slice(0, 100))}`]);
      return;
    }
    this.#leases.heard(message.nodeName, { lease: message.objectType === 'lease' });
    const answer = this.#answer(message);
    if (message.needAck) this.#send(message.nodeName, ackFields(message.identity, answer));
    if (message.objectType === 'start') this.#pushes.startAnswered(message.nodeName);
  }

  #answer(message: UpMessage): ApiAnswer {
    if (message.objectType === 'start') return startAnswer(this.#store, message.nodeName);
    this.#byAgent = true;
    try {
      return answerTo(this.#store, message);
    } finally {
      this.#byAgent = false;
    }
  }

  #send(nodeName: string, fields: JsonObject): void {
    const { mqtt, log, rootTopic, encoding } = this.#options;
    const payload = encoding === 'yaml' ? packYaml(fields) : packJson(fields);
    void mqtt.publish({ topic: controlTopic(rootTopic, nodeName), payload, qos: 1, retain: false }).then((sent) => {
      // A lost push is repaired by the agent's next start, a lost answer by the agent's own repetition.
      if (!sent.ok) log.warn('cloud.unsent', { nodeName, reason: sent.fault.message });
    });
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
