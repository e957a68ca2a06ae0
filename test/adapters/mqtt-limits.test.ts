// How the real MqttPort gets along with brokers that speak less, take less or answer less than MQTT 5 promises.
import { afterEach, describe, expect, it } from 'vitest';
import { mqttClient, type MqttClientOptions } from '../../src/adapters/mqtt-client.ts';
import type { MqttFault } from '../../src/ports/faults.ts';
import type { MqttPacket, MqttPort } from '../../src/ports/mqtt-port.ts';
import { hasMosquitto, startMosquitto, type TestBroker } from '../support/mosquitto.ts';
import { type Answer, connack, type PlayedBroker, startPlayedBroker, wellBehaved } from '../support/played-broker.ts';

const wait = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
const until = async (condition: () => boolean): Promise<void> => {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 500) throw new Error('the condition did not come true within 5 s');
    await wait(10);
  }
};
const packet = (bytes: number, more: Partial<MqttPacket> = {}): MqttPacket => ({ topic: 't', payload: new Uint8Array(bytes), qos: 1, retain: false, ...more });

describe('the MQTT client and what a broker lacks', () => {
  const opened: MqttPort[] = [];
  let broker: PlayedBroker | undefined;
  const faults: MqttFault[] = [];
  const handlers = { message: () => undefined, closed: (fault: MqttFault) => void faults.push(fault) };
  const start = async (answer: Answer, more: Partial<MqttClientOptions> = {}): Promise<{ port: MqttPort; broker: PlayedBroker }> => {
    broker = await startPlayedBroker(answer);
    const port = mqttClient({ host: '127.0.0.1', port: broker.port, clientId: 'a', protocols: ['MQTT 5', 'MQTT 3.1.1'], keepAliveMs: 30_000, connectTimeoutMs: 3_000, answerTimeoutMs: 300, ...more });
    opened.push(port);
    return { port, broker };
  };
  const versions = (): (number | undefined)[] => broker?.received.flatMap((each) => (each.cmd === 'connect' ? [each.protocolVersion] : [])) ?? [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.disconnect()));
    await broker?.stop();
    faults.splice(0);
  });
  /** Speaks MQTT 3.1.1 only; to others it says `no`. */
  const old = (no: ReturnType<Answer>): Answer => (each) => (each.cmd === 'connect' && each.protocolVersion === 5 ? no : wellBehaved(each));

  it.each([
    ['refuses MQTT 5 with 0x84', connack(0x84)],
    ['refuses MQTT 5 with 0x01', connack(0x01)],
    ['ends the connection at MQTT 5', 'end' as const],
  ])('given a broker that %s, when one connects, then 3.1.1 is spoken and remembered', async (_name, no) => {
    const { port } = await start(old(no));
    expect(await port.connect(handlers)).toMatchObject({ ok: true, value: { protocol: 'MQTT 3.1.1' } });
    await port.disconnect();
    expect((await port.connect(handlers)).ok).toBe(true);
    expect(versions()).toEqual([5, 4, 4]);
  });

  it('given a fallback some time ago, when one connects to a newer broker, then MQTT 5 is spoken again', async () => {
    const { port, broker: played } = await start(old(connack(0x84)), { preferAgainAfterMs: 200 });
    await port.connect(handlers);
    await port.disconnect();
    played.play(wellBehaved);
    await wait(250);
    expect(await port.connect(handlers)).toMatchObject({ ok: true, value: { protocol: 'MQTT 5' } });
    expect(versions()).toEqual([5, 4, 5]);
  });

  it('given a broker that refuses the password, when one connects, then no other protocol is tried', async () => {
    const { port } = await start((each) => (each.cmd === 'connect' ? connack(0x86) : undefined));
    expect(await port.connect(handlers)).toMatchObject({ ok: false, fault: { kind: 'refused', reasonCode: 0x86 } });
    expect(versions()).toEqual([5]);
  });

  it('given a broker that ends every connection, when one connects, then the first fault is told and MQTT 5 is still preferred', async () => {
    const { port } = await start(() => 'end');
    expect(await port.connect(handlers)).toMatchObject({ ok: false, fault: { kind: 'unreachable' } });
    expect(await port.connect(handlers)).toMatchObject({ ok: false });
    expect(versions()).toEqual([5, 4, 5, 4]);
  });

  it('given a broker without retained packets, when a retained will is wanted, then the will is given without retain', async () => {
    const { port, broker: played } = await start((each) => {
      if (each.cmd !== 'connect') return wellBehaved(each);
      return each.will?.retain === true ? connack(0x9a) : connack(0, { retainAvailable: false });
    });
    expect((await port.connect(handlers, { will: packet(3, { retain: true }) })).ok).toBe(true);
    expect(await port.publish(packet(3, { retain: true }))).toMatchObject({ ok: false, fault: { kind: 'refused', reasonCode: 0x9a } });
    expect((await port.publish(packet(3))).ok).toBe(true);
    expect(played.received.filter(({ cmd }) => cmd === 'publish')).toHaveLength(1);
  });

  it('given a broker of QoS 0 only, when QoS 1 is published, then it is refused and the connection stays', async () => {
    const { port } = await start((each) => (each.cmd === 'connect' ? connack(0, { maximumQoS: 0 }) : wellBehaved(each)));
    await port.connect(handlers);
    expect(await port.publish(packet(3))).toMatchObject({ ok: false, fault: { kind: 'refused', reasonCode: 0x9b } });
    expect((await port.publish(packet(3, { qos: 0 }))).ok).toBe(true);
    expect(faults).toEqual([]);
  });

  it.each(['MQTT 5', 'MQTT 3.1.1'] as const)('given a broker over %s that acknowledges nothing, when its window is full, then the connection is given up and no call hangs', async (protocol) => {
    const { port, broker: played } = await start((each) => {
      if (each.cmd === 'connect') return connack(0, protocol === 'MQTT 5' ? { receiveMaximum: 5 } : {});
      return each.cmd === 'publish' ? undefined : wellBehaved(each);
    }, { protocols: [protocol] });
    await port.connect(handlers);
    const results = await Promise.all(Array.from({ length: 100 }, () => port.publish(packet(3))));
    expect(results.filter(({ ok }) => ok)).toEqual([]);
    // Never more at once than the broker allows.
    expect(played.received.filter(({ cmd }) => cmd === 'publish')).toHaveLength(protocol === 'MQTT 5' ? 5 : 64);
    await until(() => faults.length > 0);
    expect(faults).toMatchObject([{ kind: 'timeout' }]);
    played.play(wellBehaved);
    expect((await port.connect(handlers)).ok).toBe(true);
    expect((await port.publish(packet(3))).ok).toBe(true);
  });

  it('given a publish with a negative reason code, when it is awaited, then it is a refusal and not success', async () => {
    const { port } = await start((each) => (each.cmd === 'publish' ? { cmd: 'puback', messageId: each.messageId ?? 0, reasonCode: 0x97 } : wellBehaved(each)));
    await port.connect(handlers);
    expect(await port.publish(packet(3))).toMatchObject({ ok: false, fault: { kind: 'refused', reasonCode: 0x97 } });
  });

  it('given the broker goes away, when packets are published meanwhile, then each has its fault at once and nothing waits for ever', async () => {
    const { port, broker: played } = await start(wellBehaved);
    await port.connect(handlers);
    await played.stop();
    await until(() => faults.length > 0);
    const results = await Promise.all(Array.from({ length: 50 }, () => port.publish(packet(3))));
    expect(new Set(results.map((result) => (result.ok ? 'ok' : result.fault.kind)))).toEqual(new Set(['not-connected']));
  });

  it.each([
    ['refuses it', 'MQTT 5', 0x87],
    ['refuses it', 'MQTT 3.1.1', 0x80],
    ['grants QoS 0', 'MQTT 5', 0],
    ['grants QoS 0', 'MQTT 3.1.1', 0],
  ] as const)('given a subscription with QoS 1, when the broker %s over %s, then it is a refusal and not success', async (_name, protocol, code) => {
    const { port } = await start((each) => (each.cmd === 'subscribe' ? { cmd: 'suback', messageId: each.messageId ?? 0, granted: [code] } : wellBehaved(each)), { protocols: [protocol] });
    await port.connect(handlers);
    expect(await port.subscribe('fleet/ctl/a', 1)).toMatchObject({ ok: false, fault: { kind: 'refused' } });
  });
});

describe.skipIf(!hasMosquitto())('the MQTT client and the packet size of a broker that cannot tell it', () => {
  let broker: TestBroker | undefined;
  afterEach(() => broker?.stop());

  it('given MQTT 3.1.1 and a broker that ends the connection at large packets, when they are sent again and again, then the size is refused and the rest passes', async () => {
    broker = await startMosquitto(() => ['allow_anonymous true', 'max_packet_size 50000']);
    const port = mqttClient({ host: '127.0.0.1', port: broker.port, clientId: 'a', protocols: ['MQTT 3.1.1'], keepAliveMs: 30_000 });
    const handlers = { message: () => undefined, closed: () => undefined };
    const kinds: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const session = await port.connect(handlers);
      expect(session).toMatchObject({ ok: true, value: { packetBytesMax: round < 3 ? Infinity : 100_017 - 1 } });
      const result = await port.publish(packet(100_000));
      kinds.push(result.ok ? 'ok' : result.fault.kind);
      if (round < 3) continue;
      expect((await port.publish(packet(30_000))).ok).toBe(true);
    }
    expect(kinds).toEqual(['unreachable', 'unreachable', 'unreachable', 'refused', 'refused']);
    await port.disconnect();
  });
});
