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
  readonly #queue: Envelope[] = [];
  #kept: { add(envelope: AnyEnvelope): void } | undefined;
  #head = 0;
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
    const subscription = this.#taps.subscribe({ next: (envelope) => this.#guarded('tap', envelope, () => watcher(envelope)) });
    return { off: () => subscription.unsubscribe() };
  }

  /** Every message, each before its listeners have it, by the chunk. One keeper at a time; for the inspector. */
  keep<Note>(taker: Omit<ChunkTaker<Note>, 'failed'>): KeptChunks<Note> & Listening {
    const kept = new KeptChunks<Note>({
      take: (chunk) => taker.take(chunk),
      failed: (error) => {
        off();
        this.#publish('bus', 'actor.failed', { actor: 'keeper of messages', message: textOf(error), action: 'messages are not kept any more' });
      },
    });
    const off = () => { if (this.#kept === kept) this.#kept = undefined; };
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
      this.#queue.length = 0;
      this.#head = 0;
      this.#current = 0;
      this.#draining = false;
    }
  }

  #deliver(envelope: Envelope): void {
    // An envelope is made with the payload of its topic, which the type of a queue of all topics cannot say; so below.
    if (this.#kept !== undefined) this.#kept.add(envelope as AnyEnvelope);
    if (envelope.key !== undefined) this.#keyed.get(envelope.topic)?.get(envelope.key)?.next(envelope);
    this.#everyone.get(envelope.topic)?.next(envelope);
    if (this.#taps.observed) this.#taps.next(envelope as AnyEnvelope); // As above.
  }

  #on<T extends Topic>(actor: string, topic: T, handler: Handler<T>, key: string | undefined): Listening {
    const subject = this.#subjectFor(topic, key);
    const subscription: Subscription = subject.subscribe({
      // Subjects are kept by topic: only envelopes of this one come here.
      next: (envelope) => this.#guarded(actor, envelope, () => handler(envelope as Envelope<T>)),
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
  #guarded(actor: string, envelope: Envelope, run: () => void): void {
    try {
      this.#delivered += 1;
      run();
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
