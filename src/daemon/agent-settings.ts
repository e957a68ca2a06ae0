// What the agent is told, from the settings of the daemon and what is known of the host. Plain values; nothing is started here.
import { readResolver } from '../adapters/resolver-file.ts';
import type { AgentSettings } from '../agent/agent-world.ts';
import type { Config } from '../config.ts';
import { shownAllocatable } from '../machines/decide/node-allocatable.ts';
import type { NodeIdentity } from '../machines/decide/node-object.ts';
import type { HostFacts } from '../ports/host-port.ts';
import { version } from '../version.ts';
import { cgroupSettings } from './node-cgroups.ts';

/** Pulls at once where neither serial pulls nor a number is asked for. */
const pullsMaxDefault = 8;

function nodeIdentity(config: Config, nodeName: string): NodeIdentity {
  return {
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
  };
}

/** @param escalate called when the agent gives itself up */
export function agentSettings(config: Config, facts: HostFacts, nodeName: string, escalate: (message: string) => void): AgentSettings {
  const resolvConf = readResolver(config.resolvConf);
  const hostIps = config.nodeIps.length > 0 ? config.nodeIps : facts.addresses;
  const identity = nodeIdentity(config, nodeName);
  return {
    node: {
      nodeName,
      rootDirectory: config.rootDir.replace(/\/+$/, ''),
      podLogsDirectory: config.podLogsDir.replace(/\/+$/, ''),
      deadContainersMaxPerName: Math.max(1, config.maximumDeadContainersPerContainer),
      clusterDns: config.clusterDns,
      clusterDomain: config.clusterDomain,
      ...(resolvConf === undefined ? {} : { resolvConf }),
      memoryBytes: facts.memoryBytes,
      allocatable: shownAllocatable(identity, facts),
    },
    identity,
    hostIps,
    hostFacts: facts,
    allowedUnsafeSysctls: config.allowedUnsafeSysctls,
    cgroups: cgroupSettings(config),
    podsMax: config.podsPerCore > 0 ? Math.min(config.maxPods, config.podsPerCore * facts.cpus) : config.maxPods,
    pullsMax: config.serializeImagePulls ? 1 : (config.maxParallelImagePulls ?? pullsMaxDefault),
    pullProgressDeadlineMs: config.imagePullProgressDeadlineMs,
    manifestPath: config.staticPodPath === '' ? undefined : config.staticPodPath,
    manifestScanMs: config.fileCheckFrequencyMs,
    registerNode: config.registerNode,
    nodeUpdatePeriodMs: config.nodeStatusUpdateFrequencyMs,
    nodeReportPeriodMs: config.nodeStatusReportFrequencyMs,
    eviction: {
      thresholds: config.evictionThresholds,
      evicts: config.eviction,
      limitsLocalStorage: config.localStorageCapacityIsolation,
      softGraceMsMax: config.evictionMaxPodGracePeriodSeconds * 1_000,
      pressureHoldMs: config.evictionPressureTransitionPeriodMs,
    },
    shutdownGroups: config.shutdownGroups,
    streams: { idleMs: config.streamIdleMs, looksInside: config.enableDebuggingHandlers },
    leaseDurationSeconds: config.nodeLeaseDurationSeconds,
    garbage: {
      care: { window: config.imagePrefetchWindow, bytesPerSecondMax: config.imagePrefetchBytesPerSecond, progressDeadlineMs: config.imagePullProgressDeadlineMs },
      images: {
        minAgeMs: config.imageMinimumGcAgeMs, maxAgeMs: config.imageMaximumGcAgeMs, highPercent: config.imageGcHighThresholdPercent,
        lowPercent: config.imageGcLowThresholdPercent, sandboxImage: config.podInfraContainerImage,
      },
      containers: { minAgeMs: config.minimumContainerTtlMs, perContainerMax: config.maximumDeadContainersPerContainer, containersMax: config.maximumDeadContainers },
      logs: {
        sizeMax: config.containerLogMaxSize, filesMax: config.containerLogMaxFiles, workersMax: config.containerLogMaxWorkers,
        periodMs: config.containerLogMonitorIntervalMs,
      },
    },
    renewsLease: config.mqtt?.renewsLease ?? false,
    escalate,
  };
}
