// Tokens of service accounts: signed by this server for a while, and good only while what they are bound to is there. They are JSON web
// tokens of HMAC-SHA-256: whoever wants to know whether one is good asks this server by TokenReview.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../bus/dialects/json-value.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import { numberAt, part, textAt } from '../objects.ts';
import { resourceNamed } from '../resources.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { Caller } from './caller.ts';

export const issuer = 'https://kubernetes.default.svc';
const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');
/** As the API server's: ten minutes to 2^32 seconds; an hour where nothing is asked. */
export const lifetimeSeconds = { min: 600, max: 2 ** 32, default: 3_600 } as const;

export interface BoundTo {
  readonly namespace: string;
  readonly account: string;
  readonly accountUid: string;
  readonly pod?: { readonly name: string; readonly uid: string };
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

export class AccountTokens {
  readonly #key: string;
  readonly #clock: ClockPort;
  readonly #store: ObjectStore;

  /** @param deps.key secret; tokens of another key are no good */
  constructor(deps: { readonly key: string; readonly clock: ClockPort; readonly store: ObjectStore }) {
    this.#key = deps.key;
    this.#clock = deps.clock;
    this.#store = deps.store;
  }

  issue(to: BoundTo, { audiences, seconds }: { readonly audiences: readonly string[]; readonly seconds: number }): IssuedToken {
    const now = Math.floor(this.#clock.nowMs() / 1_000);
    const claims = {
      aud: audiences.length === 0 ? [issuer] : audiences, exp: now + seconds, iat: now, nbf: now, iss: issuer, sub: `system:serviceaccount:${to.namespace}:${to.account}`,
      'kubernetes.io': { namespace: to.namespace, serviceaccount: { name: to.account, uid: to.accountUid }, ...(to.pod === undefined ? {} : { pod: to.pod }) },
    };
    const body = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return { token: `${body}.${this.#signature(body).toString('base64url')}`, expiresAtMs: (now + seconds) * 1_000 };
  }

  /** @param audiences one of them must be the token's; the API's own where absent */
  callerOf(token: string, audiences: readonly string[] = [issuer]): Caller | undefined {
    const [head, payload, signature, ...more] = token.split('.');
    if (head !== header || payload === undefined || signature === undefined || more.length > 0) return undefined;
    const wanted = this.#signature(`${head}.${payload}`);
    const given = Buffer.from(signature, 'base64url');
    if (given.byteLength !== wanted.byteLength || !timingSafeEqual(given, wanted)) return undefined;
    const claims = claimsIn(payload);
    const now = this.#clock.nowMs() / 1_000;
    if (claims === undefined || (numberAt(claims, 'exp') ?? 0) <= now || (numberAt(claims, 'nbf') ?? 0) > now + 60) return undefined;
    const meant: readonly unknown[] = Array.isArray(claims['aud']) ? claims['aud'] : [];
    return meant.some((one) => typeof one === 'string' && audiences.includes(one)) ? this.#callerFrom(part(claims, 'kubernetes.io')) : undefined;
  }

  #callerFrom(bound: JsonObject): Caller | undefined {
    const namespace = textAt(bound, 'namespace');
    const account = part(bound, 'serviceaccount');
    const found = this.#store.get({ resource: resourceNamed('serviceaccounts'), namespace, name: textAt(account, 'name') });
    if (found === undefined || found.metadata.uid !== account['uid']) return undefined;
    const pod = part(bound, 'pod');
    if (pod['name'] !== undefined) {
      const alive = this.#store.get({ resource: resourceNamed('pods'), namespace, name: textAt(pod, 'name') });
      if (alive === undefined || alive.metadata.uid !== pod['uid']) return undefined;
    }
    return {
      name: `system:serviceaccount:${namespace}:${found.metadata.name}`, uid: found.metadata.uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    };
  }

  #signature(body: string): Buffer {
    return createHmac('sha256', this.#key).update(body).digest();
  }
}

function claimsIn(payload: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
