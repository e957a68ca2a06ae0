// The way to the cloud side and back, put together for either kind of dialect: one that carries single writes, one that reports as a whole.
import { startCertificateActor } from '../actors/certificate-actor.ts';
import { startIdentityRenewer } from '../actors/identity-renewer.ts';
import { startRefusedPods } from '../actors/refused-pods.ts';
import { startLinkActor, type MqttLink } from '../actors/link-actor.ts';
import type { MetricsRegistry } from '../actors/metrics-registry.ts';
import { meterWriter } from '../actors/metered-writer.ts';
import type { Bus } from '../bus/bus.ts';
import type { Dialect, DialectConnection } from '../bus/dialects/dialect.ts';
import type { ReportingDialect } from '../bus/dialects/reporting-dialect.ts';
import { startApiWriter } from '../bus/egress/api-writer.ts';
import { startMqttPods } from '../bus/ingress/mqtt-pods.ts';
import { StreamGate } from '../bus/streams/stream-gate.ts';
import { startNodeReporter } from '../bus/reports/node-reporter.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { CredentialsPort } from '../ports/credentials-port.ts';
import type { MqttFault } from '../ports/faults.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { IdentityPort } from '../ports/identity-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MachineWatch } from '../ports/machine-watch.ts';
import type { MqttOpening, MqttPacket, MqttPort } from '../ports/mqtt-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, type Result, type Stoppable } from '../ports/result.ts';
import { startStreamDoor, type StreamDoorDeps } from './stream-door.ts';

/** How long the end of the agent waits for writes under way; what is left is told again by the next start. */
const drainMsMax = 1_000;
/** How long it waits for the broker to take its farewell. */
const farewellMsMax = 500;

export interface CloudLinkPorts {
  readonly files: FilesPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly mqtt: { readonly port: MqttPort; readonly dialect: Dialect | ReportingDialect };
  readonly credentials?: CredentialsPort;
  readonly identity?: IdentityPort;
}

/** What streams need of the agent beside the link. */
export type StreamParts = Omit<StreamDoorDeps, 'gate' | 'rootTopic' | 'nodeName' | 'clock' | 'log'>;

export interface CloudLinkSettings {
  readonly nodeName: string;
  readonly rootDirectory: string;
  readonly registry: MetricsRegistry;
  readonly watch: MachineWatch | undefined;
  /** Absent: nobody looks into the node over the link. */
  readonly streams?: StreamParts;
}

type Publish = (packet: MqttPacket) => Promise<Result<void, MqttFault>>;

/** @returns parts in the order of their start: listeners first, the link last, and what ends before it behind it */
export function startCloudLink(bus: Bus, ports: CloudLinkPorts, settings: CloudLinkSettings): readonly Stoppable[] {
  const { clock, random, log, credentials, identity, mqtt: { port, dialect } } = ports;
  let link: MqttLink | undefined;
  const publish: Publish = async (packet) => link?.publish(packet) ?? fail({ kind: 'not-connected', message: 'the link has not been started' });
  const wire = dialect.name === 'kole' ? startReports(bus, { ...ports, dialect }, settings, publish) : startWrites(bus, { ...ports, dialect }, settings, publish);
  const { mqtt: transport, door } = withStreams(dialect.name === 'kole' ? port : (dialect.transport?.(port, clock) ?? port), ports, settings);
  link = startLinkActor({
    bus: bus.as('link'), watch: settings.watch, clock, random, log, mqtt: transport, subscriptions: dialect.connection().subscriptions, opening: () => openingOf(dialect.connection()),
  });
  const certificates = credentials === undefined ? [] : [startCertificateActor({ bus: bus.as('certificate'), clock, random, log, credentials })];
  const renewer = credentials === undefined || identity === undefined ? [] : [startIdentityRenewer({ bus: bus.as('identity'), clock, log, credentials, identity })];
  const opened = link;
  // What waits for the broker leaves before the link does.
  const end: Stoppable = { stop: async () => {
    await wire.leave();
    await opened.stop();
  } };
  return [...wire.parts, ...certificates, ...renewer, end, ...door];
}

/** The link as it is, or with streams beside what it carries. */
function withStreams(mqtt: MqttPort, { clock, log, mqtt: { dialect } }: CloudLinkPorts, { streams }: CloudLinkSettings): { readonly mqtt: MqttPort; readonly door: readonly Stoppable[] } {
  if (streams === undefined || dialect.name === 'kole' || dialect.streams === undefined) return { mqtt, door: [] };
  const gate = new StreamGate(mqtt, clock);
  return { mqtt: gate, door: [startStreamDoor({ ...streams, ...dialect.streams, gate, clock, log })] };
}

interface Wire {
  readonly parts: readonly Stoppable[];
  /** While the link is still there. */
  leave(): Promise<void>;
}

function startReports(bus: Bus, { files, clock, random, log, dialect }: CloudLinkPorts & { readonly dialect: ReportingDialect }, { nodeName, rootDirectory }: CloudLinkSettings, publish: Publish): Wire {
  const reporter = startNodeReporter({ bus: bus.as('node-reporter'), clock, random, log, files, dialect, nodeName, directory: `${rootDirectory}/identity`, publish });
  return { parts: [reporter], leave: () => Promise.resolve() };
}

function startWrites(
  bus: Bus, { files, clock, random, log, dialect }: CloudLinkPorts & { readonly dialect: Dialect }, { nodeName, rootDirectory, registry }: CloudLinkSettings, publish: Publish,
): Wire {
  const writer = startApiWriter({ bus: bus.as('api-writer'), clock, log, random, dialect, publish, outbox: { files, directory: `${rootDirectory}/outbox` } });
  meterWriter(registry, () => writer.statistics());
  const pods = startMqttPods({ bus: bus.as('mqtt-pods'), clock, random, log, dialect, nodeName, publish });
  return {
    parts: [writer, startRefusedPods({ bus: bus.as('refused-pods'), clock, random }), pods],
    leave: async () => {
      await writer.drained(drainMsMax);
      await sayFarewell(dialect, publish, clock);
    },
  };
}

/** Credentials are the adapter's: they are not handed through the agent. */
function openingOf({ will, cleanStart, sessionExpirySeconds }: DialectConnection): MqttOpening {
  return {
    ...(will === undefined ? {} : { will }),
    ...(cleanStart === undefined ? {} : { cleanStart }),
    ...(sessionExpirySeconds === undefined ? {} : { sessionExpirySeconds }),
  };
}

/** The cloud side need not wait for the will. A broker that does not answer is not waited for either. */
async function sayFarewell({ presence }: Dialect, publish: Publish, clock: ClockPort): Promise<void> {
  if (presence === undefined) return;
  const { topic, payload, retain = false } = presence.farewell();
  let timer: unknown;
  const late = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, farewellMsMax);
  });
  await Promise.race([publish({ topic, payload, qos: 1, retain }), late]);
  clock.clearTimeout(timer);
}
