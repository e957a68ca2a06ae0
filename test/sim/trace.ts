// What happened in a simulated world, line by line with virtual time. No real time, no object identity, nothing that another run
// of the same seed would write differently.
import type { AnyEnvelope } from '../../src/bus/messages.ts';

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;
const tailLines = 60;

export class Trace {
  readonly lines: string[] = [];
  readonly #nowMs: () => number;

  /** @param nowMs virtual milliseconds since the world began */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  note(line: string): void {
    this.lines.push(`${clockText(this.#nowMs())} ${line}`);
  }

  tail(): string {
    return this.lines.slice(-tailLines).join('\n');
  }

  /** The same for equal traces; short enough to compare by eye. */
  digest(): string {
    let hash = fnvOffset;
    for (const line of this.lines) hash = Math.imul(hash ^ fingerprint(line), fnvPrime);
    return `${this.lines.length} lines, ${(hash >>> 0).toString(16).padStart(8, '0')}`;
  }
}

/** `03:25.417` for minutes, seconds and milliseconds. */
export function clockText(elapsedMs: number): string {
  const whole = Math.floor(elapsedMs);
  const pad = (value: number, width: number) => String(value).padStart(width, '0');
  return `${pad(Math.floor(whole / 60_000), 2)}:${pad(Math.floor(whole / 1_000) % 60, 2)}.${pad(whole % 1_000, 3)}`;
}

export function envelopeText({ seq, cause, topic, from, key, payload }: AnyEnvelope): string {
  return `bus ${seq}<-${cause} ${from} ${topic}${key === undefined ? '' : ` ${key.slice(0, 13)}`} ${plainText(payload)}`;
}

/** Plain data as one line; bulky objects by name, bytes by length and sum. */
export function plainText(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => shortened(each)) ?? String(value);
}

function shortened(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `${value.byteLength} bytes ${bytesSum(value)}`;
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

function fingerprint(text: string): number {
  let hash = fnvOffset;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), fnvPrime);
  return hash >>> 0;
}
