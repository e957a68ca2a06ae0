// The certificate actor and the link on virtual time: how long a certificate is good, and what a renewal does to the connection.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { noBrokerFaults, SimBroker } from '../../src/adapters/sim/sim-broker.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { startCertificateActor } from '../../src/actors/certificate-actor.ts';
import { startLinkActor } from '../../src/actors/link-actor.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { Messages } from '../../src/bus/messages.ts';
import type { CredentialsFault, CredentialsPort, CredentialsState } from '../../src/ports/credentials-port.ts';
import { ok, type Result, type Stoppable } from '../../src/ports/result.ts';
import { silentLog } from '../support/silent-log.ts';

const dayMs = 86_400_000;

/** Files whose content the test sets; a connection takes up what is there. */
class PlayedCredentials implements CredentialsPort {
  now: Result<CredentialsState, CredentialsFault>;
  changed: () => void = () => undefined;
  #inUse: CredentialsState | undefined;

  constructor(first: CredentialsState) {
    this.now = ok(first);
  }

  reload(): Promise<Result<CredentialsState, CredentialsFault>> {
    return Promise.resolve(this.now);
  }

  inUse(): CredentialsState | undefined {
    return this.#inUse;
  }

  watch(changed: () => void): Stoppable {
    this.changed = changed;
    return { stop: () => Promise.resolve() };
  }

  taken(): void {
    if (this.now.ok) this.#inUse = this.now.value;
  }

  put(state: Result<CredentialsState, CredentialsFault>): void {
    this.now = state;
    this.changed();
  }
}

describe('the certificate actor', () => {
  let clock: VirtualClock;
  let broker: SimBroker;
  let bus: Bus;
  let credentials: PlayedCredentials;
  let parts: Stoppable[];
  let told: Messages['mqtt.certificate'][];
  let events: string[];
  let states: string[];
  let wills: number;

  const certificate = (version: string, days: number): CredentialsState => ({
    version, certificate: { subject: `CN=${version}`, notBeforeMs: clock.nowMs() - 1_000, notAfterMs: clock.nowMs() + days * dayMs },
  });

  beforeEach(async () => {
    clock = new VirtualClock();
    broker = new SimBroker({ clock, random: new SeededRandom('broker') });
    bus = new Bus(clock);
    credentials = new PlayedCredentials(certificate('first', 10));
    told = [];
    events = [];
    states = [];
    wills = 0;
    const test = bus.as('test');
    test.on('mqtt.certificate', ({ payload }) => void told.push(payload));
    test.on('event.noted', ({ payload }) => void events.push(`${payload.type} ${payload.reason}`));
    test.on('mqtt.link', ({ payload }) => void states.push(payload.state));
    const watcher = broker.port({ clientId: 'watcher' });
    await clock.advance(1);
    const watching = watcher.connect({ message: () => void (wills += 1), closed: () => undefined }).then(() => watcher.subscribe('wills', 1));
    await clock.advance(100);
    await watching;
    const random = new SeededRandom('certificate');
    const port = broker.port({ clientId: 'a' });
    const link = startLinkActor({
      bus: bus.as('link'), clock, random, log: silentLog, subscriptions: [],
      opening: () => ({ will: { topic: 'wills', payload: new Uint8Array(1), qos: 1, retain: false } }),
      mqtt: {
        connect: (handlers, opening) => {
          credentials.taken();
          return port.connect(handlers, opening);
        },
        subscribe: (filter, qos) => port.subscribe(filter, qos),
        publish: (packet) => port.publish(packet),
        disconnect: () => port.disconnect(),
      },
    });
    parts = [link, startCertificateActor({ bus: bus.as('certificate'), clock, random, log: silentLog, credentials })];
    await clock.advance(5_000);
  });
  afterEach(async () => {
    for (const part of parts) await part.stop();
    await clock.advance(1_000);
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given a certificate, when time passes, then its health is told at the start and when it changes, each time once', async () => {
    expect(told).toMatchObject([{ status: 'False', reason: 'CertificateValid' }]);
    await clock.advance(8 * dayMs);
    expect(told.slice(1)).toMatchObject([{ status: 'True', reason: 'CertificateExpiring' }]);
    await clock.advance(2 * dayMs);
    expect(told.slice(2)).toMatchObject([{ status: 'True', reason: 'CertificateExpired' }]);
    await clock.advance(30 * dayMs);
    expect(told).toHaveLength(3);
    expect(events).toEqual(['Warning MqttCertificateExpiring', 'Warning MqttCertificateExpired']);
    // The broker keeps the connection: nothing of ours ends it.
    expect(states).toEqual(['connecting', 'up']);
  });

  it('given a link that is up, when the files are renewed, then it connects anew with them in order, and no will is published', async () => {
    credentials.put(ok(certificate('second', 100)));
    await clock.advance(10_000);
    expect(states).toEqual(['connecting', 'up', 'connecting', 'up']);
    expect(credentials.inUse()?.version).toBe('second');
    expect(told.at(-1)).toMatchObject({ certificate: { subject: 'CN=second' }, reason: 'CertificateValid' });
    expect(wills).toBe(0);
    await clock.advance(10 * dayMs);
    expect(states).toHaveLength(4);
  });

  it('given an expired certificate, when it is renewed, then the condition is well again and says so', async () => {
    await clock.advance(11 * dayMs);
    credentials.put(ok(certificate('second', 100)));
    await clock.advance(10_000);
    expect(told.at(-1)).toMatchObject({ status: 'False', reason: 'CertificateValid' });
    expect(events.at(-1)).toBe('Normal MqttCertificateValid');
  });

  it('given files that cannot be used, when they appear, then the connection stays, it is told once, and good ones are taken up', async () => {
    const broken = { ok: false, fault: { message: '--mqtt-key-file /k: is not the key of the certificate' } } as const;
    credentials.put(broken);
    await clock.advance(dayMs);
    credentials.put(broken);
    await clock.advance(10_000);
    expect(states).toEqual(['connecting', 'up']);
    expect(events).toEqual(['Warning MqttCredentialsUnusable']);
    credentials.put(ok(certificate('second', 100)));
    await clock.advance(10_000);
    expect(states).toEqual(['connecting', 'up', 'connecting', 'up']);
  });

  it('given a link that waits for its next attempt, when the files are renewed, then it does not wait any longer', async () => {
    broker.faults = { ...noBrokerFaults, refuseConnect: 1 };
    broker.cut('a');
    await clock.advance(600_000);
    broker.faults = noBrokerFaults;
    const before = states.length;
    credentials.put(ok(certificate('second', 100)));
    await clock.advance(7_000);
    expect(states.slice(before)).toContain('up');
  });

  it('given a watch that misses the change, when a quarter of a day is over, then the renewed files are found', async () => {
    credentials.now = ok(certificate('second', 100));
    await clock.advance(7 * 3_600_000);
    expect(credentials.inUse()?.version).toBe('second');
  });

  it('given a clock that is set back before the certificate begins, when it is looked at, then it is not yet valid, and well when the clock is right', async () => {
    clock.jumpWall(-3_650 * dayMs);
    await clock.advance(7 * 3_600_000);
    expect(told.at(-1)).toMatchObject({ status: 'True', reason: 'CertificateNotYetValid' });
    clock.jumpWall(3_650 * dayMs);
    await clock.advance(7 * 3_600_000);
    expect(told.at(-1)).toMatchObject({ status: 'False', reason: 'CertificateValid' });
  });
});
