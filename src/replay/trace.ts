// What happened, line by line with the time since the start, and a sum of it. No object identity, nothing that another run of the same
// inputs would write differently.
import type { AnyEnvelope } from '../bus/messages.ts';

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;
/** Lines kept for a failure's report. */
const tailLines = 60;
const tailColumns = 240;

export class Trace {
  readonly #nowMs: () => number;
  readonly #keepsAll: boolean;
  #lines: string[] = [];
  #count = 0;
  #hash = fnvOffset;

  /**
   * @param nowMs virtual milliseconds since the world began
   * @param options.keepsAll else only the tail can be read, which spares much memory over many seeds
   */
  constructor(nowMs: () => number, options: { readonly keepsAll: boolean }) {
    this.#nowMs = nowMs;
    this.#keepsAll = options.keepsAll;
  }

  note(text: string): void {
    const line = `${clockText(this.#nowMs())} ${text}`;
    this.#count += 1;
    this.#hash = hashed(this.#hash, line);
    this.#lines.push(line);
    if (!this.#keepsAll && this.#lines.length > 10 * tailLines) this.#lines = this.#lines.slice(-tailLines);
  }

  /** All lines, or the newest where not all are kept. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  tail(): string {
    return this.#lines.slice(-tailLines).map((line) => line.slice(0, tailColumns)).join('\n');
  }

  /** The same for equal traces; short enough to compare by eye. */
  digest(): string {
    return `${this.#count} lines, ${this.sum()}`;
  }

  /** Eight hexadecimal digits. */
  sum(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }
}

/** `03:25.417` for minutes, seconds and milliseconds. */
export function clockText(elapsedMs: number): string {
  const whole = Math.floor(elapsedMs);
  const pad = (value: number, width: number) => String(value).padStart(width, '0');
  return `${pad(Math.floor(whole / 60_000), 2)}:${pad(Math.floor(whole / 1_000) % 60, 2)}.${pad(whole % 1_000, 3)}`;
}

export function envelopeText(envelope: AnyEnvelope): string {
  const { seq, cause, topic, from, key } = envelope;
  return `bus ${seq}<-${cause} ${from} ${topic}${key === undefined ? '' : ` ${key.slice(0, 13)}`} ${payloadText(envelope)}`;
}

/** Messages that hold packets or whole listings are told by their measures: their content passes in other lines. */
function payloadText({ topic, payload }: AnyEnvelope): string {
  if (topic === 'mqtt.received') return `${payload.payload.byteLength} bytes ${bytesSum(payload.payload)}`;
  if (topic === 'runtime.relisted') return `${payload.sandboxes.length} sandboxes, ${payload.containers.length} containers`;
  return plainText(payload);
}

/** Plain data as one line; bulky objects by name. */
export function plainText(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => shortened(each)) ?? String(value);
}

function shortened(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value];
  if ('origin' in value && 'pod' in value && 'uid' in value && 'name' in value) return `pod ${String(value.name)} ${String(value.uid)}`;
  return value;
}

function bytesSum(bytes: Uint8Array): string {
  let hash = fnvOffset;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, fnvPrime);
  return (hash >>> 0).toString(16);
}

function hashed(start: number, text: string): number {
  let hash = start;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), fnvPrime);
  return hash;
}
