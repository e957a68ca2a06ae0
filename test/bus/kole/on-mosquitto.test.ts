// The kole dialect on a real broker, over both protocols: link, reporter and strict cloud side; the pods are played.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startLinkActor } from '../../../src/actors/link-actor.ts';
import { mqttClient } from '../../../src/adapters/mqtt-client.ts';
import { NodeFiles } from '../../../src/adapters/node-files.ts';
import { SystemClock } from '../../../src/adapters/system-clock.ts';
import { SystemRandom } from '../../../src/adapters/system-random.ts';
import { Bus } from '../../../src/bus/bus.ts';
import { koleDialect } from '../../../src/bus/dialects/kole/kole-dialect.ts';
import { startNodeReporter } from '../../../src/bus/reports/node-reporter.ts';
import type { MqttProtocol } from '../../../src/ports/mqtt-port.ts';
import type { Stoppable } from '../../../src/ports/result.ts';
import { KoleCloud } from '../../support/kole-cloud.ts';
import { hasMosquitto, startMosquitto, type TestBroker } from '../../support/mosquitto.ts';
import { silentLog } from '../../support/silent-log.ts';

const until = async (what: string, condition: () => boolean): Promise<void> => {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 2_000) throw new Error(`within 20 s, not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe.skipIf(!hasMosquitto())('kole on mosquitto', () => {
  const parts: Stoppable[] = [];
  let broker: TestBroker | undefined;
  let directory = '';
  afterEach(async () => {
    for (const part of parts.splice(0).reverse()) await part.stop();
    await broker?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Runs at once what it is told to, ends at once what is to go. */
  const playPods = (bus: Bus): void => {
    const port = bus.as('pods');
    port.on('source.updated', ({ payload }) => {
      if (payload.kind !== 'upsert') return;
      const { pod: desired } = payload;
      const pod = { uid: desired.uid, namespace: desired.namespace, name: desired.name };
      if (desired.pod.metadata.deletionTimestamp === undefined) port.publish('pod.status', { pod, desired, status: { phase: 'Running' } });
      else port.publish('pod.terminated', { pod, desired });
    });
  };

  const start = async (protocol: MqttProtocol): Promise<KoleCloud> => {
    broker = await startMosquitto(() => ['allow_anonymous true']);
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-kole-'));
    const { port } = broker;
    const clock = new SystemClock();
    const random = new SystemRandom();
    const client = (clientId: string, protocols: readonly MqttProtocol[]) => mqttClient({ host: '127.0.0.1', port, clientId, protocols, keepAliveMs: 30_000 });
    const cloud = new KoleCloud({ mqtt: client('controller-mqtt-v5-sub', ['MQTT 5']), clock, snapshotMs: 200 });
    parts.push(cloud);
    await cloud.ready;
    const bus = new Bus(clock);
    playPods(bus);
    const dialect = koleDialect({ nodeName: 'gw-0-0', reportPeriodMs: 120_000 });
    const { clientId, subscriptions } = dialect.connection();
    const mqtt = client(clientId, [protocol]);
    const link = startLinkActor({ bus: bus.as('link'), clock, random, log: silentLog, mqtt, subscriptions, opening: () => ({ cleanStart: true, sessionExpirySeconds: 3_600 }) });
    parts.push(link, startNodeReporter({ bus: bus.as('node-reporter'), clock, random, log: silentLog, files: new NodeFiles(), dialect, nodeName: 'gw-0-0', directory, publish: link.publish }));
    bus.as('node').publish('node.status', { node: { metadata: { name: 'gw-0-0' }, status: { capacity: { cpu: '4', memory: '1Gi', pods: '110' } } } });
    await until('the node is registered', () => cloud.view()[0] === 'gw-0-0: Registerd []');
    return cloud;
  };

  it.each(['MQTT 5', 'MQTT 3.1.1'] as const)('given a node over %s, when a pod is assigned and withdrawn, then the cloud side sees it run and go', async (protocol) => {
    const cloud = await start(protocol);
    cloud.apply('kole', 'probe', { image: 'registry.example/probe:1.0' });
    await until('the pod runs', () => cloud.view()[0] === 'gw-0-0: Registerd [koledaemonset-probe Running]');
    cloud.delete('kole', 'probe');
    await until('the pod is gone', () => cloud.view()[0] === 'gw-0-0: Registerd []');
    expect(cloud.deviations).toEqual([]);
    expect(cloud.dropped).toBe(0);
  }, 30_000);

  it('given a broker that is killed and comes back, when a pod is assigned then, then the node has it', async () => {
    const cloud = await start('MQTT 5');
    const { port } = broker ?? { port: 0 };
    await broker?.stop();
    broker = await startMosquitto(() => ['allow_anonymous true'], undefined, port);
    cloud.apply('kole', 'probe', { image: 'registry.example/probe:1.0' });
    await until('the pod runs', () => cloud.view()[0]?.endsWith('[koledaemonset-probe Running]') === true);
    expect(cloud.deviations).toEqual([]);
  }, 40_000);
});
