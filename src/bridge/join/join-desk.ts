// Where devices come to be nodes: a connection of its own to the broker, so that strangers cannot hold up what nodes say. It hears,
// bounds, has answered one after the other, and answers on the topic of whoever asked.
import { readFrame } from '../../bus/join/join-frames.ts';
import { deviceTopics, joinFilters, renewalTopics, speakerOn } from '../../bus/join/join-topics.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { MqttPacket, MqttPort } from '../../ports/mqtt-port.ts';
import { ok, type Result, type Stoppable } from '../../ports/result.ts';
import type { MqttFault } from '../../ports/faults.ts';
import type { JoinAnswers } from './join-answers.ts';

/** Frames that wait to be answered; further ones are dropped, and said again by who still wants an answer. */
const waitingMax = 256;
/** Frames of devices, which may be anybody's, in a minute; further ones are dropped. */
const deviceFramesPerMinuteMax = 600;
/** Frames of one node in a minute, said again among them; further ones are dropped. */
const nodeFramesPerMinuteMax = 20;
/** Nodes that are counted in a minute; frames of further ones are dropped, and said again. */
const nodesPerMinuteMax = 10_000;
const minuteMs = 60_000;
const reconnectMs = { first: 1_000, max: 60_000 } as const;

export interface JoinDeskOptions {
  readonly mqtt: MqttPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly rootTopic: string;
  readonly answers: JoinAnswers;
}

interface Speaker {
  readonly kind: 'device' | 'node';
  readonly name: string;
}

export interface JoinDesk extends Stoppable {
  /** Resolves when devices are heard for the first time. */
  readonly ready: Promise<void>;
  /** Whether they are heard now. */
  listens(): boolean;
}

export function startJoinDesk(options: JoinDeskOptions): JoinDesk {
  return new Desk(options);
}

class Desk implements JoinDesk {
  readonly #options: JoinDeskOptions;
  readonly ready: Promise<void>;
  #becomeReady: () => void = () => undefined;
  #listens = false;
  #stopped = false;
  #waiting = 0;
  #chain: Promise<void> = Promise.resolve();
  #minuteBeganMs = Number.NEGATIVE_INFINITY;
  #framesInMinute = 0;
  /** By node. */
  readonly #nodeFrames = new Map<string, number>();
  #reconnectTimer: unknown;
  #reconnectAfterMs: number = reconnectMs.first;

  constructor(options: JoinDeskOptions) {
    this.#options = options;
    this.ready = new Promise((resolve) => { this.#becomeReady = resolve; });
    void this.#connect();
  }

  listens(): boolean {
    return this.#listens;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listens = false;
    this.#options.clock.clearTimeout(this.#reconnectTimer);
    await this.#chain;
    await this.#options.mqtt.disconnect();
  }

  async #connect(): Promise<void> {
    const { mqtt, log } = this.#options;
    const connected = await mqtt.connect({
      message: (packet) => this.#received(packet),
      closed: (fault) => {
        this.#listens = false;
        log.warn('join.lost', { reason: fault.message });
        this.#connectLater();
      },
    });
    if (this.#stopped) return;
    const heard = connected.ok ? await this.#subscribe() : connected;
    if (this.#stopped) return;
    if (heard.ok) {
      this.#listens = true;
      this.#reconnectAfterMs = reconnectMs.first;
      log.info('join.listening', { topics: joinFilters(this.#options.rootTopic) });
      return this.#becomeReady();
    }
    log.warn('join.not-connected', { reason: heard.fault.message });
    await mqtt.disconnect();
    this.#connectLater();
  }

  async #subscribe(): Promise<Result<void, MqttFault>> {
    for (const filter of joinFilters(this.#options.rootTopic)) {
      const granted = await this.#options.mqtt.subscribe(filter, 1);
      if (!granted.ok) return granted;
    }
    return ok();
  }

  #connectLater(): void {
    if (this.#stopped) return;
    const { clock } = this.#options;
    clock.clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = clock.setTimeout(() => void this.#connect(), this.#reconnectAfterMs);
    this.#reconnectAfterMs = Math.min(2 * this.#reconnectAfterMs, reconnectMs.max);
  }

  #received({ topic, payload, retain }: MqttPacket): void {
    const { rootTopic, log } = this.#options;
    const speaker = speakerOn(rootTopic, topic);
    // Nothing of this is ever retained: what is, is old.
    if (speaker === undefined || retain) return;
    if (this.#waiting >= waitingMax || !this.#maySpeak(speaker)) return log.warn('join.dropped', { topic, waiting: this.#waiting });
    this.#waiting += 1;
    this.#chain = this.#chain.then(() => this.#answer(speaker, payload)).catch((error: unknown) => {
      log.error('join.broken', { error: error instanceof Error ? error.message : String(error) });
    }).finally(() => { this.#waiting -= 1; });
  }

  #maySpeak({ kind, name }: Speaker): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#minuteBeganMs >= minuteMs) {
      this.#minuteBeganMs = nowMs;
      this.#framesInMinute = 0;
      this.#nodeFrames.clear();
    }
    if (kind === 'node') {
      const frames = (this.#nodeFrames.get(name) ?? 0) + 1;
      if (frames === 1 && this.#nodeFrames.size >= nodesPerMinuteMax) return false;
      this.#nodeFrames.set(name, frames);
      return frames <= nodeFramesPerMinuteMax;
    }
    this.#framesInMinute += 1;
    return this.#framesInMinute <= deviceFramesPerMinuteMax;
  }

  async #answer({ kind, name }: Speaker, payload: Uint8Array): Promise<void> {
    const { answers, mqtt, log, rootTopic } = this.#options;
    const read = readFrame(payload);
    if (!read.ok) return log.warn('join.not-understood', { from: name, reason: read.fault });
    const answer = await (kind === 'device' ? answers.toDevice(name, read.value) : answers.toNode(name, read.value));
    if (answer === undefined || this.#stopped) return;
    const topics = kind === 'device' ? deviceTopics(rootTopic, name) : renewalTopics(rootTopic, name);
    const published = await mqtt.publish({ topic: topics.down, payload: Buffer.from(answer), qos: 1, retain: false });
    if (!published.ok) log.warn('join.not-answered', { to: name, reason: published.fault.message });
  }
}
