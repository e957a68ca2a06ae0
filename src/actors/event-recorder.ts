// What actors note becomes Kubernetes Events: repeats are counted, alike ones combined, and one object cannot
// flood the API; which becomes what is decided in decide/event-correlation.ts.
// Nothing is retried here: events are news, and the egress keeps what it can.
import type { ApiWrite } from '../bus/api-write.ts';
import type { BusPort, Listening } from '../bus/bus.ts';
import type { EventSubject, Messages } from '../bus/messages.ts';
import { EventCorrelator } from '../machines/decide/event-correlation.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import { inputFaultLine } from '../ports/faults.ts';
import type { Event } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';

/** Characters of a message; the rest is cut. */
export const messageCharsMax = 1_024;
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

/** What a patch of an event needs to know of it. */
interface Remembered {
  readonly event: Event;
  readonly namespace: string;
  readonly name: string;
}

class Recorder implements EventRecorder {
  readonly #deps: EventRecorderDeps;
  readonly #listenings: Listening[];
  readonly #correlator = new EventCorrelator<Remembered>();
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
    const { subject, type, reason } = note;
    const text = note.message.length > messageCharsMax ? `${note.message.slice(0, messageCharsMax - 1)}…` : note.message;
    const fieldPath = subject.kind === 'Pod' ? (subject.fieldPath ?? '') : '';
    const correlated = this.#correlator.correlate({ object: objectKey(subject), fieldPath, type, reason, message: text }, this.#deps.clock.monotonicMs());
    if (correlated.kind === 'dropped') {
      this.#dropped += 1;
      return;
    }
    this.#written += 1;
    if (correlated.kind === 'new') correlated.keep(this.#create({ ...note, message: correlated.message }, correlated.count));
    else this.#repeat(correlated.kept, correlated);
  }

  #create(note: Note, count: number): Remembered {
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
      count,
    };
    this.#publish({ verb: 'create', kind: 'Event', namespace, name, object: event });
    return { event, namespace, name };
  }

  #repeat(known: Remembered, { count, message }: { readonly count: number; readonly message?: string }): void {
    const patch = { count, lastTimestamp: rfc3339Seconds(this.#deps.clock.nowMs()), ...(message === undefined ? {} : { message }) };
    const { namespace, name } = known;
    this.#publish({ verb: 'patch', kind: 'Event', namespace, name, object: { ...known.event, ...patch }, patch });
  }

  #publish(write: DistributiveOmit<Extract<ApiWrite, { kind: 'Event' }>, 'id' | 'writer' | 'lane'>): void {
    const { bus, random } = this.#deps;
    bus.publish('api.write', { ...write, id: random.uuid(), writer: 'events', lane: `event/${write.namespace}/${write.name}` });
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

export function startEventRecorder(deps: EventRecorderDeps): EventRecorder {
  return new Recorder(deps);
}
