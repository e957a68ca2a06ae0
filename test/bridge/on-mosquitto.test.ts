// The whole wire on a real broker: cloud side and agent's wire in this process, mosquitto between them, also when it is killed.
import { afterEach, describe, expect, it } from 'vitest';
import { mqttClient } from '../../src/adapters/mqtt-client.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { SeededRandom } from '../../src/adapters/sim/seeded-random.ts';
import { startLinkActor } from '../../src/actors/link-actor.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../../src/bridge/embedded-cloud.ts';
import { Bus } from '../../src/bus/bus.ts';
import { startApiWriter } from '../../src/bus/egress/api-writer.ts';
import { startMqttPods } from '../../src/bus/ingress/mqtt-pods.ts';
import type { AnyEnvelope } from '../../src/bus/messages.ts';
import type { MqttProtocol } from '../../src/ports/mqtt-port.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { type DialectName, testDialect } from '../support/dialects.ts';
import { hasMosquitto, startMosquitto, type TestBroker } from '../support/mosquitto.ts';
import { silentLog } from '../support/silent-log.ts';

const wait = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
const until = async (condition: () => boolean): Promise<void> => {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 1_500) throw new Error('the condition did not come true within 15 s');
    await wait(10);
  }
};

const ways: readonly (readonly [DialectName, MqttProtocol])[] = [['lite', 'MQTT 3.1.1'], ['mqlet', 'MQTT 5'], ['mqlet', 'MQTT 3.1.1']];

describe.skipIf(!hasMosquitto()).each(ways)('the wire on mosquitto, dialect %s over %s', (name, protocol) => {
  const protocols = [protocol];
  const parts: Stoppable[] = [];
  let broker: TestBroker | undefined;
  afterEach(async () => {
    for (const part of parts.splice(0).reverse()) await part.stop();
    await broker?.stop();
  });

  const start = async (): Promise<{ cloud: EmbeddedCloud; bus: Bus; log: AnyEnvelope[] }> => {
    broker = await startMosquitto(() => ['allow_anonymous true']);
    const { port } = broker;
    const clock = new SystemClock();
    const random = new SeededRandom('mosquitto');
    const client = (clientId: string) => mqttClient({ host: '127.0.0.1', port, clientId, protocols, keepAliveMs: 30_000 });
    const cloud = startEmbeddedCloud({ mqtt: client('cloud'), clock, random, log: silentLog, rootTopic: 'fleet', strict: true });
    await cloud.ready;
    const bus = new Bus(clock);
    const log: AnyEnvelope[] = [];
    bus.tap((envelope) => void log.push(envelope));
    const dialect = testDialect(name);
    const mqtt = client('edge-07');
    const link = startLinkActor({
      bus: bus.as('link'), clock, random, log: silentLog, mqtt: dialect.transport?.(mqtt, clock) ?? mqtt,
      subscriptions: dialect.connection().subscriptions, opening: () => dialect.connection(),
    });
    const deps = { clock, log: silentLog, dialect, publish: link.publish };
    parts.push(cloud, link, startApiWriter({ ...deps, random, bus: bus.as('api-writer') }));
    parts.push(startMqttPods({ ...deps, bus: bus.as('mqtt-pods'), random, nodeName: 'edge-07' }));
    await until(() => log.some(({ topic }) => topic === 'source.updated'));
    return { cloud, bus, log };
  };
  const patch = (bus: Bus, id: string, uid: string | undefined): void => {
    bus.as('test').publish('api.write', {
      id, writer: 'status-reporter', lane: id, verb: 'patchStatus', kind: 'Pod', namespace: 'shop', name: 'web-0', patch: { metadata: { uid }, status: { phase: 'Running', message: id } }, whole: true,
    });
  };
  const settled = (log: readonly AnyEnvelope[]) => log.flatMap((envelope) => (envelope.topic === 'api.settled' ? [envelope.payload.outcome.kind] : []));
  const web = { metadata: { name: 'web-0', namespace: 'shop' }, spec: { nodeName: 'edge-07', containers: [{ name: 'web', image: 'registry.example/web:1' }] } };

  it('given a pod and fifty status writes at once, when they travel, then all are accepted and the store has the last', async () => {
    const { cloud, bus, log } = await start();
    cloud.applyPod(web);
    await until(() => log.some(({ topic, payload }) => topic === 'source.updated' && 'kind' in payload && payload.kind === 'upsert'));
    const ids = Array.from({ length: 50 }, (_each, index) => `8f67f111-16e1-45e6-904f-ec94adab${String(1_000 + index)}`);
    for (const id of ids) patch(bus, id, cloud.pods()[0]?.metadata?.uid);
    await until(() => settled(log).length >= 50);
    expect(new Set(settled(log))).toEqual(new Set(['accepted']));
    expect(cloud.pods()[0]?.status?.message).toBe(ids.at(-1));
    expect(cloud.deviations()).toEqual([]);
  });

  it('given the broker is killed under way, when it comes back, then the list is asked for again and writes arrive', async () => {
    const { cloud, bus, log } = await start();
    cloud.applyPod(web);
    const { port } = broker ?? { port: 0 };
    await broker?.stop();
    await until(() => log.some(({ topic, payload }) => topic === 'mqtt.link' && 'state' in payload && payload.state === 'backingOff'));
    patch(bus, '8f67f111-16e1-45e6-904f-ec94adab39d4', cloud.pods()[0]?.metadata?.uid);
    cloud.applyPod({ ...web, metadata: { ...web.metadata, name: 'web-1' } });
    broker = await startMosquitto(() => ['allow_anonymous true'], undefined, port);
    await until(() => log.some((envelope) => envelope.topic === 'source.updated' && envelope.payload.kind === 'set' && envelope.payload.pods.length === 2));
    // The broker acknowledges what comes before the cloud side is back: that write is unanswered, and its writer repeats it.
    await until(() => settled(log).length > 0);
    if (!settled(log).includes('accepted')) patch(bus, '8f67f111-16e1-45e6-904f-ec94adab39d5', cloud.pods()[0]?.metadata?.uid);
    await until(() => settled(log).includes('accepted'));
    expect(cloud.pods()[0]?.status?.phase).toBe('Running');
    expect(cloud.deviations()).toEqual([]);
  });
});
