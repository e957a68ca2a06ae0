// Tokens of service accounts on virtual time: when they are asked for, what is answered meanwhile, and that they show nowhere.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTokenManager, type TokenManager, tokenPatienceMs } from '../../src/actors/token-manager.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import type { ApiOutcome, ApiWrite } from '../../src/bus/api-write.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import { SecretText } from '../../src/ports/secret-text.ts';
import type { TokenNeed } from '../../src/ports/service-token.ts';
import { uid } from '../support/pods.ts';
import { silentLog } from '../support/silent-log.ts';

const need: TokenNeed = { pod: { uid, namespace: 'shop', name: 'web' }, account: 'teller', audience: 'vault', expirationSeconds: 3_600 };
const hour = 3_600_000;

describe('the token manager', () => {
  let clock: VirtualClock;
  let bus: Bus;
  let tokens: TokenManager;
  let seen: AnyEnvelope[];
  beforeEach(() => {
    clock = new VirtualClock();
    bus = new Bus(clock);
    seen = [];
    bus.tap((envelope) => void seen.push(envelope));
    tokens = startTokenManager({ bus: bus.as('token-manager'), clock, random: new SeededRandom(1), log: silentLog });
  });
  afterEach(async () => {
    await tokens.stop();
    expect(clock.pendingTimers()).toEqual([]);
  });

  const writes = () => seen.flatMap((each) => (each.topic === 'api.write' ? [each.payload] : []));
  const changes = () => seen.filter(({ topic }) => topic === 'token.changed').length;
  const settle = (outcome: ApiOutcome, write: ApiWrite | undefined = writes().at(-1)) => {
    if (write !== undefined) bus.as('test').publish('api.settled', { write, outcome }, { key: 'token-manager' });
  };
  const issue = (token: string, expirationSeconds?: number) => settle({
    kind: 'accepted', object: { ...(expirationSeconds === undefined ? {} : { spec: { expirationSeconds } }), status: { token: new SecretText(token), expirationTimestamp: '2026-01-01T01:00:00Z' } },
  });
  const answer = (of = need) => {
    const found = tokens.find(of);
    return found.kind === 'issued' ? found.token.reveal() : found.kind === 'awaited' ? `awaited${found.late ? ' late' : ''}` : `${found.kind}: ${found.message}`;
  };

  it('given a need, when it is asked twice, then one request goes out, with what kubelet asks', () => {
    expect([answer(), answer()]).toEqual(['awaited', 'awaited']);
    expect(writes()).toMatchObject([{
      writer: 'token-manager', verb: 'create', kind: 'TokenRequest', namespace: 'shop', name: 'teller',
      object: { spec: { audiences: ['vault'], expirationSeconds: 3_600, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web', uid } } },
    }]);
    issue('planted');
    expect([changes(), answer(), writes().length]).toEqual([1, 'planted', 1]);
    expect(JSON.stringify(seen)).not.toContain('planted');
  });

  it('given other audiences and lives, when asked, then each is a token of its own', () => {
    answer();
    answer({ ...need, audience: '' });
    answer({ ...need, expirationSeconds: 600 });
    expect(writes().map(({ lane }) => lane)).toHaveLength(3);
    expect(new Set(writes().map(({ lane }) => lane)).size).toBe(3);
    expect(writes()[1]).toMatchObject({ object: { spec: { audiences: [] } } });
  });

  it('given a token, when four fifths of its life are over, then it is asked anew and the old one serves meanwhile', async () => {
    answer();
    issue('one');
    await clock.advance(0.8 * hour - 11_000);
    expect([answer(), writes().length, changes()]).toEqual(['one', 1, 1]);
    await clock.advance(11_000);
    expect(changes()).toBe(2);
    expect([answer(), writes().length]).toEqual(['one', 2]);
    issue('two');
    expect(answer()).toBe('two');
  });

  it('given a token granted for days, when a day is over, then it is asked anew', async () => {
    answer();
    issue('one', 7 * 24 * 3_600);
    await clock.advance(24 * hour - 11_000);
    expect([answer(), writes().length]).toEqual(['one', 1]);
    await clock.advance(11_000);
    expect([answer(), writes().length]).toEqual(['one', 2]);
  });

  it('given a renewal that fails, when the token ends, then that is said, and it is tried again and again', async () => {
    answer();
    issue('one');
    await clock.advance(0.8 * hour);
    answer();
    settle({ kind: 'refused', status: { reason: 'Forbidden', message: 'no' } });
    expect(answer()).toBe('one');
    await clock.advance(0.2 * hour);
    expect(answer()).toBe('awaited late');
    settle({ kind: 'refused', status: { reason: 'Forbidden', message: 'no' } });
    expect(answer()).toBe('failed: failed to fetch token: no');
    const asked = writes().length;
    await clock.advance(19_000);
    expect([answer(), writes().length]).toEqual(['failed: failed to fetch token: no', asked]);
    await clock.advance(1_000);
    answer();
    expect(writes().length).toBe(asked + 1);
  });

  it('given no answer, when patience ends, then it is late and somebody is told to look', async () => {
    answer();
    await clock.advance(tokenPatienceMs - 1);
    expect([answer(), changes()]).toEqual(['awaited', 0]);
    await clock.advance(1);
    expect([answer(), changes()]).toEqual(['awaited late', 1]);
    settle({ kind: 'unanswered', message: 'no answer in 10 s' });
    expect(answer()).toBe('awaited late');
  });

  it('given a cloud without tokens, when it says so, then the pod is told once and the cloud left alone for a while', async () => {
    answer();
    settle({ kind: 'refused', status: { reason: 'NotImplemented', message: 'no tokens here' } });
    answer({ ...need, audience: '' });
    settle({ kind: 'refused', status: { reason: 'NotImplemented', message: 'no tokens here' } });
    expect(answer()).toBe('unavailable: failed to fetch token: no tokens here');
    expect(seen.filter(({ topic }) => topic === 'event.noted').map(({ payload }) => payload)).toMatchObject([{ type: 'Warning', reason: 'ServiceAccountTokenUnavailable' }]);
    await clock.advance(299_000);
    answer();
    expect(writes()).toHaveLength(2);
  });

  it('given a pod is forgotten, when its answer comes, then nothing is kept', () => {
    answer();
    bus.as('test').publish('pod.forgotten', { pod: need.pod }, { key: uid });
    expect(clock.pendingTimers()).toEqual([]);
    issue('late');
    expect(answer()).toBe('awaited');
    expect(writes()).toHaveLength(2);
  });
});
