// The wire of a dialect that reports: registers the node, says how it and its pods stand, and takes what the cloud side assigns and
// withdraws. It decides about no pod's life; what the dialect has no words for is refused at once, and nobody waits for it.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { MqttFault } from '../../ports/faults.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { MqttPacket } from '../../ports/mqtt-port.ts';
import type { Node } from '../../ports/pod-types.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import type { ApiWrite } from '../api-write.ts';
import type { BusPort, Listening } from '../bus.ts';
import type { ReportingDialect } from '../dialects/reporting-dialect.ts';
import { RefusalTeller } from '../ingress/refusal-teller.ts';
import type { Messages } from '../messages.ts';
import { AssignedPods } from './assigned-pods.ts';
import { nextSequence, writeSequence } from './report-sequence.ts';

export interface NodeReporterDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly files: FilesPort;
  readonly dialect: ReportingDialect;
  readonly nodeName: string;
  /** Where the number of starts is kept. */
  readonly directory: string;
  /** As MqttPort.publish; the link actor's. */
  publish(packet: MqttPacket): Promise<Result<void, MqttFault>>;
}

/** Reports closer together are one: the cloud side drops a second one of the same second. */
export const reportGapMs = 2_000;
/** After a registration without an answer. */
export const registerPauseMs = 10_000;
/** Registrations without an answer after which the number of starts is taken to be too small: the cloud side may have seen a greater one. */
export const unansweredMax = 3;
/** Reports are spread by so much of their period, always earlier. */
const periodJitter = 0.1;

/** Listens to links, packets, statuses and ends of pods and the node's own; publishes `source.updated`, `cloud.listed`, `api.settled`. */
export function startNodeReporter(deps: NodeReporterDeps): Stoppable {
  return new NodeReporter(deps);
}

class NodeReporter implements Stoppable {
  readonly #deps: NodeReporterDeps;
  readonly #pods: AssignedPods;
  readonly #teller: RefusalTeller;
  readonly #listenings: Listening[];
  #sequence: number | undefined;
  #node: Node | undefined;
  #linkUp = false;
  #stopped = false;
  /** The registration that waits for its answer. */
  #asking: { readonly identity: string; readonly sinceMs: number } | undefined;
  #registered = false;
  #unanswered = 0;
  #lastSeconds = 0;
  #lastReportMs = Number.NEGATIVE_INFINITY;
  #timer: unknown;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #refusedWith = '';

