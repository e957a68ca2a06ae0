// The tokens by which devices may join, each once: kept on disk without their secret half, so that a list of them lets nobody in by itself
// longer than a token lives. A used token is kept a while, to say so to whoever comes with it again.
import { isTokenId, readToken, tokenText } from '../../bus/join/join-token.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { RecordFiles } from './record-file.ts';

/** One is made for somebody who types: a day is long enough, and a year is a password. */
export const tokenLifeMs = { standard: 24 * 3_600_000, max: 365 * 24 * 3_600_000 } as const;
/** So long after its end a token is still known by name. */
const rememberedMs = 7 * 24 * 3_600_000;
/** At the limit no token is made: revoke some, or wait. */
export const tokensMax = 10_000;

export interface TokenRecord {
  readonly id: string;
  /** Base64url. Secret: as good as the token, until it is used. */
  readonly key: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** The only node it is for, even if that has joined already; empty: any new one. */
  readonly node: string;
  readonly description: string;
  readonly state: 'new' | 'used' | 'revoked';
  /** Who used it, and when; empty and 0 before. */
  readonly usedBy: string;
  readonly usedAtMs: number;
}

export interface TokenWish {
  readonly lifeMs: number;
  readonly node: string;
  readonly description: string;
}

export class TokenStore {
  readonly #clock: ClockPort;
  readonly #chance: () => string;
  readonly #records: RecordFiles<TokenRecord>;

  /** @param deps.chance 256 random bits, hexadecimal */
  constructor({ files, clock, directory, chance }: { readonly files: FilesPort; readonly clock: ClockPort; readonly directory: string; chance(): string }) {
    this.#clock = clock;
    this.#chance = chance;
    this.#records = new RecordFiles({ files, directory: `${directory}/tokens`, read: readRecord });
  }

  /** @returns the whole token; it is told once */
  async create({ lifeMs, node, description }: TokenWish): Promise<Result<{ readonly token: string; readonly record: TokenRecord }, string>> {
    const known = await this.list();
    if (!known.ok) return known;
    if (known.value.length >= tokensMax) return fail(`there are ${tokensMax} tokens already; revoke some`);
    const token = tokenText(this.#chance());
    const read = readToken(token);
    if (read === undefined) return fail('the token that was made cannot be read');
    const nowMs = this.#clock.nowMs();
    const record: TokenRecord = {
      id: read.id, key: Buffer.from(read.key).toString('base64url'), createdAtMs: nowMs, expiresAtMs: nowMs + lifeMs, node, description, state: 'new', usedBy: '', usedAtMs: 0,
    };
    const written = await this.#records.put(read.id, record);
    return written.ok ? ok({ token, record }) : written;
  }

  /** Forgets on the way what ended long ago. */
  async list(): Promise<Result<readonly TokenRecord[], string>> {
    const all = await this.#records.all();
    if (!all.ok) return all;
    const kept: TokenRecord[] = [];
    for (const [name, record] of all.value.records) {
      if (record.expiresAtMs + rememberedMs < this.#clock.nowMs()) await this.#records.remove(name);
      else kept.push(record);
    }
    return ok(kept);
  }

  async get(id: string): Promise<Result<TokenRecord | undefined, string>> {
    return isTokenId(id) ? this.#records.get(id) : ok(undefined);
  }

  /** From now on it lets nobody in. @returns false for one that is not known */
  async revoke(id: string): Promise<Result<boolean, string>> {
    const record = await this.get(id);
    if (!record.ok) return record;
    if (record.value === undefined) return ok(false);
    // One that was used stays so: it says who came with it.
    const written = record.value.state === 'used' ? ok() : await this.#records.put(id, { ...record.value, state: 'revoked' });
    return written.ok ? ok(true) : written;
  }

  /** On disk before this resolves: it will not be used again. */
  async use(record: TokenRecord, nodeName: string): Promise<Result<void, string>> {
    return this.#records.put(record.id, { ...record, state: 'used', usedBy: nodeName, usedAtMs: this.#clock.nowMs() });
  }
}

function readRecord(value: Readonly<Record<string, unknown>>): TokenRecord | undefined {
  const { id, key, createdAtMs, expiresAtMs, node, description, state, usedBy, usedAtMs } = value;
  if (typeof id !== 'string' || typeof key !== 'string' || typeof createdAtMs !== 'number' || typeof expiresAtMs !== 'number' || typeof node !== 'string') return undefined;
  if (typeof description !== 'string' || typeof usedBy !== 'string' || typeof usedAtMs !== 'number' || (state !== 'new' && state !== 'used' && state !== 'revoked')) return undefined;
  return { id, key, createdAtMs, expiresAtMs, node, description, state, usedBy, usedAtMs };
}
