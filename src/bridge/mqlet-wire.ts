// The cloud side towards nodes that speak mqlet's own dialect (docs/wire.md): presence, answers, digests, and what keeps each in step.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { commonDictionary, noDictionary, packBody, readBody } from '../bus/dialects/mqlet/body.ts';
import { decodeFrame, encodeFrame, type Frame } from '../bus/dialects/mqlet/header.ts';
import { cloudFilters, nodeTopics, parseTopic } from '../bus/dialects/mqlet/topics.ts';
import type { WireFault } from '../bus/dialects/mqlet/wire-fault.ts';
import { notSubdomain } from '../bus/ingress/field-formats.ts';
import type { MqttPacket } from '../ports/mqtt-port.ts';
import type { ObjectReference } from '../ports/stored-object.ts';
import type { CloudWire, CloudWireDeps } from './cloud-wire.ts';
import { nodesMax } from './members.ts';
import { specOf, type StoreChange } from './memory-store.ts';
import { MqletNode } from './mqlet-node.ts';
import { frameDeviations } from './mqlet-strict.ts';
import { NodeWants } from './node-wants.ts';

const lifetimes = { answer: 60, push: 300 } as const;

export class MqletWire implements CloudWire {
  readonly filters: readonly string[];
  readonly #deps: CloudWireDeps;
  readonly #wants: NodeWants;
  readonly #nodes = new Map<string, MqletNode>();
  #pushes = 0;

