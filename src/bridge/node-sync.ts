// Keeps one node in step: compares what it shall hold with what it is believed to hold, and pushes the difference until it is received
// (docs/wire.md, section 8). Level-triggered: a push that gets no word is not repeated but made anew from what differs then.
import type { JsonObject } from '../bus/dialects/json-value.ts';
import { mergePatchBetween } from '../bus/dialects/merge-patch.ts';
import { rootOf, type Tokens } from '../bus/dialects/mqlet/tokens.ts';
import type { ClockPort } from '../ports/clock-port.ts';

/** One object as the node shall hold it. */
export interface Wanted extends Tokens {
  readonly kind: string;
  /** As it goes down; the same one as long as nothing changed. */
  readonly object: JsonObject;
}

export interface Difference {
  readonly put: readonly JsonObject[];
  readonly gone: readonly JsonObject[];
  /** What the node holds when it has taken it. */
  readonly after: ReadonlyMap<string, Wanted | undefined>;
  /** There is more than goes into one message. */
  readonly more: boolean;
}

export interface NodeSyncDeps {
  readonly clock: ClockPort;
  readonly coalesceMs: number;
  wanted(): ReadonlyMap<string, Wanted>;
  /** The store's version now: what went, went at the latest then. */
  version(): string;
  /** @returns the correlation under which the node will say that it has received it */
  push(difference: Difference): string;
  /** The node is to say what it holds. */
  look(): void;
}

/** What one message carries at most, in characters of JSON; a larger single object goes alone. */
const messageCharactersMax = 512 * 1024;
const repeatMsMin = 5_000;
const repeatMsMax = 60_000;

type Believed = Tokens & { readonly object?: JsonObject };

export class NodeSync {
  readonly #deps: NodeSyncDeps;
  /** Undefined while the node has not said what it holds, or is away. */
  #believed: Map<string, Believed> | undefined;
  #underWay: { readonly correlation: string; readonly after: Difference['after'] } | undefined;
  #timer: unknown;
  #repeatTimer: unknown;
  #attempts = 0;

  constructor(deps: NodeSyncDeps) {
    this.#deps = deps;
  }

  /** Something the node may hold has changed. */
  changed(): void {
    if (this.#believed === undefined || this.#timer !== undefined) return;
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, this.#deps.coalesceMs);
  }

  /** The link is gone: what the node holds when it is back it will say. */
  lost(): void {
    this.#deps.clock.clearTimeout(this.#timer);
    this.#deps.clock.clearTimeout(this.#repeatTimer);
    this.#timer = undefined;
    this.#believed = undefined;
    this.#underWay = undefined;
    this.#attempts = 0;
  }

  get known(): boolean {
    return this.#believed !== undefined;
  }

  sameRoot(root: Uint8Array): boolean {
    return rootOf(this.#deps.wanted()).equals(root);
  }

  /** @returns whether both agree; then nothing is under way any more */
  digest(root: Uint8Array): boolean {
    if (!this.sameRoot(root)) return false;
    this.#believed = new Map(this.#deps.wanted());
    this.#settle();
    return true;
  }

  /** @returns what the node lacks, to be given with the answer; it counts as taken, for the node repeats what is not answered */
  holds(held: ReadonlyMap<string, Tokens>): Difference {
    // Objects that were sent before are known by their tokens: so differences can be made for them.
    const before = this.#believed;
    this.#believed = new Map([...held].map(([key, tokens]) => {
      const known = before?.get(key);
      return [key, known !== undefined && known.token === tokens.token && known.object !== undefined ? { ...tokens, object: known.object } : tokens];
    }));
    this.#settle();
    const difference = this.#difference();
    this.#take(difference.after);
    return difference;
  }

  /** The node changed an object itself, and its answer tells it the tokens. */
  told(key: string, wanted: Wanted | undefined): void {
    if (wanted === undefined) this.#believed?.delete(key);
    else this.#believed?.set(key, wanted);
  }

  /** Of an object the node holds, it changed the status. */
  toldStatus(key: string, wanted: Wanted): void {
    const believed = this.#believed?.get(key);
    if (believed === undefined) return;
    this.#believed?.set(key, believed.token === wanted.token ? wanted : { ...believed, status: wanted.status });
  }

  received(correlation: string): void {
    if (this.#underWay?.correlation !== correlation) return;
    this.#take(this.#underWay.after);
    this.#settle();
    this.#flush();
  }

  #settle(): void {
    this.#deps.clock.clearTimeout(this.#repeatTimer);
    this.#underWay = undefined;
    this.#attempts = 0;
  }

  #take(after: Difference['after']): void {
    for (const [key, wanted] of after) this.told(key, wanted);
  }

  #flush(): void {
    if (this.#believed === undefined || this.#underWay !== undefined) return;
    const difference = this.#difference();
    if (difference.after.size === 0) {
      this.#attempts = 0;
      return;
    }
    this.#underWay = { correlation: this.#deps.push(difference), after: difference.after };
    const delayMs = Math.min(repeatMsMax, repeatMsMin * 2 ** Math.min(this.#attempts, 10));
    this.#attempts += 1;
    this.#repeatTimer = this.#deps.clock.setTimeout(() => {
      this.#underWay = undefined;
      this.#flush();
    }, delayMs);
  }

  #difference(): Difference {
    const believed = this.#believed ?? new Map<string, Believed>();
    const wanted = this.#deps.wanted();
    const after = new Map<string, Wanted | undefined>();
    const put: JsonObject[] = [];
    let characters = 0;
    let more = false;
    // What pods use goes ahead of them.
    const changed = [...wanted].filter(([key, each]) => !sameTokens(believed.get(key), each)).sort(([, a], [, b]) => orderOf(a) - orderOf(b));
    for (const [key, each] of changed) {
      const entry = entryOf(key, each, believed.get(key));
      const size = JSON.stringify(entry).length;
      if (put.length > 0 && characters + size > messageCharactersMax) {
        more = true;
        break;
      }
      characters += size;
      put.push(entry);
      after.set(key, each);
    }
    const gone = more ? [] : [...believed.keys()].filter((key) => !wanted.has(key));
    for (const key of gone) after.set(key, undefined);
    return { put, gone: gone.map((key) => ({ key, version: this.#deps.version() })), after, more };
  }
}

function sameTokens(a: Tokens | undefined, b: Tokens): boolean {
  return a !== undefined && a.token === b.token && a.status === b.status;
}

function orderOf({ kind }: Wanted): number {
  return kind === 'Pod' ? 1 : 0;
}

/** A difference where the node has the rest of the pod, and its status is the one it has. */
function entryOf(key: string, { kind, token, status, object }: Wanted, believed: Believed | undefined): JsonObject {
  const whole = { kind, token, status, object };
  if (kind !== 'Pod' || believed?.object === undefined || believed.status !== status || believed.token === token || isMirror(object)) return whole;
  const change = mergePatchBetween(withoutStatus(believed.object), withoutStatus(object));
  return { kind, key, base: believed.token, token, status, change };
}

function withoutStatus({ status: _status, ...object }: JsonObject): JsonObject {
  return object;
}

/** A node keeps no body of mirror pods. */
function isMirror(object: JsonObject): boolean {
  return JSON.stringify(object.metadata ?? {}).includes('"kubernetes.io/config.mirror"');
}
