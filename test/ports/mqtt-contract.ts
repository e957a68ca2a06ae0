// What every MqttPort must do, whatever is behind it. Run on the simulated broker and on a real one.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MqttFault } from '../../src/ports/faults.ts';
import type { MqttPacket, MqttPort } from '../../src/ports/mqtt-port.ts';

/** A broker with what the suite needs to do to it. */
export interface MqttWorld {
  /** A further client. */
  port(options: { readonly clientId: string; readonly will?: MqttPacket }): MqttPort;
  /** Breaks the connection of a client from outside, without DISCONNECT. */
  cut(clientId: string): Promise<void>;
  /** Lets time pass until the condition holds. */
  until(condition: () => boolean): Promise<void>;
  /** Runs a call while time passes. */
  run<T>(call: Promise<T>): Promise<T>;
  /** Long enough for anything that is still on its way. */
  rest(): Promise<void>;
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
  readonly world: MqttWorld;
  connected(clientId: string, will?: MqttPacket): Promise<{ port: MqttPort; ear: Ear }>;
}

export function mqttContract(name: string, startWorld: () => Promise<MqttWorld>): void {
  describe(`an MqttPort: ${name}`, () => {
    let current: MqttWorld | undefined;
    beforeEach(async () => {
      current = await startWorld();
    });
    afterEach(async () => {
      await current?.stop();
    });
    const stage: Stage = {
      get world() {
        if (current === undefined) throw new Error('there is a world only while a test runs');
        return current;
      },
      connected: async (clientId, will) => {
        const port = stage.world.port({ clientId, ...(will === undefined ? {} : { will }) });
        const ear = new Ear();
        const session = await stage.world.run(port.connect(ear.handlers));
        expect(session).toMatchObject({ ok: true, value: { sessionPresent: false } });
        return { port, ear };
      },
    };
    describe('calls', () => callTests(stage));
    describe('packets', () => packetTests(stage));
    describe('the end of a connection', () => endTests(stage));
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
    const { port, ear } = await stage.connected('a', packet('wills', 'a is gone'));
    await world.run(port.disconnect());
    await world.run(port.disconnect());
    await world.rest();
    expect(ear.faults).toEqual([]);
    expect(watching.packets).toEqual([]);
    expect((await world.run(port.connect(ear.handlers))).ok).toBe(true);
  });

  it('given a will, when the connection is cut, then the will is published', async () => {
    const { world } = stage;
    const { port: watcher, ear: watching } = await stage.connected('w');
    await world.run(watcher.subscribe('wills', 1));
    await stage.connected('a', packet('wills', 'a is gone'));
    await world.cut('a');
    await world.until(() => watching.packets.length > 0);
    expect(watching.texts).toEqual(['wills a is gone']);
  });

  it('given a second client of the same id, when it connects, then the first one is closed', async () => {
    const { world } = stage;
    const { ear } = await stage.connected('a');
    await stage.connected('a');
    await world.until(() => ear.faults.length > 0);
    expect(ear.faults).toHaveLength(1);
  });
}
