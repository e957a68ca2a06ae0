// The cloud side of a benchmark: answers every message of the node at once, as an API server with a watch would, and notes when
// what was seen at the broker. Keeps pods of one node in memory; no validation, no conflicts.
import { mqttClient } from '../src/adapters/mqtt-client.ts';
import { ackFields, podFields } from '../src/bus/dialects/lite/envelope-down.ts';
import { decodeUp, type UpMessage } from '../src/bus/dialects/lite/envelope-up.ts';
import { packJson } from '../src/bus/dialects/lite/payload.ts';
import { controlTopic, dataTopic } from '../src/bus/dialects/lite/topics.ts';
import type { JsonObject } from '../src/bus/dialects/json-value.ts';
import type { Pod, PodStatus } from '../src/ports/pod-types.ts';
import type { Stoppable } from '../src/ports/result.ts';
import type { PodObjects } from './rich-pod.ts';
import { wallMs } from './wall-clock.ts';

/** One message of the node, stamped when it came from the broker, before it was decoded. */
export interface SeenWrite {
  readonly atMs: number;
  readonly objectType: string;
  readonly operateType: string;
  readonly name: string;
  readonly bytes: number;
  /** Of the pod, after a status patch was applied. */
  readonly status: PodStatus | undefined;
  /** A node object or status that says Ready. */
  readonly nodeIsReady: boolean;
}

export interface StandInCloud extends Stoppable {
  /** Publishes a new or changed pod, with the objects it uses. @returns wall milliseconds just before */
  apply(pod: Pod, objects?: PodObjects): number;
  /** Asks for an orderly deletion. @returns wall milliseconds just before */
  requestDeletion(name: string, graceSeconds: number): number;
  /** Calls for each message of the node from now on, until `off`. */
  watch(watcher: (write: SeenWrite) => void): { off(): void };
  podNames(): readonly string[];
}


export async function startStandInCloud(options: {
  readonly host: string;
  readonly port: number;
  readonly rootTopic: string;
  readonly nodeName: string;
  readonly clientId: string;
}): Promise<StandInCloud> {
  const { host, port, rootTopic, nodeName, clientId } = options;
  const client = mqttClient({ host, port, clientId, protocols: ['MQTT 3.1.1'], keepAliveMs: 60_000 });
  const cloud = new Cloud(nodeName, (fields) => void client.publish({ topic: controlTopic(rootTopic, nodeName), payload: packJson(fields), qos: 1, retain: false }));
  const connected = await client.connect({ message: ({ payload }) => cloud.received(payload), closed: ({ message }) => process.stderr.write(`the cloud side lost the broker: ${message}\n`) });
  if (!connected.ok) throw new Error(`the cloud side cannot connect: ${connected.fault.message}`);
  const subscribed = await client.subscribe(dataTopic(rootTopic), 1);
  if (!subscribed.ok) throw new Error(`the cloud side cannot subscribe: ${subscribed.fault.message}`);
  return {
    apply: (pod, objects) => cloud.apply(pod, objects),
    requestDeletion: (name, graceSeconds) => cloud.requestDeletion(name, graceSeconds),
    watch: (watcher) => cloud.watch(watcher),
    podNames: () => [...cloud.pods.keys()],
    stop: () => client.disconnect(),
  };
}

class Cloud {
  readonly pods = new Map<string, Pod>();
  readonly #nodeName: string;
  readonly #send: (fields: JsonObject) => void;
  readonly #watchers = new Set<(write: SeenWrite) => void>();
  #version = 0;

  constructor(nodeName: string, send: (fields: JsonObject) => void) {
    this.#nodeName = nodeName;
    this.#send = send;
  }

  apply(pod: Pod, { secrets, configMaps }: PodObjects = { secrets: [], configMaps: [] }): number {
    const name = pod.metadata?.name ?? '';
    this.#version += 1;
    const stored = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(this.#version) } };
    this.pods.set(name, stored);
    const atMs = wallMs();
    this.#send(podFields(stored, secrets, configMaps));
    return atMs;
  }

  requestDeletion(name: string, graceSeconds: number): number {
    const pod = this.pods.get(name);
    if (pod === undefined) throw new Error(`there is no pod ${name}`);
    // Deadline of the deletion, as an API server writes it.
    const deletionTimestamp = new Date(wallMs() + graceSeconds * 1_000).toISOString().replace(/\.\d+Z$/, 'Z');
    return this.apply({ ...pod, metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds } });
  }

