// A link that is renewed while writes are under way: each is accepted, under its one identity.
import { expect, it } from 'vitest';
import { startLinkActor } from '../../../src/actors/link-actor.ts';
import { SeededRandom } from '../../../src/adapters/sim/seeded-random.ts';
import { SimBroker } from '../../../src/adapters/sim/sim-broker.ts';
import { SimFiles } from '../../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { startEmbeddedCloud } from '../../../src/bridge/embedded-cloud.ts';
import { Bus } from '../../../src/bus/bus.ts';
import { liteDialect } from '../../../src/bus/dialects/lite/lite-dialect.ts';
import { startApiWriter } from '../../../src/bus/egress/api-writer.ts';
import { startMqttPods } from '../../../src/bus/ingress/mqtt-pods.ts';
import { silentLog } from '../../support/silent-log.ts';

it('given writes under way, when the link is renewed for another certificate, then all are accepted and none is lost', async () => {
  const clock = new VirtualClock();
  const random = new SeededRandom('renewal');
  const broker = new SimBroker({ clock, random });
  const cloud = startEmbeddedCloud({ mqtt: broker.port({ clientId: 'cloud' }), clock, random, log: silentLog, rootTopic: 'fleet', strict: true });
  await clock.advance(100);
  const bus = new Bus(clock);
  const outcomes = new Map<string, string>();
  bus.as('test').on('api.settled', ({ payload }) => void outcomes.set(payload.write.id, payload.outcome.kind));
  const dialect = liteDialect({ rootTopic: 'fleet', nodeName: 'edge-07' });
  const link = startLinkActor({ bus: bus.as('link'), clock, random, log: silentLog, mqtt: broker.port({ clientId: 'edge-07' }), subscriptions: dialect.connection().subscriptions });
  const deps = { clock, random, log: silentLog, dialect, publish: link.publish };
  const writer = startApiWriter({ ...deps, bus: bus.as('api-writer'), outbox: { files: new SimFiles({ clock }), directory: '/outbox' } });
  const ingress = startMqttPods({ ...deps, bus: bus.as('mqtt-pods'), nodeName: 'edge-07' });
  await clock.advance(1_000);
  cloud.applyPod({ metadata: { name: 'web-0', namespace: 'shop' }, spec: { nodeName: 'edge-07', containers: [{ name: 'web', image: 'registry.example/web:1' }] } });
  await clock.advance(1_000);
  const ids = Array.from({ length: 40 }, (_each, index) => `8f67f111-16e1-45e6-904f-ec94adab${String(1_000 + index)}`);
  for (const [index, id] of ids.entries()) {
    bus.as('writer').publish('api.write', { id, writer: 'status-reporter', lane: id, verb: 'patchStatus', kind: 'Pod', namespace: 'shop', name: 'web-0', patch: { status: { phase: 'Running', message: id } } });
    if (index % 13 === 12) bus.as('certificate').publish('mqtt.renew', { reason: 'another certificate' });
    await clock.advance(1);
  }
  await clock.advance(5_000);
  expect([...outcomes].sort()).toEqual(ids.map((id) => [id, 'accepted']).sort());
  expect(cloud.deviations()).toEqual([]);
  for (const part of [ingress, writer, link, cloud]) await part.stop();
});
