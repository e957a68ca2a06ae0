// A recording's packets sorted by what they are to one node: what was pushed to it, what it asked and was answered, what it told.
// Read once and kept; bounded.
import { withoutProperties } from '../adapters/sim/sim-mqtt-port.ts';
import { readFragment } from '../bus/dialects/mqlet/header.ts';
import { Reassembly } from '../bus/dialects/mqlet/reassembly.ts';
import { withHeader } from '../bus/dialects/mqlet/transport.ts';
import type { MqttPacket } from '../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import type { RecordingFault } from './entries.ts';
import type { TrafficEntry } from './traffic.ts';
import type { UpFacts, Wire } from './wire/wire.ts';

/** Entries and bytes of payload that are kept for a replay; a file that holds more is to be cut. */
export const entriesMax = 500_000;
export const payloadBytesMax = 512 * 1024 * 1024;
/** A clock that jumps farther is no rhythm to follow. */
export const gapMsMax = 7 * 86_400_000;
/** All in all; a simulated day is some seconds of real time. */
export const spanMsMax = 92 * 86_400_000;

export interface RecordedAnswer {
  /** Milliseconds since the recording began; and since the request. */
  readonly sinceMs: number;
  readonly afterMs: number;
  readonly packet: MqttPacket;
}

/** One entry of the recording as a replay meets it. */
export type Step = { readonly seq: number; readonly line: number; readonly sinceMs: number } & (
  | { readonly kind: 'pushed'; readonly packet: MqttPacket }
  | { readonly kind: 'answered' }
  | { readonly kind: 'told'; readonly facts: UpFacts }
  | { readonly kind: 'link'; readonly state: 'up' | 'down'; readonly reason: string }
  /** Of another node, in another language, or a part of a message. */
  | { readonly kind: 'other' }
);

export interface Transcript {
  /** Wall milliseconds of the first entry. */
  readonly startMs: number;
  readonly steps: readonly Step[];
  /** By request, in the order in which they came. */
  readonly answers: ReadonlyMap<string, readonly RecordedAnswer[]>;
  /** Answers to what was asked before the recording began. */
  readonly unasked: number;
}

/** What is there to read, as far as it can be kept. */
export function collectTraffic(entries: Iterable<TrafficEntry>): Result<readonly TrafficEntry[], RecordingFault> {
  const kept: TrafficEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    bytes += entry.kind === 'packet' ? entry.packet.payload.byteLength : 0;
    if (kept.length >= entriesMax) return fail({ line: entry.line, message: `it holds more than ${entriesMax} entries; cut it, or record with a narrower topic` });
    if (bytes > payloadBytesMax) return fail({ line: entry.line, message: `its payloads are larger than ${payloadBytesMax} bytes; cut it, or record with a narrower topic` });
    kept.push(entry);
  }
  return ok(kept);
}

export function transcriptOf(entries: readonly TrafficEntry[], wire: Wire): Result<Transcript, RecordingFault> {
  const [first] = entries;
  if (first === undefined) return fail({ line: 0, message: 'there is no packet in it' });
  const writer = new TranscriptWriter(wire, first.atMs);
  let beforeMs = first.atMs;
  for (const entry of entries) {
    if (entry.atMs - beforeMs > gapMsMax) {
      return fail({ line: entry.line, message: `it is ${Math.floor((entry.atMs - beforeMs) / 86_400_000)} days after the line before; a replay follows gaps of ${gapMsMax / 86_400_000} days` });
    }
    if (entry.atMs - first.atMs > spanMsMax) return fail({ line: entry.line, message: `it is more than ${spanMsMax / 86_400_000} days after the first; cut the recording` });
    // A clock that was set back does not bring back what has been.
    beforeMs = Math.max(beforeMs, entry.atMs);
    writer.add(entry, beforeMs - first.atMs);
  }
  return ok(writer.transcript());
}

class TranscriptWriter {
  readonly #wire: Wire;
  readonly #startMs: number;
  readonly #reassembly = new Reassembly();
  readonly #steps: Step[] = [];
  readonly #answers = new Map<string, RecordedAnswer[]>();
  /** What was asked last under an identity. */
  readonly #asked = new Map<string, { readonly request: string; readonly sinceMs: number }>();
  #unasked = 0;

  constructor(wire: Wire, startMs: number) {
    this.#wire = wire;
    this.#startMs = startMs;
  }

  add(entry: TrafficEntry, sinceMs: number): void {
    const place = { seq: this.#steps.length + 1, line: entry.line, sinceMs };
    if (entry.kind === 'link') this.#steps.push({ ...place, kind: 'link', state: entry.state, reason: entry.reason });
    else this.#steps.push({ ...place, ...this.#packet(entry.packet, sinceMs) });
  }

  transcript(): Transcript {
    return { startMs: this.#startMs, steps: this.#steps, answers: this.#answers, unasked: this.#unasked };
  }

  #packet(given: MqttPacket, sinceMs: number): { readonly kind: 'pushed'; readonly packet: MqttPacket } | { readonly kind: 'answered' | 'other' } | { readonly kind: 'told'; readonly facts: UpFacts } {
    // Whoever recorded beside a broker received everything: the topic says who spoke.
    const direction = this.#wire.directionOf(given.topic);
    const packet = direction === undefined ? undefined : this.#whole(given, sinceMs);
    if (packet === undefined) return { kind: 'other' };
    if (direction === 'up') {
      const facts = this.#wire.readUp(packet);
      if (facts === undefined) return { kind: 'other' };
      if (facts.request !== '') this.#asked.set(facts.identity, { request: facts.request, sinceMs });
      return { kind: 'told', facts };
    }
    const identity = this.#wire.answeredBy(packet);
    if (identity === undefined) return { kind: 'pushed', packet };
    const asked = this.#asked.get(identity);
    if (asked === undefined) this.#unasked += 1;
    else this.#answersTo(asked.request).push({ sinceMs, afterMs: sinceMs - asked.sinceMs, packet });
    return { kind: 'answered' };
  }

  #answersTo(request: string): RecordedAnswer[] {
    const answers = this.#answers.get(request) ?? [];
    this.#answers.set(request, answers);
    return answers;
  }

  /** Messages of the mqlet dialect are put together; what is incomplete says nothing. */
  #whole(packet: MqttPacket, sinceMs: number): MqttPacket | undefined {
    if (this.#wire.name !== 'mqlet') return packet;
    const fragment = readFragment(packet.payload);
    if (fragment === undefined) return withoutProperties(withHeader(packet));
    const payload = fragment.ok ? this.#reassembly.add(packet.topic, fragment.value, sinceMs) : undefined;
    return payload === undefined ? undefined : withoutProperties(withHeader({ ...packet, payload }));
  }
}
