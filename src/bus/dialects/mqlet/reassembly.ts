// Puts messages together that came in fragments (docs/wire.md, section 4). Bounded in messages, bytes and time, of each topic and in
// all, so that nobody can fill the memory by beginning messages and never ending them. It reads no header and keeps no time itself.
import type { Fragment } from './header.ts';

/** Of one topic, beyond which the oldest goes; and in all. */
export const assembliesPerTopicMax = 4;
export const assembliesMax = 256;
export const assemblyBytesMax = 8 * 1024 * 1024;
/** A whole message, compressed. */
export const messageBytesMax = 1024 * 1024;
export const assemblyMsMax = 30_000;

interface Assembly {
  readonly topic: string;
  readonly count: number;
  readonly begunAtMs: number;
  readonly pieces: Map<number, Uint8Array>;
  bytes: number;
}

export class Reassembly {
  /** By topic and number, oldest first. */
  readonly #assemblies = new Map<string, Assembly>();
  #bytes = 0;

  /** Messages that wait for more of their fragments. */
  get open(): number {
    return this.#assemblies.size;
  }

  clear(): void {
    this.#assemblies.clear();
    this.#bytes = 0;
  }

  /** @returns the whole message when this was its last piece */
  add(topic: string, fragment: Fragment, nowMs: number): Uint8Array | undefined {
    this.#dropOld(nowMs);
    const key = `${fragment.message} ${topic}`;
    const assembly = this.#assemblies.get(key) ?? this.#begin(key, topic, fragment.count, nowMs);
    if (assembly.count !== fragment.count) {
      this.#drop(key);
      return undefined;
    }
    if (assembly.pieces.has(fragment.index)) return undefined;
    if (assembly.bytes + fragment.piece.length > messageBytesMax) {
      this.#drop(key);
      return undefined;
    }
    // The packet it came in may be reused by who gave it.
    assembly.pieces.set(fragment.index, Uint8Array.from(fragment.piece));
    assembly.bytes += fragment.piece.length;
    this.#bytes += fragment.piece.length;
    if (assembly.pieces.size === assembly.count) {
      this.#drop(key);
      return joined(assembly);
    }
    for (const oldest of this.#assemblies.keys()) {
      if (this.#bytes <= assemblyBytesMax) break;
      this.#drop(oldest);
    }
    return undefined;
  }

  #begin(key: string, topic: string, count: number, nowMs: number): Assembly {
    const ofTopic = [...this.#assemblies].filter(([, assembly]) => assembly.topic === topic);
    const [oldestOfTopic] = ofTopic.length >= assembliesPerTopicMax ? (ofTopic[0] ?? []) : [];
    if (oldestOfTopic !== undefined) this.#drop(oldestOfTopic);
    const [oldest] = this.#assemblies.size >= assembliesMax ? this.#assemblies.keys() : [];
    if (oldest !== undefined) this.#drop(oldest);
    const assembly: Assembly = { topic, count, begunAtMs: nowMs, pieces: new Map(), bytes: 0 };
    this.#assemblies.set(key, assembly);
    return assembly;
  }

  #dropOld(nowMs: number): void {
    for (const [key, { begunAtMs }] of this.#assemblies) {
      if (nowMs - begunAtMs <= assemblyMsMax) break;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#assemblies.get(key)?.bytes ?? 0;
    this.#assemblies.delete(key);
  }
}

function joined({ pieces, count }: Assembly): Uint8Array {
  // All indexes below the count are there: there are as many pieces, and none has an index beyond.
  return Buffer.concat(Array.from({ length: count }, (_each, index) => pieces.get(index) ?? new Uint8Array()));
}
