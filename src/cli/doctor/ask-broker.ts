// Speaks to the broker as the node would: logs in, subscribes, asks the cloud side for the node's pods, and looks whether the session lasts.
// What it publishes is one start, which every cloud side answers and which changes nothing.
import { walkToBroker } from '../../adapters/doctor/broker-way.ts';
import type { SystemClock } from '../../adapters/system-clock.ts';
import type { SystemRandom } from '../../adapters/system-random.ts';
import type { Dialect, UpPacket } from '../../bus/dialects/dialect.ts';
import type { MqttConfig } from '../../config/mqtt-config.ts';
import { mqttPorts } from '../../daemon/mqtt-ports.ts';
import type { BrokerFacts, TopicFacts } from '../../ports/broker-facts.ts';
import type { MqttFault } from '../../ports/faults.ts';
import type { MqttPacket, MqttPort } from '../../ports/mqtt-port.ts';

/** A second client of our name comes back within a second or two of being sent away. */
const watchMs = 2_500;
/** The agent asks again after two seconds, because a cloud side may be starting. */
const cloudMsMax = 5_000;

export interface AskBrokerOptions {
  readonly mqtt: MqttConfig;
  readonly nodeName: string;
  readonly clock: SystemClock;
  readonly random: SystemRandom;
  /** Of a node that runs: its session is left alone. */
  readonly ownLink: BrokerFacts['ownLink'];
}

export async function askBroker(options: AskBrokerOptions): Promise<BrokerFacts> {
  const { mqtt, nodeName, ownLink } = options;
  const { mqtt: link } = await mqttPorts(mqtt, nodeName);
  if (link === undefined) throw new Error('a broker that is configured has a link');
  const { dialect, port } = link;
  const { clientId } = dialect.connection();
  const common = {
    host: mqtt.host, port: mqtt.port, secure: mqtt.tls !== undefined, ...(mqtt.tls === undefined ? {} : { serverName: mqtt.tls.serverName }),
    clientId: mqtt.identity.kind === 'signature' || mqtt.clientGroup === undefined ? clientId : `${mqtt.clientGroup}@@@${clientId}`,
    identity: mqtt.identity.kind, clientCertificate: mqtt.tls?.cert !== undefined, topics: [],
  };
  const way = await walkToBroker(mqtt);
  const reached = way.lookup?.problem === undefined && way.connect?.problem === undefined && way.tls?.code === undefined;
  if (ownLink !== undefined) return { ...common, ...way, ownLink };
  if (!reached) return { ...common, ...way };
  return { ...common, ...way, ...await tryAsNode(options, { port, dialect: dialect.name === 'kole' ? undefined : dialect, filters: dialect.connection().subscriptions }) };
}

interface NodeSide {
  readonly port: MqttPort;
  /** Absent: one that only reports. */
  readonly dialect: Dialect | undefined;
  readonly filters: readonly string[];
}

async function tryAsNode({ clock, random }: AskBrokerOptions, { port, dialect, filters }: NodeSide): Promise<Pick<BrokerFacts, 'session' | 'lost' | 'topics' | 'cloud'>> {
  const link = dialect?.transport?.(port, clock) ?? port;
  let lost: MqttFault | undefined;
  let answered = false;
  let wake: () => void = () => undefined;
  const connected = await link.connect({
    message: (packet) => {
      answered ||= dialect !== undefined && isFromCloud(dialect, packet);
      wake();
    },
    closed: (fault) => {
      lost = fault;
      wake();
    },
  });
  if (!connected.ok) return { session: { fault: connected.fault }, topics: [] };
  const topics: TopicFacts[] = [];
  for (const topic of filters) {
    const subscribed = await link.subscribe(topic, 1);
    topics.push({ use: 'subscribe', topic, ...(subscribed.ok ? {} : { fault: subscribed.fault }) });
  }
  if (dialect !== undefined) topics.push(await publishTo(link, dialect.encodeStart(random.uuid())));
  const until = async (limitMs: number, done: () => boolean): Promise<void> => {
    const endMs = clock.nowMs() + limitMs;
    while (!done() && clock.nowMs() < endMs) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        clock.setTimeout(resolve, Math.max(1, endMs - clock.nowMs()));
      });
    }
  };
  const startedMs = clock.nowMs();
  // Where the broker refuses, nothing is to be waited for.
  if (dialect !== undefined && topics.every(({ fault }) => fault === undefined)) await until(cloudMsMax, () => answered || lost !== undefined);
  await until(watchMs - (clock.nowMs() - startedMs), () => lost !== undefined);
  await link.disconnect();
  return {
    session: { protocol: connected.value.protocol }, topics, ...(lost === undefined ? {} : { lost }),
    ...(dialect === undefined ? {} : { cloud: answered ? 'answers' : 'silent' }),
  };
}

async function publishTo(link: MqttPort, { topic, payload, properties }: UpPacket): Promise<TopicFacts> {
  const published = await link.publish({ topic, payload, qos: 1, retain: false, ...(properties === undefined ? {} : { properties }) });
  return { use: 'publish', topic, ...(published.ok ? {} : { fault: published.fault }) };
}

function isFromCloud(dialect: Dialect, { topic, payload, properties, retain }: MqttPacket): boolean {
  const message = dialect.decodeDown(topic, payload, properties);
  return !retain && message.ok && message.value.kind !== 'nothing';
}
