// What every MqttPort must do, whatever is behind it. Run on the simulated broker and on a real one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MqttFault } from '../../src/ports/faults.ts';
import type { MqttOpening, MqttPacket, MqttPort, MqttProtocol } from '../../src/ports/mqtt-port.ts';

/** A broker with what the suite needs to do to it. */
export interface MqttWorld {
  /** A further client. */
  port(options: { readonly clientId: string; readonly keepAliveMs?: number }): MqttPort;
  /** Breaks the connection of a client from outside, without DISCONNECT. */
  cut(clientId: string): Promise<void>;
  /** The network swallows what this client and the broker send each other, and tells nobody. */
  silence(clientId: string): void;
  /** Lets time pass until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  /** Runs a call while time passes. */
  run<T>(call: Promise<T>): Promise<T>;
  /** So long, or long enough for anything that is still on its way. */
  rest(restMs?: number): Promise<void>;
  stop(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const packet = (topic: string, text: string, more: Partial<MqttPacket> = {}): MqttPacket => ({ topic, payload: bytes(text), qos: 1, retain: false, ...more });

class Ear {
  readonly packets: MqttPacket[] = [];
  readonly faults: MqttFault[] = [];
  readonly handlers = { message: (one: MqttPacket) => void this.packets.push(one), closed: (fault: MqttFault) => void this.faults.push(fault) };
  get texts(): string[] {
    return this.packets.map((one) => `${one.topic} ${new TextDecoder().decode(one.payload)}`);
  }
}

/** A fresh world for each test, and clients in it. */
interface Stage {
  readonly protocol: MqttProtocol;
  readonly world: MqttWorld;
  connected(clientId: string, opening?: MqttOpening, more?: { readonly keepAliveMs: number }): Promise<{ port: MqttPort; ear: Ear }>;
}

export function mqttContract(name: string, protocol: MqttProtocol, startWorld: () => Promise<MqttWorld>): void {
  describe(`an MqttPort: ${name}`, () => {
    let current: MqttWorld | undefined;
    beforeEach(async () => {
      current = await startWorld();
    });
    afterEach(async () => {
      await current?.stop();
    });
    const stage: Stage = {
      protocol,
      get world() {
        if (current === undefined) throw new Error('there is a world only while a test runs');
        return current;
      },
      connected: async (clientId, opening, more) => {
        const port = stage.world.port({ clientId, ...more });
        const ear = new Ear();
        const session = await stage.world.run(port.connect(ear.handlers, opening));
        expect(session).toMatchObject({ ok: true, value: { protocol, sessionPresent: false } });
        return { port, ear };
      },
    };
    describe('calls', () => callTests(stage));
    describe('packets', () => packetTests(stage));
    describe('properties', () => propertyTests(stage));
    describe('the end of a connection', () => endTests(stage));
    describe('wills', () => willTests(stage));
    describe('sessions', () => sessionTests(stage));
  });
}

function callTests(stage: Stage): void {
  it('given no connection, when one publishes or subscribes, then the fault says so', async () => {
    const { world } = stage;
    const port = world.port({ clientId: 'a' });
    expect(await world.run(port.publish(packet('t', 'x')))).toMatchObject({ ok: false, fault: { kind: 'not-connected' } });
    expect(await world.run(port.subscribe('t', 1))).toMatchObject({ ok: false, fault: { kind: 'not-connected' } });
    await world.run(port.disconnect());
  });

  it('given a connection, when connect is called again, then the session is given again', async () => {
    const { world } = stage;
    const { port, ear } = await stage.connected('a');
    const again = await world.run(port.connect(ear.handlers));
    expect(again.ok).toBe(true);
    expect(ear.faults).toEqual([]);
  });

  it('given many publishes at once, when they are awaited, then all are acknowledged and arrive', async () => {
    const { world } = stage;
    const { port: sender } = await stage.connected('a');
    const { port: receiver, ear } = await stage.connected('b');
    await world.run(receiver.subscribe('t', 1));
    const results = await world.run(Promise.all(Array.from({ length: 300 }, (_each, index) => sender.publish(packet('t', String(index))))));
    expect(results.every((result) => result.ok)).toBe(true);
    await world.until(() => ear.packets.length >= 300);
    expect(ear.texts).toEqual(Array.from({ length: 300 }, (_each, index) => `t ${index}`));
  });
}

function packetTests(stage: Stage): void {
  it('given a subscriber, when packets are published, then they arrive in order, byte for byte, once', async () => {
    const { world } = stage;
    const { port: sender } = await stage.connected('a');
    const { port: receiver, ear } = await stage.connected('b');
    expect(await world.run(receiver.subscribe('fleet/+/up', 1))).toEqual({ ok: true, value: undefined });
    for (let index = 0; index < 20; index += 1) {
      expect(await world.run(sender.publish(packet('fleet/n1/up', `m${index}`)))).toEqual({ ok: true, value: undefined });
    }
    await world.run(sender.publish(packet('fleet/n1/down', 'not for b')));
    await world.until(() => ear.packets.length >= 20);
    await world.rest();
    expect(ear.texts).toEqual(Array.from({ length: 20 }, (_each, index) => `fleet/n1/up m${index}`));
    expect(ear.packets[0]).toMatchObject({ qos: 1, retain: false });
  });

  it('given QoS 0, when a packet is published, then it arrives with QoS 0', async () => {
    const { world } = stage;
    const { port: sender } = await stage.connected('a');
    const { port: receiver, ear } = await stage.connected('b');
    await world.run(receiver.subscribe('t', 1));
    expect((await world.run(sender.publish(packet('t', 'x', { qos: 0 })))).ok).toBe(true);
    await world.until(() => ear.packets.length > 0);
    expect(ear.packets[0]?.qos).toBe(0);
  });

  it('given bytes that are no text, when they travel, then they are unchanged', async () => {
    const { world } = stage;
    const { port: sender } = await stage.connected('a');
    const { port: receiver, ear } = await stage.connected('b');
    await world.run(receiver.subscribe('t', 1));
    const payload = Uint8Array.from({ length: 256 }, (_each, index) => index);
    await world.run(sender.publish({ topic: 't', payload: payload.subarray(1), qos: 1, retain: false }));
    await world.until(() => ear.packets.length > 0);
    expect([...(ear.packets[0]?.payload ?? [])]).toEqual([...payload.subarray(1)]);
  });

  it('given a retained packet, when someone subscribes later, then it comes marked as retained', async () => {
    const { world } = stage;
    const { port: sender } = await stage.connected('a');
    await world.run(sender.publish(packet('kept', 'old', { retain: true })));
    const { port: receiver, ear } = await stage.connected('b');
    await world.run(receiver.subscribe('kept', 1));
    await world.until(() => ear.packets.length > 0);
    expect(ear.packets[0]).toMatchObject({ retain: true, topic: 'kept' });
    await world.run(sender.publish(packet('kept', '', { retain: true })));
  });
}

function endTests(stage: Stage): void {
  it('given a connection, when it is cut, then closed is called once, calls fail and connecting again works', async () => {
    const { world } = stage;
    const { port, ear } = await stage.connected('a');
    await world.run(port.subscribe('t', 1));
    await world.cut('a');
    await world.until(() => ear.faults.length > 0);
    expect(await world.run(port.publish(packet('t', 'x')))).toMatchObject({ ok: false, fault: { kind: 'not-connected' } });
    expect((await world.run(port.connect(ear.handlers))).ok).toBe(true);
    await world.run(port.subscribe('t', 1));
    await world.run(port.publish(packet('t', 'y')));
    await world.until(() => ear.packets.length > 0);
    await world.rest();
    expect(ear.texts).toEqual(['t y']);
    expect(ear.faults).toHaveLength(1);
  });

  it('given a publish under way, when the connection is cut, then the publish fails and does not hang', async () => {
    const { world } = stage;
    const { port } = await stage.connected('a');
    const results = Promise.all(Array.from({ length: 200 }, () => port.publish(packet('t', 'x'.repeat(1000)))));
    const [done] = await world.run(Promise.all([results, world.cut('a')]));
    expect(done).toHaveLength(200);
    for (const result of done) if (!result.ok) expect(['unreachable', 'not-connected']).toContain(result.fault.kind);
  });

  it('given a connection, when it disconnects, then closed is not called, no will is sent, and a second disconnect is harmless', async () => {
    const { world } = stage;
    const { port: watcher, ear: watching } = await stage.connected('w');
    await world.run(watcher.subscribe('wills', 1));
    const { port, ear } = await stage.connected('a', { will: packet('wills', 'a is gone') });
    await world.run(port.disconnect());
    await world.run(port.disconnect());
    await world.rest();
    expect(ear.faults).toEqual([]);
    expect(watching.packets).toEqual([]);
    expect((await world.run(port.connect(ear.handlers))).ok).toBe(true);
  });

  it('given a second client of the same id, when it connects, then the first one is closed', async () => {
    const { world } = stage;
    const { ear } = await stage.connected('a');
    await stage.connected('a');
    await world.until(() => ear.faults.length > 0);
    expect(ear.faults).toHaveLength(1);
  });
}

function propertyTests(stage: Stage): void {
  const properties = {
    responseTopic: 'answers/a', correlationData: Uint8Array.from([0, 255, 7]), messageExpirySeconds: 60, contentType: 'application/x-test',
    userProperties: [['k', 'v1'], ['k', 'v2'], ['__proto__', 'x']],
  } as const;

  it('given a packet with properties, when it travels, then MQTT 5 brings them along and MQTT 3.1.1 the packet alone', async () => {
    const { world, protocol } = stage;
    const { port: sender } = await stage.connected('a');
    const { port: receiver, ear } = await stage.connected('b');
    await world.run(receiver.subscribe('t', 1));
    expect((await world.run(sender.publish(packet('t', 'x', { properties })))).ok).toBe(true);
    expect((await world.run(sender.publish(packet('t', 'y')))).ok).toBe(true);
    await world.until(() => ear.packets.length > 1);
    const [first, second] = ear.packets;
    expect(ear.texts).toEqual(['t x', 't y']);
    expect(second?.properties).toBeUndefined();
    if (protocol === 'MQTT 3.1.1') expect(first?.properties).toBeUndefined();
    else expect({ ...first?.properties, correlationData: [...(first?.properties?.correlationData ?? [])] }).toEqual({ ...properties, correlationData: [0, 255, 7] });
  });
}

function willTests(stage: Stage): void {
  const watch = async (): Promise<Ear> => {
    const { port, ear } = await stage.connected('w');
    await stage.world.run(port.subscribe('wills', 1));
    return ear;
  };

  it('given a will, when the connection is cut, then the will is published', async () => {
    const { world } = stage;
    const watching = await watch();
    await stage.connected('a', { will: packet('wills', 'a is gone') });
    await world.cut('a');
    await world.until(() => watching.packets.length > 0);
    expect(watching.texts).toEqual(['wills a is gone']);
  });

  it('given a retained will with properties, when the connection is cut, then who comes later is told too', async () => {
    const { world, protocol } = stage;
    const watching = await watch();
    await stage.connected('a', { will: packet('wills', 'a is gone', { retain: true, properties: { contentType: 'text/plain' } }) });
    await world.cut('a');
    await world.until(() => watching.packets.length > 0);
    const { port, ear } = await stage.connected('late');
    await world.run(port.subscribe('wills', 1));
    await world.until(() => ear.packets.length > 0);
    expect(ear.packets[0]).toMatchObject({ retain: true, qos: 1, ...(protocol === 'MQTT 5' ? { properties: { contentType: 'text/plain' } } : {}) });
    await world.run(port.publish(packet('wills', '', { retain: true })));
  });

  it('given a network that swallows everything, when one and a half keepalives are over, then the will is published and the client knows', async () => {
    const { world } = stage;
    const watching = await watch();
    const { port, ear } = await stage.connected('a', { will: packet('wills', 'a is gone') }, { keepAliveMs: 1_000 });
    world.silence('a');
    await world.until(() => watching.packets.length > 0 && ear.faults.length > 0);
    expect(watching.texts).toEqual(['wills a is gone']);
    expect(ear.faults).toMatchObject([{ kind: 'unreachable' }]);
    expect((await world.run(port.connect(ear.handlers))).ok).toBe(true);
  });

  it('given a will that waits, when the client is back in its session before, then MQTT 5 drops the will', async () => {
    const { world, protocol } = stage;
    if (protocol === 'MQTT 3.1.1') return;
    const watching = await watch();
    const opening = { will: packet('wills', 'a is gone'), cleanStart: false, sessionExpirySeconds: 60 };
    const { port, ear } = await stage.connected('a', { ...opening, will: { ...opening.will, delaySeconds: 1 } });
    await world.cut('a');
    await world.until(() => ear.faults.length > 0);
    expect((await world.run(port.connect(ear.handlers, { ...opening, will: { ...opening.will, delaySeconds: 1 } }))).ok).toBe(true);
    await world.rest(2_500);
    expect(watching.texts).toEqual([]);
    await world.cut('a');
    await world.until(() => watching.packets.length > 0);
    expect(watching.texts).toEqual(['wills a is gone']);
  });
}

function sessionTests(stage: Stage): void {
  const kept = { cleanStart: false, sessionExpirySeconds: 60 };
  /** A client with a session and a subscription which has gone away, and one who publishes. */
  const away = async () => {
    const { world } = stage;
    const { port: sender } = await stage.connected('sender');
    const { port, ear } = await stage.connected('a', kept);
    await world.run(port.subscribe('t', 1));
    await world.run(port.disconnect());
    const send = (text: string, more: Partial<MqttPacket> = {}) => world.run(sender.publish(packet('t', text, more)));
    return { world, port, ear, send };
  };

  it('given a session that is kept, when the client is back, then it gets what came meanwhile, in order, without subscribing', async () => {
    const { world, port, ear, send } = await away();
    await send('1');
    await send('lost', { qos: 0 });
    await send('2');
    expect(await world.run(port.connect(ear.handlers, kept))).toMatchObject({ ok: true, value: { sessionPresent: true } });
    await send('3');
    await world.until(() => ear.packets.length >= 3);
    await world.rest();
    expect(ear.texts.filter((text) => text !== 't lost')).toEqual(['t 1', 't 2', 't 3']);
    expect((await world.run(port.connect(ear.handlers, kept))).ok).toBe(true);
    await world.run(port.disconnect());
    await world.run(port.connect(ear.handlers));
  });

  it('given a session that is kept, when the client starts clean, then nothing of it is left', async () => {
    const { world, port, ear, send } = await away();
    await send('1');
    expect(await world.run(port.connect(ear.handlers))).toMatchObject({ ok: true, value: { sessionPresent: false } });
    await send('2');
    await world.rest();
    expect(ear.texts).toEqual([]);
  });

  it('given no session expiry, when the client is back, then there is no session', async () => {
    const { world } = stage;
    const { port, ear } = await stage.connected('a', { cleanStart: false });
    await world.run(port.disconnect());
    expect(await world.run(port.connect(ear.handlers, { cleanStart: false }))).toMatchObject({ ok: true, value: { sessionPresent: false } });
  });

  it('given packets with an expiry, when the client is back too late, then MQTT 5 delivers only what is still valid', async () => {
    const { world, port, ear, send } = await away();
    if (stage.protocol === 'MQTT 3.1.1') return;
    await send('old', { properties: { messageExpirySeconds: 1 } });
    await send('young', { properties: { messageExpirySeconds: 60 } });
    await world.rest(2_500);
    await world.run(port.connect(ear.handlers, kept));
    await world.until(() => ear.packets.length > 0);
    await world.rest();
    expect(ear.texts).toEqual(['t young']);
    expect(ear.packets[0]?.properties?.messageExpirySeconds).toBeLessThan(60);
  });
}
