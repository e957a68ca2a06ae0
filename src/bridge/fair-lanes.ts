// Calls of many nodes on one API: few at a time, fewer of each node, nodes in turn, the urgent ones of each first. Within a rate that the
// API can bear. So a node that floods waits for itself. It knows nothing of what it runs.
import type { ClockPort } from '../ports/clock-port.ts';

export interface LanesLimits {
  /** Calls under way at once, of all nodes. */
  readonly concurrentMax: number;
  readonly perSecond: number;
  /** Calls that may go at once after a quiet time. */
  readonly burst: number;
  /** Calls of one node under way at once; one when absent. Events go one by one: a node waits for no answer to them before the next. */
  readonly perNodeMax?: number;
  /** Waiting calls of one node; further ones are refused. */
  readonly waitingPerNodeMax: number;
}

/** Lower goes first. Events wait for everything. */
export const urgency = { lease: 0, write: 1, event: 2 } as const;
export type Urgency = (typeof urgency)[keyof typeof urgency];

export interface Turn {
  readonly nodeName: string;
  readonly urgency: Urgency;
  /** A waiting call of the same node and name is not made: this one says more. */
  readonly replaces?: string;
}

interface Waiting {
  readonly turn: Turn;
  readonly run: () => Promise<void>;
  readonly dropped: () => void;
}

interface Lane {
  readonly waiting: [Waiting[], Waiting[], Waiting[]];
  count: number;
  underWay: number;
  eventUnderWay: boolean;
}

export class FairLanes {
  readonly #clock: ClockPort;
  readonly #limits: LanesLimits;
  readonly #lanes = new Map<string, Lane>();
  /** Nodes with something that may begin, in the order of their turn. */
  readonly #turns = new Set<string>();
  #underWay = 0;
  #tokens: number;
  #filledAtMs: number;
  #timer: unknown;
  #stopped = false;
  refused = 0;
  replaced = 0;

  constructor(deps: { readonly clock: ClockPort; readonly limits: LanesLimits }) {
    this.#clock = deps.clock;
    this.#limits = deps.limits;
    this.#tokens = deps.limits.burst;
    this.#filledAtMs = deps.clock.monotonicMs();
  }

  get waiting(): number {
    let sum = 0;
    for (const lane of this.#lanes.values()) sum += lane.count;
    return sum;
  }

  /** @returns what `task` gave; undefined when its turn never came: too many waited, another took its place, or this stopped */
  run<T>(turn: Turn, task: () => Promise<T>): Promise<T | undefined> {
    if (this.#stopped) return Promise.resolve(undefined);
    const lane = this.#lanes.get(turn.nodeName) ?? { waiting: [[], [], []], count: 0, underWay: 0, eventUnderWay: false };
    const queue = lane.waiting[turn.urgency];
    if (turn.replaces !== undefined) this.#replace(lane, queue, turn.replaces);
    if (lane.count >= this.#limits.waitingPerNodeMax) {
      this.refused += 1;
      return Promise.resolve(undefined);
    }
    this.#lanes.set(turn.nodeName, lane);
    return new Promise<T | undefined>((resolve, reject) => {
      queue.push({ turn, run: () => task().then(resolve, reject), dropped: () => resolve(undefined) });
      lane.count += 1;
      if (this.#mayBegin(lane)) this.#turns.add(turn.nodeName);
      this.#next();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
    for (const { waiting } of this.#lanes.values()) for (const each of waiting.flat()) each.dropped();
    this.#lanes.clear();
    this.#turns.clear();
  }

  #replace(lane: Lane, queue: Waiting[], name: string): void {
    const at = queue.findIndex(({ turn }) => turn.replaces === name);
    if (at < 0) return;
    lane.count -= 1;
    this.replaced += 1;
    for (const each of queue.splice(at, 1)) each.dropped();
  }

  #next(): void {
    for (const nodeName of this.#turns) {
      if (this.#stopped || this.#underWay >= this.#limits.concurrentMax) return;
      if (!this.#take()) return;
      this.#turns.delete(nodeName);
      this.#begin(nodeName);
    }
  }

  #mayBegin(lane: Lane): boolean {
    const [leases, writes, events] = lane.waiting;
    return lane.underWay < (this.#limits.perNodeMax ?? 1) && (leases.length + writes.length > 0 || (events.length > 0 && !lane.eventUnderWay));
  }

  #begin(nodeName: string): void {
    const lane = this.#lanes.get(nodeName);
    if (lane === undefined) return;
    const [leases, writes, events] = lane.waiting;
    const next = leases.shift() ?? writes.shift() ?? (lane.eventUnderWay ? undefined : events.shift());
    if (next === undefined) return;
    const isEvent = next.turn.urgency === urgency.event;
    lane.count -= 1;
    lane.underWay += 1;
    lane.eventUnderWay ||= isEvent;
    this.#underWay += 1;
    if (this.#mayBegin(lane)) this.#turns.add(nodeName);
    void next.run().finally(() => {
      lane.underWay -= 1;
      if (isEvent) lane.eventUnderWay = false;
      this.#underWay -= 1;
      if (this.#mayBegin(lane)) this.#turns.add(nodeName);
      else if (lane.count === 0 && lane.underWay === 0 && this.#lanes.get(nodeName) === lane) this.#lanes.delete(nodeName);
      this.#next();
    });
  }

  /** @returns whether the rate allows one more; otherwise it looks again when it does */
  #take(): boolean {
    const { perSecond, burst } = this.#limits;
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledAtMs) * perSecond) / 1_000);
    this.#filledAtMs = nowMs;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return true;
    }
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#next();
    }, Math.ceil(((1 - this.#tokens) * 1_000) / perSecond));
    return false;
  }
}
