// The one in-process message bus: typed, ordered, isolated. It has no memory and knows no actor.
// A message reaches all its listeners before the next one starts; what is published meanwhile is queued.
import { Subject, type Subscription } from 'rxjs';
import type { ClockPort } from '../ports/clock-port.ts';
import { type ChunkTaker, KeptChunks } from './kept-chunks.ts';
import type { AnyEnvelope, Envelope, Messages, Topic } from './messages.ts';

/** Messages waiting for delivery. Reached only by a publication loop, which is our mistake: publishing then throws. */
export const queueLengthMax = 100_000;

export type Handler<T extends Topic> = (envelope: Envelope<T>) => void;

export interface PublishOptions {
  /** Only listeners of this key, and those without a key, get the message. */
  readonly key?: string;
  /** `seq` of the cause; taken from the message in delivery when absent. */
  readonly cause?: number;
}

/** A listener's end of the bus. */
export interface Listening {
  off(): void;
}

/** The bus as one actor sees it: its name is on all it publishes. */
export interface BusPort {
  publish<T extends Topic>(topic: T, payload: Messages[T], options?: PublishOptions): number;
  /** @param key narrows to messages published with that key; without it every message of the topic comes. */
  on<T extends Topic>(topic: T, handler: Handler<T>, key?: string): Listening;
  /** `seq` of the message in delivery, 0 outside a handler. Keep it to name the cause of something done later. */
  cause(): number;
}

export interface BusStatistics {
  readonly published: number;
  readonly delivered: number;
  readonly queued: number;
  readonly queuedMax: number;
  readonly failures: number;
}

export class Bus {
  readonly #clock: ClockPort;
  readonly #everyone = new Map<Topic, Subject<Envelope>>();
  readonly #keyed = new Map<Topic, Map<string, Subject<Envelope>>>();
  readonly #taps = new Subject<AnyEnvelope>();
  /** Those that wait for delivery, from `#head` on; before it, where messages are kept, those of the chunk. */
  #queue: Envelope[] = [];
  #head = 0;
  #kept: { readonly room: number; handOver(): void } | undefined;
  #seq = 0;
  #current = 0;
  #draining = false;
  #delivered = 0;
  #queuedMax = 0;
  #failures = 0;

  constructor(clock: ClockPort) {
    this.#clock = clock;
  }

  /** The bus under the name of one actor. */
  as(from: string): BusPort {
    return {
      publish: (topic, payload, options) => this.#publish(from, topic, payload, options),
      on: (topic, handler, key) => this.#on(from, topic, handler, key),
      cause: () => this.#current,
    };
  }

  /** Every message, in order, after its listeners have had it. For recorder, inspector and metrics. */
  tap(watcher: (envelope: AnyEnvelope) => void): Listening {
    const subscription = this.#taps.subscribe({ next: (envelope) => this.#guarded('tap', envelope, watcher) });
    return { off: () => subscription.unsubscribe() };
  }

