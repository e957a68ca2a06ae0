// The composition root of the node daemon: the only place that builds the real world and hands it to the agent.
import { dirname } from 'node:path';
import { collectGarbage } from './adapters/collect-garbage.ts';
import { connectCri } from './adapters/cri/cri-client.ts';
import { gateRuntime, startsMaxDefault } from './adapters/gated-runtime.ts';
import { createHostFacts } from './adapters/host-facts.ts';
import { ImageArchives } from './adapters/image-archives.ts';
import { HttpListener } from './adapters/http-listener.ts';
import { kernelLog } from './adapters/kernel-log.ts';
import { NodeFiles } from './adapters/node-files.ts';
import { NodeLogFiles } from './adapters/node-log-files.ts';
import { NodeVolumes } from './adapters/node-volumes.ts';
import { ProbeClient } from './adapters/probe-client.ts';
import { readProcessUsage } from './adapters/process-usage.ts';
import { systemdShutdown } from './adapters/shutdown/systemd-shutdown.ts';
import { systemdService } from './adapters/systemd-service.ts';
import { SystemClock } from './adapters/system-clock.ts';
import { SystemRandom } from './adapters/system-random.ts';
import { type ServiceReporter, startServiceReporter } from './actors/service-reporter.ts';
import { type Agent, type Observe, startAgent } from './agent.ts';
import type { AgentPorts, AgentSettings } from './agent/agent-world.ts';
import { agentSettings } from './daemon/agent-settings.ts';
import type { Config } from './config.ts';
import { adoptingRuntime } from './daemon/adopted-runtime.ts';
import { checkContainer } from './daemon/in-container.ts';
import { cgroupsOf } from './daemon/node-cgroups.ts';
import { mqttPorts } from './daemon/mqtt-ports.ts';
import type { NodeInspector } from './daemon/inspector.ts';
import type { ClockPort } from './ports/clock-port.ts';
import type { InspectorAnswer } from './ports/admin-answers.ts';
import type { HttpAnswer, ListenerPort, ListenFault } from './ports/listener-port.ts';
import type { LogPort } from './ports/log-port.ts';
import { fail, ok, type Result, type Stoppable } from './ports/result.ts';
import { version } from './version.ts';

/** The socket is root's alone: whoever may use it runs privileged pods. */
const adminSocketMode = 0o600;
/** A manifest file's limit. */
const adminBodyBytesMax = 10 * 1024 * 1024;
const notYet: HttpAnswer = { status: 503, contentType: 'application/json', body: '{"message":"the node is starting; ask again in a moment"}\n' };

/** Beside the pods, the end takes at most this long. */
const endMsMax = 15_000;

function endMs({ shutdownGroups }: Config): number {
  return shutdownGroups.reduce((sum, { periodMs }) => sum + periodMs, endMsMax);
}

/** On the admin socket, which is root's alone: the URL holds the token. */
const inspectorPath = '/v1/inspector';

function inspectorAnswer(url: string): HttpAnswer {
  return url === '' ? { status: 404, contentType: 'application/json', body: '{"message":"the node runs without the inspector; start it with --inspector"}\n' }
    : { status: 200, contentType: 'application/json', body: `${JSON.stringify({ url } satisfies InspectorAnswer)}\n` };
}

type StartAgent = (ports: AgentPorts, settings: AgentSettings) => Agent;

export interface DaemonDeps {
  readonly config: Config;
  readonly log: LogPort;
  /** Called when the daemon gives itself up; the process shall exit non-zero. */
  readonly escalate: (message: string) => void;
}

export interface Daemon extends Stoppable {
  /** Before `stop`: ends the pods in order when the machine goes down, within the periods of the settings; otherwise it touches none. */
  endPods(): Promise<void>;
}

/**
 * Starts the node daemon. Nothing it cannot reach keeps it from starting: it waits, says so, and goes on.
 * @returns a line for the person who started it, when another daemon has this root directory: two would undo each other's pods
 */
