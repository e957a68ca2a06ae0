// A strict cloud side of the kole dialect for tests: filters, ticks and repairs as the published controller does, with none of its
// defects, and notes everything in a heartbeat that a published node would not send.
import { createHash } from 'node:crypto';
import type { ClockPort } from '../../src/ports/clock-port.ts';
import type { MqttPort } from '../../src/ports/mqtt-port.ts';
import type { Stoppable } from '../../src/ports/result.ts';

export interface KoleCloudOptions {
  readonly mqtt: MqttPort;
  readonly clock: ClockPort;
  readonly snapshotMs?: number;
  readonly silenceMs?: number;
}

interface Heartbeat {
  readonly name: string;
  readonly timestamp: number;
  readonly identifier: string;
  readonly seqnum: number;
  state: string;
  readonly pods: readonly { readonly hash: string; readonly name: string; readonly namespace: string; readonly status: { readonly phase: string } }[];
  heardMs: number;
}

/** Field, form; the order is that of the protocol. */
const fieldForms: readonly (readonly [string, (value: unknown) => boolean])[] = [
  ['name', isText], ['labels', isTexts], ['timestamp', isWhole], ['identifier', (value) => isText(value) && /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(value)],
  ['seqnum', isWhole], ['state', (value) => value === 'Registering' || value === 'Registerd'], ['status', isRecord], ['pods', Array.isArray],
];
const optional = new Set(['labels', 'pods', 'seqnum']);

export class KoleCloud implements Stoppable {
  readonly ready: Promise<void>;
  readonly deviations: string[] = [];
  /** Heartbeats that were dropped as old. */
  dropped = 0;
  /** All heartbeats that were taken, in order. */
  readonly heard: Heartbeat[] = [];
  readonly #options: KoleCloudOptions;
  readonly #nodes = new Map<string, Heartbeat>();
  readonly #desired = new Map<string, { readonly namespace: string; readonly name: string; readonly spec: object }>();
  #timer: unknown;
  #reconnectTimer: unknown;
  #stopped = false;
  #becomeReady: () => void = () => undefined;

