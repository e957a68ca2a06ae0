// How events pass through the API writer: remembered on disk while they wait, kept until the cloud has been heard on this connection
// (they have no answers: a broker takes them though nobody listens), paced after an outage so that a fleet that comes back does not
// flood the cloud, repeated where the broker did not take them. What else is written passes by untouched.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { RandomPort } from '../../ports/random-port.ts';
import type { ApiWrite } from '../api-write.ts';
import type { BusPort, Listening } from '../bus.ts';
import { Outbox } from './outbox.ts';
import type { EventWrite } from './outbox-journal.ts';
import { eventsMax, type Loss } from './write-queue.ts';

/** Events that may wait for their answers at once. */
export const eventsInFlightMax = 8;
/** So many that waited over an outage leave without delay. */
const backlogFree = 8;
/** More of them begin to leave at a random moment within this time after the link is up. */
export const spreadMs = 2_000;
/** Before events that went without an answer, and those behind them, are sent again. */
export const repeatMs = 10_000;
/** Sendings of one event over links that stayed up; then it is given up. */
export const attemptsMax = 5;

export interface EventFlowDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly random: RandomPort;
  readonly outbox?: { readonly files: FilesPort; readonly directory: string };
}

/** What the API writer does for it. */
export interface EventFlowHands {
  /** An event takes its place in the queue. */
  add(write: ApiWrite): void;
  /** Events may leave again. */
  open(): void;
  drop(ids: ReadonlySet<string>): void;
}

export class EventFlow {
  readonly #deps: EventFlowDeps;
  readonly #hands: EventFlowHands;
  readonly #outbox: Outbox | undefined;
  /** Came while the outbox was read: those before them go first. At most `eventsMax`, the oldest leave. */
  #early: ApiWrite[] | undefined;
  /** Sendings without an answer, by identity. */
  readonly #attempts = new Map<string, number>();
  #timer: unknown;
  /** The cloud has listed its pods since the link came up. */
  #heard = false;
  readonly #listening: Listening;

  constructor(deps: EventFlowDeps, hands: EventFlowHands) {
    this.#deps = deps;
    this.#hands = hands;
    this.#listening = deps.bus.on('cloud.listed', () => {
      this.#heard = true;
      hands.open();
    });
    if (deps.outbox === undefined) return;
    const { bus, clock, log, outbox } = deps;
    this.#early = [];
    this.#outbox = new Outbox({ bus, clock, log, ...outbox, overflow: (ids) => hands.drop(new Set(ids)) });
    void this.#outbox.recall().then((recalled) => this.#recalled(recalled));
  }

  get outboxBytes(): number {
    const bytes = this.#outbox?.fileBytes ?? 0;
    return Number.isFinite(bytes) ? bytes : 0;
  }

  /** @returns false where it is kept here until those before it are known */
  mayCome(write: ApiWrite): boolean {
    if (write.kind !== 'Event' || this.#early === undefined) return true;
    this.#early.push(write);
    if (this.#early.length > eventsMax) this.#early.shift();
    return false;
  }

  #recalled(recalled: readonly EventWrite[]): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const write of [...recalled, ...early]) this.#hands.add(write);
    this.#outbox?.limit();
    this.#hands.open();
  }

  /** @param wire what will be sent of a write just added; undefined where it was dropped */
  waits(wire: ApiWrite | undefined, losses: readonly Loss[]): void {
    if (wire?.kind !== 'Event') return;
    const replaced = losses.find(({ why, sent, write }) => why === 'replaced' && !sent && write.kind === 'Event');
    this.#outbox?.waits(wire, { instead: replaced?.write.id });
  }

  gone({ kind, id }: ApiWrite): void {
    if (kind !== 'Event') return;
    this.#attempts.delete(id);
    this.#outbox?.gone(id);
  }

  dropped({ kind }: ApiWrite): void {
    if (kind === 'Event') this.#outbox?.countDropped(this.#outbox.dropped + 1);
  }

  mayLeave(inFlight: number): boolean {
    return this.#heard && this.#timer === undefined && inFlight < eventsInFlightMax;
  }

  /** An answer did not come. @returns whether the write is to be sent again, by and by */
  isRepeated({ kind, id }: ApiWrite): boolean {
    if (kind !== 'Event') return false;
    const attempts = (this.#attempts.get(id) ?? 0) + 1;
    this.#attempts.set(id, attempts);
    if (attempts >= attemptsMax) return false;
    this.#holdFor(repeatMs);
    return true;
  }

  linkUp(waiting: number): void {
    const { bus, random } = this.#deps;
    this.#outbox?.limit();
    const dropped = this.#outbox?.dropped ?? 0;
    if (dropped > 0) {
      const message = `${dropped} events were dropped, the oldest first, while the cloud could not be reached`;
      bus.publish('event.noted', { subject: { kind: 'Node' }, type: 'Warning', reason: 'EventsDropped', message });
      this.#outbox?.countDropped(0);
    }
    if (waiting > backlogFree) this.#holdFor(Math.round(spreadMs * random.fraction()));
  }

  linkDown(): void {
    this.#heard = false;
    this.#release();
  }

  async stop(): Promise<void> {
    this.#listening.off();
    this.#release();
    await this.#outbox?.stop();
  }

  #holdFor(ms: number): void {
    this.#timer ??= this.#deps.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#hands.open();
    }, ms);
  }

  #release(): void {
    this.#deps.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
