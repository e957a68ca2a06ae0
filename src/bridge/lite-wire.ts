// The cloud side towards agents that speak the lite-kubelet dialect (spec A15): answers them, and pushes what changed.
import type { ApiAnswer } from '../bus/api-write.ts';
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { ackFields, nodeFields, podFields } from '../bus/dialects/lite/envelope-down.ts';
import { decodeUp, type UpMessage } from '../bus/dialects/lite/envelope-up.ts';
import { packJson, packYaml } from '../bus/dialects/lite/payload.ts';
import { controlTopic, dataTopic } from '../bus/dialects/lite/topics.ts';
import { notSubdomain } from '../bus/ingress/field-formats.ts';
import type { MqttPacket } from '../ports/mqtt-port.ts';
import type { ObjectReference } from '../ports/stored-object.ts';
import { tooManyRequests } from './api-status.ts';
import { answerTo, isKnown, startAnswer } from './cloud-answers.ts';
import { objectsBeside, podsToTell } from './cloud-objects.ts';
import { CloudPushes } from './cloud-pushes.ts';
import type { CloudWire, CloudWireDeps } from './cloud-wire.ts';
import { urgency } from './fair-lanes.ts';
import { nodesMax } from './members.ts';
import { specOf, type StoreChange } from './memory-store.ts';
import { dialectLabel } from './node-rights.ts';
import { deviationsOf } from './strict-check.ts';

export interface LiteWireDeps extends CloudWireDeps {
  /** What goes down: JSON is YAML too, and quicker on both sides. */
  readonly encoding: 'json' | 'yaml';
  /** Pods go also to nodes that were never heard; otherwise when they are first heard. */
  readonly pushesUnheard: boolean;
}

const nothingBeside = { secrets: [], configMaps: [] };
/** Pushes kept for when the broker is back; beyond, the oldest goes, and the agent's next start repairs it. */
const unsentMax = 2_000;

export class LiteWire implements CloudWire {
  readonly filters: readonly string[];
  readonly #deps: LiteWireDeps;
  readonly #pushes: CloudPushes;
  /** The newest push of each object that did not reach the broker. */
  readonly #unsent = new Map<string, () => void>();

  constructor(deps: LiteWireDeps) {
    this.#deps = deps;
    const { store, clock, coalesceMs, rootTopic } = deps;
    this.filters = [dataTopic(rootTopic)];
    this.#pushes = new CloudPushes({
      clock,
      coalesceMs,
      pushPod: (nodeName, pod, { echo }) => {
        if (!this.#tells(nodeName)) return;
        const { secrets, configMaps } = echo ? nothingBeside : objectsBeside(store, [pod]);
        this.#push(nodeName, pod, podFields(pod, secrets, configMaps));
      },
      pushNode: (nodeName, node) => {
        if (this.#tells(nodeName)) this.#push(nodeName, node, nodeFields(node));
      },
    });
    store.onChange((change) => {
      this.#known(change);
      this.#pushes.changed(change);
    });
  }

