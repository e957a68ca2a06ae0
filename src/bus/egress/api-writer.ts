// Sends API writes through the dialect and tells each writer what became of his. One write of a lane is in flight, the newest waits.
//
// Identity: a write keeps one identity for its whole life. When the link breaks before the answer, it is sent again under it after
// the reconnect, so that the cloud can tell a repeat from a new intent and a late answer still finds its waiter. A writer who makes
// a new write of an unanswered one chooses himself whether it is the same intent (same id) or another.
//
// While the link is down writes wait, newest of each lane; events are on disk too (see event-flow.ts) and are sent until the cloud has
// them. Whether any other write is repeated is not decided here: an answer that does not come is an outcome, and the writer decides.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { MqttFault } from '../../ports/faults.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { MqttPacket } from '../../ports/mqtt-port.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import type { ApiOutcome, ApiWrite } from '../api-write.ts';
import type { BusPort } from '../bus.ts';
import { checkObject } from '../dialects/check-object.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { Messages } from '../messages.ts';
import { EventFlow } from './event-flow.ts';
import { type Loss, WriteQueue } from './write-queue.ts';

/** Without an answer for so long, counted from sending, the outcome is `unanswered`. */
export const ackTimeoutMs = 10_000;
/** What was sent a shorter time ago may be on its way to the cloud side that speaks. */
const answerUsualMs = 1_000;
/** Writes that may wait for their answers at once. */
export const inFlightMax = 64;
/** Dropped events are logged together, at most so often. */
const dropLogPeriodMs = 60_000;

export interface ApiWriterDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly dialect: Dialect;
  readonly random: RandomPort;
  /** Where events that wait survive a restart. Absent: they wait in memory alone. */
  readonly outbox?: { readonly files: FilesPort; readonly directory: string };
  /** As MqttPort.publish; the link actor's. */
  publish(packet: MqttPacket): Promise<Result<void, MqttFault>>;
}

export interface ApiWriterStatistics {
  readonly waiting: number;
  readonly inFlight: number;
  readonly accepted: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly superseded: number;
  readonly dropped: number;
  /** Of what waits, events; and bytes of the outbox on disk. */
  readonly waitingEvents: number;
  readonly outboxBytes: number;
}

export interface ApiWriterHandle extends Stoppable {
  /** For metrics; a copy. */
  statistics(): ApiWriterStatistics;
  /** Resolves when nothing waits and nothing is in flight, or after `limitMs`. For the end of the daemon. */
  drained(limitMs: number): Promise<void>;
}

/** Consumes `api.write`, `mqtt.ack` and `cloud.listed`, publishes `api.settled` under the writer's key. */
export function startApiWriter(deps: ApiWriterDeps): ApiWriterHandle {
  return new ApiWriterActor(deps);
}

interface Pending {
  readonly write: ApiWrite;
  /** As it goes out. */
  readonly wire: ApiWrite;
  /** `seq` of the message that asked for it. */
  readonly cause: number;
  readonly timer: unknown;
  readonly sentAtMs: number;
}

class ApiWriterActor implements ApiWriterHandle {
  readonly #deps: ApiWriterDeps;
  readonly #queue = new WriteQueue();
  readonly #events: EventFlow;
  /** By identity. */
  readonly #pending = new Map<string, Pending>();
  /** `seq` of the messages that asked for waiting writes, by identity. */
  readonly #causes = new Map<string, number>();
  readonly #listenings: { off(): void }[];
  readonly #counts = { accepted: 0, refused: 0, unanswered: 0, superseded: 0, dropped: 0 };
  #linkUp = false;
  #lastRefusal = '';
  #droppedUnlogged = 0;
  #dropsLoggedAtMs = Number.NEGATIVE_INFINITY;
  readonly #drainWaiters = new Set<() => void>();

