// What a node was told to hold, as tokens: the memory behind digests (docs/wire.md, section 8). It keeps no object. What is older than
// what is held does not count, whatever the order in which messages come.
import type { HeldPod } from '../dialect.ts';
import type { PodUid } from '../../../ports/pod-types.ts';
import { rootOf, type Tokens } from './tokens.ts';

/** Objects a cloud side may tell of; beyond, they are taken but not remembered, so that they are told again with each digest. */
export const heldMax = 5_000;
/** Pods that went and are remembered; beyond, the oldest is forgotten. */
const goneMax = 1_000;

export interface HeldName {
  readonly namespace: string;
  readonly name: string;
}

interface Held extends Tokens {
  readonly name: HeldName | undefined;
  /** Of the object's own part and of its status: either may be known later than the other. */
  readonly version: bigint | undefined;
  readonly statusVersion: bigint | undefined;
}

export class Holdings {
  readonly #held = new Map<string, Held>();
  /** Up to which version the object is gone; undefined: for ever. */
  readonly #gone = new Map<string, bigint | undefined>();

  /** @param put.name of a pod @returns false for what is older than what is held, or a repeat of it */
  put(key: string, put: Tokens & { readonly version: unknown; readonly name?: HeldName }): boolean {
    const version = versionOf(put.version);
    if (this.#isGone(key, version)) return false;
    const known = this.#held.get(key);
    if (known !== undefined && isOlder(version, known.version)) return false;
    if (known !== undefined && known.token === put.token && (known.status === put.status || isOlder(version, known.statusVersion))) return false;
    const statusIsOlder = known !== undefined && isOlder(version, known.statusVersion);
    if (known === undefined && this.#held.size >= heldMax) return true;
    this.#gone.delete(key);
    this.#held.set(key, {
      token: put.token, version, name: put.name ?? known?.name,
      ...(statusIsOlder ? { status: known.status, statusVersion: known.statusVersion } : { status: put.status, statusVersion: version }),
    });
    return true;
  }

  /** An answer to a write of the node's own says what the object is now. */
  answered(key: string, answer: { readonly version: unknown; readonly token?: string; readonly status?: string }): void {
    const known = this.#held.get(key);
    const version = versionOf(answer.version);
    if (known === undefined) return;
    const own = answer.token !== undefined && !isOlder(version, known.version) ? { token: answer.token, version } : {};
    const status = answer.status !== undefined && !isOlder(version, known.statusVersion) ? { status: answer.status, statusVersion: version } : {};
    this.#held.set(key, { ...known, ...own, ...status });
  }

  /** @returns false when what is held is newer than what went */
  remove(key: string, goneVersion: unknown): boolean {
    const version = versionOf(goneVersion);
    const known = this.#held.get(key);
    if (known?.version !== undefined && version !== undefined && known.version > version) return false;
    this.#held.delete(key);
    // Secrets and config maps come and go with the pods that use them.
    if (known?.name === undefined) return true;
    this.#gone.delete(key);
    this.#gone.set(key, version);
    const [oldest] = this.#gone.size > goneMax ? this.#gone.keys() : [];
    if (oldest !== undefined) this.#gone.delete(oldest);
    return true;
  }

  tokens(key: string): Tokens | undefined {
    return this.#held.get(key);
  }

  nameOf(key: string): HeldName | undefined {
    return this.#held.get(key)?.name;
  }

  root(): Buffer {
    return rootOf(this.#held);
  }

  /** As they stand in a message. */
  entries(): readonly (readonly [key: string, token: string, status: string])[] {
    return [...this.#held].map(([key, { token, status }]) => [key, token, status]);
  }

  pods(): readonly HeldPod[] {
    // Only pods have a name here, and their key is their UID.
    return [...this.#held].flatMap(([key, { name }]) => (name === undefined ? [] : [{ uid: key as PodUid, ...name }]));
  }

  #isGone(key: string, version: bigint | undefined): boolean {
    if (!this.#gone.has(key)) return false;
    const upTo = this.#gone.get(key);
    return upTo === undefined || version === undefined || version <= upTo;
  }
}

/** Whole numbers compare, as those of an API server do; anything else tells nothing. */
function versionOf(version: unknown): bigint | undefined {
  return typeof version === 'string' && /^[0-9]{1,20}$/.test(version) ? BigInt(version) : undefined;
}

function isOlder(version: bigint | undefined, other: bigint | undefined): boolean {
  return version !== undefined && other !== undefined && version < other;
}
