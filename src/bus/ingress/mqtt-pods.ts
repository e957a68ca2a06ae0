// What comes down over MQTT: answers, pods, mirror pods and the node, each to whom it concerns; and when the list of pods is asked
// for. A bad payload is one refusal and nothing else. It decides about no pod's life: it says what the cloud wants.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { MqttFault } from '../../ports/faults.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { MqttPacket } from '../../ports/mqtt-port.ts';
import { type DesiredPod, type Node, type Pod, podFullName, podName, type PodUid } from '../../ports/pod-types.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import type { ApiAnswer, ApiWrite } from '../api-write.ts';
import type { BusPort } from '../bus.ts';
import { withHiddenToken } from '../dialects/check-object.ts';
import type { Dialect, DownMessage, HeldPod, ObjectsMessage, PodDifference, StartAnswer, UpPacket } from '../dialects/dialect.ts';
import { isJsonObject, type JsonObject } from '../dialects/json-value.ts';
import { applyMergePatch } from '../dialects/merge-patch.ts';
import type { Messages } from '../messages.ts';
import { isMirror, MqttMirrors } from './mqtt-mirrors.ts';
import { takeObjects } from './mqtt-objects.ts';
import { MqttPodReader, referenceOf, type RefusedPod } from './mqtt-pod-reader.ts';
import { MqttPodState, mqttPodsMax } from './mqtt-pod-state.ts';
import { RefusalTeller } from './refusal-teller.ts';
import { StartHandshake } from './start-handshake.ts';

export interface MqttPodsDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly dialect: Dialect;
  readonly nodeName: string;
  /** As MqttPort.publish; the link actor's. */
  publish(packet: MqttPacket): Promise<Result<void, MqttFault>>;
}

/** Listens to `mqtt.link`, `mqtt.received`, `api.settled`, `pods.recalled` and `pod.terminated`. */
export function startMqttPods(deps: MqttPodsDeps): Stoppable {
  return new MqttPodsActor(deps);
}

class MqttPodsActor implements Stoppable {
  readonly #deps: MqttPodsDeps;
  readonly #state = new MqttPodState();
  readonly #teller: RefusalTeller;
  readonly #reader: MqttPodReader;
  readonly #mirrors: MqttMirrors;
  readonly #handshake: StartHandshake;
  readonly #listenings: { off(): void }[];

  constructor(deps: MqttPodsDeps) {
    this.#deps = deps;
    const { bus, clock, random, nodeName } = deps;
    this.#teller = new RefusalTeller(deps);
    this.#reader = new MqttPodReader({ teller: this.#teller, nodeName, refused: (refusal) => this.#refused(refusal) });
    this.#mirrors = new MqttMirrors({ bus, teller: this.#teller, nodeName });
    this.#handshake = new StartHandshake({ clock, random, relistMs: deps.dialect.relistMs, begin: () => this.#beginStart(), send: (identity) => this.#sendStart(identity) });
    this.#listenings = [
      bus.on('mqtt.link', ({ payload }) => this.#linkChanged(payload.state === 'up')),
      bus.on('mqtt.received', ({ payload }) => this.#received(payload)),
      bus.on('api.settled', ({ payload }) => this.#settled(payload)),
      bus.on('pods.recalled', ({ payload }) => {
        for (const pod of this.#state.recall(payload.pods)) bus.publish('source.updated', { kind: 'upsert', source: 'mqtt', pod });
      }),
      bus.on('pod.terminated', ({ payload }) => {
        if (this.#state.terminated(payload.pod.uid)) this.#forget(payload.pod.uid);
      }),
    ];
  }

  stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    this.#handshake.stop();
    return Promise.resolve();
  }

  #linkChanged(up: boolean): void {
    const { presence } = this.#deps.dialect;
    if (up && presence !== undefined) void this.#publish(presence.announce());
    if (up) this.#handshake.linkUp();
    else this.#handshake.linkDown();
  }

  #publish({ topic, payload, properties, retain = false }: UpPacket): Promise<Result<void, MqttFault>> {
    return this.#deps.publish({ topic, payload, qos: 1, retain, ...(properties === undefined ? {} : { properties }) });
  }

  #beginStart(): void {
    this.#state.beginStart();
    this.#mirrors.beginStart();
  }

