// When a node asks for its next certificate, how often it tries, and what it tells.
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { startIdentityRenewer } from '../../src/actors/identity-renewer.ts';
import { Bus } from '../../src/bus/bus.ts';
import { renewalTimeMs } from '../../src/machines/decide/renewal-time.ts';
import type { CredentialsPort } from '../../src/ports/credentials-port.ts';
import { fail, ok } from '../../src/ports/result.ts';
import { silentLog } from '../support/silent-log.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

function world() {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const told: string[] = [];
  bus.as('test').on('event.noted', ({ payload }) => void told.push(`${payload.type} ${payload.reason}: ${payload.message}`));
  const certificate = { subject: 'CN=edge-07', notBeforeMs: clock.nowMs(), notAfterMs: clock.nowMs() + 100 * dayMs };
  let current = certificate;
  const asked: number[] = [];
  let answer: 'good' | string = 'good';
  const credentials: CredentialsPort = { reload: () => Promise.resolve(ok({ version: '1', certificate: current })), inUse: () => undefined, watch: () => ({ stop: () => Promise.resolve() }) };
  const identity = {
    spread: 0.5,
    renew: () => {
      asked.push(Math.round((clock.nowMs() - certificate.notBeforeMs) / hourMs));
      if (answer !== 'good') return Promise.resolve(fail({ message: answer }));
      current = { ...current, notBeforeMs: clock.nowMs(), notAfterMs: clock.nowMs() + 100 * dayMs };
      return Promise.resolve(ok({ notAfterMs: current.notAfterMs }));
    },
  };
  const renewer = startIdentityRenewer({ bus: bus.as('identity'), clock, log: silentLog, credentials, identity });
  const link = (state: 'up' | 'down') => {
    const common = { changedAtMs: clock.nowMs(), attempt: 0 };
    // What a link says beside its state is nothing to the renewer.
    bus.as('link').publish('mqtt.link', { state, ...common } as never);
  };
  return { clock, bus, told, asked, renewer, link, answers: (text: string) => { answer = text; } };
}

describe('identity renewer', () => {
  test('given a certificate of a hundred days, when time passes, then it is renewed once in the last two fifths, and again as long after', async () => {
    const { clock, asked, told, link, renewer } = world();
    link('up');
    await clock.advance(67 * dayMs);
    expect(asked).toEqual([]);
    await clock.advance(dayMs);
    expect(asked).toEqual([Math.round(67.5 * 24)]);
    expect(told).toEqual([expect.stringMatching(/^Normal MqttCertificateRenewed: .* is good until 2026-06-/)]);
    await clock.advance(68 * dayMs);
    expect(asked).toHaveLength(2);
    await renewer.stop();
    expect(clock.pendingTimers()).toEqual([]);
  });

  test('given a cloud side that refuses, when it is due, then it is tried within each hour, and told once for each reason', async () => {
    const { clock, asked, told, link, answers, renewer } = world();
    link('up');
    answers('the cloud side refuses (Unavailable)');
    await clock.advance(67.5 * dayMs + 3 * hourMs);
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(told).toEqual([expect.stringMatching(/^Warning MqttCertificateRenewalFailed: .*good until 2026-04-.* cannot be renewed: the cloud side refuses \(Unavailable\); tried again within an hour/)]);
    answers('good');
    await clock.advance(hourMs);
    expect(told.at(-1)).toMatch(/MqttCertificateRenewed/);
    await renewer.stop();
  });

  test('given a link that is down when it is due, when it comes up, then it is renewed at once', async () => {
    const { clock, asked, link, renewer } = world();
    await clock.advance(80 * dayMs);
    expect(asked).toEqual([]);
    link('up');
    await clock.settle();
    expect(asked).toEqual([80 * 24]);
    await renewer.stop();
  });

  test('given chance from none to all of it, when the time is chosen, then it lies between three fifths and three quarters of the life', () => {
    expect([0, 0.5, 1].map((spread) => renewalTimeMs({ subject: '', notBeforeMs: 0, notAfterMs: 1_000 }, spread))).toEqual([600, 675, 750]);
  });
});