  watch(watcher: (write: SeenWrite) => void): { off(): void } {
    this.#watchers.add(watcher);
    return { off: () => void this.#watchers.delete(watcher) };
  }

  received(payload: Uint8Array): void {
    const atMs = wallMs();
    // Messages that came in the same read are stamped before the first of them is decoded.
    queueMicrotask(() => this.#handle(payload, atMs));
  }

  #handle(payload: Uint8Array, atMs: number): void {
    const decoded = decodeUp(payload);
    if (!decoded.ok) {
      process.stderr.write(`the node sent what cannot be read: ${decoded.fault.message}\n`);
      return;
    }
    const message = decoded.value;
    if (message.nodeName !== this.#nodeName) return;
    const status = this.#answer(message);
    const { objectType, operateType, objectName: name } = message;
    for (const watcher of this.#watchers) watcher({ atMs, objectType, operateType, name, bytes: payload.length, status, nodeIsReady: saysNodeReady(message) });
  }

  /** @returns the pod's status where a patch changed it */
  #answer(message: UpMessage): PodStatus | undefined {
    if (!message.needAck) return undefined;
    switch (message.objectType) {
      case 'start': return void this.#accept(message, { pods_list: [...this.pods.values()] });
      case 'pod': return this.#answerPod(message);
      default: return void this.#accept(message, this.#created(message));
    }
  }

  #answerPod(message: UpMessage): PodStatus | undefined {
    const pod = this.pods.get(message.objectName);
    if (message.operateType === 'create') return void this.#accept(message, this.#created(message));
    if (pod === undefined) return void this.#refuse(message, 'NotFound', 404);
    if (message.operateType === 'delete') {
      this.pods.delete(message.objectName);
      return void this.#accept(message, pod as JsonObject);
    }
    if (message.operateType !== 'patch') return void this.#accept(message, pod as JsonObject);
    this.#version += 1;
    const status = patched(pod.status, message.patch);
    const stored = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(this.#version) }, status };
    this.pods.set(message.objectName, stored);
    this.#accept(message, stored as JsonObject);
    // As a watch would show it.
    this.#send(podFields(stored, []));
    return status;
  }

  #created({ object, objectName, patch }: UpMessage): JsonObject {
    this.#version += 1;
    const metadata = typeof object?.['metadata'] === 'object' ? object['metadata'] : {};
    return { ...object, ...patch, metadata: { ...metadata, name: objectName, uid: `bench-${objectName}`, resourceVersion: String(this.#version) } };
  }

  #accept({ identity }: UpMessage, object: JsonObject): void {
    this.#send(ackFields(identity, { kind: 'accepted', object }));
  }

  #refuse({ identity, objectName }: UpMessage, reason: string, code: number): void {
    this.#send(ackFields(identity, { kind: 'refused', status: { status: 'Failure', reason, code, message: `pods "${objectName}" not found` } }));
  }
}

function saysNodeReady({ objectType, object, patch }: UpMessage): boolean {
  if (objectType !== 'node') return false;
  return isReady(patch?.['status'] as Conditions) || isReady(object?.['status'] as Conditions); // The node's own object or patch.
}

type Conditions = Pick<PodStatus, 'conditions'> | undefined;

function isReady(status: Conditions): boolean {
  return (status?.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True');
}

/** A strategic merge of a pod's status as far as agents use it: conditions by type, the rest replaced. */
function patched(status: PodStatus | undefined, patch: JsonObject | undefined): PodStatus {
  const change = (patch?.['status'] ?? {}) as PodStatus; // The node's own patch of a pod's status.
  const conditions = new Map((status?.conditions ?? []).map((condition) => [condition.type, condition]));
  for (const condition of change.conditions ?? []) conditions.set(condition.type, { ...conditions.get(condition.type), ...condition });
  const directives = Object.keys(change).filter((name) => name.startsWith('$'));
  const merged = { ...status, ...change, conditions: [...conditions.values()] };
  return Object.fromEntries(Object.entries(merged).filter(([name]) => !directives.includes(name)));
}

export function isRunningAndReady(status: PodStatus | undefined): boolean {
  return status?.phase === 'Running' && isReady(status);
}

/** Runtime ID of the first container, from `containerd://<id>`. */
export function containerIdOf(status: PodStatus | undefined): string | undefined {
  return status?.containerStatuses?.[0]?.containerID?.replace(/^.*:\/\//, '');
}
