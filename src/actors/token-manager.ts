// Tokens of service accounts, asked of the cloud and kept in memory only. It answers who asks with what is there, renews a token when
// it is asked for after four fifths of its life, and says when asking again is worth it. It writes no volume and decides no pod's life.
import type { ApiOutcome, ApiWrite, IssuedToken } from '../bus/api-write.ts';
import type { BusPort, Listening } from '../bus/bus.ts';
import { renewalInMs, tokenKey, tokenRequest } from '../machines/decide/service-tokens.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import { podName, type PodUid } from '../ports/pod-types.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';
import type { SecretText } from '../ports/secret-text.ts';
import type { FindToken, TokenAnswer, TokenNeed } from '../ports/service-token.ts';

/** Tokens kept; beyond, new ones are refused. A few for each of a node's pods. */
export const tokensMax = 1_000;
/** How long who can do without a token waits for it: a broker that is away must not keep pods from starting. */
export const tokenPatienceMs = 15_000;
/** Between requests that fail; doubled from the first to the last. */
const retryMsFirst = 10_000;
const retryMsMax = 300_000;
/** Longest single wait: clocks count 31 bits of milliseconds. */
const waitMsMax = 24 * 3_600_000;

export interface TokenManagerDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
}

export interface TokenManager extends Stoppable {
  readonly find: FindToken;
}

/** Times by the clock that never goes back: a device's wall clock may be wrong, and then right. */
interface Entry {
  readonly need: TokenNeed;
  /** Of the write under way. */
  requestId: string | undefined;
  readonly neededSinceMs: number;
  token: SecretText | undefined;
  expiresAtMs: number;
  /** When it is asked again. */
  nextAtMs: number;
  failures: number;
  /** How the last request went wrong. */
  fault: TokenAnswer | undefined;
  timer: unknown;
}

class Tokens implements TokenManager {
  readonly #deps: TokenManagerDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #byPod = new Map<PodUid, Set<string>>();
  readonly #listenings: Listening[];
  /** Pods that were told that there are no tokens. */
  readonly #told = new Set<PodUid>();

  constructor(deps: TokenManagerDeps) {
    this.#deps = deps;
    const { bus } = deps;
    this.#listenings = [
      bus.on('api.settled', ({ payload }) => this.#settled(payload.write, payload.outcome), 'token-manager'),
      bus.on('pod.forgotten', ({ payload }) => this.#forget(payload.pod.uid)),
    ];
  }

  readonly find: FindToken = (need) => {
    const key = tokenKey(need);
    const entry = this.#entries.get(key) ?? this.#add(key, need);
    if (entry === undefined) return { kind: 'failed', message: `failed to fetch token: the node keeps ${tokensMax} tokens already` };
    const nowMs = this.#deps.clock.monotonicMs();
    if (entry.requestId === undefined && nowMs >= entry.nextAtMs) this.#ask(key, entry);
    if (entry.token !== undefined && nowMs < entry.expiresAtMs) return { kind: 'issued', token: entry.token };
    if (entry.requestId === undefined && entry.fault !== undefined) return entry.fault;
    const late = nowMs - entry.neededSinceMs >= tokenPatienceMs;
    return { kind: 'awaited', late, message: `failed to fetch token: waiting for the cloud to answer for service account ${need.pod.namespace}/${need.account}` };
  };

  async stop(): Promise<void> {
    for (const listening of this.#listenings) listening.off();
    for (const { timer } of this.#entries.values()) this.#deps.clock.clearTimeout(timer);
    this.#entries.clear();
  }

  #add(key: string, need: TokenNeed): Entry | undefined {
    if (this.#entries.size >= tokensMax) return undefined;
    const nowMs = this.#deps.clock.monotonicMs();
    const entry: Entry = { need, requestId: undefined, neededSinceMs: nowMs, token: undefined, expiresAtMs: 0, nextAtMs: nowMs, failures: 0, fault: undefined, timer: undefined };
    this.#entries.set(key, entry);
    const keys = this.#byPod.get(need.pod.uid) ?? new Set();
    this.#byPod.set(need.pod.uid, keys.add(key));
    return entry;
  }

  #ask(key: string, entry: Entry): void {
    const { bus, random } = this.#deps;
    const { pod, account } = entry.need;
    const id = random.uuid();
    entry.requestId = id;
    this.#wakeIn(entry, tokenPatienceMs);
    bus.publish('api.write', {
      id, writer: 'token-manager', lane: `token/${key}`, verb: 'create', kind: 'TokenRequest', namespace: pod.namespace, name: account, object: tokenRequest(entry.need),
    });
  }

  #settled(write: ApiWrite, outcome: ApiOutcome): void {
    const entry = this.#entries.get(write.lane.slice('token/'.length)); // We named the lane after it.
    if (entry === undefined || entry.requestId !== write.id) return;
    entry.requestId = undefined;
    // The answer to a request for a token is one.
    if (outcome.kind === 'accepted' && outcome.object !== undefined) this.#issued(entry, outcome.object as IssuedToken);
    else this.#failed(entry, outcome);
    this.#tell(entry);
  }

  #issued(entry: Entry, { spec, status }: IssuedToken): void {
    const { clock, random } = this.#deps;
    const nowMs = clock.monotonicMs();
    const lifeMs = 1_000 * (spec?.expirationSeconds ?? entry.need.expirationSeconds);
    const renewInMs = renewalInMs({ lifeMs, fraction: random.fraction() });
    entry.token = status.token;
    entry.expiresAtMs = nowMs + lifeMs;
    entry.nextAtMs = nowMs + renewInMs;
    entry.failures = 0;
    entry.fault = undefined;
    this.#wakeIn(entry, renewInMs);
  }