  constructor(options: KoleCloudOptions) {
    this.#options = options;
    this.ready = new Promise((resolve) => { this.#becomeReady = resolve; });
    void this.#connect();
    this.#timer = this.#tickLater();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    this.#options.clock.clearTimeout(this.#reconnectTimer);
    await this.#options.mqtt.disconnect();
  }

  /** A KoleDaemonSet is new or changed. `spec` has its fields in Go's order. */
  apply(namespace: string, name: string, spec: object): void {
    const pod = { namespace, name: `koledaemonset-${name}`, spec };
    this.#desired.set(keyOf(pod), pod);
    for (const node of this.#nodes.keys()) this.#send(`DATA/${node}`, dataOf(pod));
  }

  delete(namespace: string, name: string): void {
    const pod = { namespace, name: `koledaemonset-${name}` };
    const known = this.#desired.get(keyOf(pod));
    this.#desired.delete(keyOf(pod));
    for (const node of this.#nodes.keys()) this.#send(`DATA/${node}`, deletionOf({ ...pod, hash: hashOf(known?.spec ?? {}) }));
  }

  /** `node: state [pod phase …]` of each node as last heard, pods by name. */
  view(): string[] {
    return [...this.#nodes.values()].map(({ name, state, pods }) => `${name}: ${state} [${pods.map((pod) => `${pod.name} ${pod.status.phase}`).sort().join(', ')}]`);
  }

  /** Pods that every node shall have, by name. */
  wanted(): { readonly name: string; readonly image: string }[] {
    return [...this.#desired.values()].map(({ name, spec }) => ({ name, image: 'image' in spec ? String(spec.image) : '' })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** As a restart without a snapshot. */
  forget(): void {
    this.#nodes.clear();
  }

  async #connect(): Promise<void> {
    const again = (): void => {
      if (!this.#stopped) this.#reconnectTimer = this.#options.clock.setTimeout(() => void this.#connect(), 1_000);
    };
    const connected = await this.#options.mqtt.connect({ message: ({ topic, payload, qos, retain }) => this.#heartbeat(topic, payload, { qos, retain }), closed: again });
    if (!connected.ok) return again();
    const subscribed = await this.#options.mqtt.subscribe('kole/lite/HEARTBEAT', 1);
    if (subscribed.ok) this.#becomeReady();
  }

  #heartbeat(topic: string, payload: Uint8Array, { retain }: { readonly qos: number; readonly retain: boolean }): void {
    const note = (text: string): void => void this.deviations.push(`${topic}: ${text}`);
    if (retain) note('is retained');
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    } catch {
      return note('is no JSON');
    }
    if (!isRecord(value)) return note('is no mapping');
    const names = fieldForms.map(([name]) => name).filter((name) => name in value);
    if (JSON.stringify(Object.keys(value)) !== JSON.stringify(names)) note(`has the fields ${Object.keys(value).join()}`);
    for (const [name, fits] of fieldForms) if (name in value ? !fits(value[name]) : !optional.has(name)) note(`${name} is ${JSON.stringify(value[name])}`);
    if (Array.isArray(value.pods) && value.pods.length === 0) note('pods is empty and not left out');
    // Its form has just been compared.
    this.#take({ pods: [], seqnum: 0, ...value, heardMs: this.#options.clock.monotonicMs() } as unknown as Heartbeat);
  }

  #take(heartbeat: Heartbeat): void {
    const last = this.#nodes.get(heartbeat.name);
    if (last !== undefined && (heartbeat.seqnum < last.seqnum || (heartbeat.seqnum === last.seqnum && heartbeat.timestamp <= last.timestamp))) {
      this.dropped += 1;
      return;
    }
    this.heard.push(heartbeat);
    if (last === undefined && heartbeat.state !== 'Registering') return;
    this.#nodes.set(heartbeat.name, heartbeat);
    const reported = new Map(heartbeat.pods.map((pod) => [keyOf(pod), pod]));
    for (const [key, pod] of this.#desired) if (reported.get(key)?.hash !== hashOf(pod.spec)) this.#send(`DATA/${heartbeat.name}`, dataOf(pod));
    for (const [key, pod] of reported) if (!this.#desired.has(key)) this.#send(`DATA/${heartbeat.name}`, deletionOf(pod));
  }

  #tickLater(): unknown {
    const { clock, snapshotMs = 60_000, silenceMs = 300_000 } = this.#options;
    return clock.setTimeout(() => {
      for (const heartbeat of this.#nodes.values()) {
        if (heartbeat.state === 'Registering') {
          heartbeat.state = 'Registerd';
          this.#send(`CTL/${heartbeat.name}`, { identifier: heartbeat.identifier, registerd: true });
        } else if (clock.monotonicMs() - heartbeat.heardMs > silenceMs) heartbeat.state = 'Offline';
      }
      this.#timer = this.#tickLater();
    }, snapshotMs);
  }

  #send(topic: string, message: object): void {
    // At QoS 0, as published: what is lost is repaired with the next heartbeat.
    void this.#options.mqtt.publish({ topic: `kole/lite/${topic}`, payload: new TextEncoder().encode(JSON.stringify(message)), qos: 0, retain: false });
  }
}

function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}-${name}`;
}

function hashOf(spec: object): string {
  return createHash('md5').update(JSON.stringify(spec)).digest('hex');
}

function dataOf({ namespace, name, spec }: { readonly namespace: string; readonly name: string; readonly spec: object }): object {
  return { Hash: hashOf(spec), Name: name, NameSpace: namespace, Spec: spec, DeleteTimeStamp: null };
}

function deletionOf({ namespace, name, hash }: { readonly namespace: string; readonly name: string; readonly hash: string }): object {
  return { Hash: hash, Name: name, NameSpace: namespace, Spec: null, DeleteTimeStamp: '2026-01-01T00:00:00Z' };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((each) => typeof each === 'string');
}
