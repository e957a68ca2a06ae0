// The composition root of the node daemon: the only place that builds the real world and hands it to the agent.
import { dirname } from 'node:path';
import { connectCri } from './adapters/cri/cri-client.ts';
import { gateRuntime, startsMaxDefault } from './adapters/gated-runtime.ts';
import { createHostFacts } from './adapters/host-facts.ts';
import { HttpListener } from './adapters/http-listener.ts';
import { mqttClient } from './adapters/mqtt-client.ts';
import { NodeFiles } from './adapters/node-files.ts';
import { readProcessUsage } from './adapters/process-usage.ts';
import { readResolver } from './adapters/resolver-file.ts';
import { SystemClock } from './adapters/system-clock.ts';
import { SystemRandom } from './adapters/system-random.ts';
import { type Agent, type AgentPorts, type AgentSettings, startAgent } from './agent.ts';
import { liteDialect } from './bus/dialects/lite/lite-dialect.ts';
import type { Config } from './config.ts';
import type { MqttConfig } from './config/mqtt-config.ts';
import type { HostFacts } from './ports/host-port.ts';
import type { LogPort } from './ports/log-port.ts';
import type { Stoppable } from './ports/result.ts';
import { version } from './version.ts';

/** Pulls at once where neither serial pulls nor a number is asked for. */
const pullsMaxDefault = 8;
/** The socket is root's alone: whoever may use it runs privileged pods. */
const adminSocketMode = 0o600;
/** A manifest file's limit. */
const adminBodyBytesMax = 10 * 1024 * 1024;

export interface DaemonDeps {
  readonly config: Config;
  readonly log: LogPort;
  /** Called when the daemon gives itself up; the process shall exit non-zero. */
  readonly escalate: (message: string) => void;
}

/** Starts the node daemon. Nothing it cannot reach keeps it from starting: it waits, says so, and goes on. */
export async function startDaemon({ config, log, escalate }: DaemonDeps): Promise<Stoppable> {
  const clock = new SystemClock();
  const random = new SystemRandom();
  const host = createHostFacts({ rootDirectory: config.rootDir });
  const facts = await host.facts();
  const nodeName = config.nodeName ?? facts.hostname;
  const cri = connectCri({ endpoint: config.containerRuntimeEndpoint, clock, log, callTimeoutMs: config.runtimeRequestTimeoutMs });
  const ports: AgentPorts = {
    runtime: gateRuntime(cri.runtime, { startsMax: startsMaxDefault, clock }),
    images: cri.images,
    files: new NodeFiles(),
    clock,
    random,
    log,
    host,
    pressure: host,
    processUsage: readProcessUsage,
    ...(config.mqtt === undefined ? {} : { mqtt: mqttPorts(config.mqtt, nodeName) }),
  };
  const agent = startAgent(ports, agentSettings(config, facts, nodeName, escalate));
  log.info('daemon.started', { version, nodeName, runtime: config.containerRuntimeEndpoint, broker: config.mqtt && `${config.mqtt.host}:${config.mqtt.port}` });
  const servers = await startServers(config, agent, ports);
  return {
    stop: async () => {
      for (const server of servers) await server.stop();
      await agent.stop();
      await cri.close();
      log.info('daemon.stopped');
    },
  };
}

/** /healthz and /metrics, and the admin socket. One that cannot be had is said and done without: the pods matter more. */
async function startServers(config: Config, agent: Agent, { files, log }: AgentPorts): Promise<readonly Stoppable[]> {
  const listener = new HttpListener();
  const servers: Stoppable[] = [];
  const healthz = { kind: 'tcp', host: config.healthzBindAddress, port: config.healthzPort } as const;
  const admin = { kind: 'unix', path: config.adminSocket, mode: adminSocketMode } as const;
  await files.makeDirectory(dirname(config.adminSocket), { mode: 0o750 });
  const listening = [
    ...(config.healthzPort === 0 ? [] : [{ name: 'healthz', answer: await listener.listen(healthz, (request) => agent.health.handle(request), { bodyBytesMax: 0 }) }]),
    { name: 'admin', answer: await listener.listen(admin, (request) => agent.admin.handle(request), { bodyBytesMax: adminBodyBytesMax }) },
  ];
  for (const { name, answer } of listening) {
    if (answer.ok) servers.push(answer.value);
    else log.error('server.not-listening', { server: name, fault: answer.fault.kind, message: answer.fault.message });
  }
  return servers;
}

function mqttPorts(mqtt: MqttConfig, nodeName: string): NonNullable<AgentPorts['mqtt']> {
  const { identity, group, rootTopic } = mqtt;
  const dialect = liteDialect({
    rootTopic,
    nodeName,
    ...(identity.kind === 'signature'
      ? { fleet: { group, accessKey: identity.accessKey, secretKey: identity.secretKey, instance: identity.instance } }
      : {}),
  });
  const { clientId, username, password, protocols } = dialect.connection();
  const credentials = identity.kind === 'password' ? { username: identity.username, password: identity.password } : { username, password };
  const port = mqttClient({
    host: mqtt.host,
    port: mqtt.port,
    clientId: identity.kind === 'signature' ? clientId : `${group}@@@${nodeName}`,
    protocols,
    keepAliveMs: mqtt.keepAliveSeconds * 1000,
    ...(credentials.username === undefined ? {} : { username: credentials.username }),
    ...(credentials.password === undefined ? {} : { password: credentials.password }),
    ...(mqtt.tls === undefined ? {} : { tls: { ...mqtt.tls, servername: mqtt.tls.serverName } }),
  });
  return { port, dialect };
}

function agentSettings(config: Config, facts: HostFacts, nodeName: string, escalate: (message: string) => void): AgentSettings {
  const resolvConf = readResolver(config.resolvConf);
  const hostIps = config.nodeIps.length > 0 ? config.nodeIps : facts.addresses;
  return {
    node: {
      nodeName,
      rootDirectory: config.rootDir.replace(/\/+$/, ''),
      podLogsDirectory: config.podLogsDir.replace(/\/+$/, ''),
      clusterDns: config.clusterDns,
      clusterDomain: config.clusterDomain,
      ...(resolvConf === undefined ? {} : { resolvConf }),
      memoryBytes: facts.memoryBytes,
      allocatable: { cpuMillis: facts.cpus * 1000, memoryBytes: facts.memoryBytes, ephemeralStorageBytes: facts.rootFilesystemBytes },
    },
    identity: {
      name: nodeName,
      ips: config.nodeIps,
      labels: config.nodeLabels,
      taints: config.registerWithTaints,
      providerId: config.providerId,
      maxPods: config.maxPods,
      podsPerCore: config.podsPerCore,
      maxImages: config.nodeStatusMaxImages,
      systemReserved: config.systemReserved,
      kubeReserved: config.kubeReserved,
      evictionHard: config.evictionHard,
      version,
    },
    hostIps,
    podsMax: config.podsPerCore > 0 ? Math.min(config.maxPods, config.podsPerCore * facts.cpus) : config.maxPods,
    pullsMax: config.serializeImagePulls ? 1 : (config.maxParallelImagePulls ?? pullsMaxDefault),
    manifestPath: config.staticPodPath === '' ? undefined : config.staticPodPath,
    manifestScanMs: config.fileCheckFrequencyMs,
    registerNode: config.registerNode,
    nodeUpdatePeriodMs: config.nodeStatusUpdateFrequencyMs,
    nodeReportPeriodMs: config.nodeStatusReportFrequencyMs,
    pressureHoldMs: config.evictionPressureTransitionPeriodMs,
    leaseDurationSeconds: config.nodeLeaseDurationSeconds,
    escalate,
  };
}
