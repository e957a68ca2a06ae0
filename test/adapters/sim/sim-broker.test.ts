// The simulated broker: the contract of every MqttPort, and the faults that only it can make.
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { noBrokerFaults, SimBroker } from '../../../src/adapters/sim/sim-broker.ts';
import { topicMatches } from '../../../src/adapters/sim/topic-filter.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { mqttContract } from '../../ports/mqtt-contract.ts';

async function during<T>(clock: VirtualClock, call: Promise<T>): Promise<T> {
  let done = false;
  const watched = call.finally(() => {
    done = true;
  });
  await clock.runUntil(() => done, { limitMs: 60_000 });
  return watched;
}

for (const protocol of ['MQTT 5', 'MQTT 3.1.1'] as const) {
  mqttContract(`the simulated broker over ${protocol}`, protocol, () => {
    const clock = new VirtualClock();
    const broker = new SimBroker({ clock, random: new SeededRandom(1) });
    return Promise.resolve({
      port: (options) => broker.port({ ...options, protocols: [protocol] }),
      cut: (clientId) => {
        broker.cut(clientId);
        return Promise.resolve();
      },
      silence: (clientId) => broker.silence(clientId),
      until: (condition) => clock.runUntil(condition, { limitMs: 60_000 }),
      run: (call) => during(clock, call),
      rest: (restMs = 1_000) => clock.advance(restMs),
      stop: () => Promise.resolve(),
    });
  });
}

describe('the simulated broker with faults', () => {
  const start = async (faults: Partial<SimBroker['faults']>) => {
    const clock = new VirtualClock();
    const broker = new SimBroker({ clock, random: new SeededRandom('faults') });
    const heard: string[] = [];
    const closed: string[] = [];
    const port = broker.port({ clientId: 'a' });
    await during(clock, port.connect({ message: (packet) => heard.push(new TextDecoder().decode(packet.payload)), closed: (fault) => closed.push(fault.kind) }));
    await during(clock, port.subscribe('t', 1));
    broker.faults = { ...noBrokerFaults, ...faults };
    const publish = (text: string) => during(clock, port.publish({ topic: 't', payload: new TextEncoder().encode(text), qos: 1, retain: false }));
    return { clock, broker, port, heard, closed, publish };
  };

  it('given packets are lost upwards, when one is published, then it times out and never arrives', async () => {
    const { publish, heard } = await start({ loseUp: 1 });
    expect(await publish('x')).toMatchObject({ ok: false, fault: { kind: 'timeout' } });
    expect(heard).toEqual([]);
  });

  it('given answers are lost, when one is published, then it times out although it arrived', async () => {
    const { publish, heard } = await start({ loseAnswer: 1 });
    expect(await publish('x')).toMatchObject({ ok: false, fault: { kind: 'timeout' } });
    expect(heard).toEqual(['x']);
  });

  it('given duplicates, when one is published, then it arrives twice', async () => {
    const { publish, heard, clock } = await start({ duplicate: 1 });
    expect((await publish('x')).ok).toBe(true);
    await clock.advance(10);
    expect(heard).toEqual(['x', 'x']);
  });

  it('given reordering and wide latencies, when many are published at once, then some overtake', async () => {
    const { port, heard, clock } = await start({ reorder: true, latencyMs: [1, 500] });
    const payloads = Array.from({ length: 20 }, (_each, index) => String(index));
    await during(clock, Promise.all(payloads.map((text) => port.publish({ topic: 't', payload: new TextEncoder().encode(text), qos: 1, retain: false }))));
    await clock.advance(1_000);
    expect([...heard].sort()).toEqual([...payloads].sort());
    expect(heard).not.toEqual(payloads);
  });

  it('given a broker that is down, when one connects, then it is unreachable until it comes up', async () => {
    const { port, broker, closed, clock } = await start({});
    broker.goDown();
    expect(closed).toEqual(['unreachable']);
    const handlers = { message: () => undefined, closed: () => undefined };
    expect(await during(clock, port.connect(handlers))).toMatchObject({ ok: false, fault: { kind: 'unreachable' } });
    broker.comeUp();
    expect((await during(clock, port.connect(handlers))).ok).toBe(true);
  });

  it('given a refused filter, when it is subscribed to, then the fault carries the reason code', async () => {
    const { port, broker, clock } = await start({});
    broker.refusedFilters.add('secret/#');
    expect(await during(clock, port.subscribe('secret/#', 1))).toMatchObject({ ok: false, fault: { kind: 'refused', reasonCode: 0x87 } });
  });

  it.each([
    ['a/b', 'a/b', true], ['a/+', 'a/b', true], ['a/+', 'a/b/c', false], ['a/#', 'a/b/c', true], ['a/#', 'a', true], ['#', 'a/b', true],
    ['#', '$SYS/x', false], ['+/b', '/b', true], ['a', 'A', false], ['a/b/c', 'a/b', false],
  ])('given the filter %s, when %s comes, then the match is %s', (filter, topic, matches) => {
    expect(topicMatches(filter, topic)).toBe(matches);
  });
});