  constructor(deps: NodeReporterDeps) {
    this.#deps = deps;
    const { bus } = deps;
    this.#pods = new AssignedPods(deps);
    this.#teller = new RefusalTeller(deps);
    this.#listenings = [
      bus.on('mqtt.link', ({ payload }) => this.#linkChanged(payload.state === 'up')),
      bus.on('mqtt.received', ({ payload }) => this.#received(payload)),
      bus.on('node.status', ({ payload }) => {
        const first = this.#node === undefined;
        this.#node = payload.node;
        if (first) this.#begin();
      }),
      bus.on('pods.recalled', ({ payload }) => this.#pods.recall(payload.pods)),
      bus.on('pod.status', ({ payload }) => { if (this.#pods.stands(payload.pod.uid, payload.status.phase)) this.#reportWithin(0); }),
      bus.on('pod.terminated', ({ payload }) => { if (this.#pods.ended(payload.pod.uid)) this.#reportWithin(0); }),
      bus.on('api.write', ({ payload }) => this.#refuse(payload)),
    ];
    void nextSequence(deps).then((sequence) => {
      this.#sequence = sequence;
      this.#begin();
    });
  }

  stop(): Promise<void> {
    this.#stopped = true;
    for (const listening of this.#listenings) listening.off();
    this.#deps.clock.clearTimeout(this.#timer);
    return Promise.resolve();
  }

  /** Registering anew with each connection costs one answer, and helps a cloud side that has forgotten this node. */
  #linkChanged(up: boolean): void {
    if (up === this.#linkUp) return;
    this.#linkUp = up;
    this.#asking = undefined;
    this.#registered = false;
    this.#unschedule();
    this.#begin();
  }

  #begin(): void {
    if (this.#linkUp && this.#node !== undefined && this.#sequence !== undefined) this.#reportWithin(0);
  }

  #unschedule(): void {
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }

  /** Within the time given, but not sooner after the last report than the gap. */
  #reportWithin(withinMs: number): void {
    const { clock } = this.#deps;
    if (!this.#linkUp || this.#stopped || this.#sequence === undefined) return;
    const nowMs = clock.monotonicMs();
    const dueMs = Math.max(nowMs + withinMs, this.#lastReportMs + reportGapMs);
    if (dueMs >= this.#timerDueMs) return;
    clock.clearTimeout(this.#timer);
    this.#timerDueMs = dueMs;
    this.#timer = clock.setTimeout(() => {
      this.#timerDueMs = Number.POSITIVE_INFINITY;
      void this.#report();
    }, dueMs - nowMs);
  }

  async #report(): Promise<void> {
    const { clock, random, dialect, publish } = this.#deps;
    const node = this.#node;
    if (node === undefined || this.#sequence === undefined) return;
    const nowMs = clock.monotonicMs();
    if (this.#asking !== undefined && nowMs - this.#asking.sinceMs >= dialect.reportPeriodMs) {
      await this.#unheard();
      return;
    }
    if (!this.#registered) this.#asking ??= { identity: random.uuid(), sinceMs: nowMs };
    this.#lastReportMs = nowMs;
    // The clock may be set back; the cloud side would drop what seems older.
    this.#lastSeconds = Math.max(Math.floor(clock.nowMs() / 1_000), this.#lastSeconds + 1);
    const { topic, payload } = dialect.encodeReport({
      // Repeated while it waits: the answer names the one that is stored, and what a pod does meanwhile is told all the same.
      identity: this.#asking?.identity ?? random.uuid(),
      sequence: this.#sequence, atSeconds: this.#lastSeconds, registered: this.#registered, node, pods: this.#pods.list(),
    });
    const askedUntilMs = this.#asking === undefined ? Number.POSITIVE_INFINITY : this.#asking.sinceMs + dialect.reportPeriodMs - nowMs;
    this.#reportWithin(Math.min(askedUntilMs, dialect.reportPeriodMs * (1 - periodJitter * random.fraction())));
    const sent = await publish({ topic, payload, qos: 1, retain: false });
    if (!sent.ok) this.#unsent(sent.fault, topic);
    else this.#refusedWith = '';
  }

  #unsent(fault: MqttFault, topic: string): void {
    this.#reportWithin(registerPauseMs);
    if (fault.kind !== 'refused' || fault.message === this.#refusedWith) return;
    this.#refusedWith = fault.message;
    this.#deps.bus.publish('mqtt.refused', { fault, what: `publish ${topic}` });
  }

  /** Nobody answered: the next one is a new question. */
  async #unheard(): Promise<void> {
    const { clock, log } = this.#deps;
    this.#asking = undefined;
    this.#unanswered += 1;
    if (this.#unanswered === 1) log.warn('reports.unregistered', { reason: 'the cloud side does not answer; it is asked again and again' });
    if (this.#unanswered % unansweredMax === 0 && this.#sequence !== undefined) {
      this.#sequence = Math.max(this.#sequence + 1, Math.floor(clock.nowMs() / 1_000));
      log.warn('reports.sequence-raised', { sequence: this.#sequence, reason: 'the cloud side may have seen a greater one of this node' });
      await writeSequence(this.#deps, this.#sequence);
    }
    this.#reportWithin(registerPauseMs);
  }

  #received({ topic, payload }: Messages['mqtt.received']): void {
    const decoded = this.#deps.dialect.decodeDown(topic, payload);
    if (!decoded.ok) {
      this.#teller.tell(decoded.fault);
      return;
    }
    const answer = decoded.value;
    switch (answer.kind) {
      case 'registered': this.#answered(answer.identity); return;
      case 'assigned':
        for (const fault of this.#pods.assign(topic, answer)) this.#teller.tell(fault);
        this.#reportWithin(0);
        return;
      case 'withdrawn':
        this.#pods.withdraw(topic, answer);
        return;
      default: answer satisfies never;
    }
  }

  /** What was assigned to this node came with the registration, ahead of its answer. */
  #answered(identity: string): void {
    if (identity !== this.#asking?.identity) return;
    this.#asking = undefined;
    this.#registered = true;
    this.#unanswered = 0;
    this.#deps.log.info('reports.registered', { sequence: this.#sequence });
    this.#deps.bus.publish('source.updated', { kind: 'set', source: 'mqtt', pods: this.#pods.all() });
    this.#deps.bus.publish('cloud.listed', { complete: true });
  }

  #refuse(write: ApiWrite): void {
    const { bus, dialect } = this.#deps;
    const message = `the ${dialect.name} dialect carries no ${write.kind}: the node reports as a whole`;
    bus.publish('api.settled', {
      write, outcome: { kind: 'refused', status: { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason: 'NotImplemented', code: 501, message } },
    }, { key: write.writer, cause: bus.cause() });
  }
}
