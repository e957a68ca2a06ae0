// Which API write is sent next, which waits and which is replaced. Pure bookkeeping: no time, no bus, no wire.
// The outbox on disk keeps of the events what stands here.
import type { ApiWrite } from '../api-write.ts';

/** Events that may wait; beyond, the oldest is dropped. */
export const eventsMax = 1_000;
/** Other writes that may wait, over all lanes; beyond, the newest is dropped. Some ten for each of 1,000 pods. */
export const writesMax = 10_000;

/** Writes that left the queue without being sent, and why. */
export interface Loss {
  readonly write: ApiWrite;
  /** A newer write of the lane took its place, or there was no room. */
  readonly why: 'replaced' | 'dropped';
  /** It was sent before, on a link that broke: it may have happened. */
  readonly sent: boolean;
}

interface Entry {
  /** What the writer asked for. */
  readonly write: ApiWrite;
  /** What goes over the wire for it. */
  readonly wire: ApiWrite;
  readonly sent: boolean;
}

interface Lane {
  inFlight: Entry | undefined;
  /** Oldest first. More than one only where none may replace another. */
  readonly waiting: Entry[];
}

export interface Sending {
  readonly write: ApiWrite;
  readonly wire: ApiWrite;
}

export class WriteQueue {
  readonly #lanes = new Map<string, Lane>();
  /** Lanes with something to send and nothing in flight, in order of their turn. */
  #readyLanes = new Set<string>();
  /** Events wait behind everything else: they explain the state, they are not it. */
  #readyEventLanes = new Set<string>();
  #waiting = 0;
  #waitingEvents = 0;
  #inFlight = 0;
  #eventsInFlight = 0;

  get waiting(): number {
    return this.#waiting + this.#waitingEvents;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waitingEvents(): number {
    return this.#waitingEvents;
  }

  get eventsInFlight(): number {
    return this.#eventsInFlight;
  }

  /** What will go over the wire for a write that waits; undefined where it does not. */
  wireOf({ lane, id }: ApiWrite): ApiWrite | undefined {
    return this.#lanes.get(lane)?.waiting.find(({ write }) => write.id === id)?.wire;
  }

