// The way to the cloud and back, put together: the link, the writer with its outbox, what comes down, the client's certificate.
import { startCertificateActor } from '../actors/certificate-actor.ts';
import { type MqttLink, startLinkActor } from '../actors/link-actor.ts';
import { meterWriter } from '../actors/metered-writer.ts';
import type { MetricsRegistry } from '../actors/metrics-registry.ts';
import type { Bus } from '../bus/bus.ts';
import type { Dialect } from '../bus/dialects/dialect.ts';
import { type ApiWriterHandle, startApiWriter } from '../bus/egress/api-writer.ts';
import { startMqttPods } from '../bus/ingress/mqtt-pods.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { CredentialsPort } from '../ports/credentials-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttOpening, MqttPacket, MqttPort } from '../ports/mqtt-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, type Stoppable } from '../ports/result.ts';

/** How long the end of the agent waits for writes under way; what is left is told again by the next start. */
const drainMsMax = 1_000;
const farewellMsMax = 500;

export interface CloudLinkPorts {
  readonly files: FilesPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly mqtt: { readonly port: MqttPort; readonly dialect: Dialect };
  readonly credentials?: CredentialsPort;
}

export interface CloudLinkSettings {
  readonly nodeName: string;
  readonly rootDirectory: string;
  readonly registry: MetricsRegistry;
}

/** @returns its parts in the order in which they were started */
export function startCloudLink(bus: Bus, { files, clock, random, log, mqtt, credentials }: CloudLinkPorts, { nodeName, rootDirectory, registry }: CloudLinkSettings): readonly Stoppable[] {
  let link: MqttLink | undefined;
  const publish = async (packet: MqttPacket) => link?.publish(packet) ?? fail({ kind: 'not-connected' as const, message: 'the link has not been started' });
  const writer: ApiWriterHandle = startApiWriter({
    bus: bus.as('api-writer'), clock, log, random, dialect: mqtt.dialect, publish,
    outbox: { files, directory: `${rootDirectory}/outbox` },
  });
  meterWriter(registry, () => writer.statistics());
  const started: Stoppable[] = [writer, startMqttPods({ bus: bus.as('mqtt-pods'), clock, random, log, dialect: mqtt.dialect, nodeName, publish })];
  link = startLinkActor({
    bus: bus.as('link'), clock, random, log, mqtt: mqtt.dialect.transport?.(mqtt.port, clock) ?? mqtt.port,
    subscriptions: mqtt.dialect.connection().subscriptions,
    opening: () => openingOf(mqtt.dialect),
  });
  if (credentials !== undefined) started.push(startCertificateActor({ bus: bus.as('certificate'), clock, random, log, credentials }));
  const opened = link;
  // What waits for the broker leaves before the link does.
  started.push({ stop: async () => {
    await writer.drained(drainMsMax);
    await sayFarewell(mqtt.dialect, publish, clock);
    await opened.stop();
  } });
  return started;
}

/** Credentials are the adapter's: they are not handed through the agent. */
function openingOf(dialect: Dialect): MqttOpening {
  const { will, cleanStart, sessionExpirySeconds } = dialect.connection();
  return {
    ...(will === undefined ? {} : { will }),
    ...(cleanStart === undefined ? {} : { cleanStart }),
    ...(sessionExpirySeconds === undefined ? {} : { sessionExpirySeconds }),
  };
}

/** The cloud side need not wait for the will. A broker that does not answer is not waited for either. */
async function sayFarewell({ presence }: Dialect, publish: (packet: MqttPacket) => Promise<unknown>, clock: ClockPort): Promise<void> {
  if (presence === undefined) return;
  const { topic, payload, retain = false } = presence.farewell();
  let timer: unknown;
  const late = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, farewellMsMax);
  });
  await Promise.race([publish({ topic, payload, qos: 1, retain }), late]);
  clock.clearTimeout(timer);
}