  /** Every message, in order, by the chunk. One keeper at a time; for the inspector. */
  keep<Note>(taker: Omit<ChunkTaker<Note>, 'failed'>): KeptChunks<Note> & Listening {
    const messages = {
      count: () => (this.#kept === kept ? this.#head : 0),
      take: () => (this.#kept === kept ? this.#takeDelivered() : []),
    };
    const kept: KeptChunks<Note> = new KeptChunks<Note>(messages, {
      take: (chunk) => taker.take(chunk),
      failed: (error) => {
        off();
        this.#publish('bus', 'actor.failed', { actor: 'keeper of messages', message: textOf(error), action: 'messages are not kept any more' });
      },
    });
    const off = () => {
      if (this.#kept !== kept) return;
      this.#takeDelivered();
      this.#kept = undefined;
    };
    this.#kept = kept;
    return Object.assign(kept, { off });
  }

  statistics(): BusStatistics {
    return {
      published: this.#seq,
      delivered: this.#delivered,
      queued: this.#queue.length - this.#head,
      queuedMax: this.#queuedMax,
      failures: this.#failures,
    };
  }

  #publish<T extends Topic>(from: string, topic: T, payload: Messages[T], options: PublishOptions = {}): number {
    const queued = this.#queue.length - this.#head;
    if (queued >= queueLengthMax) throw new Error(`bus queue is full (${queueLengthMax}) at ${topic} from ${from}`);
    this.#seq += 1;
    const cause = options.cause ?? this.#current;
    this.#queue.push({ seq: this.#seq, at: this.#clock.nowMs(), topic, from, cause, key: options.key, payload });
    if (queued + 1 > this.#queuedMax) this.#queuedMax = queued + 1;
    const seq = this.#seq;
    if (!this.#draining) this.#drain();
    return seq;
  }

  #drain(): void {
    this.#draining = true;
    try {
      for (let envelope = this.#queue[this.#head]; envelope !== undefined; envelope = this.#queue[this.#head]) {
        this.#head += 1;
        this.#current = envelope.seq;
        this.#deliver(envelope);
      }
    } finally {
      this.#current = 0;
      this.#draining = false;
      if (this.#kept === undefined) this.#emptyQueue();
      else if (this.#head >= this.#kept.room) this.#kept.handOver();
    }
  }

  /** To set the length of a list costs a quarter of a delivery; mostly there is one message. */
  #emptyQueue(): void {
    if (this.#head === 1) this.#queue.pop();
    else this.#queue.length = 0;
    this.#head = 0;
  }

  #takeDelivered(): AnyEnvelope[] {
    const head = this.#head;
    this.#head = 0;
    // An envelope is made with the payload of its topic, which the type of a queue of all topics cannot say; so below.
    if (head < this.#queue.length) return this.#queue.splice(0, head) as AnyEnvelope[];
    const all = this.#queue as AnyEnvelope[]; // As above.
    this.#queue = [];
    return all;
  }

  #deliver(envelope: Envelope): void {
    if (envelope.key !== undefined) this.#keyed.get(envelope.topic)?.get(envelope.key)?.next(envelope);
    this.#everyone.get(envelope.topic)?.next(envelope);
    if (this.#taps.observed) this.#taps.next(envelope as AnyEnvelope); // As above.
  }

  #on<T extends Topic>(actor: string, topic: T, handler: Handler<T>, key: string | undefined): Listening {
    const subject = this.#subjectFor(topic, key);
    const subscription: Subscription = subject.subscribe({
      // Subjects are kept by topic: only envelopes of this one come here.
      next: (envelope) => this.#guarded(actor, envelope as Envelope<T>, handler),
    });
    return {
      off: () => {
        subscription.unsubscribe();
        // Of a listening ended twice the key may belong to another by now.
        if (key !== undefined && !subject.observed && this.#keyed.get(topic)?.get(key) === subject) this.#keyed.get(topic)?.delete(key);
      },
    };
  }

  #subjectFor(topic: Topic, key: string | undefined): Subject<Envelope> {
    if (key === undefined) return getOrCreate(this.#everyone, topic, () => new Subject<Envelope>());
    const byKey = getOrCreate(this.#keyed, topic, () => new Map<string, Subject<Envelope>>());
    return getOrCreate(byKey, key, () => new Subject<Envelope>());
  }

  /** A listener that throws harms nobody else: its fault becomes a message. */
  #guarded<E extends Envelope>(actor: string, envelope: E, listener: (envelope: E) => void): void {
    try {
      this.#delivered += 1;
      listener(envelope);
    } catch (error) {
      this.#failures += 1;
      // A listener of actor.failed that fails itself is only counted, or it would feed on its own faults.
      if (envelope.topic === 'actor.failed') return;
      this.#publish('bus', 'actor.failed', { actor, message: textOf(error), action: `listener of ${envelope.topic} skipped message ${envelope.seq}` });
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function getOrCreate<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = create();
  map.set(key, made);
  return made;
}
