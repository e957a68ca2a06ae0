// What must hold at every moment, whatever goes wrong. Checkers only look; the first thing that does not hold ends the run.
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import { configMirrorAnnotation } from '../../src/bus/ingress/static-pod.ts';
import type { PodOperation } from '../../src/bus/source-update.ts';
import type { Dialect } from '../../src/bus/dialects/dialect.ts';
import { identityOf } from '../../src/bus/dialects/mqlet/correlation.ts';
import { decodeFrame } from '../../src/bus/dialects/mqlet/header.ts';
import { parseTopic } from '../../src/bus/dialects/mqlet/topics.ts';
import type { StoreChange } from '../../src/bridge/memory-store.ts';
import type { MqttPacket, MqttPort } from '../../src/ports/mqtt-port.ts';
import type { ContainerStatus, PodStatus } from '../../src/ports/pod-types.ts';
import type { ContainerConfig, SandboxConfig } from '../../src/ports/runtime-port.ts';
import { rootTopic, type World } from './world.ts';

/** Bounds of a world of this size; far below the limits of the parts, far above what is needed. */
const busQueueMax = 1_000;
const writesWaitingMax = 400;
const timersMax = 300;
const callsMax = 200;

export class SimViolation extends Error {}

interface WaitingWrite {
  readonly kind: string;
  readonly lane: string;
}

export class Checkers {
  readonly #world: World;
  #violation: string | undefined;
  /** Pods whose end has been asked for in this life of the daemon, with the message that did. */
  readonly #ending = new Map<string, string>();
  /** Newest status of each pod in this life of the daemon. */
  readonly statuses = new Map<string, PodStatus>();
  /** Writes without an outcome in this life of the daemon, by identity. */
  readonly writes = new Map<string, WaitingWrite>();
  readonly #restarts = new Map<string, number>();
  readonly #cloudRestarts = new Map<string, number>();
  readonly #cloudPhases = new Map<string, string>();
  /** What a packet says, by its payload: twins hand it on as it is, so nobody has to decode it once more. */
  readonly #packets = new WeakMap<Uint8Array, { readonly text: string; readonly identity: string }>();
  /** The same for mqlet, whose packets are made anew on their way but carry their identity openly. */
  readonly #byIdentity = new Map<string, string>();
  /** Place of each status write in the order in which the agent decided them, by identity; and the last one seen at the cloud. */
  readonly #order = new Map<string, { readonly place: number; readonly lane: string }>();
  readonly #lastAtCloud = new Map<string, number>();
  #places = 0;
  messages = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Keeps the first one: what follows may follow from it. */
  violated(what: string): void {
    this.#violation ??= what;
  }

  lifeBegins(): void {
    this.#ending.clear();
    this.statuses.clear();
    this.writes.clear();
    this.#restarts.clear();
  }

  /** After every step. @throws SimViolation */
  look(): void {
    this.#looksAtInstances();
    this.#looksAtBounds();
    if (this.#violation !== undefined) throw new SimViolation(this.#violation);
  }

  #looksAtInstances(): void {
    const live = new Set<string>();
    for (const { podUid, config, state, ending } of this.#world.runtime.containers.values()) {
      if (state !== 'running' || ending) continue;
      const key = `${podUid} ${config.metadata.name}`;
      if (live.has(key)) this.violated(`two live instances of one container: ${key}`);
      live.add(key);
    }
  }

