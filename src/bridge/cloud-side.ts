// A cloud side on its broker: the connection, the dialects behind it, leases and streams. Whose API stands behind it is its composer's choice.
import { parseTopic } from '../bus/dialects/mqlet/topics.ts';
import { mqletTransport } from '../bus/dialects/mqlet/transport.ts';
import { StreamGate } from '../bus/streams/stream-gate.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPacket, MqttPort } from '../ports/mqtt-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { ok, type Stoppable } from '../ports/result.ts';
import type { ObjectReference } from '../ports/stored-object.ts';
import { CloudLeases } from './cloud-leases.ts';
import { CloudStreams } from './cloud-streams.ts';
import { coalesceMsDefault } from './cloud-pushes.ts';
import type { ApiCalls, ObjectsView } from './cloud-store.ts';
import { type CloudWire, NodeDialects } from './cloud-wire.ts';
import { Denials, LineLimit } from './denials.ts';
import { FairLanes, type LanesLimits } from './fair-lanes.ts';
import { LiteWire } from './lite-wire.ts';
import { allNodes, type Share } from './members.ts';
import { MqletWire } from './mqlet-wire.ts';

export const servedDialects = ['mqlet', 'lite'] as const;
export type ServedDialect = (typeof servedDialects)[number];

export interface CloudSideDeps {
  readonly mqtt: MqttPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly rootTopic: string;
  readonly store: ObjectsView;
  readonly calls: ApiCalls;
  readonly limits: LanesLimits;
  readonly dialects: readonly ServedDialect[];
  /** Absent: all nodes are served here. */
  readonly share?: Share;
  /** Who speaks what, where somebody else must know it too. */
  readonly spoken?: NodeDialects;
  /** Nodes are not heard before: what they say waits at the broker, and is not lost should this life end before it can be done. */
  readonly begin?: Promise<void>;
  /** The broker keeps what nodes say for so long while this cloud side is away; nothing when absent. */
  readonly sessionSeconds?: number;
  /** See LiteWireDeps. */
  readonly pushesUnheard: boolean;
  /** What goes down to agents of the lite dialect. */
  readonly encoding?: 'json' | 'yaml';
  /** Note every difference of what comes up from the descriptions of the dialects; see `deviations`. */
  readonly strict?: boolean;
  readonly coalesceMs?: number;
}

const deviationsMax = 1_000;
const reconnectMs = 1_000;

export class CloudSide implements Stoppable {
  #listens = false;
  /** Resolves when agents are heard for the first time. */
  readonly ready: Promise<void>;
  readonly streams: CloudStreams;
  readonly denials: Denials;
  readonly lanes: FairLanes;
  readonly #deps: CloudSideDeps;
  readonly #mqtt: StreamGate;
  readonly #leases: CloudLeases;
  readonly #mqletWire: MqletWire;
  readonly #wires: readonly CloudWire[];
  readonly #deviations: string[] = [];
  readonly #deviationLines: LineLimit;
  #stopped = false;
  #reconnectTimer: unknown;
  #becomeReady: () => void = () => undefined;

  constructor(deps: CloudSideDeps) {
    this.#deps = deps;
    const { mqtt, clock, log, rootTopic, store, calls, share = allNodes, strict = false, coalesceMs = coalesceMsDefault } = deps;
    this.#mqtt = new StreamGate(mqletTransport(mqtt, { clock, covers: (topic) => parseTopic(rootTopic, topic)?.channel === 'api' }), clock);
    this.denials = new Denials({ log, clock });
    this.#deviationLines = new LineLimit(clock);
    this.lanes = new FairLanes({ clock, limits: deps.limits });
    this.#leases = new CloudLeases({ calls, lanes: this.lanes, clock });
    store.onChange(({ type, kind, object }) => {
      if (type === 'added' && kind === 'Node') this.#leases.registered(object.metadata.name);
    });
    const shared = {
      store, calls, leases: this.#leases, lanes: this.lanes, denials: this.denials, clock, log, rootTopic, strict, coalesceMs, share, dialects: deps.spoken ?? new NodeDialects(),
      publish: (packet: MqttPacket) => this.#mqtt.publish(packet), deviate: (lines: readonly string[]) => this.#deviate(lines),
    };
    this.#mqletWire = new MqletWire(shared);
    this.streams = new CloudStreams({
      gate: this.#mqtt, clock, random: deps.random, log, rootTopic, publish: shared.publish, online: (nodeName) => this.#mqletWire.online(nodeName) === true,
    });
    const lite = deps.dialects.includes('lite') ? [new LiteWire({ ...shared, encoding: deps.encoding ?? 'json', pushesUnheard: deps.pushesUnheard })] : [];
    this.#wires = [...(deps.dialects.includes('mqlet') ? [this.#mqletWire] : []), ...lite];
    share.onChange(() => {
      for (const wire of this.#wires) wire.shareChanged();
    });
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    if (deps.begin === undefined) void this.#connect();
    else void deps.begin.then(() => this.#connect());
  }

  /** Whether agents are heard now. */
  get listens(): boolean {
    return this.#listens;
  }

  /** Whether a node's link is up, as far as its dialect says so; undefined for nodes of a dialect that does not. */
  online(nodeName: string): boolean | undefined {
    return this.#mqletWire.online(nodeName);
  }

  /** A secret or config map is new or another. */
  objectChanged(reference: ObjectReference): void {
    for (const wire of this.#wires) wire.objectChanged(reference);
  }

  /** Lines about undecodable messages and, with `strict`, about differences from the descriptions; the first 1,000. */
  deviations(): readonly string[] {
    return [...this.#deviations];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listens = false;
    this.#deps.clock.clearTimeout(this.#reconnectTimer);
    for (const wire of this.#wires) wire.stop();
    this.#leases.stop();
    this.lanes.stop();
    await this.streams.stop();
    await this.#mqtt.disconnect();
  }

  async #connect(): Promise<void> {
    if (this.#stopped) return;
    const { log, sessionSeconds } = this.#deps;
    const opening = sessionSeconds === undefined ? {} : { cleanStart: false, sessionExpirySeconds: sessionSeconds };
    const connected = await this.#mqtt.connect({
      message: (packet) => this.#received(packet),
      closed: (fault) => {
        this.#listens = false;
        // Who cannot be heard is not vouched for.
        this.#leases.pause();
        log.warn('cloud.lost', { reason: fault.message });
        this.#connectLater();
      },
    }, opening);
    if (this.#stopped) return;
    const subscribed = connected.ok ? await this.#subscribe() : connected;
    if (this.#stopped) return;
    if (subscribed.ok) {
      this.#listens = true;
      this.#leases.resume();
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
    this.#deps.clock.clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = this.#deps.clock.setTimeout(() => void this.#connect(), reconnectMs);
  }

  #received(packet: MqttPacket): void {
    for (const wire of this.#wires) if (wire.received(packet)) return;
  }

  #deviate(lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#deviationLines.take()) this.#deps.log.warn('cloud.deviation', { line });
      if (this.#deviations.length < deviationsMax) this.#deviations.push(line);
    }
  }
}
