// The cloud side of a demo: the embedded one, connected to the demo's broker. A store in memory that answers the node like an API server.
import { mqttClient } from '../adapters/mqtt-client.ts';
import { SystemRandom } from '../adapters/system-random.ts';
import { startEmbeddedCloud, type EmbeddedCloud } from '../bridge/embedded-cloud.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import type { Broker } from './mosquitto.ts';
import type { PartFault } from './part-fault.ts';
import type { PodCloud } from './sample-pods.ts';

const rootTopic = 'mqlet-demo';
const readyMsMax = 10_000;
const keepAliveMs = 30_000;

export interface DemoCloud extends PodCloud, Stoppable {
  readonly rootTopic: string;
  readonly description: string;
}

/** Resolves when the cloud side hears the node's topic. */
export async function startDemoCloud(options: {
  readonly broker: Broker;
  readonly clock: ClockPort;
  readonly log: LogPort;
}): Promise<Result<DemoCloud, PartFault>> {
  const { broker, clock, log } = options;
  const mqtt = mqttClient({
    host: broker.host, port: broker.port, clientId: 'mqlet-demo-cloud', keepAliveMs,
    protocols: broker.protocol === 'MQTT 5' ? ['MQTT 5', 'MQTT 3.1.1'] : ['MQTT 3.1.1'],
  });
  const cloud = startEmbeddedCloud({ mqtt, clock, random: new SystemRandom(), log, rootTopic });
  if (await readyInTime(cloud, clock)) return ok(demoCloud(cloud));
  await cloud.stop();
  return fail({ part: 'cloud', message: `it does not reach the broker at ${broker.url} within ${readyMsMax / 1000} s`, tail: [] });
}

async function readyInTime(cloud: EmbeddedCloud, clock: ClockPort): Promise<boolean> {
  let timer: unknown;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), readyMsMax);
  });
  const ready = await Promise.race([cloud.ready.then(() => true), late]);
  clock.clearTimeout(timer);
  return ready;
}

function demoCloud(cloud: EmbeddedCloud): DemoCloud {
  return {
    rootTopic,
    description: `embedded, dialect mqlet, topics ${rootTopic}/v1/…`,
    applyPod: (pod) => {
      const applied = cloud.applyPod(pod);
      return applied.ok ? ok() : fail(applied.fault.message ?? 'refused');
    },
    deletePod: ({ namespace, name }) => {
      const deleted = cloud.deletePod(namespace, name);
      // Gone already is what we want.
      return deleted.ok || deleted.fault.reason === 'NotFound' ? ok() : fail(deleted.fault.message ?? 'refused');
    },
    pods: cloud.pods,
    stop: () => cloud.stop(),
  };
}
