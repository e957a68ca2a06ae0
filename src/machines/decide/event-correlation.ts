// Which of many alike events the API hears of, and how: counted, combined, or not at all. As client-go has it. Knows no clock and no
// event object: who asks says the time, and keeps what it made of an answer.

/** Events that differ in nothing but their message, within this time, before they are combined. */
export const alikeMax = 10;
export const alikeWithinMs = 600_000;
/** Writes of one object at once, and the time after which one more may follow. */
export const burst = 25;
export const refillMs = 300_000;
/** Entries of each of the three memories. Beyond it the one heard of longest ago is forgotten. */
export const rememberedMax = 4_096;
export const combinedPrefix = '(combined from similar events): ';

export interface NotedEvent {
  /** What it is about, as one text; the part of it that `fieldPath` names aside. */
  readonly object: string;
  readonly fieldPath: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export type Correlated<T> =
  /** The API hears nothing: the object has said too much. */
  | { readonly kind: 'dropped' }
  /** To be made under a name of its own; hand what later patches need to `keep`. */
  | { readonly kind: 'new'; readonly message: string; readonly count: number; keep(kept: T): void }
  /** `message` is set where it differs from the one before. */
  | { readonly kind: 'again'; readonly count: number; readonly kept: T; readonly message?: string };

interface Counted<T> {
  count: number;
  /** Undefined while no write of it has left. */
  kept: T | undefined;
}

interface Alike {
  readonly messages: Set<string>;
  lastMs: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Memories are bounded, and of a message only a digest is kept: two of one digest would be counted as one event. */
export class EventCorrelator<T> {
  readonly #counted = new Map<string, Counted<T>>();
  readonly #alike = new Map<string, Alike>();
  readonly #buckets = new Map<string, Bucket>();

  /** @param nowMs monotonic */
  correlate(event: NotedEvent, nowMs: number): Correlated<T> {
    const kind = [event.object, event.type, event.reason].join('\n');
    const digest = digestOf(event.message);
    const isCombined = this.#isOneOfMany(kind, digest, nowMs);
    const key = isCombined ? kind : [kind, event.fieldPath, digest].join('\n');
    const counted = latest(this.#counted, key, () => ({ count: 0, kept: undefined }));
    counted.count += 1;
    if (!this.#mayWrite(event, nowMs)) return { kind: 'dropped' };
    const message = isCombined ? `${combinedPrefix}${event.message}` : event.message;
    const { count, kept } = counted;
    if (kept !== undefined) return { kind: 'again', count, kept, ...(isCombined ? { message } : {}) };
    return { kind: 'new', message, count, keep: (made) => { counted.kept = made; } };
  }

  #isOneOfMany(kind: string, digest: string, nowMs: number): boolean {
    const known = this.#alike.get(kind);
    if (known !== undefined && nowMs - known.lastMs > alikeWithinMs) this.#alike.delete(kind);
    const alike = latest(this.#alike, kind, () => ({ messages: new Set<string>(), lastMs: nowMs }));
    alike.messages.add(digest);
    alike.lastMs = nowMs;
    if (alike.messages.size < alikeMax) return false;
    // One makes room for the next, so that the set stays as large as it is.
    for (const oldest of alike.messages) {
      alike.messages.delete(oldest);
      break;
    }
    return true;
  }

  #mayWrite({ object, type }: NotedEvent, nowMs: number): boolean {
    const bucket = latest(this.#buckets, `${object}\n${type}`, () => ({ tokens: burst, atMs: nowMs }));
    const refilled = Math.floor((nowMs - bucket.atMs) / refillMs);
    if (refilled > 0) {
      bucket.tokens = Math.min(burst, bucket.tokens + refilled);
      bucket.atMs += refilled * refillMs;
    }
    if (bucket.tokens === 0) return false;
    bucket.tokens -= 1;
    return true;
  }
}

/** The entry of a key, which becomes the newest; the oldest is dropped for it. Maps keep the order of insertion. */
function latest<V>(map: Map<string, V>, key: string, create: () => V): V {
  const entry = map.get(key) ?? create();
  map.delete(key);
  map.set(key, entry);
  if (map.size > rememberedMax) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
  return entry;
}

const primes = [0x01000193, 0x85ebca6b] as const;

/** 64 bits in hex: enough to tell messages of one object apart, and short whatever their length. */
function digestOf(text: string): string {
  return primes.map((prime, index) => {
    let hash = 0x811c9dc5 ^ index;
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), prime);
    return (hash >>> 0).toString(16);
  }).join('-');
}