  constructor(deps: ApiWriterDeps) {
    this.#deps = deps;
    const { bus } = deps;
    this.#events = new EventFlow(deps, {
      add: (write) => this.#add(write),
      open: () => this.#pump(),
      drop: (ids) => this.#lose(this.#queue.drop(ids)),
    });
    this.#listenings = [
      bus.on('api.write', ({ payload }) => this.#take(payload)),
      bus.on('mqtt.ack', ({ payload }) => this.#answered(payload)),
      bus.on('mqtt.link', ({ payload }) => this.#link(payload.state === 'up')),
      bus.on('cloud.listed', () => this.#sendAgain()),
    ];
  }

  statistics(): ApiWriterStatistics {
    const { waiting, inFlight, waitingEvents } = this.#queue;
    return { waiting, inFlight, ...this.#counts, waitingEvents, outboxBytes: this.#events.outboxBytes };
  }

  drained(limitMs: number): Promise<void> {
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      const done = (): void => {
        clock.clearTimeout(timer);
        this.#drainWaiters.delete(done);
        resolve();
      };
      const timer = clock.setTimeout(done, limitMs);
      this.#drainWaiters.add(done);
      this.#tellDrained();
    });
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    for (const { timer } of this.#pending.values()) this.#deps.clock.clearTimeout(timer);
    this.#pending.clear();
    for (const done of [...this.#drainWaiters]) done();
    await this.#events.stop();
  }

  #take(write: ApiWrite): void {
    if (!this.#deps.dialect.carries(write.kind)) {
      this.#tell(write, notCarried(this.#deps.dialect.name, write.kind), this.#deps.bus.cause());
      return;
    }
    if (!this.#events.mayCome(write)) return;
    this.#add(write);
    this.#pump();
  }

  #add(write: ApiWrite): void {
    this.#causes.set(write.id, this.#deps.bus.cause());
    const losses = this.#queue.add(write);
    this.#events.waits(this.#queue.wireOf(write), losses);
    this.#lose(losses);
  }

  #link(up: boolean): void {
    if (up === this.#linkUp) return;
    this.#linkUp = up;
    if (up) {
      this.#events.linkUp(this.#queue.waitingEvents);
      this.#pump();
      return;
    }
    this.#events.linkDown();
    for (const { write, cause, timer } of this.#pending.values()) {
      this.#deps.clock.clearTimeout(timer);
      this.#causes.set(write.id, cause);
    }
    this.#pending.clear();
    this.#lose(this.#queue.takeBack());
  }

  #pump(): void {
    while (this.#linkUp && this.#queue.inFlight < inFlightMax) {
      const sending = this.#queue.next({ events: this.#events.mayLeave(this.#queue.eventsInFlight) });
      if (sending === undefined) break;
      this.#send(sending.write, sending.wire);
    }
    this.#tellDrained();
  }

  /** A cloud side that lists what it has may be another than the one that took the writes: those it did knows by their identity. */
  #sendAgain(): void {
    const { clock } = this.#deps;
    for (const pending of [...this.#pending.values()].filter(({ sentAtMs }) => clock.monotonicMs() - sentAtMs >= answerUsualMs)) {
      // A difference against what the cloud had would go out as one against what it has now: its writer takes it anew.
      if (pending.write.verb === 'patchStatus') this.#settleIfPending(pending, { kind: 'unanswered', message: 'no answer from the cloud side before' });
      else {
        clock.clearTimeout(pending.timer);
        this.#causes.set(pending.write.id, pending.cause);
        this.#send(pending.write, pending.wire);
      }
    }
  }

  #send(write: ApiWrite, wire: ApiWrite): void {
    const { clock, dialect, publish } = this.#deps;
    const timer = clock.setTimeout(() => {
      this.#settleIfPending(pending, { kind: 'unanswered', message: `no answer in ${ackTimeoutMs / 1000} s` });
    }, ackTimeoutMs);
    const pending: Pending = { write, wire, cause: this.#takeCause(write), timer, sentAtMs: clock.monotonicMs() };
    this.#pending.set(write.id, pending);
    const { topic, payload, properties, needAck } = dialect.encode(wire);
    void publish({ topic, payload, qos: 1, retain: false, ...(properties === undefined ? {} : { properties }) }).then((result) => {
      // The link may have broken, or the answer may have come, before the PUBACK.
      if (this.#pending.get(write.id) !== pending) return;
      if (!result.ok) this.#publishFailed(pending, result.fault, topic);
      else if (!needAck) this.#settleIfPending(pending, { kind: 'accepted' });
    });
  }

  #publishFailed(pending: Pending, fault: MqttFault, topic: string): void {
    if (fault.kind === 'refused' && fault.message !== this.#lastRefusal) {
      this.#lastRefusal = fault.message;
      this.#deps.bus.publish('mqtt.refused', { fault, what: `publish ${topic}` });
    }
    this.#settleIfPending(pending, { kind: 'unanswered', message: fault.message });
  }

  #answered({ topic, identity, answer }: Messages['mqtt.ack']): void {
    const pending = this.#pending.get(identity);
    // Answers nobody waits for any more are dropped.
    if (pending === undefined) return;
    if (answer.kind === 'refused') {
      this.#settleIfPending(pending, answer);
      return;
    }
    if (answer.object === undefined) {
      this.#settleIfPending(pending, { kind: 'accepted' });
      return;
    }
    const checked = checkObject(pending.write.kind, answer.object);
    if (checked.ok) {
      this.#settleIfPending(pending, { kind: 'accepted', object: checked.value });
      return;
    }
    const field = `ack_data.object.${checked.fault.field}`;
    this.#deps.bus.publish('input.refused', { fault: { origin: topic, field, message: checked.fault.message, severity: 'error' } });
    this.#settleIfPending(pending, { kind: 'unanswered', message: `the answer is malformed: ${field} ${checked.fault.message}` });
  }

  #settleIfPending(pending: Pending, outcome: ApiOutcome): void {
    const { write, timer, cause } = pending;
    if (this.#pending.get(write.id) !== pending) return;
    this.#pending.delete(write.id);
    this.#deps.clock.clearTimeout(timer);
    if (outcome.kind === 'unanswered' && this.#events.isRepeated(write)) {
      this.#causes.set(write.id, cause);
      this.#lose(this.#queue.putBack(write));
    } else {
      this.#queue.settle(write);
      this.#tell(write, outcome, cause);
    }
    this.#pump();
  }

  #lose(losses: readonly Loss[]): void {
    for (const { write, why, sent } of losses) {
      if (why === 'dropped') this.#countDrop(write);
      const outcome: ApiOutcome = why === 'replaced' && !sent
        ? { kind: 'superseded' }
        : { kind: 'unanswered', message: why === 'dropped' ? 'dropped: too many writes wait' : 'the link broke, and a newer write follows' };
      this.#tell(write, outcome, this.#takeCause(write));
    }
  }

  #tell(write: ApiWrite, outcome: ApiOutcome, cause: number): void {
    this.#counts[outcome.kind] += 1;
    this.#events.gone(write);
    this.#deps.bus.publish('api.settled', { write, outcome }, { key: write.writer, cause });
  }

  #takeCause(write: ApiWrite): number {
    const cause = this.#causes.get(write.id) ?? 0;
    this.#causes.delete(write.id);
    return cause;
  }

  #countDrop(write: ApiWrite): void {
    this.#events.dropped(write);
    this.#counts.dropped += 1;
    this.#droppedUnlogged += 1;
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#dropsLoggedAtMs < dropLogPeriodMs) return;
    this.#deps.log.warn('api-writer.dropped', { count: this.#droppedUnlogged, kind: write.kind, lane: write.lane, total: this.#counts.dropped });
    this.#droppedUnlogged = 0;
    this.#dropsLoggedAtMs = nowMs;
  }

  #tellDrained(): void {
    // Without a link nothing leaves that could be waited for.
    if (this.#linkUp && (this.#queue.waiting > 0 || this.#queue.inFlight > 0)) return;
    for (const done of [...this.#drainWaiters]) done();
  }
}

function notCarried(dialect: string, kind: ApiWrite['kind']): ApiOutcome {
  const message = `the ${dialect} dialect carries no ${kind}`;
  return { kind: 'refused', status: { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason: 'NotImplemented', code: 501, message } };
}
