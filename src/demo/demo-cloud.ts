// The cloud side of a demo: a bridge with an API of its own, connected to the demo's broker. What `mqlet bridge` is, in this process.
import { setTimeout as delay } from 'node:timers/promises';
import { mqttClient } from '../adapters/mqtt-client.ts';
import { SystemRandom } from '../adapters/system-random.ts';
import { Reflector } from '../bridge/kube/reflector.ts';
import type { BridgeSite } from '../cli/bridge-site.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { KubeApiPort, KubeFault, KubeObject } from '../ports/kube-api-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Pod } from '../ports/pod-types.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import type { Broker } from './mosquitto.ts';
import type { PartFault } from './part-fault.ts';
import type { PodCloud } from './sample-pods.ts';

const rootTopic = 'mqlet-demo';
const readyMsMax = 10_000;
const lookEveryMs = 20;
const keepAliveMs = 30_000;
const podsUrl = '/api/v1/namespaces/default/pods';
const anyPort = { host: '127.0.0.1', port: 0 };

export interface DemoCloud extends PodCloud, Stoppable {
  readonly rootTopic: string;
  readonly description: string;
  /** Path, for kubectl. */
  readonly kubeconfig: string;
}

/** Resolves when the cloud side hears the node's topic and knows its API. */
export async function startDemoCloud(options: {
  readonly broker: Broker;
  readonly directory: string;
  readonly clock: ClockPort;
  readonly log: LogPort;
}): Promise<Result<DemoCloud, PartFault>> {
  const { broker, directory, clock, log } = options;
  const mqtt = mqttClient({
    host: broker.host, port: broker.port, clientId: 'mqlet-demo-cloud', keepAliveMs,
    protocols: broker.protocol === 'MQTT 5' ? ['MQTT 5', 'MQTT 3.1.1'] : ['MQTT 3.1.1'],
  });
  // Only who runs a demo or a bridge loads it.
  const { startBridgeSite } = await import('../cli/bridge-site.ts');
  const started = await startBridgeSite({
    api: { kind: 'embedded', directory, address: anyPort, hosts: [] }, endpoint: { address: anyPort }, mqtt, rootTopic, name: 'demo', dialects: ['mqlet'], log,
  });
  if (!started.ok) return fail({ part: 'cloud', message: started.fault, tail: [] });
  const site = started.value;
  const { admin, adminKubeconfig } = site;
  const unready = await readyInTime(site, clock);
  if (unready.length === 0 && admin !== undefined && adminKubeconfig !== undefined) return ok(demoCloud({ site, admin, kubeconfig: adminKubeconfig, clock, log }));
  await site.stop();
  return fail({ part: 'cloud', message: `after ${readyMsMax / 1000} s ${unready.join('; ')} (${broker.url})`, tail: [] });
}

/** @returns what it lacks; nothing when it is ready */
async function readyInTime({ bridge }: BridgeSite, clock: ClockPort): Promise<readonly string[]> {
  const deadlineMs = clock.monotonicMs() + readyMsMax;
  while (bridge.unready().length > 0 && clock.monotonicMs() < deadlineMs) await delay(lookEveryMs);
  return bridge.unready();
}

interface CloudParts {
  readonly site: BridgeSite;
  readonly admin: KubeApiPort;
  readonly kubeconfig: string;
  readonly clock: ClockPort;
  readonly log: LogPort;
}

function demoCloud({ site, admin, kubeconfig, clock, log }: CloudParts): DemoCloud {
  const pods = new Map<string, Pod>();
  const watching = watchPods({ admin, clock, log, pods });
  watching.start();
  return {
    rootTopic,
    kubeconfig,
    description: `Kubernetes API at ${site.server}, bridge for the dialect mqlet, topics ${rootTopic}/v1/…`,
    applyPod: async (pod) => {
      // Plain data; only the declared interface lacks an index signature.
      const applied = await admin.call({ method: 'POST', path: podsUrl, body: pod as unknown as KubeObject });
      return applied.ok ? ok() : fail(faultText(applied.fault));
    },
    deletePod: async ({ name }) => {
      const deleted = await admin.call({ method: 'DELETE', path: `${podsUrl}/${name}` });
      // Gone already is what we want.
      return deleted.ok || (deleted.fault.kind === 'refused' && deleted.fault.status.reason === 'NotFound') ? ok() : fail(faultText(deleted.fault));
    },
    pods: () => [...pods.values()],
    stop: async () => {
      watching.stop();
      await site.stop();
    },
  };
}

function watchPods({ admin, clock, log, pods }: Pick<CloudParts, 'admin' | 'clock' | 'log'> & { readonly pods: Map<string, Pod> }): Reflector {
  // The API gives pods as pods.
  const put = (object: KubeObject): unknown => pods.set(nameOf(object), object as unknown as Pod);
  return new Reflector({
    api: admin, clock, random: new SystemRandom(), log, path: podsUrl, query: {}, listing: () => pods.clear(), seen: put, listed: () => undefined, bookmark: () => undefined,
    changed: (type, object) => void (type === 'deleted' ? pods.delete(nameOf(object)) : put(object)),
  });
}

function nameOf({ metadata }: KubeObject): string {
  return (metadata as { readonly name: string }).name; // Every object of the API has one.
}

function faultText(fault: KubeFault): string {
  return fault.kind === 'unreachable' ? fault.message : (fault.status.message ?? 'refused');
}
