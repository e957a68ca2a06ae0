// The link actor over the simulated broker: it gets up, tells what it is, comes back, and never gives up.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { noBrokerFaults, SimBroker } from '../../src/adapters/sim/sim-broker.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { type MqttLink, startLinkActor } from '../../src/actors/link-actor.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { Messages } from '../../src/bus/messages.ts';
import { silentLog } from '../support/silent-log.ts';

describe('the link actor', () => {
  let clock: VirtualClock;
  let broker: SimBroker;
  let bus: Bus;
  let link: MqttLink | undefined;
  let states: Messages['mqtt.link'][];
  let refusals: Messages['mqtt.refused'][];
  let received: string[];

  const start = (): MqttLink => {
    link = startLinkActor({ bus: bus.as('link'), clock, random: new SeededRandom('link'), log: silentLog, mqtt: broker.port({ clientId: 'a' }), subscriptions: ['t/+', 'u'] });
    return link;
  };
  const names = () => states.map(({ state }) => state);

  beforeEach(() => {
    clock = new VirtualClock();
    broker = new SimBroker({ clock, random: new SeededRandom('broker') });
    bus = new Bus(clock);
    states = [];
    refusals = [];
    received = [];
    const test = bus.as('test');
    test.on('mqtt.link', ({ payload }) => void states.push(payload));
    test.on('mqtt.refused', ({ payload }) => void refusals.push(payload));
    test.on('mqtt.received', ({ payload }) => void received.push(`${payload.topic} ${new TextDecoder().decode(payload.payload)}`));
  });
  afterEach(async () => {
    await link?.stop();
    expect(clock.pendingTimers().filter(({ inMs }) => inMs > 1_000)).toEqual([]);
  });

  it('given a broker, when the link starts, then it is up after its subscriptions, and packets come through both ways', async () => {
    const { publish } = start();
    expect(names()).toEqual(['connecting']);
    await clock.advance(100);
    expect(names()).toEqual(['connecting', 'up']);
    const sent = publish({ topic: 't/1', payload: new TextEncoder().encode('x'), qos: 1, retain: false });
    await clock.advance(100);
    expect(await sent).toEqual({ ok: true, value: undefined });
    expect(received).toEqual(['t/1 x']);
  });

  it('given a link that is up, when it is cut, then it says why, waits, and subscribes anew', async () => {
    start();
    await clock.advance(60_000);
    broker.cut('a');
    expect(states.at(-1)).toMatchObject({ state: 'backingOff', reason: 'the broker closed the connection' });
    expect((states.at(-1)?.nextAttemptAtMs ?? 0) - clock.nowMs()).toBeLessThanOrEqual(1_000);
    await clock.advance(2_000);
    expect(names().slice(-2)).toEqual(['connecting', 'up']);
    void link?.publish({ topic: 'u', payload: new Uint8Array(0), qos: 0, retain: false });
    await clock.advance(10);
    expect(received).toHaveLength(1);
  });

  it('given a broker that is away for a day, when it comes back, then the link is up within a minute', async () => {
    broker.goDown();
    start();
    await clock.advance(86_400_000);
    const attempts = names().filter((state) => state === 'connecting').length;
    expect(attempts).toBeGreaterThan(1_400);
    expect(attempts).toBeLessThan(3_000);
    broker.comeUp();
    await clock.advance(61_000);
    expect(names().at(-1)).toBe('up');
    // Unreachable is no refusal.
    expect(refusals).toEqual([]);
  });

  it('given a subscription that is refused, when the link starts, then it is told once, tried again, and up once it is granted', async () => {
    broker.refusedFilters.add('u');
    start();
    await clock.advance(600_000);
    expect(names()).not.toContain('up');
    expect(broker.connected('a')).toBe(false);
    expect(refusals).toMatchObject([{ what: 'subscribe u', fault: { kind: 'refused', reasonCode: 0x87 } }]);
    broker.refusedFilters.clear();
    await clock.advance(61_000);
    expect(names().at(-1)).toBe('up');
  });

  it('given a broker that refuses CONNECT, when it stops refusing, then the link comes up', async () => {
    broker.faults = { ...noBrokerFaults, refuseConnect: 1 };
    start();
    await clock.advance(300_000);
    expect(refusals).toHaveLength(1);
    broker.faults = noBrokerFaults;
    await clock.advance(61_000);
    expect(names().at(-1)).toBe('up');
  });

  it('given another client of its id, when it is thrown out, then it says so and comes back', async () => {
    start();
    await clock.advance(100);
    await Promise.all([broker.port({ clientId: 'a' }).connect({ message: () => undefined, closed: () => undefined }), clock.advance(100)]);
    expect(refusals).toMatchObject([{ what: 'connection', fault: { reasonCode: 0x8e } }]);
    await clock.advance(61_000);
    expect(names().at(-1)).toBe('up');
  });

  it.each([['connecting', 0], ['up', 1_000]])('given the link is %s, when it is stopped, then nothing is left and nothing comes any more', async (_state, afterMs) => {
    const started = start();
    await clock.advance(afterMs);
    await started.stop();
    await clock.advance(120_000);
    expect(broker.connected('a')).toBe(false);
    expect(names().at(-1)).toBe('down');
    expect(clock.pendingTimers()).toEqual([]);
  });
});
