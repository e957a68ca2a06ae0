// What actors note becomes Kubernetes Events: repeats are counted, not sent anew, and one object cannot flood the API.
// Nothing is retried here: events are news, and the egress keeps what it can.
import type { ApiWrite } from '../bus/api-write.ts';
import type { BusPort, Listening } from '../bus/bus.ts';
import type { EventSubject, Messages } from '../bus/messages.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import { inputFaultLine } from '../ports/faults.ts';
import type { Event } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';

/** Characters of a message; the rest is cut. */
export const messageCharsMax = 1_024;
/** Events remembered for counting. Beyond it the one heard of longest ago starts again at 1. */
export const rememberedMax = 1_024;
/** Writes of one object at once, and the time after which one more may follow. Excess is dropped. */
export const burst = 25;
export const refillMs = 300_000;
/** Objects whose rate is kept. Beyond it the one heard of longest ago has its whole burst again. */
const objectsMax = 1_024;

export interface EventRecorderDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly nodeName: string;
}

export interface EventRecorder extends Stoppable {
  statistics(): { readonly written: number; readonly dropped: number };
}

type Note = Messages['event.noted'];

interface Remembered {
  readonly event: Event;
  readonly namespace: string;
  readonly name: string;
  count: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

class Recorder implements EventRecorder {
  readonly #deps: EventRecorderDeps;
  readonly #listenings: Listening[];
  /** Maps keep the order of insertion: the first entry is the oldest. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #buckets = new Map<string, Bucket>();
  #lastNanoseconds = 0n;
  #written = 0;
  #dropped = 0;

  constructor(deps: EventRecorderDeps) {
    this.#deps = deps;
    this.#listenings = [
      deps.bus.on('event.noted', ({ payload }) => this.#note(payload)),
      deps.bus.on('input.refused', ({ payload }) => this.#note(noteOfRefusal(payload))),
    ];
  }

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
  }

  statistics() {
    return { written: this.#written, dropped: this.#dropped };
  }

  #note(note: Note): void {
    const { subject, type, reason, message: text } = note;
    const message = text.length > messageCharsMax ? `${text.slice(0, messageCharsMax - 1)}…` : text;
    const object = objectKey(subject);
    if (!this.#mayWrite(object)) {
      this.#dropped += 1;
      return;
    }
    this.#written += 1;
    const key = [object, subject.kind === 'Pod' ? subject.fieldPath : '', type, reason, message].join('\n');
    const known = this.#remembered.get(key);
    if (known === undefined) this.#create(key, { ...note, message });
    else this.#repeat(key, known);
  }

  #create(key: string, note: Note): void {
    const { clock, nodeName } = this.#deps;
    const at = rfc3339Seconds(clock.nowMs());
    const involvedObject = reference(note.subject, nodeName);
    const namespace = involvedObject.namespace ?? 'default';
    const name = `${involvedObject.name}.${this.#nanoseconds().toString(16)}`;
    const event: Event = {
      metadata: { name, namespace, ...(note.annotations === undefined ? {} : { annotations: note.annotations }) },
      involvedObject,
      type: note.type,
      reason: note.reason,
      message: note.message,
      source: { component: 'kubelet', host: nodeName },
      reportingComponent: 'kubelet',
      reportingInstance: nodeName,
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    };
    this.#remembered.set(key, { event, namespace, name, count: 1 });
    dropOldest(this.#remembered, rememberedMax);
    this.#publish({ verb: 'create', kind: 'Event', namespace, name, object: event });
  }

  #repeat(key: string, known: Remembered): void {
    // Taken out and put in again: it is the newest now.
    this.#remembered.delete(key);
    this.#remembered.set(key, known);
    known.count += 1;
    const patch = { count: known.count, lastTimestamp: rfc3339Seconds(this.#deps.clock.nowMs()) };
    const { namespace, name } = known;
    this.#publish({ verb: 'patch', kind: 'Event', namespace, name, object: { ...known.event, ...patch }, patch });
  }

  #publish(write: DistributiveOmit<Extract<ApiWrite, { kind: 'Event' }>, 'id' | 'writer' | 'lane'>): void {
    const { bus, random } = this.#deps;
    bus.publish('api.write', { ...write, id: random.uuid(), writer: 'events', lane: `event/${write.namespace}/${write.name}` });
  }

  #mayWrite(object: string): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    const bucket = this.#buckets.get(object) ?? { tokens: burst, atMs: nowMs };
    this.#buckets.delete(object);
    this.#buckets.set(object, bucket);
    dropOldest(this.#buckets, objectsMax);
    const refilled = Math.floor((nowMs - bucket.atMs) / refillMs);
    if (refilled > 0) {
      bucket.tokens = Math.min(burst, bucket.tokens + refilled);
      bucket.atMs += refilled * refillMs;
    }
    if (bucket.tokens === 0) return false;
    bucket.tokens -= 1;
    return true;
  }

  /**
   * Unix time in nanoseconds; two events of one millisecond get different ones. What the clock does not tell is drawn: a machine that
   * wakes up at the same wrong time each day must not give its events the names of yesterday's.
   */
  #nanoseconds(): bigint {
    const { clock, random } = this.#deps;
    const now = BigInt(Math.floor(clock.nowMs())) * 1_000_000n + BigInt(Math.floor(random.fraction() * 1_000_000));
    this.#lastNanoseconds = now > this.#lastNanoseconds ? now : this.#lastNanoseconds + 1n;
    return this.#lastNanoseconds;
  }
}

/** Omit that keeps a union a union. */
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function noteOfRefusal({ fault, pod }: Messages['input.refused']): Note {
  return {
    subject: pod === undefined ? { kind: 'Node' } : { kind: 'Pod', pod },
    type: 'Warning',
    reason: fault.severity === 'error' ? 'FailedValidation' : 'UnsupportedField',
    message: inputFaultLine(fault),
  };
}

function objectKey(subject: EventSubject): string {
  return subject.kind === 'Node' ? 'Node' : `Pod ${subject.pod.uid}`;
}

/** As kubelet: a node is referred to by its name even where a UID belongs. */
function reference(subject: EventSubject, nodeName: string): Event['involvedObject'] {
  if (subject.kind === 'Node') return { kind: 'Node', name: nodeName, uid: nodeName };
  const { pod, fieldPath } = subject;
  return { apiVersion: 'v1', kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid, ...(fieldPath === undefined ? {} : { fieldPath }) };
}

function dropOldest(map: Map<string, unknown>, sizeMax: number): void {
  if (map.size <= sizeMax) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

export function startEventRecorder(deps: EventRecorderDeps): EventRecorder {
  return new Recorder(deps);
}