  #tells(nodeName: string): boolean {
    const { dialects, share, pushesUnheard } = this.#deps;
    return dialects.speaks(nodeName, 'lite', { unknown: pushesUnheard }) && share.mine(nodeName);
  }

  /** Nodes move with what they have: who serves them from now on tells them all. */
  shareChanged(): void {
    const { store, share, leases, dialects } = this.#deps;
    for (const { metadata: { name } } of store.list('Node')) {
      if (dialects.of(name) !== 'lite') continue;
      if (!share.mine(name)) leases.lost(name);
      else if (!leases.vouches(name)) {
        void leases.takeUp(name);
        void this.#catchUp(name);
      }
    }
  }

  /** Nodes that registered in this dialect have no presence: they are told what changed while nobody was here, before they say a word. */
  #known({ type, kind, object, by }: StoreChange): void {
    const { name, labels } = object.metadata;
    if (kind !== 'Node' || type !== 'added' || by !== undefined || !isJsonObject(labels) || labels[dialectLabel] !== 'lite') return;
    const { dialects, leases, share } = this.#deps;
    if (dialects.of(name) !== undefined) return;
    dialects.heard(name, 'lite');
    if (!share.mine(name)) return;
    void leases.takeUp(name);
    void this.#catchUp(name);
  }

  connected(): void {
    const unsent = [...this.#unsent.values()];
    this.#unsent.clear();
    for (const push of unsent) push();
  }

  stop(): void {
    this.#pushes.stop();
  }

  objectChanged(reference: ObjectReference): void {
    const { store } = this.#deps;
    for (const pod of podsToTell(store, reference)) {
      const nodeName = String(specOf(pod).nodeName);
      const { secrets, configMaps } = objectsBeside(store, [pod]);
      if (this.#tells(nodeName)) this.#push(nodeName, pod, podFields(pod, secrets, configMaps));
    }
  }

  received({ topic, payload }: MqttPacket): boolean {
    if (topic !== this.filters[0]) return false;
    const { deviate, strict, leases, dialects, share, store } = this.#deps;
    const decoded = decodeUp(payload);
    if (!decoded.ok) {
      deviate([`undecodable: ${decoded.fault.field ?? 'payload'}: ${decoded.fault.message}`]);
      return true;
    }
    const message = decoded.value;
    if (strict) deviate(deviationsOf(message, payload));
    // The name becomes a topic.
    if (notSubdomain(message.nodeName) !== undefined) {
      deviate([`node_name is no name of a node: ${JSON.stringify(message.nodeName.slice(0, 100))}`]);
      return true;
    }
    if (!dialects.hasRoomFor(message.nodeName) && !store.get({ kind: 'Node', namespace: '', name: message.nodeName }).ok) {
      deviate([`more than ${nodesMax} names of nodes were heard; this one is not: ${message.nodeName}`]);
      return true;
    }
    const first = dialects.heard(message.nodeName, 'lite');
    if (!share.mine(message.nodeName)) return true;
    if (first && message.objectType !== 'start') void this.#catchUp(message.nodeName);
    leases.heard(message.nodeName, { lease: message.objectType === 'lease' });
    void this.#do(message);
    return true;
  }

  /** A node that was connected before this cloud side was has no reason to ask for what changed meanwhile. */
  async #catchUp(nodeName: string): Promise<void> {
    const { store, pushesUnheard } = this.#deps;
    if (pushesUnheard || !(await isKnown(this.#deps, nodeName))) return;
    for (const pod of store.podsOf(nodeName)) {
      const { secrets, configMaps } = objectsBeside(store, [pod]);
      this.#push(nodeName, pod, podFields(pod, secrets, configMaps));
    }
  }

  async #do(message: UpMessage): Promise<void> {
    const answer = await this.#answered(message);
    if (answer === undefined) return;
    if (message.needAck) void this.#send(message.nodeName, ackFields(message.identity, answer));
    if (message.objectType === 'start') this.#pushes.startAnswered(message.nodeName);
  }

  /** @returns undefined for what is not answered now: the agent asks again */
  async #answered(message: UpMessage): Promise<ApiAnswer | undefined> {
    const { lanes, store, calls, denials } = this.#deps;
    const { nodeName, objectType } = message;
    if (objectType === 'start') return startAnswer({ store, calls, denials }, nodeName);
    const turn = { nodeName, urgency: objectType === 'event' ? urgency.event : urgency.write };
    return (await lanes.run(turn, () => answerTo({ store, calls, denials }, message))) ?? { kind: 'refused', status: tooManyRequests() };
  }

  /** What does not reach the broker is pushed again when the broker is back: an agent whose own link held has no reason to ask. */
  #push(nodeName: string, object: JsonObject, fields: JsonObject): void {
    const { uid } = object.metadata as { readonly uid: string }; // The store gives every object one.
    this.#unsent.delete(uid);
    void this.#send(nodeName, fields).then((sent) => {
      if (sent || this.#unsent.has(uid)) return;
      this.#unsent.set(uid, () => this.#push(nodeName, object, fields));
      const [oldest] = this.#unsent.size > unsentMax ? this.#unsent.keys() : [];
      if (oldest !== undefined) this.#unsent.delete(oldest);
    });
  }

  async #send(nodeName: string, fields: JsonObject): Promise<boolean> {
    const { publish, log, rootTopic, encoding } = this.#deps;
    const payload = encoding === 'yaml' ? packYaml(fields) : packJson(fields);
    const sent = await publish({ topic: controlTopic(rootTopic, nodeName), payload, qos: 1, retain: false });
    // A lost answer is repaired by the agent's own repetition.
    if (!sent.ok) log.warn('cloud.unsent', { nodeName, reason: sent.fault.message });
    return sent.ok;
  }
}