  constructor(deps: CloudWireDeps) {
    this.#deps = deps;
    this.filters = cloudFilters(deps.rootTopic);
    this.#wants = new NodeWants(deps.store);
    deps.store.onChange((change) => this.#changed(change));
  }

  online(nodeName: string): boolean | undefined {
    return this.#nodes.get(nodeName)?.online;
  }

  /** Retained presences come with the subscription; who was here before is asked what he holds. */
  connected(): void {
    for (const node of this.#nodes.values()) node.cloudReturned();
  }

  shareChanged(): void {
    for (const node of this.#nodes.values()) node.shareChanged();
  }

  stop(): void {
    for (const node of this.#nodes.values()) node.stop();
  }

  objectChanged(_reference: ObjectReference): void {
    // The store's own word came first, and reached every node that uses it.
  }

  #changed({ kind, object }: StoreChange): void {
    if (kind === 'Pod') this.#nodes.get(String(specOf(object).nodeName))?.sync.changed();
    else if (kind === 'Node') this.#nodes.get(object.metadata.name)?.sync.changed();
    else if (kind === 'Secret' || kind === 'ConfigMap') {
      const { name, namespace = '' } = object.metadata;
      for (const nodeName of this.#deps.store.nodesUsing({ kind, namespace, name })) this.#nodes.get(nodeName)?.sync.changed();
    }
  }

  received(packet: MqttPacket): boolean {
    const topic = parseTopic(this.#deps.rootTopic, packet.topic);
    if (topic?.direction !== 'up') return false;
    const { nodeName, channel } = topic;
    // Who is there everybody knows, so that a node can move at once.
    if (channel === 'api' && !this.#deps.share.mine(nodeName)) return true;
    const isName = notSubdomain(nodeName) === undefined;
    const node = isName ? this.#node(nodeName) : undefined;
    if (node === undefined) {
      this.#deps.deviate([isName ? `more than ${nodesMax} nodes were heard; this one is not: ${nodeName}` : `the topic names no node: ${JSON.stringify(packet.topic.slice(0, 200))}`]);
      return true;
    }
    const frame = decodeFrame(packet.payload);
    if (!frame.ok) this.#refuse(node, frame.fault, packet.properties?.correlationData);
    else if (frame.value !== 'ignorable') this.#framed(node, frame.value, packet, channel);
    return true;
  }

  #framed(node: MqletNode, frame: Frame, packet: MqttPacket, channel: 'api' | 'presence'): void {
    const { strict, deviate, dialects, rootTopic } = this.#deps;
    const { down } = nodeTopics(rootTopic, node.name);
    if (strict) deviate(frameDeviations(frame, packet, { channel, responseTopic: down, named: node.named }).map((line) => `${node.name} ${frame.type}: ${line}`));
    const wanted = packet.properties?.responseTopic;
    if (wanted !== undefined && wanted !== down) {
      this.#refuse(node, { reason: 'BadRequest', message: `answers go to ${down} only`, ...(frame.correlation === undefined ? {} : { correlation: frame.correlation }) });
      return;
    }
    if ((frame.type === 'presence') !== (channel === 'presence')) {
      this.#refuse(node, { reason: 'UnknownMessage', message: `a message of type "${frame.type}" is not for the topic ${channel}` });
      return;
    }
    dialects.heard(node.name, 'mqlet');
    const body = isBinary(frame) ? undefined : readBody(frame);
    if (body?.ok === false) this.#refuse(node, { ...body.fault, ...(frame.correlation === undefined ? {} : { correlation: frame.correlation }) });
    else if (frame.type === 'presence') this.#presence(node, body?.value ?? {}, packet.retain);
    else node.take(frame, body?.value ?? {});
  }

  #presence(node: MqletNode, body: JsonObject, retained: boolean): void {
    const since = typeof body.since === 'number' ? body.since : 0;
    if (body.online === true) node.announced({ since, dictionary: commonDictionary(body.dictionaries), retained });
    else node.left(since);
  }

  /** Who asked is told; else it is noted alone. */
  #refuse(node: MqletNode, fault: WireFault, correlationData?: Uint8Array): void {
    const text = `${fault.field === undefined ? '' : `${fault.field}: `}${fault.message}`;
    this.#deps.deviate([`${node.name}: ${fault.reason}: ${text}`]);
    const correlation = fault.correlation ?? correlationData;
    if (correlation === undefined || correlation.length === 0) return;
    this.#send(node, { type: 'answer', correlation, lifetimeSeconds: lifetimes.answer }, { refused: { status: 'Failure', code: 400, reason: fault.reason, message: text.slice(0, 500) } });
  }

  #node(nodeName: string): MqletNode | undefined {
    const known = this.#nodes.get(nodeName);
    if (known !== undefined || this.#nodes.size >= nodesMax) return known;
    const node: MqletNode = new MqletNode({
      ...this.#deps,
      name: nodeName,
      wanted: () => this.#wants.of(nodeName),
      wantedOf: (kind, object) => this.#wants.entry(kind, object),
      send: (frame, body) => this.#send(node, frame, body),
      nextCorrelation: () => {
        this.#pushes += 1;
        const bytes = Buffer.alloc(6);
        bytes.writeUIntBE(this.#pushes, 0, 6);
        return bytes;
      },
      refuse: (fault) => this.#refuse(node, fault),
    });
    this.#nodes.set(nodeName, node);
    return node;
  }

  #send(node: MqletNode, frame: Omit<Frame, 'body' | 'dictionary'>, body: JsonObject | undefined): void {
    const { publish, log, rootTopic } = this.#deps;
    const dictionary = body?.dictionaries === undefined ? node.dictionary : noDictionary;
    const payload = encodeFrame({ ...frame, ...(body === undefined ? { body: new Uint8Array() } : packBody(body, { dictionary })) });
    void publish({ topic: nodeTopics(rootTopic, node.name).down, payload, qos: 1, retain: false }).then((sent) => {
      // What is not answered is asked again, what is not received is pushed again.
      if (!sent.ok) log.warn('cloud.unsent', { nodeName: node.name, reason: sent.fault.message });
    });
  }
}

const binaryTypes: ReadonlySet<Frame['type']> = new Set(['digest', 'heartbeat', 'renewal', 'received'] as const);

function isBinary({ type }: Frame): boolean {
  return binaryTypes.has(type);
}

