// Who calls: by certificate or by token. Pure but for the tokens it is given; it decides on no right.
import { createHash } from 'node:crypto';
import type { ApiRequest } from '../../ports/api-listener-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { type Refusal, unauthorized } from '../refusals.ts';
import type { AccountTokens } from './account-tokens.ts';

export interface Caller {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
}

export const anonymous: Caller = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** A token that stands in the server's own files, as the digest of it: a lookup tells nothing of others by its time. */
export interface KnownToken {
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  readonly caller: Caller;
}

const tokenLengthMax = 8_192;

export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function withEveryone(caller: Caller): Caller {
  return { ...caller, groups: [...new Set([...caller.groups, 'system:authenticated'])] };
}

export class Authenticator {
  readonly #tokens: ReadonlyMap<string, Caller>;
  readonly #accounts: AccountTokens;

  constructor(tokens: readonly KnownToken[], accounts: AccountTokens) {
    this.#tokens = new Map(tokens.map(({ digest, caller }) => [digest, withEveryone(caller)]));
    this.#accounts = accounts;
  }

  callerOf({ headers, client }: Pick<ApiRequest, 'headers' | 'client'>): Result<Caller, Refusal> {
    const header = headers['authorization'];
    if (header !== undefined) {
      const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
      const caller = token === undefined ? undefined : this.callerByToken(token);
      return caller === undefined ? fail(unauthorized()) : ok(caller);
    }
    if (client === undefined || client.commonName === '') return ok(anonymous);
    return ok(withEveryone({ name: client.commonName, groups: client.organizations }));
  }

  /** @param audiences for whom a token of an account must be meant; the API where absent */
  callerByToken(token: string, audiences?: readonly string[]): Caller | undefined {
    if (token.length > tokenLengthMax) return undefined;
    return this.#tokens.get(tokenDigest(token)) ?? this.#accounts.callerOf(token, audiences);
  }
}