  async #sendStart(identity: string): Promise<boolean> {
    const sent = await this.#publish(this.#deps.dialect.encodeStart(identity));
    if (!sent.ok) this.#deps.log.warn('mqtt-pods.start-unsent', { reason: sent.fault.message });
    return sent.ok;
  }

  #received({ topic, payload, properties }: Messages['mqtt.received']): void {
    const decoded = this.#deps.dialect.decodeDown(topic, payload, properties);
    if (!decoded.ok) {
      this.#teller.tell(decoded.fault);
      return;
    }
    const message: DownMessage = decoded.value;
    switch (message.kind) {
      case 'ack':
        if (this.#handshake.isAnswer(message.identity)) this.#startAnswered(topic, message.answer);
        else this.#deps.bus.publish('mqtt.ack', { topic, identity: message.identity, answer: withHiddenToken(message.answer) });
        return;
      case 'pod': this.#pushed(topic, { ...message, pods: [message.pod] }, 'pod_data'); return;
      case 'node': this.#nodeReceived(topic, message.node, 'node_data.metadata.name'); return;
      case 'objects': this.#objectsReceived(topic, message); return;
      case 'look': this.#handshake.confirm(); return;
      case 'nothing': return;
      default: message satisfies never;
    }
  }

  #nodeReceived(topic: string, node: Node, field: string): void {
    const name = node.metadata?.name;
    if (name === this.#deps.nodeName) this.#deps.bus.publish('node.received', { node });
    else this.#teller.tell({ origin: topic, field, message: `must be this node, "${this.#deps.nodeName}", not ${JSON.stringify(name ?? null)}`, severity: 'error' });
  }

  #objectsReceived(topic: string, message: ObjectsMessage): void {
    this.#pushed(topic, message, 'put');
    this.#changed(topic, message.changes);
    this.#gone(message.gone);
    if (message.node !== undefined) this.#nodeReceived(topic, message.node, 'put.metadata.name');
    if (message.received !== undefined) void this.#publish(message.received);
    if (message.doubtful) this.#handshake.confirm();
  }

  /** @param field of the pods in the message */
  #pushed(topic: string, message: { readonly pods: readonly unknown[]; readonly secrets: readonly JsonObject[]; readonly configMaps: readonly JsonObject[] }, field: string): void {
    const pods: DesiredPod[] = [];
    let refused = 0;
    for (const object of message.pods) {
      if (isJsonObject(object) && isMirror(object)) {
        const mirror = this.#mirrors.read(object, { topic, field });
        if (mirror !== undefined) this.#mirrors.push(mirror);
        continue;
      }
      const pod = this.#reader.read(object, { topic, field });
      if (pod === undefined || !this.#hasRoom(topic, pod, field)) refused += 1;
      else pods.push(pod);
    }
    // What the pods use goes ahead of them, and not with a pod alone that is not in order.
    if (pods.length > 0 || refused === 0) this.#takeObjects(topic, message, { secrets: 'secrets_data', configMaps: 'configmaps_data' });
    for (const pod of pods) this.#keep(pod);
  }

  #takeObjects(topic: string, { secrets, configMaps }: Pick<StartAnswer, 'secrets' | 'configMaps'>, fields: { readonly secrets: string; readonly configMaps: string }): void {
    const taking = { bus: this.#deps.bus, teller: this.#teller, topic };
    takeObjects(taking, 'Secret', fields.secrets, secrets);
    takeObjects(taking, 'ConfigMap', fields.configMaps, configMaps);
  }

  /** Of a pod that is here only its change is refused: it goes on as it was. */
  #refused(refusal: RefusedPod): void {
    if (!this.#state.has(refusal.pod.uid)) this.#deps.bus.publish('pod.refused', refusal);
  }

  #hasRoom(topic: string, pod: DesiredPod, field: string): boolean {
    if (!this.#state.full || this.#state.has(pod.uid)) return true;
    this.#teller.tell({ origin: topic, field, message: `more than ${mqttPodsMax} pods are not taken (pod ${podName(pod)})`, severity: 'error' }, referenceOf(pod));
    return false;
  }

  #keep(pod: DesiredPod): void {
    for (const change of this.#state.push(pod)) {
      if (change.kind === 'forget') this.#forget(change.uid);
      else this.#deps.bus.publish('source.updated', { kind: 'upsert', source: 'mqtt', pod: change.pod });
    }
  }

  #changed(topic: string, changes: readonly PodDifference[]): void {
    for (const { uid, change } of changes) {
      const known = this.#state.get(uid);
      // Plain data; only its declared interface lacks an index signature.
      const pod = known === undefined ? undefined : this.#reader.read(applyMergePatch(known.pod as unknown as JsonObject, change), { topic, field: 'put.change' });
      if (pod?.uid === uid) this.#keep(pod);
    }
  }

  #gone(gone: readonly HeldPod[]): void {
    for (const { uid, namespace, name } of gone) {
      if (this.#state.gone(uid)) this.#forget(uid);
      else if (name !== '') this.#mirrors.gone(podFullName({ namespace, name }), uid);
    }
  }

  #startAnswered(topic: string, answer: ApiAnswer): void {
    if (answer.kind === 'refused') {
      this.#deps.log.warn('mqtt-pods.start-refused', { reason: answer.status.reason ?? '', message: answer.status.message ?? '' });
      this.#handshake.failed();
      return;
    }
    if (answer.object === undefined) {
      this.#teller.tell({ origin: topic, field: 'ack_data.object', message: 'is missing in the answer to a start; nothing is changed', severity: 'error' });
      this.#handshake.failed();
      return;
    }
    const start = this.#deps.dialect.decodeStartAnswer(topic, answer.object);
    if (!start.ok) {
      this.#teller.tell(start.fault);
      this.#handshake.failed();
      return;
    }
    this.#takeStart(topic, start.value);
    if (start.value.node !== undefined) this.#nodeReceived(topic, start.value.node, 'ack_data.object.node.metadata.name');
    if (start.value.difference?.again === true) this.#handshake.again();
    else this.#handshake.answered();
  }

  #takeStart(topic: string, start: StartAnswer): void {
    const { difference } = start;
    this.#gone(difference?.gone ?? []);
    if (difference?.again === true) {
      this.#pushed(topic, start, 'put');
      this.#changed(topic, difference.changes);
      return;
    }
    this.#takeObjects(topic, start, { secrets: 'secret_list', configMaps: 'config_map_list' });
    this.#changed(topic, difference?.changes ?? []);
    this.#takeList(topic, start.pods, difference?.unchanged ?? []);
  }

  #takeList(topic: string, entries: readonly unknown[], unchanged: readonly HeldPod[]): void {
    const pods: DesiredPod[] = [];
    const mirrors: Pod[] = [];
    for (const [index, entry] of entries.entries()) {
      const place = { topic, field: `pods_list[${index}]` };
      const mirror = isJsonObject(entry) && isMirror(entry) ? this.#mirrors.read(entry, place) : undefined;
      const pod = isJsonObject(entry) && isMirror(entry) ? undefined : this.#reader.read(entry, place);
      if (mirror !== undefined) mirrors.push(mirror);
      if (pod !== undefined) pods.push(pod);
    }
    // An entry that cannot be read may be any pod: then absence of another one proves nothing.
    const complete = pods.length + mirrors.length === entries.length;
    const uids = new Set(unchanged.map(({ uid }) => uid));
    this.#deps.bus.publish('source.updated', { kind: 'set', source: 'mqtt', pods: this.#state.answer(pods, { complete, unchanged: uids }) });
    this.#mirrors.list(mirrors, { unchanged: complete ? new Set(unchanged.map(podFullName)) : undefined });
    this.#deps.bus.publish('cloud.listed', { complete });
  }

  /** No message of some dialects says that a pod is gone from the API: there only the outcome of a write does. */
  #settled({ write, outcome }: Messages['api.settled']): void {
    if (write.kind !== 'Pod') return;
    if (write.verb === 'create') {
      if (outcome.kind === 'accepted') this.#mirrors.created(podFullName(write));
      return;
    }
    const reason = outcome.kind === 'refused' ? outcome.status.reason : undefined;
    const gone = reason === 'NotFound' || (reason === 'Conflict' && write.verb === 'delete') || (write.verb === 'delete' && outcome.kind === 'accepted');
    if (!gone && reason !== 'Conflict') return;
    const fullName = podFullName(write);
    if (gone) this.#mirrors.gone(fullName);
    // The API has another mirror than the one pushed last: an old push came late.
    else if (this.#mirrors.has(fullName)) this.#handshake.confirm();
    const uid = uidIn(write) ?? this.#state.uidOf(write);
    if (uid === undefined || !this.#state.has(uid)) return;
    if (gone && (write.verb === 'delete' || this.#state.isTerminated(uid))) {
      if (this.#state.deleted(uid)) this.#forget(uid);
      return;
    }
    // A pod that runs is not stopped on the word of one answer: the list decides.
    this.#handshake.confirm();
  }

  #forget(uid: PodUid): void {
    this.#deps.bus.publish('source.updated', { kind: 'forget', source: 'mqtt', uid });
  }
}

/** The pod a write was about, where it says so: the name may belong to another one by now. */
function uidIn(write: ApiWrite): PodUid | undefined {
  if (write.kind !== 'Pod') return undefined;
  if (write.verb === 'delete') return write.uid;
  const metadata = write.verb === 'patchStatus' && 'metadata' in write.patch ? write.patch.metadata : undefined;
  const uid = isJsonObject(metadata) ? metadata.uid : undefined;
  // Our own writers put the UID of the pod there.
  return typeof uid === 'string' ? (uid as PodUid) : undefined;
}