  #looksAtBounds(): void {
    const { agent, life } = this.#world;
    const queued = agent?.bus.statistics().queuedMax ?? 0;
    if (queued > busQueueMax) this.violated(`the bus had ${queued} messages waiting`);
    if (this.writes.size > writesWaitingMax) this.violated(`${this.writes.size} API writes wait`);
    if (life.timers.size > timersMax) this.violated(`${life.timers.size} timers of the daemon wait`);
    if (life.calls.size > callsMax) this.violated(`${life.calls.size} calls of the runtime wait`);
  }

  // ---- the runtime ---------------------------------------------------------------------------------------------------

  /** After a kill nothing is made or started any more. */
  callBegan(method: string, args: readonly unknown[]): void {
    const uid = this.#podOf(method, args);
    const because = uid === undefined ? undefined : this.#ending.get(uid);
    if (because !== undefined) this.violated(`${method} for pod ${uid} after its end was asked for (${because})`);
  }

  /** Arguments as RuntimePort names them. */
  #podOf(method: string, args: readonly unknown[]): string | undefined {
    switch (method) {
      case 'runSandbox': return (args[0] as SandboxConfig).metadata.uid;
      case 'createContainer': return (args[1] as ContainerConfig).labels['io.kubernetes.pod.uid'];
      case 'startContainer': return this.#world.runtime.containers.get(String(args[0]))?.podUid;
      default: return undefined;
    }
  }

  // ---- the bus -------------------------------------------------------------------------------------------------------

  delivered(envelope: AnyEnvelope): void {
    this.messages += 1;
    const { topic, payload, seq } = envelope;
    switch (topic) {
      case 'actor.failed': return this.violated(`actor.failed: ${payload.actor}: ${payload.message} (${payload.action})`);
      case 'pods.changed': return this.#operated(payload, seq);
      case 'pod.kill': return void this.#ending.set(payload.pod.uid, `pod.kill ${seq}`);
      case 'pod.transitioned':
        // A new actor is a new beginning, under the same UID too.
        if (payload.from === '') this.#ending.delete(payload.pod.uid);
        if (payload.to.startsWith('terminat')) this.#ending.set(payload.pod.uid, `${payload.to} ${seq}`);
        return;
      case 'pod.forgotten': return this.#forgotten(payload.pod.uid);
      case 'pod.status':
        this.statuses.set(payload.pod.uid, payload.status);
        return this.#countsNeverFall(this.#restarts, payload.pod.uid, payload.status, 'the agent');
      case 'api.write':
        this.writes.set(payload.id, payload);
        if (payload.kind === 'Pod' && payload.verb === 'patchStatus' && !this.#order.has(payload.id)) {
          this.#order.set(payload.id, { place: ++this.#places, lane: payload.lane });
        }
        return;
      case 'api.settled': return void this.writes.delete(payload.write.id);
      default:
    }
  }

  #operated({ op, pods }: PodOperation, seq: number): void {
    for (const { uid, pod } of pods) {
      if (op === 'REMOVE' || op === 'DELETE' || pod.metadata.deletionTimestamp !== undefined) this.#ending.set(uid, `${op} ${seq}`);
    }
  }

  #forgotten(uid: string): void {
    this.#ending.delete(uid);
    this.statuses.delete(uid);
    for (const key of [...this.#restarts.keys()]) if (key.startsWith(uid)) this.#restarts.delete(key);
  }

  #countsNeverFall(counts: Map<string, number>, uid: string, { containerStatuses = [], initContainerStatuses = [] }: PodStatus, where: string): void {
    for (const { name, restartCount } of [...containerStatuses, ...initContainerStatuses] as readonly ContainerStatus[]) {
      const key = `${uid} ${name}`;
      const before = counts.get(key) ?? 0;
      if (restartCount < before) this.violated(`restart count of ${key} falls from ${before} to ${restartCount} at ${where}`);
      counts.set(key, restartCount);
    }
  }

  // ---- the cloud -----------------------------------------------------------------------------------------------------

  /** The cloud's connection, with an eye on the order of what arrives. */
  readsWhatComesUp(mqtt: MqttPort): MqttPort {
    return {
      connect: (handlers) => mqtt.connect({
        message: (packet) => {
          this.#arrived(packet);
          handlers.message(packet);
        },
        closed: (fault) => handlers.closed(fault),
      }),
      subscribe: (filter, qos) => mqtt.subscribe(filter, qos),
      publish: (packet) => mqtt.publish(packet),
      disconnect: () => mqtt.disconnect(),
    };
  }

  /** The agent's dialect, with an eye on what becomes of what is said in it. */
  readsWhatIsWritten(dialect: Dialect): Dialect {
    return {
      ...dialect,
      encode: (write) => {
        const packet = dialect.encode(write);
        this.#written(packet.payload, { text: `${write.verb} ${write.kind} ${write.name}`, identity: write.id });
        return packet;
      },
      encodeStart: (identity) => {
        const packet = dialect.encodeStart(identity);
        this.#written(packet.payload, { text: 'start', identity });
        return packet;
      },
    };
  }

  #written(payload: Uint8Array, written: { readonly text: string; readonly identity: string }): void {
    if (this.#world.options.dialect === 'lite') this.#packets.set(payload, written);
    else this.#byIdentity.set(written.identity, written.text);
  }

  #arrived({ topic, payload, properties }: MqttPacket): void {
    const mqlet = parseTopic(rootTopic, topic);
    const identity = mqlet === undefined ? undefined : identityIn(payload, properties?.correlationData);
    // What has no identity is not answered and may come in any order.
    if (mqlet !== undefined && (identity === undefined || !this.#byIdentity.has(identity))) return;
    const packet = identity === undefined ? this.#packets.get(payload) : { identity, text: this.#byIdentity.get(identity) ?? '' };
    if (packet === undefined) return this.violated('the cloud gets a packet that no agent has written');
    this.#ordered(packet);
  }

  #ordered({ text, identity }: { readonly text: string; readonly identity: string }): void {
    this.#world.trace.note(`cloud gets ${text} ${identity}`);
    const order = this.#order.get(identity);
    if (order === undefined) return;
    const last = this.#lastAtCloud.get(order.lane) ?? 0;
    if (order.place < last) this.violated(`an older status reaches the cloud after a newer one: ${text} (${order.place} after ${last})`);
    this.#lastAtCloud.set(order.lane, order.place);
  }

  cloudChanged({ type, kind, object }: StoreChange): void {
    if (kind !== 'Pod') return;
    const { uid, name, deletionTimestamp } = object.metadata;
    // A pod's status is a PodStatus: nobody else writes it here.
    const status = (object.status ?? {}) as PodStatus;
    this.#world.trace.note(`cloud ${type} pod ${name} ${uid} ${status.phase ?? ''}`);
    // Mirror pods are the agent's own: their counts may fall with a new static pod of the same name, and it deletes them at will.
    if (isMirror(object)) return;
    if (type === 'deleted') return this.#deleted(uid, { name, marked: deletionTimestamp !== undefined });
    this.#countsNeverFall(this.#cloudRestarts, uid, status, 'the cloud');
    const before = this.#cloudPhases.get(uid);
    const phase = status.phase ?? 'Pending';
    if ((before === 'Succeeded' || before === 'Failed') && phase !== before) this.violated(`pod ${name} leaves phase ${before} for ${phase}`);
    this.#cloudPhases.set(uid, phase);
  }

  /** Only what is at rest may be taken out of the API by the agent. */
  #deleted(uid: string, { name, marked }: { readonly name: string; readonly marked: boolean }): void {
    if (this.#world.userActs) return;
    if (!marked) this.violated(`the agent deleted pod ${name}, which nobody wanted deleted`);
    const live = [...this.#world.runtime.containers.values()].find(({ podUid, state, ending }) => podUid === uid && state === 'running' && !ending);
    if (live !== undefined) this.violated(`the agent deleted pod ${name} while its container ${live.config.metadata.name} lives`);
  }
}

/** The image of a static pod in the API. */
export function isMirror({ metadata }: { readonly metadata?: object }): boolean {
  const annotations: unknown = metadata === undefined || !('annotations' in metadata) ? undefined : metadata.annotations;
  return typeof annotations === 'object' && annotations !== null && configMirrorAnnotation in annotations;
}

/** Of a message of the mqlet dialect; undefined for one that nobody answers. */
function identityIn(payload: Uint8Array, correlationData: Uint8Array | undefined): string | undefined {
  const frame = decodeFrame(payload);
  const correlation = correlationData ?? (frame.ok && frame.value !== 'ignorable' ? frame.value.correlation : undefined);
  return correlation === undefined ? undefined : identityOf(correlation);
}
