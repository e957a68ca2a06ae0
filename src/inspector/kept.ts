// What the inspector keeps of a message or step, and about how many bytes that is. What is large or secret is taken out first.
import type { AnyEnvelope, Topic } from '../bus/messages.ts';
import type { MachineStep } from '../ports/machine-watch.ts';
import { ObjectData, type StoredObject } from '../ports/stored-object.ts';

/** Bytes of a packet's payload that are kept. */
export const packetBytesMax = 16 * 1024;
/** Values that are looked at to estimate one object; the rest counts as much as those. */
const lookedAtMax = 20_000;

/** A message; what was taken out of it is told beside it. */
export type KeptMessage = AnyEnvelope & { readonly out?: TakenOut };
export type Kept = KeptMessage | MachineStep;

export interface TakenOut {
  /** Of a packet: its whole size. */
  readonly packetBytes?: number;
  /** Of a listing. */
  readonly sandboxes?: number;
  readonly containers?: number;
}

interface Weighed {
  readonly kept: Kept;
  readonly bytes: number;
}

/** Topics whose messages are not all small, or leave something in the picture beside having been there. */
export const notableTopics = [
  'mqtt.received', 'object.received', 'runtime.relisted', 'source.updated', 'pods.changed', 'pods.recalled', 'pod.status', 'pod.planned', 'pod.terminated', 'pod.forgotten',
  'node.received', 'node.recalled', 'node.status', 'node.registered', 'mirror.received', 'mirror.known', 'mqtt.ack', 'mqtt.link', 'api.write', 'api.settled', 'input.refused',
  'event.noted', 'actor.failed', 'probe.changed', 'image.requested', 'image.resolved', 'runtime.health', 'runtime.relist-failed',
] as const satisfies readonly Topic[];

const isNotable: ReadonlySet<string> = new Set(notableTopics);

/** An envelope, a small payload and their places in lists. */
export const smallBytes = 280;
const stepBytes = 900;

/** What the agent makes itself, often and in some few shapes: one in so many is looked at, and the others are taken for as large. */
const sampledTopics: ReadonlySet<Topic> = new Set<Topic>([
  'pod.status', 'pod.planned', 'pod.terminated', 'pod.forgotten', 'api.write', 'api.settled', 'event.noted', 'probe.changed', 'image.requested', 'image.resolved', 'mqtt.link',
]);
const sampledEvery = 7;

interface Sample {
  /** Messages until the next one is looked at. */
  rest: number;
  bytes: number;
}

export class Scales {
  /** Objects that are held anyway, or have been counted with the message that brought them. */
  readonly #counted = new WeakSet<object>();
  readonly #samples = new Map<Topic, Sample>();

  /** Puts the light ones in the places of the heavy ones. @returns about how many bytes all are together */
  weighAll(chunk: Kept[]): number {
    let bytes = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const one = chunk[index];
      if (one === undefined) continue;
      const weighed = 'k' in one || isNotable.has(one.topic) ? this.#weigh(one) : { kept: one, bytes: smallBytes };
      chunk[index] = weighed.kept;
      bytes += weighed.bytes;
    }
    return bytes;
  }

  #weigh(one: Kept): Weighed {
    if ('k' in one) return { kept: one, bytes: stepBytes };
    switch (one.topic) {
      case 'mqtt.received': return lightPacket(one);
      case 'object.received': return { kept: { ...one, payload: { object: withoutValues(one.payload.object) } }, bytes: 2 * smallBytes };
      case 'runtime.relisted': {
        const { startedAtMs, sandboxes, containers } = one.payload;
        return { kept: { ...one, payload: { startedAtMs, sandboxes: [], containers: [] }, out: { sandboxes: sandboxes.length, containers: containers.length } }, bytes: smallBytes };
      }
      default: return { kept: one, bytes: smallBytes + (sampledTopics.has(one.topic) ? this.#sampled(one) : this.#sizeOf(one.payload)) };
    }
  }

  #sampled({ topic, payload }: KeptMessage): number {
    const sample = this.#samples.get(topic);
    if (sample !== undefined && sample.rest > 0) {
      sample.rest -= 1;
      return sample.bytes;
    }
    const bytes = this.#sizeOf(payload);
    this.#samples.set(topic, { rest: sampledEvery - 1, bytes });
    return bytes;
  }

  /** About how much memory it holds, without what has been counted before. */
  #sizeOf(value: object): number {
    let bytes = 0;
    let looked = 0;
    const waiting: unknown[] = [value];
    while (waiting.length > 0 && looked < lookedAtMax) {
      const each = waiting.pop();
      looked += 1;
      if (typeof each === 'string') bytes += 16 + each.length;
      else if (typeof each !== 'object' || each === null) bytes += 8;
      else if (each instanceof Uint8Array) bytes += 64 + each.byteLength;
      else if (!this.#counted.has(each)) {
        this.#counted.add(each);
        bytes += 32;
        // Without a list of the values; what is inherited is nobody's here.
        for (const name in each) waiting.push(each[name as keyof typeof each]); // Its own names.
      }
    }
    return waiting.length === 0 ? bytes : bytes * 2;
  }
}

/** The rest of the packet, and the larger block it was cut from, are let go. */
function lightPacket(envelope: Extract<KeptMessage, { readonly topic: 'mqtt.received' }>): Weighed {
  const { payload } = envelope;
  const kept = payload.payload.slice(0, packetBytesMax);
  return { kept: { ...envelope, payload: { ...payload, payload: kept }, out: { packetBytes: payload.payload.byteLength } }, bytes: 2 * smallBytes + kept.byteLength };
}

/** It says how many keys there are, as before, and holds none of the values. */
function withoutValues(object: StoredObject): StoredObject {
  return { ...object, data: new ObjectData(new Map(object.data.keys().map((key) => [key, new Uint8Array()]))) };
}