export async function startDaemon({ config, log, escalate }: DaemonDeps): Promise<Result<Daemon, string>> {
  const contained = checkContainer(config);
  if (!contained.ok) return contained;
  let agent: Agent | undefined;
  let inspectorUrl = '';
  const listener = new HttpListener();
  // The admin socket is also the lock: it is taken before anything is touched.
  const admin = await listenForAdmin(config, listener, { agent: () => agent, inspectorUrl: () => inspectorUrl });
  if (!admin.ok && admin.fault.kind === 'in-use') return fail(`${admin.fault.message} Each mqlet run needs a --root-dir and an --admin-socket of its own`);
  if (!admin.ok) logUnheard(log, 'admin', admin.fault);
  const clock = new SystemClock();
  const random = new SystemRandom();
  const cgroups = await cgroupsOf(config, log);
  if (!cgroups.ok) {
    if (admin.ok) await admin.value.stop();
    return cgroups;
  }
  const host = createHostFacts({ rootDirectory: config.rootDir, hostRoot: config.hostRoot });
  const facts = await host.facts();
  const nodeName = config.nodeName ?? facts.hostname;
  const cri = connectCri({ endpoint: config.containerRuntimeEndpoint, clock, log, callTimeoutMs: config.runtimeRequestTimeoutMs });
  const logFiles = new NodeLogFiles();
  const ports: AgentPorts = {
    runtime: gateRuntime(adoptingRuntime(cri.runtime, config.rootDir, log), { startsMax: startsMaxDefault, clock }),
    images: cri.images,
    ...(config.imageArchivesDir === '' ? {} : { archives: new ImageArchives({ directory: config.imageArchivesDir, endpoint: config.containerRuntimeEndpoint, files: new NodeFiles() }) }),
    probes: new ProbeClient(),
    files: new NodeFiles(),
    volumes: new NodeVolumes({ hostRoot: config.hostRoot, rootDirectory: config.rootDir }),
    ...(cgroups.value === undefined ? {} : { cgroups: cgroups.value }),
    disk: logFiles,
    logFiles,
    clock,
    random,
    log,
    host,
    pressure: host,
    kernelLog: kernelLog(),
    shutdown: systemdShutdown(),
    processUsage: readProcessUsage,
    collectGarbage,
    streams: async () => (await import('./daemon/stream-world.ts')).streamWorld(cri.streamUrls, { rootDirectory: config.rootDir }),
    ...(config.mqtt === undefined ? {} : await mqttPorts(config.mqtt, nodeName)),
  };
  const settings = agentSettings(config, facts, nodeName, escalate);
  const inspector = await inspectorOf(config, { clock, nodeName });
  const start = await agentStarter(config, { clock, log, settings, observe: inspector?.observe });
  if (!start.ok) return start;
  agent = start.value(ports, settings);
  log.info('daemon.started', { version, nodeName, runtime: config.containerRuntimeEndpoint, broker: config.mqtt && `${config.mqtt.host}:${config.mqtt.port}` });
  const page = inspector && await listenForPages(inspector, config, log);
  inspectorUrl = page?.url ?? '';
  const health = await listenForHealth(config, listener, agent);
  if (health?.ok === false) logUnheard(log, 'healthz', health.fault);
  const service = serviceReporter(agent, { clock, log, nodeName });
  const parts: readonly Stoppable[] = [...(service ? [service] : []), ...(admin.ok ? [admin.value] : []), ...(health?.ok === true ? [health.value] : []), ...(page === undefined ? [] : [page]), agent];
  const running = agent;
  return ok({
    endPods: () => {
      service?.stopping({ withinMs: endMs(config) });
      return running.endPods();
    },
    stop: async () => {
      for (const part of parts) await part.stop();
      await cri.close();
      log.info('daemon.stopped');
    },
  });
}

/** @returns undefined where no service manager wants to be told */
function serviceReporter({ health }: Agent, deps: { readonly clock: ClockPort; readonly log: LogPort; readonly nodeName: string }): ServiceReporter | undefined {
  const service = systemdService();
  return service && startServiceReporter({ ...deps, service, fault: () => health.fault() });
}

/** The inspector is a part of its own, loaded where it is asked for. */
async function inspectorOf({ inspector }: Config, { clock, nodeName }: { readonly clock: ClockPort; readonly nodeName: string }): Promise<NodeInspector | undefined> {
  if (inspector === '') return undefined;
  const { nodeInspector } = await import('./daemon/inspector.ts');
  const colon = inspector.lastIndexOf(':');
  const host = inspector.slice(0, colon).replace(/^\[|\]$/g, '');
  return nodeInspector({ address: { host, port: Number(inspector.slice(colon + 1)) }, node: nodeName, version, clock });
}

/** @returns undefined where it cannot be had, which is said */
async function listenForPages(inspector: NodeInspector, { inspector: address }: Config, log: LogPort): Promise<(Stoppable & { readonly url: string }) | undefined> {
  const page = await inspector.listen();
  if (!page.ok) log.error('server.not-listening', { server: 'inspector', message: page.fault });
  // The URL holds the token, which no log line does.
  else log.info('inspector.listening', { address, url: 'mqlet inspect tells it' });
  return page.ok ? page.value : undefined;
}

/** Recording is a part of its own, loaded where it is asked for. */
async function agentStarter(
  config: Config, { observe, ...deps }: Pick<AgentPorts, 'clock' | 'log'> & { readonly settings: AgentSettings; readonly observe: Observe | undefined },
): Promise<Result<StartAgent, string>> {
  const { record, recordAll } = config;
  const start: StartAgent = (ports, settings) => startAgent(ports, settings, observe);
  if (record === '' && recordAll === '') return ok(start);
  const { recordedStart } = await import('./replay/daemon-recording.ts');
  return recordedStart(start, {
    record, recordAll, version, masksSecrets: !config.recordSecrets,
    packetBytesMax: config.recordMaxMegabytes * 1_000_000, packetAgeMaxMs: config.recordMaxAgeMs, packetFilesMax: config.recordFiles,
    packsFiles: config.recordCompress, dialect: config.mqtt && { name: config.mqtt.dialect, rootTopic: config.mqtt.rootTopic },
  }, deps);
}

/** Who asks before the agent is there is told so. */
async function listenForAdmin(
  { adminSocket }: Config, listener: ListenerPort, { agent, inspectorUrl }: { readonly agent: () => Agent | undefined; readonly inspectorUrl: () => string },
): Promise<Result<Stoppable, ListenFault>> {
  await new NodeFiles().makeDirectory(dirname(adminSocket), { mode: 0o750 });
  const address = { kind: 'unix', path: adminSocket, mode: adminSocketMode } as const;
  return listener.listen(address, async (request) => (request.path === inspectorPath ? inspectorAnswer(inspectorUrl()) : agent()?.admin.handle(request)) ?? notYet, { bodyBytesMax: adminBodyBytesMax });
}

/** @returns undefined where it is turned off */
async function listenForHealth({ healthzBindAddress, healthzPort }: Config, listener: ListenerPort, { health }: Agent): Promise<Result<Stoppable, ListenFault> | undefined> {
  if (healthzPort === 0) return undefined;
  return listener.listen({ kind: 'tcp', host: healthzBindAddress, port: healthzPort }, (request) => health.handle(request), { bodyBytesMax: 0 });
}

/** A server that cannot be had is said and done without: the pods matter more. */
function logUnheard(log: LogPort, server: string, { kind, message }: ListenFault): void {
  log.error('server.not-listening', { server, fault: kind, message });
}