  #failed(entry: Entry, outcome: ApiOutcome): void {
    const { clock, log } = this.#deps;
    const cause = outcome.kind === 'refused' ? (outcome.status.message ?? outcome.status.reason ?? 'refused') : outcome.kind === 'unanswered' ? outcome.message : 'no answer';
    // A cloud that has no such thing is not asked for every pod anew.
    const unavailable = outcome.kind === 'refused' && outcome.status.reason === 'NotImplemented';
    const retryMs = unavailable ? retryMsMax : Math.min(retryMsMax, retryMsFirst * 2 ** Math.min(10, entry.failures));
    entry.failures += 1;
    const message = `failed to fetch token: ${cause}`;
    entry.fault = outcome.kind !== 'refused' ? { kind: 'awaited', late: true, message } : { kind: unavailable ? 'unavailable' : 'failed', message };
    entry.nextAtMs = clock.monotonicMs() + retryMs;
    this.#wakeIn(entry, retryMs);
    log.warn('token.not-issued', { pod: podName(entry.need.pod), podUid: entry.need.pod.uid, account: entry.need.account, fault: cause, retryMs });
    if (unavailable) this.#tellOnce(entry);
  }

  #tellOnce({ need: { pod } }: Entry): void {
    if (this.#told.has(pod.uid)) return;
    this.#told.add(pod.uid);
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Pod', pod }, type: 'Warning', ...noTokens('the cloud issues none') });
  }

  /** One timer an entry: the next time at which asking it again may give another answer. */
  #wakeIn(entry: Entry, delayMs: number): void {
    const { clock } = this.#deps;
    clock.clearTimeout(entry.timer);
    entry.timer = clock.setTimeout(() => this.#tell(entry), Math.min(waitMsMax, delayMs));
  }

  #tell({ need: { pod } }: Entry): void {
    this.#deps.bus.publish('token.changed', { pod }, { key: pod.uid });
  }

  #forget(uid: PodUid): void {
    this.#told.delete(uid);
    for (const key of this.#byPod.get(uid) ?? []) {
      this.#deps.clock.clearTimeout(this.#entries.get(key)?.timer);
      this.#entries.delete(key);
    }
    this.#byPod.delete(uid);
  }
}

/** The event of a pod that runs without the token volume which the API server has given it. */
export function noTokens(why: string): { readonly reason: string; readonly message: string } {
  return { reason: 'ServiceAccountTokenUnavailable', message: `the token of its service account is left out: ${why}` };
}

/** Listens to `api.settled` and `pod.forgotten`; publishes `api.write` and `token.changed`. */
export function startTokenManager(deps: TokenManagerDeps): TokenManager {
  return new Tokens(deps);
}