  /** @returns what had to leave for it, itself included when there is no room */
  add(write: ApiWrite): readonly Loss[] {
    const losses: Loss[] = [];
    const lane = this.#lane(write.lane);
    const last = lane.waiting.at(-1);
    if (last !== undefined && replaces(write, last)) {
      lane.waiting[lane.waiting.length - 1] = { write, wire: combined(write, last.wire), sent: false };
      losses.push({ write: last.write, why: 'replaced', sent: last.sent });
      return losses;
    }
    if (write.kind === 'Event') {
      if (this.#waitingEvents >= eventsMax) losses.push(...this.#dropOldestEvent());
    } else if (this.#waiting >= writesMax) {
      this.#forgetIfEmpty(write.lane, lane);
      return [{ write, why: 'dropped', sent: false }];
    }
    lane.waiting.push({ write, wire: write, sent: false });
    this.#countWaiting(write, 1);
    this.#makeReady(write.lane, lane);
    return losses;
  }

  /**
   * Takes the next write to send; its lane is closed until `settle`, `putBack` or `takeBack`.
   * @param options.events whether it may be an event
   */
  next(options: { readonly events: boolean } = { events: true }): Sending | undefined {
    const [name] = this.#readyLanes.size > 0 ? this.#readyLanes : options.events ? this.#readyEventLanes : [];
    if (name === undefined) return undefined;
    const lane = this.#lane(name);
    const entry = lane.waiting.shift();
    this.#readyLanes.delete(name);
    this.#readyEventLanes.delete(name);
    if (entry === undefined) return undefined;
    this.#countWaiting(entry.write, -1);
    lane.inFlight = entry;
    this.#countInFlight(entry.write, 1);
    return entry;
  }

  /** The write in flight has its outcome. */
  settle(write: ApiWrite): void {
    const lane = this.#lanes.get(write.lane);
    if (lane?.inFlight?.write.id !== write.id) return;
    lane.inFlight = undefined;
    this.#countInFlight(write, -1);
    this.#makeReady(write.lane, lane);
    this.#forgetIfEmpty(write.lane, lane);
  }

  /** The write in flight is to be sent again, under the same identity. @returns it, where a newer one of the lane says it all */
  putBack(write: ApiWrite): readonly Loss[] {
    const lane = this.#lanes.get(write.lane);
    if (lane?.inFlight?.write.id !== write.id) return [];
    const losses = this.#putBack(lane, lane.inFlight);
    this.#makeReady(write.lane, lane);
    return losses;
  }

  /** Events that wait and are not to be kept any longer. @returns those of them that waited */
  drop(ids: ReadonlySet<string>): readonly Loss[] {
    const losses: Loss[] = [];
    for (const [name, lane] of [...this.#lanes]) {
      const dropped = lane.waiting.filter(({ write }) => write.kind === 'Event' && ids.has(write.id));
      for (const { write, sent } of dropped) {
        lane.waiting.splice(lane.waiting.findIndex((each) => each.write.id === write.id), 1);
        this.#countWaiting(write, -1);
        losses.push({ write, why: 'dropped', sent });
      }
      if (lane.waiting.length === 0) this.#readyEventLanes.delete(name);
      this.#forgetIfEmpty(name, lane);
    }
    return losses;
  }

  /**
   * The link broke: all that is in flight goes back to the front of its lane and is sent again, under the same identity, before
   * anything else. Where a newer write of the lane would replace it anyway, only that one is sent.
   * @returns those replaced
   */
  takeBack(): readonly Loss[] {
    const losses: Loss[] = [];
    const resent = new Set<string>();
    const resentEvents = new Set<string>();
    for (const [name, lane] of this.#lanes) {
      const entry = lane.inFlight;
      if (entry === undefined) continue;
      losses.push(...this.#putBack(lane, entry));
      (entry.write.kind === 'Event' ? resentEvents : resent).add(name);
    }
    this.#readyLanes = new Set([...resent, ...this.#readyLanes]);
    this.#readyEventLanes = new Set([...resentEvents, ...this.#readyEventLanes]);
    return losses;
  }

  #putBack(lane: Lane, entry: Entry): readonly Loss[] {
    const sent = { ...entry, sent: true };
    lane.inFlight = undefined;
    this.#countInFlight(entry.write, -1);
    const next = lane.waiting[0];
    if (next !== undefined && replaces(next.write, sent)) return [{ write: entry.write, why: 'replaced', sent: true }];
    lane.waiting.unshift(sent);
    this.#countWaiting(entry.write, 1);
    return [];
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { inFlight: undefined, waiting: [] };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #makeReady(name: string, lane: Lane): void {
    const first = lane.waiting[0];
    if (lane.inFlight !== undefined || first === undefined) return;
    (first.write.kind === 'Event' ? this.#readyEventLanes : this.#readyLanes).add(name);
  }

  #forgetIfEmpty(name: string, lane: Lane): void {
    if (lane.inFlight !== undefined || lane.waiting.length > 0) return;
    this.#lanes.delete(name);
    this.#readyLanes.delete(name);
    this.#readyEventLanes.delete(name);
  }

  /** Lanes stand in the order in which they came to be, so the first event that waits is about the oldest. */
  #dropOldestEvent(): readonly Loss[] {
    for (const [name, lane] of this.#lanes) {
      const entry = lane.waiting[0];
      if (entry?.write.kind !== 'Event') continue;
      lane.waiting.shift();
      this.#countWaiting(entry.write, -1);
      if (lane.waiting.length === 0) this.#readyEventLanes.delete(name);
      this.#forgetIfEmpty(name, lane);
      return [{ write: entry.write, why: 'dropped', sent: entry.sent }];
    }
    return [];
  }

  #countInFlight(write: ApiWrite, by: 1 | -1): void {
    this.#inFlight += by;
    if (write.kind === 'Event') this.#eventsInFlight += by;
  }

  #countWaiting(write: ApiWrite, by: 1 | -1): void {
    if (write.kind === 'Event') this.#waitingEvents += by;
    else this.#waiting += by;
  }
}

/** A later write of the same kind of operation says it all again; a delete makes everything before it pointless. */
function replaces(newer: ApiWrite, { write: waiting, wire, sent }: Entry): boolean {
  if (newer.kind !== waiting.kind || newer.name !== waiting.name) return false;
  // A creation that may have happened is repeated as it was: what patches it comes behind.
  if (newer.kind === 'Event') return !(sent && wire.verb === 'create' && newer.verb === 'patch');
  if (waiting.verb === 'delete') return newer.verb === 'delete';
  return newer.verb === waiting.verb || newer.verb === 'delete';
}

/** A patch of an event that was never created becomes its creation, with the state after the patch. */
function combined(newer: ApiWrite, waiting: ApiWrite): ApiWrite {
  if (newer.kind !== 'Event' || newer.verb !== 'patch' || waiting.kind !== 'Event' || waiting.verb !== 'create') return newer;
  const { id, writer, lane, kind, namespace, name, object } = newer;
  return { id, writer, lane, kind, namespace, name, object, verb: 'create' };
}
