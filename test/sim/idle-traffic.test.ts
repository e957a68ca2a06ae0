// What a node at rest says over the wire, in bytes of PUBLISH packets as MQTT encodes them, and how soon its death is known.
import mqttPacket from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { publishProperties } from '../../src/adapters/mqtt/client-options.ts';
import type { MqttPacket, MqttPort } from '../../src/ports/mqtt-port.ts';
import { apply, calmWorld, runningPods, simPod } from './offline-world.ts';
import type { SimOptions } from './options.ts';
import type { World } from './world.ts';

const podCount = 50;
const minutes = 30;
const reportMs = 330_000;
/** The original's own: one node patch of about 500 bytes in five minutes. */
const liteBytesPerMinuteMax = 100;
const mqletBytesPerMinuteMax = 60;

class Scale {
  bytes = 0;
  packets = 0;

  /** The agent's port with its publishes weighed as they leave. */
  weighs(port: MqttPort): MqttPort {
    let version: 4 | 5 = 5;
    return {
      connect: async (handlers, opening) => {
        const connected = await port.connect(handlers, opening);
        if (connected.ok) version = connected.value.protocol === 'MQTT 5' ? 5 : 4;
        return connected;
      },
      subscribe: (filter, qos) => port.subscribe(filter, qos),
      publish: (packet) => {
        this.packets += 1;
        this.bytes += publishBytes(packet, version);
        return port.publish(packet);
      },
      disconnect: () => port.disconnect(),
    };
  }
}

function publishBytes({ topic, payload, qos, retain, properties }: MqttPacket, version: 4 | 5): number {
  const said = version === 5 ? publishProperties(properties) : undefined;
  const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false, messageId: 1, ...(said === undefined ? {} : { properties: said }) } as const;
  return mqttPacket.generate(packet, { protocolVersion: version }).length;
}

async function worldOf(dialect: SimOptions['dialect'], scale: Scale): Promise<World> {
  const world = await calmWorld(`idle ${dialect}`, { dialect }, {
    ports: (ports) => (ports.mqtt === undefined ? ports : { ...ports, mqtt: { ...ports.mqtt, port: scale.weighs(ports.mqtt.port) } }),
  });
  for (let index = 0; index < podCount; index += 1) apply(world, simPod(`m${index}`));
  await world.passUntil(() => runningPods(world).length === podCount, { limitMs: 300_000, everyMs: 1_000 });
  // The images that came with the pods are told with the report that follows.
  await world.pass(reportMs);
  return world;
}

describe(`a node at rest with ${podCount} pods`, () => {
  it.each([['mqlet', mqletBytesPerMinuteMax], ['lite', liteBytesPerMinuteMax]] as const)('given the dialect %s, when half an hour passes, then at most %i bytes a minute go up', async (dialect, bytesMax) => {
    const scale = new Scale();
    const world = await worldOf(dialect, scale);
    const raising = { bytes: scale.bytes, packets: scale.packets };
    Object.assign(scale, { bytes: 0, packets: 0 });
    await world.pass(minutes * 60_000);
    const perMinute = scale.bytes / minutes;
    console.info(`${dialect}: ${raising.bytes} bytes in ${raising.packets} packets to bring up ${podCount} pods; at rest ${perMinute.toFixed(1)} bytes a minute, ${scale.packets} packets in ${minutes} minutes`);
    expect(perMinute).toBeLessThanOrEqual(bytesMax);
    expect(scale.packets).toBeGreaterThan(0);
    expect(world.cloud.leases()[0]?.spec?.renewTime).toBeDefined();
  }, 120_000);

  it('given the dialect mqlet, when the node dies, then the cloud side knows it with the will, and renews the lease no more', async () => {
    const world = await worldOf('mqlet', new Scale());
    expect(world.cloud.online('edge-07')).toBe(true);
    world.life.end();
    world.agent = undefined;
    // The broker ends a silent connection after one and a half keepalives: here is that moment.
    world.broker.cut('edge-07');
    await world.pass(10);
    expect(world.cloud.online('edge-07')).toBe(false);
    const last = world.cloud.leases()[0]?.spec?.renewTime;
    await world.pass(60_000);
    expect(world.cloud.leases()[0]?.spec?.renewTime).toBe(last);
  }, 120_000);
});
